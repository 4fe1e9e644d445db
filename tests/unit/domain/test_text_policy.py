"""What follows from an attempt to hand a text over: each error its decision, and when the provider is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.reasons import reason, undecided
from core.domain.send_policy import TRIES, Fail, PutBack
from core.domain.sms_codes import REASONS, classify
from core.domain.text_policy import LIMIT_PAUSE, counts_as_attempt, decide_text, next_question
from core.errors import InputError, SmsRefusedError, UnreachableError
from tests.stores import NOW


def refused(number: int, **facts: float) -> SmsRefusedError:
    return SmsRefusedError(f"{number}: no", provider_code=number, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "code"), [(21211, "sms_invalid_number"), (21408, "sms_country_off"), (30034, "sms_not_registered")]
)
def test_a_refusal_fails_with_its_reason(number: int, code: str) -> None:
    """R130, R132: named, with what to do about it."""
    decision = decide_text(refused(number), attempts=1, random=0.5)
    assert isinstance(decision, Fail)
    assert decision.reason.code == code


def test_what_may_pass_is_tried_again_later_each_time() -> None:
    """And after five tries no more."""
    pauses = []
    for attempts in range(1, TRIES):
        decision = decide_text(refused(20429), attempts=attempts, random=0.5)
        assert isinstance(decision, PutBack)
        pauses.append(decision.after)
    assert pauses == sorted(pauses)
    last = decide_text(UnreachableError("no route", layer="sms"), attempts=TRIES, random=0.5)
    assert isinstance(last, Fail)
    assert last.reason.code == "too_many_retries"
    assert "mail" not in last.reason.text


def test_a_provider_that_names_a_time_is_not_asked_before() -> None:
    """Within reason."""
    decision = decide_text(refused(20429, retry_after=3_600), attempts=1, random=0.5)
    assert isinstance(decision, PutBack)
    assert decision.after == timedelta(hours=1)
    decision = decide_text(refused(20429, retry_after=1e9), attempts=1, random=0.5)
    assert isinstance(decision, PutBack)
    assert decision.after == timedelta(hours=6)


def test_a_limit_of_the_networks_is_no_attempt() -> None:
    """However often it is met."""
    decision = decide_text(refused(30023), attempts=TRIES, random=0.5)
    assert isinstance(decision, PutBack)
    assert decision.after == LIMIT_PAUSE
    assert decision.shown == classify(30023).reason
    assert not counts_as_attempt(decision)


def test_a_text_that_cannot_be_one_says_why() -> None:
    decision = decide_text(InputError("the text message is empty", field="text"), attempts=1, random=0.5)
    assert isinstance(decision, Fail)
    assert decision.reason.code == "sms_text"
    assert decision.reason.text.endswith("ext: the text message is empty.")


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_of_a_text_is_found_like_any_other(code: str) -> None:
    """With what happened and what to press (R207)."""
    found = reason(code, "Detail.")
    assert found.code == code
    assert found.text.endswith(". Detail.")
    assert found.fix.endswith(".")


def test_a_text_of_unknown_outcome_is_not_looked_for_in_sent() -> None:
    assert "provider" in undecided("sms").fix
    assert undecided("email") == reason("delivery_unknown")


def test_the_provider_is_asked_a_few_times_and_no_more() -> None:
    """Some minutes after the text went out, then seldom."""
    times = [next_question(NOW, asked) for asked in range(4)]
    assert None not in times
    assert times == sorted(one for one in times if one is not None)
    assert next_question(NOW, 4) is None
