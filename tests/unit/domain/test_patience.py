"""When the product tries again, when it speaks, and when it stops trying."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.diagnosis import CAUSES, LAYERS, Diagnosis, Failure, diagnose
from core.domain.patience import Audience, Decision, Patience, Speak, Wait, decide, escalated, tell_again

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
USUAL = Patience()

_SAYINGS = {
    "silent": ("imap", "* BYE Session expired"),
    "wait": ("imap", "a NO [UNAVAILABLE] down"),
    "slow down": ("imap", "a NO [LIMIT] Rate limit hit"),
    "pause sending": ("smtp", "550 5.4.5 Daily user sending limit exceeded"),
    "user reconnects": ("imap", "a NO Invalid credentials"),
    "mailbox switch": ("imap", "a NO IMAP is disabled for this account"),
    "tenant admin": ("imap", "a NO [CONTACTADMIN]"),
    "our app": ("oauth", '{"error":"invalid_client"}'),
    "settings": ("dns", "[Errno -2] Name or service not known"),
    "one folder": ("imap", "a NO [NONEXISTENT] no"),
    "our bug": ("imap", "a BAD [CLIENTBUG] no"),
    "recipient": ("smtp", "550 5.1.1 User unknown"),
    "content": ("smtp", "552 5.3.4 Message too large"),
}


def _diagnosis(klass: str) -> Diagnosis:
    layer, raw = _SAYINGS[klass]
    verdict = diagnose(Failure(layer, raw))
    assert verdict.klass == klass
    return verdict


def _decide(
    diagnosis: Diagnosis, *, streak: int = 1, lasting: float = 0, jitter: float = 0.5, setting_up: bool = False
) -> Decision:
    return decide(
        diagnosis,
        streak=streak,
        first_failure_at=NOW - timedelta(seconds=lasting),
        now=NOW,
        settings=USUAL,
        jitter=jitter,
        setting_up=setting_up,
    )


def _pause(decision: Decision) -> float:
    assert decision.retry_at is not None
    return (decision.retry_at - NOW).total_seconds()


def test_the_end_of_a_session_is_silent_and_mended_at_once() -> None:
    """Within five seconds, spread so that not all mailboxes come back together."""
    decisions = [_decide(_diagnosis("silent"), jitter=jitter) for jitter in (0.0, 0.5, 1.0)]
    assert all(isinstance(decision, Wait) for decision in decisions)
    assert [_pause(decision) for decision in decisions] == [0.0, 2.5, 5.0]


def test_sessions_that_end_again_and_again_are_no_longer_normal() -> None:
    """A server that closes every connection at once is a break, however politely it does so."""
    assert isinstance(_decide(_diagnosis("silent"), streak=40, lasting=700), Speak)


def test_waiting_grows_by_half_to_ten_minutes() -> None:
    """2 s, 3 s, 4.5 s and so on, at most 600 s."""
    pauses = [_pause(_decide(_diagnosis("wait"), streak=streak)) for streak in (1, 2, 3, 4, 100_000)]
    assert pauses == pytest.approx([2, 3, 4.5, 6.75, 600])


def test_jitter_spreads_a_pause_by_thirty_percent() -> None:
    """Both ways."""
    pauses = [_pause(_decide(_diagnosis("wait"), streak=50, jitter=jitter)) for jitter in (0.0, 1.0)]
    assert pauses == pytest.approx([420, 780])


@pytest.mark.parametrize(
    ("streak", "lasting", "speaks"), [(1, 5, False), (50, 599, False), (2, 900, False), (3, 600, True), (9, 900, True)]
)
def test_a_passing_fault_is_told_after_three_tries_and_ten_minutes(streak: int, lasting: float, speaks: bool) -> None:
    """Both must be over: many quick failures are one blip, and one slow failure is one failure."""
    assert isinstance(_decide(_diagnosis("wait"), streak=streak, lasting=lasting), Speak) is speaks


def test_a_person_at_the_connect_form_is_told_at_once() -> None:
    """Patience is for mailboxes that have worked before."""
    assert isinstance(_decide(_diagnosis("settings"), setting_up=True), Speak)
    assert isinstance(_decide(_diagnosis("wait"), setting_up=True), Speak)


def test_a_wrong_password_is_told_at_once_and_not_tried_again() -> None:
    """Each further login would lock the account."""
    assert _decide(_diagnosis("user reconnects")) == Speak(Audience.CHANNEL, None)


def test_a_refused_token_is_refreshed_once_before_anybody_is_asked() -> None:
    """The second refusal is the user's."""
    refused = diagnose(Failure("oauth", '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'))
    assert refused.cause == "oauth_token_rejected"
    assert isinstance(_decide(refused, streak=1), Wait)
    assert _decide(refused, streak=2) == Speak(Audience.CHANNEL, None)


