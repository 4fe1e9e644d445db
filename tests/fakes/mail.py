"""A mail provider in memory: implements the ports MailTransport, MailboxConnector and MailboxClient.

Held against the real adapters by tests/integration/mail/test_fake_is_honest.py.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.message import FetchedMessage
from core.errors import ConnectionLostError, LoginRefusedError, MailError, OutcomeUnknownError, ServerRefusedError
from core.ports.mail import Credentials, Endpoint, FolderInfo, FolderSnapshot, MailboxEvent, SendReceipt

ORIGINAL_IDS = ("Message-ID", "X-Google-Original-Message-ID", "X-Microsoft-Original-Message-ID")
PASSWORD = "the right password"


@dataclass
class FakeFolder:
    """Messages by UID, ascending; ``uidnext`` never goes back but by ``renumber``."""

    role: str | None
    uidvalidity: int = 1
    uidnext: int = 1
    messages: dict[int, tuple[bytes, datetime]] = field(default_factory=dict)
    flags: dict[int, frozenset[str]] = field(default_factory=dict)

    def add(self, raw: bytes, at: datetime, flags: Collection[str] = ()) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = raw, at
        self.flags[uid] = frozenset(flags)
        return uid

    def renumber(self) -> None:
        """A new UIDVALIDITY, and every message under a new number."""
        kept = [(raw, at, self.flags[uid]) for uid, (raw, at) in self.messages.items()]
        self.uidvalidity, self.uidnext, self.messages, self.flags = self.uidvalidity + 1, 1, {}, {}
        for raw, at, flags in kept:
            self.add(raw, at, flags)

    @property
    def snapshot(self) -> FolderSnapshot:
        return FolderSnapshot(self.uidvalidity, self.uidnext, len(self.messages))


@dataclass
class FakeProvider:
    """One account. ``outcomes`` says what becomes of the next sends: None accepts, an error is raised; with
    ``OutcomeUnknownError`` the mail is taken where ``takes_lost`` is True. ``trouble`` is raised on each connect,
    ``refused`` counts wrong
    passwords; ``on_wire`` happens while a mail is being handed over, ``hang`` holds the server's answer back.

    Reading: ``batch`` messages come at a time, and after ``batches_left`` of them the connection breaks; ``refuses``
    holds the error of each folder that does not open, ``renumbers`` those that get a new UIDVALIDITY whenever they are
    opened; ``stuck`` keeps every SELECT waiting, and ``stalled`` counts them.
    With ``pushes`` a session waits for what the test puts there; without ``rests`` its first wait breaks it.
    ``read`` lists what was fetched, ``listed`` counts LIST, ``paces`` holds how long each wait was to last."""

    now: Callable[[], datetime]
    password: str = PASSWORD
    files_sent: bool = True
    takes_lost: bool = True
    trouble: MailError | None = None
    folders: dict[str, FakeFolder] = field(default_factory=dict)
    outcomes: list[MailError | None] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)
    refused: int = 0
    on_wire: Callable[[], Awaitable[None]] | None = None
    hang: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    batch: int = 200
    batches_left: int | None = None
    refuses: dict[str, MailError] = field(default_factory=dict)
    renumbers: set[str] = field(default_factory=set)
    stuck: asyncio.Event | None = None
    stalled: int = 0
    pushes: asyncio.Queue[MailboxEvent] | None = None
    rests: bool = True
    read: list[tuple[str, int]] = field(default_factory=list)
    listed: int = 0
    paces: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.folders:
            self.folders = {"INBOX": FakeFolder("inbox"), "Sent": FakeFolder("sent"), "Junk": FakeFolder("junk")}

    def arrive(self, raw: bytes, folder: str = "INBOX", flags: Collection[str] = ()) -> int:
        return self.folders[folder].add(raw, self.now(), flags)

    def take(self, raw: bytes) -> None:
        self.accepted.append(raw)
        if self.files_sent:
            self.folders["Sent"].add(raw, self.now())

    def check(self, credentials: Credentials) -> None:
        if self.trouble is not None:
            raise self.trouble
        if credentials.password != self.password:
            self.refused += 1
            raise LoginRefusedError("[AUTHENTICATIONFAILED] Invalid credentials", layer="imap")


class FakeTransport:
    """Implements ``MailTransport`` for one provider."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.verified = 0

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        del endpoint, sender, recipients
        provider = self.provider
        provider.check(credentials)
        provider.began.set()
        if provider.on_wire is not None:
            await provider.on_wire()
        outcome = provider.outcomes.pop(0) if provider.outcomes else None
        if isinstance(outcome, OutcomeUnknownError):
            if provider.takes_lost:
                provider.take(raw)
            raise outcome
        if outcome is not None:
            raise outcome
        if provider.hang is not None:
            await provider.hang.wait()
        provider.take(raw)
        return SendReceipt("250 2.0.0 Ok: queued")

    async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
        del endpoint
        self.verified += 1
        self.provider.check(credentials)

    async def close(self) -> None:
        return None


