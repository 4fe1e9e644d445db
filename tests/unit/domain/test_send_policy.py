"""What follows from an attempt to send, row by row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.send_policy import (
    BACK_OFF,
    TRIES,
    Fail,
    OwnLimit,
    PutBack,
    Sent,
    Undecided,
    decide,
)
from core.errors import (
    ConnectionLostError,
    LoginRefusedError,
    MailError,
    OutcomeUnknownError,
    ServerRefusedError,
    UnreachableError,
)


def refused(words: str) -> ServerRefusedError:
    return ServerRefusedError(words, layer="smtp", smtp_code=int(words[:3]))


def said(error: MailError | None, *, attempts: int = 1, was_full: bool = False) -> str:
    """The decision in a few words: its kind, the event, the reason."""
    decision = decide(error, attempts=attempts, was_full=was_full, random=0.5)
    match decision:
        case Fail(event, why):
            return f"fail {event.value} {why.code}"
        case PutBack(after, shown):
            return f"again {after.total_seconds():g} {shown.code if shown else ''}".strip()
        case OwnLimit():
            return "own limit"
        case Undecided():
            return "undecided"
        case Sent():
            return "sent"


BUSY = refused("451 4.3.0 try again")
DAYS = f"{timedelta(days=2.5).total_seconds():g}"
TABLE: list[tuple[str, MailError | None, dict[str, object], str]] = [
    ("taken", None, {}, "sent"),
    ("silence after the last byte", OutcomeUnknownError("closed", layer="smtp"), {}, "undecided"),
    ("silence, however often", OutcomeUnknownError("closed", layer="smtp"), {"attempts": 9}, "undecided"),
    ("login refused", LoginRefusedError("535 no", layer="smtp"), {}, "fail not_delivered email_not_synced"),
    ("nobody there", UnreachableError("no route", layer="socket"), {}, "again 30"),
    ("broken off before the content", ConnectionLostError("reset", layer="smtp"), {"attempts": 2}, "again 120"),
    ("greylisted", refused("450 4.7.1 Greylisted, try again later"), {"attempts": 3}, "again 600"),
    ("busy", BUSY, {"attempts": 4}, "again 1800"),
    ("busy once too often", BUSY, {"attempts": TRIES}, "fail not_delivered too_many_retries"),
    ("away too often", UnreachableError("no", layer="dns"), {"attempts": TRIES}, "fail not_delivered too_many_retries"),
    ("the sign-in service is busy", ServerRefusedError("503 later", layer="oauth"), {}, "again 30"),
    ("no such user", refused("550 5.1.1 no such user"), {}, "fail hard_bounce invalid_recipient"),
    ("spam", refused("554 5.7.1 message refused as spam"), {}, "fail spam_block taken_for_spam"),
    ("too large", refused("552 5.3.4 message too large"), {}, "fail not_delivered too_large"),
    ("nobody knows why", refused("599 who knows"), {}, "fail not_delivered unknown"),
    ("full, the first time", refused("552 5.2.2 mailbox full"), {}, f"again {DAYS} mailbox_full"),
    ("full for now, the first time", refused("452 4.2.2 mailbox full"), {}, f"again {DAYS} mailbox_full"),
    ("full again", refused("552 5.2.2 mailbox full"), {"was_full": True}, "fail not_delivered mailbox_full"),
    ("full for now again", refused("452 4.2.2 mailbox full"), {"was_full": True}, "fail not_delivered mailbox_full"),
    ("Microsoft's limit", refused("554 5.2.121 recipient rate limit exceeded"), {}, "own limit"),
    ("Google's limit", refused("550 5.4.5 Daily user sending limit exceeded"), {}, "own limit"),
    ("Google slows us down", refused("421 4.7.28 unusual rate of mail"), {}, "own limit"),
    ("an own limit is never too many retries", refused("421 4.7.28 unusual rate"), {"attempts": 50}, "own limit"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "given", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_decision(error: MailError | None, given: dict[str, object], expected: str) -> None:
    """Kind, pause in seconds, event and reason of each outcome."""
    assert said(error, **given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
def test_pauses_are_spread_and_grow(random: float) -> None:
    """By three tenths to either side; a later one is longer than an earlier one."""
    decisions = [decide(BUSY, attempts=tried, was_full=False, random=random) for tried in range(1, TRIES)]
    pauses = [one.after.total_seconds() for one in decisions if isinstance(one, PutBack)]
    assert len(pauses) == TRIES - 1
    assert pauses == sorted(pauses)
    assert all(0.7 * base <= pause < 1.3 * base for base, pause in zip(BACK_OFF, pauses, strict=True))
