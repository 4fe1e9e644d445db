"""What the fault server holds: folders of messages with UIDs, flags and modification sequences (RFC 3501, RFC 7162)."""

from __future__ import annotations

import asyncio
import email
import email.message
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

FIRST_DAY = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)


@dataclass
class HeldMail:
    """One message in a folder. ``structure`` overrides the BODYSTRUCTURE, for mails too big to be parsed."""

    uid: int
    raw: bytes
    modseq: int
    at: datetime
    flags: set[str] = field(default_factory=set)
    gmail_id: int = 0
    thread_id: int = 0
    labels: tuple[str, ...] = ()
    structure: bytes | None = None

    @cached_property
    def parsed(self) -> email.message.Message:
        return email.message_from_bytes(self.raw)

    @cached_property
    def is_single(self) -> bool:
        return b"multipart/" not in self.raw[: self.body_at].lower()

    @cached_property
    def body_at(self) -> int:
        """Where the body begins, behind the empty line."""
        end = self.raw.find(b"\r\n\r\n")
        return len(self.raw) if end < 0 else end + 4


@dataclass
class HeldFolder:
    """Messages in ascending order of UID; ``uidnext`` goes back by ``renumber`` alone."""

    name: str
    attributes: tuple[str, ...] = ()
    uidvalidity: int = 1_700_000_001
    uidnext: int = 1
    modseq: int = 1
    mails: list[HeldMail] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None

    def add(
        self, raw: bytes, *, flags: Iterable[str] = (), structure: bytes | None = None, label: str = ""
    ) -> HeldMail:
        self.modseq += 1
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        at = FIRST_DAY + timedelta(minutes=uid)
        labels = (label,) if label else ()
        number = 1_800_000_000_000_000_000 + uid
        mail = HeldMail(uid, raw, self.modseq, at, set(flags), number, number, labels, structure)
        self.mails.append(mail)
        self.changed()
        return mail

    def expunge(self, uid: int) -> None:
        self.modseq += 1
        self.mails = [mail for mail in self.mails if mail.uid != uid]
        self.changed()

    def flag(self, uid: int, *flags: str) -> None:
        self.modseq += 1
        for mail in self.mails:
            if mail.uid == uid:
                mail.flags, mail.modseq = set(flags), self.modseq
        self.changed()

    def renumber(self, uidvalidity: int | None = None) -> None:
        """A new UIDVALIDITY, and every message under a new number, in the same order."""
        self.uidvalidity = self.uidvalidity + 1 if uidvalidity is None else uidvalidity
        self.uidnext = 1
        kept, self.mails = self.mails, []
        for mail in kept:
            self.add(mail.raw, flags=mail.flags, structure=mail.structure)

    def skip_uids(self, count: int) -> None:
        """A hole in the numbers, as deleted messages leave it."""
        self.uidnext += count

    def rebuild_index(self) -> None:
        """What Dovecot does when its index is lost: every message counts as changed at once, at a low number."""
        self.modseq = 1
        for mail in self.mails:
            mail.modseq = 1

    @property
    def uids(self) -> list[int]:
        return [mail.uid for mail in self.mails]

    def by_uid(self, uid: int) -> HeldMail | None:
        return next((mail for mail in self.mails if mail.uid == uid), None)


class HeldMailbox:
    """One account: its secrets and its folders."""

    def __init__(self, folders: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self.username, self.password, self.token = "rita@agency.test", "s3cret-pass", "good-token"
        self.folders = {name: HeldFolder(name, attributes, changed=self._tell) for name, attributes in folders}
        self._watchers: set[asyncio.Event] = set()

    def __getitem__(self, name: str) -> HeldFolder:
        return self.folders[name]

    def watch(self) -> asyncio.Event:
        """An event that is set at every change; give it back by ``unwatch``."""
        event = asyncio.Event()
        self._watchers.add(event)
        return event

    def unwatch(self, event: asyncio.Event) -> None:
        self._watchers.discard(event)

    def _tell(self) -> None:
        for event in self._watchers:
            event.set()


def plain_mail(number: int, *, sender: str = "cleo@candidates.example", extra: str = "", body: str = "Hello") -> bytes:
    """A small mail as candidates write it."""
    return (
        f"From: Cleo <{sender}>\r\nTo: rita@agency.test\r\nSubject: Hi {number}\r\n"
        f"Message-ID: <m{number}@candidates.example>\r\nDate: Sat, 01 Aug 2026 09:00:00 +0000\r\n{extra}"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body} {number}\r\n"
    ).encode()
