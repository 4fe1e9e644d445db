"""Retry, Skip, Mark finished; It was sent, Send again, Drop."""

from __future__ import annotations

from bot.slack.action_ids import ButtonValue
from bot.slack.uses import ProspectUses
from core.domain.actor import Actor
from core.domain.enrollment import ProspectEvent


class StageButtons:
    """Nothing to say on success: the card changes for everybody. Raises RethreadError kinds; of two people who press
    at once the second hears who was faster."""

    def __init__(self, prospects: ProspectUses) -> None:
        self._prospects = prospects

    async def retry(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.act_on_card(actor, ProspectEvent.RETRY, value.id, value.version)

    async def skip(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.act_on_card(actor, ProspectEvent.SKIP, value.id, value.version)

    async def finish(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.act_on_card(actor, ProspectEvent.FINISH, value.id, value.version)

    async def was_sent(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "sent", value.id, value.version)

    async def send_again(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "resend", value.id, value.version)

    async def drop(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "drop", value.id, value.version)
