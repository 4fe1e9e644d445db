"""Who writes check mails to whom, and what a missing echo means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.canary import SILENT_BREAK, Overdue, is_due, is_silent, judge_overdue, pairs
from tests.stores import NOW, make_mailbox

PATIENCE = timedelta(minutes=20)
SILENT = SyncFault(SILENT_BREAK, "check mail did not arrive", "Look into it.", NOW)
REFUSED = SyncFault("credentials_rejected", "no", "Reconnect.", NOW)


def box(name: str = "a", **changes: object) -> Mailbox:
    return make_mailbox(name, address=f"{name}@agency.test", **changes)


def ring(*mailboxes: Mailbox) -> list[str]:
    return [f"{sender.id}>{receiver.id}" for sender, receiver in pairs(mailboxes)]


def test_mailboxes_write_in_a_ring() -> None:
    """Each is tried in both directions."""
    assert ring() == ring(box()) == []
    assert ring(box("a"), box("b")) == ["a>b", "b>a"]
    assert ring(box("a"), box("b"), box("c")) == ["a>b", "b>c", "c>a"]


def test_only_those_that_work_both_ways_take_part() -> None:
    """And one that is silent, so that an echo can mend it."""
    off = [
        box("b", send=False),
        box("c", capture=False),
        box("d", status=MailboxStatus.PAUSED),
        box("e", status=MailboxStatus.ERROR, fault=REFUSED),
        box("f", status=MailboxStatus.PARTIAL),
        box("g", status=MailboxStatus.PENDING),
    ]
    assert ring(box("a"), *off) == []
    silent = box("h", status=MailboxStatus.ERROR, fault=SILENT)
    assert is_silent(silent)
    assert ring(box("a"), *off, silent, box("i", status=MailboxStatus.HISTORICAL)) == ["a>h", "h>i", "i>a"]


@pytest.mark.parametrize(("minutes", "due"), [(None, True), (59, False), (60, True)])
def test_a_check_mail_is_due_once_per_period(minutes: int | None, due: bool) -> None:
    last = None if minutes is None else NOW - timedelta(minutes=minutes)
    assert is_due(last, NOW, timedelta(hours=1)) is due


def judged(minutes: int, receiver: Mailbox | None, looked: int | None = None) -> Overdue:
    """``minutes`` after it was sent; the receiver was looked through ``looked`` minutes after it was sent."""
    if receiver is not None and looked is not None:
        receiver = make_mailbox(
            receiver.id,
            status=receiver.status,
            fault=receiver.fault,
            streak=receiver.streak,
            refreshed_at=NOW + timedelta(minutes=looked),
        )
    return judge_overdue(NOW, receiver, NOW + timedelta(minutes=minutes), PATIENCE)


@pytest.mark.parametrize(
    ("minutes", "looked", "verdict"),
    [
        (21, None, Overdue.LOOK),  # never looked through
        (21, 5, Overdue.LOOK),  # looked through, but too early to tell
        (25, 21, Overdue.WAIT),  # it looked; the echo may still be on its way
        (39, 21, Overdue.WAIT),
        (40, 21, Overdue.TELL),
        (40, 5, Overdue.LOOK),  # nobody is told before it has looked, however late it is
        (6_000, 5, Overdue.LOOK),
    ],
)
def test_a_mailbox_looks_through_everything_before_people_are_told(
    minutes: int, looked: int | None, verdict: Overdue
) -> None:
    assert judged(minutes, box(), looked) is verdict


@pytest.mark.parametrize("status", [MailboxStatus.PAUSED, MailboxStatus.PENDING, MailboxStatus.DISCONNECTED])
def test_a_mailbox_that_is_not_read_proves_nothing(status: MailboxStatus) -> None:
    assert judged(100, box(status=status), looked=90) is Overdue.DROP
    assert judged(100, None) is Overdue.DROP


def test_a_mailbox_that_is_broken_already_is_left_alone() -> None:
    """Asking it to look would try a refused password again."""
    for status in (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE):
        assert judged(30, box(status=status, fault=REFUSED)) is Overdue.DROP


def test_while_a_mailbox_fails_and_nobody_is_told_yet_nothing_is_concluded() -> None:
    assert judged(100, box(streak=2), looked=90) is Overdue.WAIT
