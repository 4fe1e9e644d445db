"""From the kind of a card and its facts to what Slack shows: the notifier's one door to the presenters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.slack.blocks.brake_card import brake_card
from bot.slack.blocks.heap_card import heap_card
from bot.slack.blocks.kit import Card
from bot.slack.blocks.limit_card import limit_card
from bot.slack.blocks.recovery_card import recovery_card
from bot.slack.blocks.reminder_cards import expiry_card, sync_reminder
from bot.slack.blocks.reply_card import reply_card, reply_excerpt
from bot.slack.blocks.seat_card import seat_card
from bot.slack.blocks.stage_card import stage_card
from bot.slack.blocks.storm_card import storm_card
from bot.slack.blocks.sync_card import sync_card
from bot.slack.blocks.task_card import task_card, task_reminder
from bot.slack.blocks.uncertain_card import uncertain_card
from core.errors import InputError

# Facts come out of the outbox as JSON: each presenter states the shape that it reads.
_PRESENTERS: Final[Mapping[str, Callable[[Any], Card]]] = {
    "sync": sync_card,
    "storm": storm_card,
    "recovery": recovery_card,
    "expiry": expiry_card,
    "sync_reminder": sync_reminder,
    "seat": seat_card,
    "reply": reply_card,
    "reply_excerpt": reply_excerpt,
    "stage_failed": stage_card,
    "stages_failed": heap_card,
    "uncertain": uncertain_card,
    "limit": limit_card,
    "brake": brake_card,
    "task": task_card,
    "task_reminder": task_reminder,
}


def present(kind: str, facts: Mapping[str, Any]) -> Card:
    """The card of a kind of core/domain/cards.py. Raises InputError for an unknown kind or facts that lack a field."""
    presenter = _PRESENTERS.get(kind)
    if presenter is None:
        raise InputError("there is no card of this kind", where=kind[:40])
    try:
        return presenter(facts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"facts that do not make a card: {error!r:.80}", where=kind[:40]) from error
