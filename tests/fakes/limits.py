"""Counts, holds and mailboxes in memory, and due mails to ask for: what the keeper of limits needs and no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from core.domain.account import Mailbox
from core.domain.enrollment import Reason
from core.domain.people import Person
from core.ports.storage import DueDelivery, Hold, LearnedCap, TrafficKey, UnitOfWork
from tests.stores import NOW, make_address, make_delivery, make_enrollment


@dataclass
class Counts:
    """Implements TrafficStore. ``questions`` counts statements, ``locked`` whether a claim holds the lock."""

    rows: dict[tuple[TrafficKey, datetime], int] = field(default_factory=dict)
    questions: int = 0
    locked: bool = False

    async def add(self, counts: Mapping[tuple[TrafficKey, datetime], int]) -> None:
        self.questions += 1
        for place, count in counts.items():
            self.rows[place] = self.rows.get(place, 0) + count

    async def spans(self, keys: Collection[TrafficKey], since: datetime) -> dict[TrafficKey, dict[datetime, int]]:
        self.questions += 1
        found: dict[TrafficKey, dict[datetime, int]] = {}
        for (key, begin), count in sorted(self.rows.items(), key=lambda row: row[0][1]):
            if key in keys and begin >= since:
                found.setdefault(key, {})[begin] = count
        return found

    async def lock(self, keys: Collection[TrafficKey]) -> None:
        self.locked = bool(keys)


@dataclass
class Holds:
    """Implements HoldStore as far as reading goes."""

    rows: list[Hold] = field(default_factory=list)
    lowered: dict[str, LearnedCap] = field(default_factory=dict)

    async def all(self) -> list[Hold]:
        return self.rows

    async def caps(self, now: datetime) -> dict[str, LearnedCap]:
        return {name: cap for name, cap in self.lowered.items() if cap.until > now}


@dataclass
class Boxes:
    """Mailboxes, and until when each rests."""

    rows: Sequence[Mailbox]
    rests: dict[str, datetime] = field(default_factory=dict)

    async def list(self) -> Sequence[Mailbox]:
        return self.rows

    async def reserve_slot(self, mailbox_id: str, *, next_send_at: datetime) -> None:
        self.rests[mailbox_id] = next_send_at


@dataclass
class Bulk:
    """Which queues were made to wait, and for what."""

    waiting: list[tuple[str, Reason]] = field(default_factory=list)

    async def wait_due_of_mailbox(self, mailbox_id: str, reason: Reason, *, at: datetime) -> int:
        self.waiting.append((mailbox_id, reason))
        return 1


class Desk:
    """One workspace's unit of work, as far as limits go."""

    workspace = "T1"

    def __init__(self, mailboxes: Sequence[Mailbox]) -> None:
        self.traffic, self.holds, self.mailboxes, self.bulk = Counts(), Holds(), Boxes(mailboxes), Bulk()

    @property
    def uow(self) -> UnitOfWork:
        return cast(UnitOfWork, self)


def due_mail(mailbox: Mailbox | None, recipient: str = "cleo@initech.example", **changes: Any) -> DueDelivery:
    """A mail to be asked for; ``changes`` are the delivery's."""
    person = Person("p1", "T1", "Cleo", "Candidate", "", "", NOW, (make_address(recipient),))
    delivery = make_delivery(mailbox_id=mailbox.id if mailbox else None, recipient=recipient, **changes)
    return DueDelivery(delivery, make_enrollment(), person, mailbox, (), None, ())