def test_a_mailbox_that_thrice_stays_shut_becomes_the_admins() -> None:
    """Twice a minute's wait, then a person, half-hourly tries."""
    shut = diagnose(Failure("imap", "a BAD User is authenticated but not connected.", "outlook.office365.com"))
    assert _pause(_decide(shut, streak=1)) == pytest.approx(60)
    assert isinstance(_decide(shut, streak=2), Wait)
    spoken = _decide(shut, streak=3)
    assert isinstance(spoken, Speak)
    assert _pause(spoken) == pytest.approx(1800)
    assert (escalated(shut, 3).klass, escalated(shut, 3).who) == ("tenant admin", "mail_admin")
    assert escalated(shut, 2) == shut


@pytest.mark.parametrize(
    ("klass", "audience", "pause"),
    [
        ("mailbox switch", Audience.CHANNEL, 1800),
        ("tenant admin", Audience.CHANNEL, 1800),
        ("our app", Audience.PROVIDER, 3600),
        ("one folder", Audience.DIGEST, 21_600),
        ("pause sending", Audience.CHANNEL, 86_400),
        ("our bug", Audience.OPERATOR_LOG, 2),
        ("recipient", Audience.PERSON, None),
        ("content", Audience.SENDER, None),
    ],
)
def test_who_is_told_at_once_and_when_it_is_tried_again(klass: str, audience: Audience, pause: float | None) -> None:
    """As the table of classes says."""
    decision = _decide(_diagnosis(klass))
    assert isinstance(decision, Speak)
    assert decision.audience is audience
    assert (decision.retry_at is None) if pause is None else (_pause(decision) == pytest.approx(pause))


def test_slowing_down_keeps_to_the_time_the_server_names() -> None:
    """And is told only after half an hour, with the time it goes on."""
    throttled = diagnose(Failure("imap", "a BAD Request is throttled. Suggested Backoff Time: 90000 milliseconds"))
    assert _pause(_decide(throttled)) == 90
    told = _decide(throttled, streak=9, lasting=1800)
    assert isinstance(told, Speak)
    assert _pause(told) == 90


def test_slowing_down_without_a_named_time_takes_five_minutes_to_an_hour() -> None:
    """Doubling."""
    pauses = [_pause(_decide(_diagnosis("slow down"), streak=streak)) for streak in (1, 2, 3, 9)]
    assert pauses == pytest.approx([300, 600, 1200, 3600])


@pytest.mark.parametrize(
    "klass", ["silent", "wait", "slow down", "mailbox switch", "tenant admin", "our app", "settings"]
)
def test_after_two_days_the_trying_ends(klass: str) -> None:
    """A person restarts it (R33, R213)."""
    decision = _decide(_diagnosis(klass), streak=400, lasting=172_800)
    assert isinstance(decision, Speak)
    assert decision.gave_up
    assert decision.retry_at is None


@pytest.mark.parametrize("klass", ["pause sending", "one folder", "recipient", "content"])
def test_what_leaves_reading_alone_is_never_given_up(klass: str) -> None:
    """The mailbox is not broken by it."""
    decision = _decide(_diagnosis(klass), streak=400, lasting=500_000)
    assert isinstance(decision, Speak)
    assert not decision.gave_up


def test_a_standing_trouble_is_told_again_when_its_cause_changes_or_a_day_is_over() -> None:
    """Once per cause, then daily."""
    hour, day = NOW - timedelta(hours=1), NOW - timedelta(days=1)
    assert tell_again(None, None, "imap_disabled", NOW, USUAL)
    assert not tell_again("imap_disabled", hour, "imap_disabled", NOW, USUAL)
    assert tell_again("imap_disabled", hour, "credentials_rejected", NOW, USUAL)
    assert tell_again("imap_disabled", day, "imap_disabled", NOW, USUAL)


@given(
    layer=st.sampled_from(LAYERS),
    raw=st.text(max_size=60) | st.sampled_from([raw for _, raw in _SAYINGS.values()]),
    streak=st.integers(min_value=-1, max_value=10**9),
    lasting=st.floats(min_value=-10, max_value=10**7),
    jitter=st.floats(min_value=-1, max_value=2),
)
def test_every_failure_gets_a_decision_that_never_lies_in_the_past(
    layer: str, raw: str, streak: int, lasting: float, jitter: float
) -> None:
    """Whatever the numbers."""
    decision = _decide(diagnose(Failure(layer, raw)), streak=streak, lasting=lasting, jitter=jitter)
    assert decision.retry_at is None or decision.retry_at >= NOW


def test_every_class_of_the_causes_is_decided_upon() -> None:
    """No class without a rule."""
    assert {known.klass.value for known in CAUSES.values()} == set(_SAYINGS)
