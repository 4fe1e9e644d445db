"""From the kind of a card and its facts to what Slack shows: the notifier's one door to the presenters. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bot.slack.blocks.kit import Card
from bot.slack.blocks.reply_card import reply_card, reply_excerpt
from bot.slack.blocks.stage_card import stage_card
from bot.slack.blocks.sync_card import sync_card
from bot.slack.blocks.uncertain_card import uncertain_card
from core.domain.cards import ReplyCard, ReplyExcerpt, StageCard, SyncCard, UncertainCard
from core.errors import InputError


def present(kind: str, facts: Mapping[str, Any]) -> Card:
    """The card of a kind of core/domain/cards.py. Raises InputError for an unknown kind or facts that lack a field."""
    try:
        return _present(kind, facts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"facts that do not make a card: {error!r:.80}", where=kind[:40]) from error


def _present(kind: str, facts: Mapping[str, Any]) -> Card:
    match kind:
        case "sync":
            return sync_card(cast(SyncCard, facts))
        case "reply":
            return reply_card(cast(ReplyCard, facts))
        case "reply_excerpt":
            return reply_excerpt(cast(ReplyExcerpt, facts))
        case "stage_failed":
            return stage_card(cast(StageCard, facts))
        case "uncertain":
            return uncertain_card(cast(UncertainCard, facts))
        case _:
            raise InputError("there is no card of this kind", where=kind[:40])
