"""First come, first served: who holds a seat, who waits, who moves when the limit does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxStatus
from core.domain.seats import SeatCount, count, has_room, moves
from tests.stores import NOW, make_mailbox

ACTIVE, PENDING, PAUSED = MailboxStatus.ACTIVE, MailboxStatus.PENDING, MailboxStatus.PAUSED


def in_order(*statuses: MailboxStatus) -> list[Mailbox]:
    """Mailboxes m0, m1 … connected one minute after the other."""
    return [
        make_mailbox(f"m{number}", status=status, created_at=NOW + timedelta(minutes=number))
        for number, status in enumerate(statuses)
    ]


def ids(mailboxes: tuple[Mailbox, ...]) -> list[str]:
    return [one.id for one in mailboxes]


@pytest.mark.parametrize("status", [PAUSED, PENDING, MailboxStatus.DISCONNECTED, MailboxStatus.CONNECTION_ISSUE])
def test_a_mailbox_that_is_not_synced_holds_no_seat(status: MailboxStatus) -> None:
    """Given up after two days, paused, disconnected, waiting."""
    assert count(in_order(ACTIVE, status), 3).used == 1


def test_the_latest_beyond_a_lower_limit_wait() -> None:
    """The paused one between them is not counted."""
    found = moves(in_order(ACTIVE, PAUSED, ACTIVE, ACTIVE, PENDING), 1)
    assert (ids(found.seat), ids(found.unseat)) == ([], ["m3", "m2"])


def test_who_waits_longest_begins_first() -> None:
    """As many as there is room for; without a limit all."""
    waiting = in_order(ACTIVE, PENDING, PENDING, PENDING)
    assert ids(moves(waiting, 3).seat) == ["m1", "m2"]
    assert ids(moves(waiting, 0).seat) == ["m1", "m2", "m3"]


def test_nobody_overtakes_those_who_wait() -> None:
    """A newcomer has no room while a seat is on its way to somebody else; who holds a seat keeps it."""
    mailboxes = in_order(ACTIVE, PENDING)
    assert not has_room(mailboxes, 2, "newcomer")
    assert has_room(mailboxes, 2, "m1")
    assert has_room(mailboxes, 1, "m0")
    assert has_room(mailboxes, 3, "newcomer")
    assert has_room(mailboxes, 0, "newcomer")


def test_seats_in_words() -> None:
    assert SeatCount(3, 3).words == "3 of 3 seats are in use"
    assert SeatCount(1, 3).words == "1 of 3 seats is in use"
    assert "no limit" in SeatCount(7, 0).words
    assert "disconnect or pause" in SeatCount(3, 3).advice


@given(st.lists(st.sampled_from(MailboxStatus), max_size=12), st.integers(0, 6))
def test_after_the_moves_the_limit_holds_and_nobody_waits_in_vain(statuses: list[MailboxStatus], limit: int) -> None:
    """At most as many seated as there are seats, nobody waits beside a free one, order is kept, and once is enough."""
    before = in_order(*statuses)
    due = moves(before, limit)
    new = {one.id: MailboxStatus.CONNECTING for one in due.seat} | {one.id: PENDING for one in due.unseat}
    after = [make_mailbox(one.id, status=new.get(one.id, one.status), created_at=one.created_at) for one in before]
    seats = count(after, limit)
    assert not limit or seats.used <= limit
    assert not seats.waiting or seats.used == limit
    assert not (due.seat and due.unseat)
    waiting = [one.id for one in after if one.status is PENDING]
    assert all(begun < left for begun in ids(due.seat) for left in waiting)
    kept = [one.id for one in after if one.status in SEATED_STATUSES]
    assert all(int(left[1:]) > int(one[1:]) for left in ids(due.unseat) for one in kept)
    again = moves(after, limit)
    assert (again.seat, again.unseat) == ((), ())
