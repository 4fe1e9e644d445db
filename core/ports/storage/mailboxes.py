"""Mailboxes: their rows, folders, credentials, logs, sign-ins and who keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.account import Mailbox
from core.domain.folder_sync import FolderState
from core.ports.mail import Credentials


class MailboxStore(Protocol):
    async def add(self, mailbox: Mailbox) -> None:
        """Raises RefusedError(reason="mailbox_exists") where the address is connected already."""
        ...

    async def get(self, mailbox_id: str) -> Mailbox | None: ...
    async def by_address(self, address: str) -> Mailbox | None: ...

    async def by_sender(self, address: str) -> Mailbox | None:
        """The mailbox that mails From this address go from: its own, else one that has it as an alias (a connected one
        before one that is not)."""
        ...

    async def list(self, *, owner: str | None = None) -> list[Mailbox]:
        """In order of connection (first come first served, R214)."""
        ...

    async def count(self) -> int:
        """Rows of all statuses: none is ever deleted, so a new number means a new mailbox."""
        ...

    async def address_keys(self) -> frozenset[str]:
        """Match keys of all of them."""
        ...

    async def save(self, mailbox: Mailbox) -> bool:
        """Compare-and-set on ``mailbox.version``; the stored version grows by one."""
        ...

    async def touch(self, mailbox_id: str, *, last_sync_at: datetime) -> None:
        """Proof of life; no version change, no conflict."""
        ...

    async def note_token(self, mailbox_id: str, *, expires_at: datetime | None) -> None:
        """When the access token in use ends; no version change, no conflict."""
        ...

    async def note_refresh(self, mailbox_id: str, *, refreshed_at: datetime) -> None:
        """All folders were looked through from scratch (R32); no version change, no conflict."""
        ...

    async def reserve_slot(self, mailbox_id: str, *, next_send_at: datetime) -> None:
        """Nothing goes from it before this moment, nor before a later one that was set already."""
        ...

    async def put_credentials(self, mailbox_id: str, credentials: Credentials) -> None:
        """Sealed before it is stored, bound to this row."""
        ...

    async def credentials(self, mailbox_id: str) -> Credentials:
        """Raises NotFoundError where none are stored, StorageError where the seal does not open."""
        ...

    async def forget_credentials(self, mailbox_id: str) -> None: ...

    async def lock_seats(self) -> None:
        """Until this unit ends, no other in this workspace passes here: who counts mailboxes against the limit counts
        alone (R214)."""
        ...


class FolderStore(Protocol):
    async def ensure(self, mailbox_id: str, name: str, role: str) -> FolderState: ...
    async def list(self, mailbox_id: str) -> list[FolderState]: ...

    async def by_mailbox(self, mailbox_ids: Collection[str]) -> Mapping[str, tuple[FolderState, ...]]:
        """Those of several mailboxes, by mailbox id; in a constant number of queries."""
        ...

    async def advance(
        self, folder_id: str, *, uidvalidity: int, uidnext: int, exists: int, highestmodseq: int | None = None
    ) -> None:
        """Moves the checkpoint, in the transaction that stores what was read."""
        ...

    async def set_history(self, folder_id: str, *, below: int | None, left: int) -> None:
        """Old mail below this UID is still to be read (None: none), in the transaction that stored what was."""
        ...

    async def mark_read_through(self, folder_ids: Collection[str], at: datetime) -> None: ...
    async def note_reset(self, folder_id: str) -> None: ...

    async def note_failure(self, folder_id: str, *, parked_until: datetime | None) -> None:
        """One more failure of this folder; parked until then where a moment is given."""
        ...

    async def note_success(self, folder_id: str) -> None:
        """The folder opens again: its count of failures begins anew, and it is not parked any more."""
        ...

    async def forget_checkpoints(self, mailbox_id: str) -> None:
        """All is read again from the start, as on the first day (R52); what is logged stays logged once."""
        ...


@dataclass(frozen=True, slots=True)
class SyncLogEntry:
    """One line of a mailbox's running log (R39)."""

    mailbox_id: str
    at: datetime
    cause: str
    raw: str
    fix: str


class SyncLogStore(Protocol):
    async def add(self, entry: SyncLogEntry) -> None: ...
    async def list(self, mailbox_id: str, *, limit: int = 50) -> list[SyncLogEntry]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectTicket:
    """A one-time permission to connect a mailbox on the web page; bound to the Slack user who asked."""

    user: str
    expires_at: datetime
    mailbox_id: str | None = None
    spent_at: datetime | None = None


class TicketStore(Protocol):
    async def add(self, token_hash: bytes, ticket: ConnectTicket) -> None: ...
    async def get(self, token_hash: bytes) -> ConnectTicket | None: ...
    async def spend(self, token_hash: bytes, at: datetime) -> bool:
        """True once: unspent and not expired."""
        ...

    async def forget_before(self, cutoff: datetime) -> int:
        """Those that expired before this moment, spent or not; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class SignInState:
    """A sign-in under way at a provider; bound to the Slack user's ticket. ``address`` is the one the person typed."""

    ticket_hash: bytes
    provider: str
    address: str
    expires_at: datetime
    spent_at: datetime | None = None


class SignInStore(Protocol):
    async def add(self, state_hash: bytes, state: SignInState) -> None: ...

    async def spend(self, state_hash: bytes, at: datetime) -> SignInState | None:
        """The state, once: unspent and not expired; None otherwise."""
        ...

    async def forget_before(self, cutoff: datetime) -> int:
        """Those that expired before this moment, spent or not; returns how many."""
        ...


class LeaseStore(Protocol):
    """Which process keeps a mailbox: one holder at a time, until its time is over."""

    async def take(self, mailbox_ids: Collection[str], *, holder: str, now: datetime, until: datetime) -> set[str]:
        """Takes or renews; returns those that the holder has now. Constant number of statements."""
        ...

    async def give_back(self, mailbox_ids: Collection[str], *, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Canary:
    """A mail that one mailbox sent another to prove that both work (X6). ``seen_at`` None: no echo yet;
    ``settled_at`` is set when its echo came or its absence was told."""

    id: str
    from_mailbox: str
    to_mailbox: str
    message_id: str
    sent_at: datetime
    seen_at: datetime | None = None
    settled_at: datetime | None = None


class CanaryStore(Protocol):
    async def add(self, canary: Canary) -> None: ...
    async def latest(self, from_mailbox: str) -> Canary | None: ...

    async def last_sent(self) -> dict[str, datetime]:
        """Of all mailboxes that ever sent one: when they last did."""
        ...

    async def seen(self, message_ids: Collection[str], to_mailbox: str, at: datetime) -> int:
        """Marks those of these that were sent to this mailbox; returns how many were."""
        ...

    async def overdue(self, sent_before: datetime) -> list[Canary]:
        """Without echo, unsettled, sent before this moment."""
        ...

    async def settle(self, canary_id: str, at: datetime) -> None: ...

    async def echoed_since(self, to_mailbox: str, at: datetime) -> bool:
        """Whether a check mail reached this mailbox after this moment."""
        ...

    async def forget_before(self, cutoff: datetime) -> int: ...
