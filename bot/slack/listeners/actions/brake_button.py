"""Let it go on."""

from __future__ import annotations

from bot.slack.action_ids import ButtonValue
from bot.slack.uses import HoldUses
from core.domain.actor import Actor


class BrakeButton:
    """Raises RethreadError kinds; the desk tells them to whoever pressed. The card itself says who lifted it."""

    def __init__(self, holds: HoldUses) -> None:
        self._holds = holds

    async def lift_mailbox(self, actor: Actor, value: ButtonValue) -> None:
        await self._holds.lift_brake(actor, "mailbox", value.id)

    async def lift_campaign(self, actor: Actor, value: ButtonValue) -> None:
        await self._holds.lift_brake(actor, "campaign", value.id)
