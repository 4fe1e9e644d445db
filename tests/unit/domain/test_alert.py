"""When an alert is told again, when it rests, and when a sign-in ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import MailboxStatus
from core.domain.alert import Alert, AlertState, card_of, days_of, is_silenced, mute_is_over, rests
from core.domain.cards import SyncCard
from core.domain.expiry import days_left, ends_at, is_near
from core.domain.moment import iso
from tests.stores import NOW, make_mailbox

DAY = timedelta(days=1)


def alert(state: AlertState = AlertState.OPEN, **facts: Any) -> Alert:
    return Alert("a1", "T1", "sync:mb1", state, 1, NOW, facts)


def test_an_alert_of_the_first_release_still_fills_its_card() -> None:
    """It holds nothing of what was added since."""
    shown = card_of(alert(cause="credentials_rejected", address="rita@agency.test"))
    assert set(shown) == set(SyncCard.__annotations__)
    assert (shown["side"], shown["provider"], shown["folded"], shown["reminders"]) == ("reading", "other", None, 0)


def test_notes_of_the_engine_are_not_shown() -> None:
    """Only the card's shape."""
    assert "klass" not in card_of(alert(klass="our app"))


@pytest.mark.parametrize(
    ("facts", "quiet"),
    [
        ({}, False),
        ({"acknowledged_by": "U0RITA"}, True),
        ({"muted_until": iso(NOW + DAY)}, True),
        ({"muted_until": iso(NOW)}, False),
        ({"folded": "s1"}, True),
    ],
)
def test_who_has_spoken_rests(facts: dict[str, Any], quiet: bool) -> None:
    """Acknowledged, muted for a while, or told of on a storm's card; what is over rests in any case."""
    assert rests(alert(**facts), NOW) is quiet
    assert is_silenced(alert(**facts), NOW) is (quiet and "folded" not in facts)
    assert rests(alert(AlertState.RESOLVED, **facts), NOW)


def test_a_mute_ends() -> None:
    """At its time, and only where there was one."""
    assert mute_is_over(alert(muted_until=iso(NOW)), NOW)
    assert not mute_is_over(alert(muted_until=iso(NOW + DAY)), NOW)
    assert not mute_is_over(alert(), NOW)


def test_days_are_counted_from_the_first() -> None:
    """Day 1 is the first twenty-four hours."""
    assert [days_of(NOW, NOW + DAY * part) for part in (-1, 0, 0.99, 1, 2.5)] == [1, 1, 1, 2, 3]


def test_a_sign_in_ends_by_the_providers_rule_only() -> None:
    """Microsoft's after 90 days; no other, and none that is gone."""
    mine = make_mailbox(sign_in="microsoft", signed_in_at=NOW)
    assert ends_at(mine, 90) == NOW + 90 * DAY
    assert ends_at(make_mailbox(sign_in="google", signed_in_at=NOW), 90) is None
    assert ends_at(make_mailbox(sign_in="microsoft"), 90) is None
    gone = make_mailbox(sign_in="microsoft", signed_in_at=NOW, status=MailboxStatus.DISCONNECTED)
    assert ends_at(gone, 90) is None


def test_a_begun_day_counts_as_left() -> None:
    """ "1 day left" until the last second, then none."""
    assert [days_left(NOW, NOW - DAY * part) for part in (7, 6.5, 0.1, 0, -1)] == [7, 7, 1, 0, 0]
    assert is_near(NOW, NOW - 7 * DAY, 7)
    assert not is_near(NOW, NOW - 7.1 * DAY, 7)
