"""The world of mail, as the services need it. Implemented in core/mail, by fakes in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.domain.message import FetchedMessage


class Tls(StrEnum):
    """How a connection is secured: from the first byte, by STARTTLS, or not at all (refused unless allowed)."""

    SSL = "ssl"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A mail server's address."""

    host: str
    port: int
    tls: Tls


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a mailbox logs in with; ``repr`` shows no secret. ``access_token`` wins over ``password`` (XOAUTH2); it ends
    at ``expires_at`` and is renewed with ``refresh_token``."""

    username: str
    password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """A folder as LIST shows it. ``role`` is inbox, sent, junk, drafts, trash, archive, all, or None."""

    name: str
    role: str | None
    selectable: bool = True


@dataclass(frozen=True, slots=True)
class FolderSnapshot:
    """The numbers of a folder at one moment (RFC 3501 6.3.1; RFC 7162 for ``highestmodseq``)."""

    uidvalidity: int
    uidnext: int
    exists: int
    highestmodseq: int | None = None


class MailboxEvent(StrEnum):
    """Why ``MailboxClient.idle`` came back."""

    CHANGED = "changed"
    RENEW = "renew"


class MailboxClient(Protocol):
    """One logged-in IMAP connection. Any error means: throw it away and build a new one (sync.md lesson of the field).

    Every method raises ``core.errors.MailError`` kinds only, within its deadline; nothing ever waits for ever. One task
    at a time uses it; but while ``fetch`` is iterated, another may call ``fetch_texts`` and ``fetch_raw``.
    """

    async def list_folders(self) -> list[FolderInfo]: ...

    async def select(self, folder: str) -> FolderSnapshot:
        """Selects for reading; BODY.PEEK keeps the Seen flag untouched."""
        ...

    async def status(self, folder: str) -> FolderSnapshot:
        """STATUS of a folder that is not the selected one."""
        ...

    async def glance(self, folders: Sequence[str]) -> dict[str, FolderSnapshot]:
        """The numbers of many folders in one go (RFC 5819 where it is offered, else pipelined STATUS). A folder of
        which the server tells nothing is left out."""
        ...

    def fetch(
        self, first_uid: int, last_uid: int | None = None, *, newest_first: bool = False
    ) -> AsyncIterator[list[FetchedMessage]]:
        """Batches of at most 500 messages of the selected folder, UID between the bounds (inclusive; None: to the end).

        Headers only. UIDs below ``first_uid`` never appear, whatever the server sends for ``n:*``.
        """
        ...

    async def fetch_texts(self, messages: Sequence[FetchedMessage], *, limit: int = 262_144) -> dict[int, bytes]:
        """The readable text of messages of the selected folder: UID to decoded UTF-8, at most ``limit`` bytes each."""
        ...

    async def fetch_raw(self, uid: int, *, limit: int = 262_144) -> bytes:
        """The first ``limit`` bytes of one message, for reports and for mail whose header cannot be read."""
        ...

    async def search_message_id(self, message_id: str) -> list[int]:
        """UIDs in the selected folder whose Message-ID is this (given without angle brackets), also under the
        providers' own keeping of it (X-Google-Original-Message-ID, X-Microsoft-Original-Message-ID)."""
        ...

    async def search_address(self, address: str) -> list[int]:
        """UIDs in the selected folder, ascending, whose From, To or Cc holds this text: servers compare parts of words,
        so that some may be about somebody else."""
        ...

    async def idle(self, *, renew_after: float) -> MailboxEvent:
        """Waits for news in the selected folder: CHANGED as soon as the server pushes anything, RENEW after
        ``renew_after`` seconds (DONE and NOOP proved that the link lives). Where IDLE is not offered it polls."""
        ...

    def has_news(self) -> bool:
        """Whether the server has told of news in the selected folder since ``idle`` or ``select`` last asked; costs
        nothing, so that a long reading can be broken off for it."""
        ...

    async def append(self, folder: str, raw: bytes) -> None: ...

    async def noop(self) -> None: ...

    async def close(self) -> None:
        """Logs out and closes within two seconds; never raises."""
        ...


class MailboxConnector(Protocol):
    """Opens IMAP connections."""

    async def connect(self, endpoint: Endpoint, credentials: Credentials) -> MailboxClient: ...


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """The server took the mail: its own words, kept for the log."""

    reply: str


class MailTransport(Protocol):
    """Hands mail to the recruiter's own submission server."""

    async def send(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        sender: str,
        recipients: Sequence[str],
        raw: bytes,
    ) -> SendReceipt:
        """Raises UnreachableError, LoginRefusedError, ConnectionLostError (certainly not sent), ServerRefusedError
        (certain, with ``smtp_code``), OutcomeUnknownError (silence from the last byte on; cancellation counts too)."""
        ...

    async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
        """Logs in and out: are these settings good for sending?"""
        ...

    async def close(self) -> None: ...


class NameResolver(Protocol):
    """DNS, with time-outs that end in an error that says so, never in "missing"."""

    async def mx(self, domain: str) -> list[tuple[int, str]]: ...

    async def txt(self, name: str) -> list[str]: ...

    async def addresses(self, host: str) -> list[str]: ...

    async def srv(self, name: str) -> list[tuple[str, int]]:
        """(host, port) in order of preference (RFC 2782); a service that is said not to exist is left out."""
        ...
