"""A mailbox has got a seat, or has lost its own: a direct message to its owner (R35, R214). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card
from core.domain.cards import SeatCard

_MAKE_ROOM: Final = (
    "To make room, pause or disconnect a mailbox that can be spared, or ask an admin to raise mailbox_limit."
)


def seat_card(facts: SeatCard) -> Card:
    """``state`` decides: seated or waiting."""
    return _BY_STATE[facts["state"]](facts)


def _seated(facts: SeatCard) -> Card:
    title = f"It has a seat: {facts['address']}"
    text = "Rethread is connecting to it now; nothing has to be done. /mailbox status shows how far it is."
    return Card(kit.fallback(f"{title}.", text), [kit.header(title), *_told(facts, text)], kit.GREEN)


def _waiting(facts: SeatCard) -> Card:
    title = f"It waits for a seat: {facts['address']}"
    text = "Nothing is read or sent until it has one again; then it goes on by itself, and you are told."
    return Card(kit.fallback(f"{title}.", text), [kit.header(title), *_told(facts, text, _MAKE_ROOM)], kit.AMBER)


def _told(facts: SeatCard, *lines: str) -> list[kit.Json]:
    return [kit.paragraph(*([kit.glue(line)] for line in lines)), kit.context(kit.in_a_row([facts["seats"]]))]


_BY_STATE: Final = {"seated": _seated, "waiting": _waiting}
