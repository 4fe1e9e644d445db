"""What keeps mail back: counts of what went, holds, lowered caps, addresses that are never written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TrafficKey:
    """What is counted: ``scope`` says in which way (for example mailbox, minute, day), ``key`` of whom."""

    scope: str
    key: str


class TrafficStore(Protocol):
    """Counts of sends by span of time. A count is raised in the transaction that claims, so that two processes can
    never both use the last place."""

    async def add(self, counts: Mapping[tuple[TrafficKey, datetime], int]) -> None:
        """Adds to (key, beginning of the span); negative to give a place back. One statement for all."""
        ...

    async def spans(self, keys: Collection[TrafficKey], since: datetime) -> dict[TrafficKey, dict[datetime, int]]:
        """The spans of each key that begin at or after a moment, oldest first; keys without any are left out."""
        ...

    async def lock(self, keys: Collection[TrafficKey]) -> None:
        """Waits until nobody else counts these in an open transaction (SQLite has one writer: nothing to do)."""
        ...

    async def forget_before(self, cutoff: datetime, *, scopes: Collection[str] = ()) -> int:
        """Spans that begin before a moment, of these scopes (none named: of all)."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of this goes until it is lifted. ``kind``: workspace, mailbox, campaign, or owner (a recruiter, whose
    follow-ups wait while they are away); ``key`` whose; ``code`` why, a reason code; ``until`` None: until a person
    lifts it."""

    kind: str
    key: str
    code: str
    actor: str
    at: datetime
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LearnedCap:
    """The most mails in 24 hours that a mailbox may send for a while, because its host said that it was too many (X12).
    ``code`` names the limit, ``raw`` holds the host's own words."""

    mailbox_id: str
    cap: int
    at: datetime
    until: datetime
    code: str
    raw: str


class HoldStore(Protocol):
    async def put(self, hold: Hold) -> None:
        """Replaces one of the same kind, key and code."""
        ...

    async def all(self) -> list[Hold]:
        """Those of the workspace, oldest first: few."""
        ...

    async def lift(self, kind: str, key: str, code: str) -> bool: ...

    async def put_cap(self, cap: LearnedCap) -> None: ...
    async def caps(self, now: datetime) -> dict[str, LearnedCap]:
        """Those still in force, by mailbox id."""
        ...


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address (its match key) or a whole domain ("@example.test") that is never written to. ``code``: unsubscribed,
    complaint, bounced, or asked (a person put it there)."""

    key: str
    code: str
    actor: str
    at: datetime
    note: str = ""


class SuppressionStore(Protocol):
    async def put_many(self, suppressions: Sequence[Suppression]) -> int:
        """Adds what is new; an older entry stays as it is. Returns how many were new."""
        ...

    async def among(self, keys: Collection[str]) -> dict[str, Suppression]:
        """Those of these address keys that are suppressed, themselves or by their domain, by address key."""
        ...

    async def list(self, *, limit: int = 500) -> list[Suppression]:
        """Newest first."""
        ...

    async def count(self) -> int: ...
    async def remove(self, key: str) -> bool: ...


class DomainCheckStore(Protocol):
    """What DNS said of recipients' domains, kept for a while. ``mail`` is a value of the verdict rules."""

    async def known(self, domains: Collection[str], since: datetime) -> dict[str, str]:
        """Domains looked up at or after a moment, with what was found."""
        ...

    async def put_many(self, found: Mapping[str, str], at: datetime) -> None: ...
    async def forget_before(self, cutoff: datetime) -> int: ...
