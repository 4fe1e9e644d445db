"""The windows of one campaign: gathered for whoever opens them."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks.campaign_forms import delete_form, new_form, settings_form, stage_form
from bot.slack.blocks.campaign_window import campaign_window, preview_window
from bot.slack.blocks.forms import Form
from bot.slack.uses import Building, CampaignUses, Desk, Services
from core.domain.account import MailboxStatus
from core.domain.actor import Actor, Role, require_outreach, require_recruiter
from core.domain.campaign import CLOSED_STATUSES, Campaign
from core.errors import NotFoundError, RefusedError, SlackError

_CLOSED: Final = "it does not change any more"


class CampaignWindows:
    """Every method raises RethreadError kinds."""

    def __init__(self, desk: Desk, services: Services, building: Building) -> None:
        self._desk, self._services, self._building = desk, services, building

    async def new(self, actor: Actor) -> Form:
        """With the mailboxes that the person may send from, and the time zone of their Slack profile."""
        require_recruiter(actor)
        senders = await self.senders(actor)
        if not senders:
            raise RefusedError(
                "You have no mailbox to send from.", reason="no_mailbox", fix="Connect one with /mailbox connect."
            )
        zone = await self._zone(actor)
        return new_form(senders, zone or "UTC", guessed=bool(zone))

    async def open_named(self, actor: Actor, name: str) -> Form:
        return await self.open(actor, (await campaign_named(self._services.campaigns, actor, name)).id)

    async def open(self, actor: Actor, campaign_id: str, *notes: str) -> Form:
        """``notes`` say what was just done."""
        return campaign_window(await self._building.overviews.of(actor, campaign_id), *notes)

    async def settings(self, actor: Actor, campaign_id: str) -> Form:
        campaign = await self._editable(actor, campaign_id)
        return settings_form(campaign, await self.senders(actor))

    async def new_stage(self, actor: Actor, campaign_id: str, kind: str) -> Form:
        campaign = await self._editable(actor, campaign_id)
        overview = await self._building.overviews.of(actor, campaign_id)
        return stage_form(campaign, None, kind, await self.senders(actor), fields=overview.fields)

    async def edit_stage(self, actor: Actor, campaign_id: str, position: int) -> Form:
        campaign = await self._editable(actor, campaign_id)
        stage = campaign.stage_at(position)
        if stage is None or stage.removed:
            raise NotFoundError(f"“{campaign.name}” has no stage {position}.", fix="Open the campaign again.")
        overview = await self._building.overviews.of(actor, campaign_id)
        return stage_form(campaign, stage, stage.kind, await self.senders(actor), fields=overview.fields)

    async def delete_stage(self, actor: Actor, campaign_id: str, position: int) -> Form:
        campaign = await self._editable(actor, campaign_id)
        stage = campaign.stage_at(position)
        if stage is None or stage.removed:
            raise NotFoundError(f"“{campaign.name}” has no stage {position}.", fix="Open the campaign again.")
        overview = await self._building.overviews.of(actor, campaign_id)
        return delete_form(campaign, stage, overview.standing.get(position, 0))

    async def preview(self, actor: Actor, campaign_id: str, position: int) -> Form:
        return preview_window(await self._building.overviews.preview(actor, campaign_id, position))

    async def senders(self, actor: Actor) -> list[str]:
        """Mailboxes in whose name the person may send: their own; an admin anybody's."""
        mailboxes = await self._services.mailboxes.list(actor, mine=actor.role is not Role.ADMIN)
        found = [one for one in mailboxes if one.status is not MailboxStatus.DISCONNECTED]
        found.sort(key=lambda one: (one.owner != actor.user, one.address))
        return [one.address for one in found]

    async def _editable(self, actor: Actor, campaign_id: str) -> Campaign:
        """Whoever may not change it hears so before typing anything."""
        campaign = await self._building.overviews.campaign(actor, campaign_id)
        require_outreach(actor, campaign.owner)
        if campaign.status in CLOSED_STATUSES:
            raise RefusedError(
                f"“{campaign.name}” is {campaign.status.value}: {_CLOSED}.",
                reason=f"campaign_{campaign.status.value}",
                fix="Duplicate it and change the copy.",
            )
        return campaign

    async def _zone(self, actor: Actor) -> str:
        try:
            return await self._desk.zone_of(actor.workspace, actor.user)
        except SlackError:  # a guess is not worth a failure
            return ""


async def campaign_named(campaigns: CampaignUses, actor: Actor, name: str) -> Campaign:
    """By name, in any case. Raises NotFoundError naming the nearest there is."""
    for line in await campaigns.list(actor):
        if line.campaign.name.casefold() == name.strip().casefold():
            return line.campaign
    return (await campaigns.status(actor, name)).campaign
