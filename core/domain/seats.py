"""Who holds a workspace's seats, and who waits for one: first come, first served (R35, R38, R214). Pure.

A seat is held by a mailbox that is kept in sync (``SEATED_STATUSES``). One that is paused, disconnected or given up
after two days holds none, so that nobody waits for a seat on which nobody sits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxStatus


@dataclass(frozen=True, slots=True)
class SeatCount:
    """``used`` of ``limit`` seats are held (limit 0: there is no limit), ``waiting`` mailboxes wait for one."""

    used: int
    limit: int
    waiting: int = 0

    @property
    def words(self) -> str:
        """``3 of 3 seats are in use``"""
        if not self.limit:
            mailboxes = "mailbox is" if self.used == 1 else "mailboxes are"
            return f"{self.used:,} {mailboxes} synced; there is no limit"
        are = "is" if self.used == 1 else "are"
        seats = "seat" if self.limit == 1 else "seats"
        return f"{self.used:,} of {self.limit:,} {seats} {are} in use"

    @property
    def advice(self) -> str:
        """What lets a mailbox in that waits."""
        return f"{self.words}; somebody must disconnect or pause a mailbox, or an admin raise mailbox_limit"


@dataclass(frozen=True, slots=True)
class Moves:
    """What brings seats and limit into line: ``seat`` are waiting mailboxes that get one, the longest connected first;
    ``unseat`` are those beyond the limit, the latest connected first."""

    seat: tuple[Mailbox, ...] = ()
    unseat: tuple[Mailbox, ...] = ()


def count(mailboxes: Iterable[Mailbox], limit: int) -> SeatCount:
    """``limit`` 0: none."""
    statuses = [one.status for one in mailboxes]
    used = sum(one in SEATED_STATUSES for one in statuses)
    return SeatCount(used, limit, statuses.count(MailboxStatus.PENDING))


def has_room(mailboxes: Iterable[Mailbox], limit: int, mailbox_id: str) -> bool:
    """Whether this mailbox, of those or a new one, may be synced now: it holds a seat, or one is free and nobody else
    waits for it."""
    if not limit:
        return True
    others = []
    for one in mailboxes:
        if one.id != mailbox_id:
            others.append(one)
        elif one.status in SEATED_STATUSES:
            return True
    taken = count(others, limit)
    return taken.used + taken.waiting < limit


def moves(mailboxes: Iterable[Mailbox], limit: int) -> Moves:
    """``limit`` 0 seats everybody who waits. Made once, there are no further moves."""
    in_order = sorted(mailboxes, key=lambda one: (one.created_at, one.id))
    seated = [one for one in in_order if one.status in SEATED_STATUSES]
    waiting = [one for one in in_order if one.status is MailboxStatus.PENDING]
    if not limit:
        return Moves(seat=tuple(waiting))
    free = max(0, limit - len(seated))
    return Moves(seat=tuple(waiting[:free]), unseat=tuple(reversed(seated[limit:])))
