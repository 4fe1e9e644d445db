"""The folders of one account, held in memory by pymap and read here by the page and by tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pymap.backend.dict.mailbox import MailboxData, MailboxSet, Message
from pymap.concurrent import Event
from pymap.exceptions import NotSupportedError
from pymap.flags import FlagOp
from pymap.interfaces.message import CachedMessage
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import ObjectId
from pymap.parsing.specials.flag import Flag, Seen
from pymap.selected import SelectedMailbox

from sandbox.mail.accounts import Provider
from sandbox.mail.message import ReadableMail

# Names of folders beside INBOX, with their special uses (RFC 6154).
_USUAL = {"Sent": b"Sent", "Junk": b"Junk", "Drafts": b"Drafts", "Trash": b"Trash"}
_GMAIL = {
    "[Gmail]/All Mail": b"All",
    "[Gmail]/Sent Mail": b"Sent",
    "[Gmail]/Spam": b"Junk",
    "[Gmail]/Drafts": b"Drafts",
    "[Gmail]/Trash": b"Trash",
}

Changed = Callable[[], None]


@dataclass(frozen=True, eq=False)
class StoredMail(ReadableMail):
    """A mail as it lies in a folder; ``seen`` follows the folder."""

    stored: Message

    @classmethod
    def of(cls, stored: Message) -> "StoredMail":
        # pymap gives content only through a coroutine, though it is in memory.
        return cls(bytes(stored._content) if stored._content else b"", stored)

    @property
    def uid(self) -> int:
        return self.stored.uid

    @property
    def seen(self) -> bool:
        return Seen in self.stored.permanent_flags

    @property
    def received(self) -> datetime:
        """INTERNALDATE, an aware time."""
        return self.stored.internal_date


class Folder(MailboxData):
    """A pymap mailbox that tells of its changes and loses no wake-up during IDLE.

    What is appended is appended to ``also`` too, as mail of Gmail's INBOX lies in All Mail.
    """

    def __init__(self, content_cache: Any, thread_cache: Any, changed: Changed) -> None:
        super().__init__(content_cache, thread_cache)
        self._changed = changed
        self.also: Folder | None = None
        self._read: dict[int, StoredMail] = {}

    def mails(self) -> list[StoredMail]:
        """Every mail of the folder, oldest first."""
        read = {uid: self._read.get(uid) or StoredMail.of(stored) for uid, stored in self._messages.items()}
        self._read = read
        return list(read.values())

    @property
    def unseen(self) -> int:
        return sum(Seen not in stored.permanent_flags for stored in self._messages.values())

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        # pymap waits for the next change even if one came since it looked last: a mail that arrived
        # just before IDLE, or while a push was being written, would stay untold until the one after.
        if selected.mod_sequence is not None and selected.mod_sequence < self._mod_sequences.highest:
            wait_on = None
        return await super().update_selected(selected, wait_on=wait_on)

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:
        message = await super().append(append_msg, recent=recent)
        if self.also is not None:
            await self.also.append(append_msg, recent=recent)
        self._changed()
        return message

    async def update(self, uid: int, cached_msg: CachedMessage, flag_set: frozenset[Flag], mode: FlagOp) -> Message:
        message = await super().update(uid, cached_msg, flag_set, mode)
        self._changed()
        return message

    async def mark_seen(self, uid: int) -> None:
        """Sets the Seen flag as a client's STORE would.

        Raises:
            KeyError: the folder has no such mail.
        """
        await self.update(uid, self._messages[uid], frozenset({Seen}), FlagOp.ADD)

    def continue_from(self, uid_validity: int, last_uid: int) -> None:
        """Sets the numbers a fresh folder starts with."""
        self._uid_validity = uid_validity
        self._max_uid = last_uid


class FolderSet(MailboxSet):
    """The folders of one account, laid out as its provider does it; ``uses`` holds the special ones."""

    def __init__(self, changed: Changed, provider: Provider = "password") -> None:
        super().__init__()
        self._changed = changed
        self.uses: Mapping[str, bytes] = _GMAIL if provider == "google" else _USUAL
        self._inbox: Folder = self._folder()
        self._set.update({name: self._folder() for name in self.uses})
        if "[Gmail]/All Mail" in self._set:
            for name in ("INBOX", "Sent", "Drafts"):
                self.folder(name).also = self.folder("All")

    def _folder(self) -> Folder:
        return Folder(self._content_cache, self._thread_cache, self._changed)

    def folder(self, name: str) -> Folder:
        """A folder by name or by special use: "Sent" finds Gmail's "[Gmail]/Sent Mail".

        Raises:
            KeyError: the account has no such folder.
        """
        return self._inbox if name.upper() == "INBOX" else cast(Folder, self._set[self._name(name)])

    def _name(self, name: str) -> str:
        if name in self._set:
            return name
        return next((known for known, use in self.uses.items() if use.decode() == name), name)

    async def add_mailbox(self, name: str) -> ObjectId:
        if name in self._set:
            raise ValueError(name)
        self._set[name] = self._folder()
        return self._set[name].mailbox_id

    async def rename_mailbox(self, before: str, after: str) -> None:
        if before.upper() == "INBOX":
            raise NotSupportedError("INBOX cannot be renamed.")
        await super().rename_mailbox(before, after)

    async def renumber(self, name: str) -> Folder:
        """Gives a folder a new UIDVALIDITY and its mails new UIDs from 1, as after a server's restore."""
        old = self.folder(name)
        new = self._folder()
        new.continue_from(old.uid_validity + 1, 0)
        for mail in old.mails():
            await new.append(AppendMessage(mail.raw, mail.received, mail.stored.permanent_flags))
        new.also = old.also
        if name.upper() == "INBOX":
            self._inbox = new
        else:
            self._set[self._name(name)] = new
        for folder in (self._inbox, *self._set.values()):
            if cast(Folder, folder).also is old:
                cast(Folder, folder).also = new
        return new
