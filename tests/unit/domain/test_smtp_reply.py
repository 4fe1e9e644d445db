"""Refusals in the servers' words, as topics, classes and advice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.smtp_reply import best_status, classify_reply, flatten
from core.domain.smtp_rules import PATTERNS
from core.domain.taxonomy import TOPICS, Next, prospect_effect

SAMPLES = [
    line.split("|", 1)
    for line in (Path(__file__).parent / "smtp_answers.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("expected", "answer"), SAMPLES)
def test_an_answer_finds_its_topic(expected: str, answer: str) -> None:
    """A topic of the same class will do where the cause is the same for the prospect."""
    verdict = classify_reply(answer)
    assert (verdict.topic if expected in ("own_limit", "sender_blocked", "login") else verdict.klass) in (
        expected,
        TOPICS[expected].klass,
    )


@pytest.mark.parametrize(
    ("answer", "status", "code", "transient"),
    [
        ("550 5.1.1 User unknown", "5.1.1", 550, False),
        ("450 4.2.2 Mailbox full", "4.2.2", 450, True),
        ((421, "Too many connections"), "", 421, True),
        ("5.2.3 Message too large", "5.2.3", 0, False),
        ("4.4.7 expired", "4.4.7", 0, True),
        ("550 from 5.7.1.100: User unknown", "", 550, False),
        ("421 4.7.0 [TSS04] temporarily deferred due to user complaints - 4.16.55.1", "4.7.0", 421, True),
        ("no code", "", 0, False),
    ],
)
def test_codes_are_read_and_addresses_are_not_codes(
    answer: str | tuple[int, str], status: str, code: int, transient: bool
) -> None:
    """Enhanced code, reply code, and who will try again."""
    verdict = classify_reply(answer)
    assert (verdict.status, verdict.code, verdict.transient) == (status, code, transient)


def test_the_more_telling_code_wins() -> None:
    """Rule (a): the Status field and the text can disagree."""
    assert best_status("550 5.4.1 Recipient address rejected: Access denied", "5.0.0") == "5.4.1"
    assert best_status("550 5.0.0 no", "5.2.2") == "5.2.2"
    assert best_status("452 4.4.5 disk", "4.4.7") == "4.4.5"
    assert best_status("550 5.1.0 550-'5.7.1 denied'", "5.7.1") == "5.7.1"
    assert best_status("", "") == ""


def test_lines_of_one_answer_are_joined() -> None:
    """The code that begins each line must not break a sentence apart."""
    joined = (
        "550-5.1.1 The email account that you tried to reach does not\r\n550-5.1.1 exist. Please check\r\n550 5.1.1 it"
    )
    assert "does not 550 exist" in flatten(joined) or "does not exist" in flatten(joined)
    assert classify_reply(joined).topic == "invalid_recipient"


def test_every_topic_has_a_status_and_a_fix_in_plain_words() -> None:
    """A recruiter reads the fix; a code in it would be of no use."""
    for topic in TOPICS.values():
        assert topic.fix.endswith(".")
        assert not any(character.isdigit() for character in topic.fix)
        assert topic.status in (None, "Bounced", "Spam", "Not Delivered", "Pending", "Complete")


def test_a_transient_refusal_changes_no_status_but_a_full_mailbox_or_an_own_limit_does() -> None:
    """The host retries; at submission we back off."""
    assert prospect_effect("rate_limited", transient=True).status is None
    assert prospect_effect("rate_limited", transient=True).next is Next.BACK_OFF
    assert prospect_effect("mailbox_full", transient=True).status == "Not Delivered"
    assert prospect_effect("own_limit", transient=True).status == "Pending"
    assert prospect_effect("nonsense").klass == "unknown"


def test_an_own_limit_says_to_wait_and_a_stopped_account_to_stop() -> None:
    """Gmail 5.4.5, Microsoft 5.1.90 and 5.1.8 are about our mailbox, not the prospect."""
    assert classify_reply("550 5.4.5 Daily user sending limit exceeded").effect.next is Next.WAIT_FOR_WINDOW
    assert classify_reply("550 5.1.8 Access denied, bad outbound sender").effect.next is Next.STOP_MAILBOX
    assert classify_reply("535 5.7.8 Username and Password not accepted").effect.next is Next.RESYNC


@given(st.text(), st.text(max_size=30))
def test_no_text_makes_the_verdict_raise(text: str, status: str) -> None:
    """Unknown stays unknown, with advice."""
    verdict = classify_reply(text, status=status)
    assert verdict.topic in TOPICS
    assert verdict.fix


PIECES = [
    "user ",
    "mailbox ",
    "not ",
    "550-5.1.1 ",
    "a",
    " ",
    "exceeded ",
    "domain ",
    "sender ",
    "spam ",
    "quota",
    "blocked ",
]


@pytest.mark.parametrize("piece", [*PIECES, "message ", "recipient address rejected ", "- ", "rejected by the "])
def test_patterns_take_linear_time(piece: str) -> None:
    """T23: four times the input must not take sixteen times as long."""
    for topic, pattern in PATTERNS:

        def seconds(length: int, pattern=pattern) -> float:  # type: ignore[no-untyped-def]
            text = (piece * length)[:length]
            start = time.process_time()
            pattern.search(text)
            return time.process_time() - start

        small, large = (min(seconds(length) for _ in range(3)) for length in (4_096, 16_384))
        assert large < 8 * small + 0.01, (topic, small, large)
