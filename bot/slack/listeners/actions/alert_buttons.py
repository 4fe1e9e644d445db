"""Acknowledge, Assign, Mute, Escalate; Resync all of a storm; what failed while a mailbox was down."""

from __future__ import annotations

from bot.slack import action_ids
from bot.slack.action_ids import MUTE_HOURS, ButtonValue
from bot.slack.blocks import answers, recovery_card
from bot.slack.blocks.kit import Card
from bot.slack.blocks.text import is_person
from bot.slack.listeners.escalating import Escalations
from bot.slack.uses import AlertUses
from core.domain.actor import Actor
from core.errors import RefusedError


class AlertButtons:
    """The card itself says what was done, to everybody: there is an answer only where it does not. Raises
    RethreadError kinds; of two people who press at once the second hears who was faster."""

    def __init__(self, alerts: AlertUses, escalations: Escalations) -> None:
        self._alerts, self._escalations = alerts, escalations

    async def acknowledge(self, actor: Actor, value: ButtonValue) -> None:
        await self._alerts.acknowledge(actor, value.id, value.version)

    async def assign(self, actor: Actor, value: ButtonValue) -> None:
        if not is_person(value.choice):
            raise _stale()
        await self._alerts.assign(actor, value.id, value.version, value.choice)

    async def more(self, actor: Actor, value: ButtonValue) -> Card | None:
        """What was chosen in the menu."""
        if value.choice == action_ids.ESCALATE:
            return await self._escalations.of_alert(actor, value.id, value.version)
        if value.choice not in MUTE_HOURS:
            raise _stale()
        await self._alerts.mute(actor, value.id, value.version, MUTE_HOURS[value.choice])
        return None

    async def resync_storm(self, actor: Actor, value: ButtonValue) -> Card | None:
        if await self._alerts.resync_storm(actor, value.id, value.version):
            return None
        return answers.said("Nothing was left to ask for: each of them is being tried already.")

    async def retry_all(self, actor: Actor, value: ButtonValue) -> None:
        await self._alerts.retry_after_recovery(actor, value.id, value.version)

    async def review(self, actor: Actor, value: ButtonValue) -> Card:
        return recovery_card.review(await self._alerts.review_recovery(actor, value.id))

    async def leave(self, actor: Actor, value: ButtonValue) -> None:
        await self._alerts.leave_recovery(actor, value.id, value.version)


def _stale() -> RefusedError:
    return RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX)