class FakeConnector:
    """Implements ``MailboxConnector`` for one provider."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.opened: list[FakeClient] = []

    async def connect(self, endpoint: Endpoint, credentials: Credentials) -> FakeClient:
        del endpoint
        self.provider.check(credentials)
        self.opened.append(FakeClient(self.provider))
        return self.opened[-1]


class FakeClient:
    """Implements ``MailboxClient``. Its second wait for news breaks the connection: one session is two passes."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider = provider
        self._selected = ""
        self._rested = False
        self.closed = False

    @property
    def _folder(self) -> FakeFolder:
        return self._provider.folders[self._selected]

    async def list_folders(self) -> list[FolderInfo]:
        self._provider.listed += 1
        return [FolderInfo(name, folder.role) for name, folder in self._provider.folders.items()]

    async def select(self, folder: str) -> FolderSnapshot:
        if self._provider.stuck is not None:
            self._provider.stalled += 1
            await self._provider.stuck.wait()
        self._selected = folder
        opened = self._opened(folder)
        if folder in self._provider.renumbers:
            opened.renumber()
        return opened.snapshot

    async def status(self, folder: str) -> FolderSnapshot:
        return self._opened(folder).snapshot

    def _opened(self, folder: str) -> FakeFolder:
        if folder in self._provider.refuses:
            raise self._provider.refuses[folder]
        if folder not in self._provider.folders:
            raise ServerRefusedError("NO [NONEXISTENT] Unknown Mailbox", layer="imap")
        return self._provider.folders[folder]

    async def glance(self, folders: Sequence[str]) -> dict[str, FolderSnapshot]:
        known = self._provider.folders
        return {name: known[name].snapshot for name in folders if name in known}

    async def fetch(
        self, first_uid: int, last_uid: int | None = None, *, newest_first: bool = False
    ) -> AsyncIterator[list[FetchedMessage]]:
        wanted = [uid for uid in self._folder.messages if first_uid <= uid <= (last_uid or uid)]
        if newest_first:
            wanted.reverse()
        provider = self._provider
        for start in range(0, len(wanted), provider.batch):
            if provider.batches_left is not None:
                if provider.batches_left == 0:
                    raise ConnectionLostError("the connection broke amid a folder", layer="imap")
                provider.batches_left -= 1
            uids = wanted[start : start + provider.batch]
            provider.read += [(self._selected, uid) for uid in uids]
            yield [self._fetched(uid) for uid in uids]

    def _fetched(self, uid: int) -> FetchedMessage:
        raw, at = self._folder.messages[uid]
        header = raw.replace(b"\n\n", b"\r\n\r\n").split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
        return FetchedMessage(uid, at, len(raw), self._folder.flags[uid], header)

    async def fetch_texts(self, messages: Sequence[FetchedMessage], *, limit: int = 262_144) -> dict[int, bytes]:
        found = {}
        for one in messages:
            parsed = email.message_from_bytes(self._folder.messages[one.uid][0], policy=email.policy.default)
            part = parsed.get_body(("plain", "html"))
            payload = part.get_payload(decode=True) if part else b""
            found[one.uid] = payload.decode("utf-8", "replace").encode()[:limit] if isinstance(payload, bytes) else b""
        return found

    async def fetch_raw(self, uid: int, *, limit: int = 262_144) -> bytes:
        return self._folder.messages[uid][0][:limit]

    async def search_message_id(self, message_id: str) -> list[int]:
        return [
            uid
            for uid, (raw, _) in self._folder.messages.items()
            if any(f"<{message_id}>" in str(email.message_from_bytes(raw)[name]) for name in ORIGINAL_IDS)
        ]

    async def search_address(self, address: str) -> list[int]:
        return [
            uid
            for uid, (raw, _) in self._folder.messages.items()
            if any(address.lower() in str(email.message_from_bytes(raw)[name]).lower() for name in ("From", "To", "Cc"))
        ]

    async def idle(self, *, renew_after: float) -> MailboxEvent:
        self._provider.paces.append(renew_after)
        if self._provider.pushes is not None:
            return await self._provider.pushes.get()
        if self._provider.rests and not self._rested:
            self._rested = True
            return MailboxEvent.RENEW
        raise ConnectionLostError("the session of this pass is over", layer="imap")

    def has_news(self) -> bool:
        return False

    async def append(self, folder: str, raw: bytes) -> None:
        self._provider.arrive(raw, folder)

    async def noop(self) -> None:
        return None

    async def close(self) -> None:
        self.closed = True
