"""A signed-in IMAP session: special uses in LIST, and folders that will not open."""

from collections.abc import Iterable, Sequence

from pymap.backend.dict import Config, Session
from pymap.backend.dict.filter import FilterSet
from pymap.mailbox import MailboxSnapshot
from pymap.parsing.message import AppendMessage
from pymap.parsing.response.code import AppendUid
from pymap.selected import SelectedMailbox

from sandbox.mail import refusals
from sandbox.mail.accounts import Account
from sandbox.mail.imap_commands import RefusedError
from sandbox.mail.imap_store import FolderSet

Listed = tuple[str, str | None, Sequence[bytes]]


class HostSession(Session):
    """pymap's session with the account's folder faults."""

    def __init__(self, account: Account, config: Config, folders: FolderSet) -> None:
        super().__init__(account.address, config, folders, FilterSet())
        self._account = account
        self._uses = folders.uses

    async def list_mailboxes(
        self, ref_name: str, filter_: str, subscribed: bool = False, selected: SelectedMailbox | None = None
    ) -> tuple[Iterable[Listed], SelectedMailbox | None]:
        """LIST, with the special uses of folders (RFC 6154)."""
        listed, updates = await super().list_mailboxes(ref_name, filter_, subscribed, selected)
        marked = [
            (name, separator, [*flags, self._uses[name]] if name in self._uses else flags)
            for name, separator, flags in listed
        ]
        return marked, updates

    async def select_mailbox(self, name: str, readonly: bool = False) -> tuple[MailboxSnapshot, SelectedMailbox]:
        self._check_opens(name)
        return await super().select_mailbox(name, readonly)

    async def get_mailbox(
        self, name: str, selected: SelectedMailbox | None = None
    ) -> tuple[MailboxSnapshot, SelectedMailbox | None]:
        self._check_opens(name)
        return await super().get_mailbox(name, selected)

    async def append_messages(
        self, name: str, messages: Sequence[AppendMessage], selected: SelectedMailbox | None = None
    ) -> tuple[AppendUid, SelectedMailbox | None]:
        if self._account.faults.folder == "full":
            raise RefusedError(f"NO {refusals.MAILBOX_FULL}")
        return await super().append_messages(name, messages, selected)

    def _check_opens(self, name: str) -> None:
        if self._uses.get(name, name.encode()).decode().lower() == self._account.faults.folder:
            raise RefusedError(f"NO {refusals.CANNOT_OPEN}")
