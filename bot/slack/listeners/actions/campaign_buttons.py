"""Start."""

from __future__ import annotations

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue
from bot.slack.blocks import outreach_status
from bot.slack.blocks.kit import Card
from bot.slack.uses import CampaignUses
from core.domain.actor import Actor
from core.errors import RefusedError


class CampaignButtons:
    """Raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, campaigns: CampaignUses) -> None:
        self._campaigns = campaigns

    async def start(self, actor: Actor, value: ButtonValue) -> Card:
        """As ``/outreach start`` with the campaign's name, which the button is too small to carry."""
        for line in await self._campaigns.list(actor):
            if line.campaign.id == value.id:
                return outreach_status.started(await self._campaigns.start(actor, line.campaign.name))
        raise RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX)
