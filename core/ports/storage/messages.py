"""Messages and the streams of people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """What is kept of every message, also of those that match nobody (ruling on R81): no content."""

    uid: int
    header_hash: bytes
    matched: bool = False


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message worth keeping. ``fingerprint`` identifies the same mail seen again (unique with the mailbox)."""

    id: str
    mailbox_id: str
    fingerprint: str
    message_id: str | None
    direction: str
    kind: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    thread_id: str | None
    text: str
    defects: tuple[str, ...] = ()
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewActivity:
    """A message on a person's stream. ``rule`` says which matching rule put it there (R209)."""

    person_id: str
    fingerprint: str
    message_row_id: str
    direction: str
    kind: str
    rule: str
    at: datetime
    campaign_id: str | None = None
    enrollment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a person's stream as shown."""

    at: datetime
    direction: str
    kind: str
    subject: str
    text: str
    message_id: str | None
    mailbox: str
    rule: str
    campaign: str | None


class MessageStore(Protocol):
    async def record_seen(self, folder_id: str, uidvalidity: int, seen: Sequence[SeenMessage], at: datetime) -> int:
        """Inserts what is new; returns how many were. What was seen before and is matched now counts as matched."""
        ...

    async def seen_counts(self, mailbox_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Mailbox id to how many of the messages of which traces are kept (30 days) were matched, and how many
        matched nobody (R81). Constant number of queries."""
        ...

    async def add(self, messages: Sequence[NewMessage]) -> set[str]:
        """Inserts what is new by (mailbox, fingerprint); returns the fingerprints that were."""
        ...

    async def add_activities(self, activities: Sequence[NewActivity]) -> set[tuple[str, str]]:
        """Inserts what is new by (person, fingerprint); returns those pairs."""
        ...

    async def stream(self, person_id: str, *, limit: int = 200) -> list[Activity]:
        """Newest first."""
        ...

    async def forget_seen_before(self, cutoff: datetime) -> int: ...
