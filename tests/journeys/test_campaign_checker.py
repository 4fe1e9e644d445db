"""The checker itself must be able to fail: each promise broken once in evidence that is otherwise in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.journeys.campaign_checker import Card, Evidence, Reply, faults

ANNA, BO = "anna@many.example", "bo@many.example"


@dataclass(frozen=True)
class SeenMail:
    rcpts: tuple[str, ...]
    at: float
    text: str
    message_id: str
    delivery: str

    def header(self, name: str) -> str:
        assert name == "X-Rethread-Delivery"
        return self.delivery


def mail(address: str, stage: int, at: float, ident: str | None = None) -> SeenMail:
    ident = ident or f"{address}-{stage}"
    return SeenMail((address,), at, f"[stage {stage}] Hi", f"<{ident}>", ident)


def card(channel: str, address: str, key: str = "reply:1") -> Card:
    return Card(channel, key, f"{address} has replied")


def sound() -> Evidence:
    """Anna got both stages; Bo answered the first."""
    mails = [mail(ANNA, 1, 1.0), mail(BO, 1, 2.0), mail(ANNA, 2, 9.0)]
    return Evidence(
        stages=2,
        enrolled=[ANNA, BO],
        accepted=mails,
        filed=[one.message_id for one in mails],
        prospects={ANNA: {"status": "Complete"}, BO: {"status": "Replied"}},
        replies=[Reply(BO, 3.0, 1, 0.5)],
        cards=[card("C1", BO), card("D1", BO, "reply:1:owner")],
        reply_channels=["C1", "D1"],
    )


def with_mail(evidence: Evidence, *more: SeenMail) -> Evidence:
    accepted = [*evidence.accepted, *more]
    return replace(evidence, accepted=accepted, filed=[one.message_id for one in accepted])


BREAKS: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "a stage twice": (lambda e: with_mail(e, mail(ANNA, 2, 9.5, "other")), "stage ('anna@many.example', 2)"),
    "a Message-ID twice": (lambda e: with_mail(e, mail(ANNA, 2, 9.5)), "Message-ID"),
    "a stage left out": (lambda e: replace(e, accepted=e.accepted[1:], filed=None), "got stages [2]"),
    "the last stage missing": (lambda e: replace(e, accepted=e.accepted[:2], filed=None), "Complete after stages [1]"),
    "somebody forgotten": (lambda e: replace(e, prospects={BO: {"status": "Replied"}}), "enrolled and shown differ"),
    "somebody stuck": (lambda e: _status(e, ANNA, "Pending"), "ended as Pending"),
    "a reply invented": (lambda e: _status(e, ANNA, "Replied"), "never answered"),
    "sent after the reply": (lambda e: with_mail(e, mail(BO, 2, 3.6)), "0.60 s after answering"),
    "a card twice": (lambda e: replace(e, cards=[*e.cards, card("C1", BO)]), "stands 2 times"),
    "a card under another key": (lambda e: replace(e, cards=[*e.cards, card("D1", BO, "reply:2")]), "2 cards in D1"),
    "a card missing": (lambda e: replace(e, cards=e.cards[1:]), "has 0 cards in C1"),
    "a mail unfiled": (lambda e: replace(e, filed=[]), "Sent holds other mails"),
}


def _status(evidence: Evidence, address: str, status: str) -> Evidence:
    changed: dict[str, Any] = {**evidence.prospects, address: {"status": status}}
    return replace(evidence, prospects=changed)


def test_kept_promises_raise_nothing() -> None:
    assert faults(sound()) == []


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_promise_is_named(what: str) -> None:
    broken, words = BREAKS[what]
    assert any(words in fault for fault in faults(broken(sound()))), faults(broken(sound()))
