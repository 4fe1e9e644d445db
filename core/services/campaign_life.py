"""A campaign's life: start, pause, stop, archive.

The status alone keeps the queue still at once. What waits then follows in parts, so that nobody else's write waits for
a hundred thousand prospects.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.domain.actor import Actor, require_mailbox, require_outreach
from core.domain.campaign import CLOSED_STATUSES, Campaign, CampaignEvent, CampaignStatus, transition
from core.domain.reasons import reason
from core.errors import RefusedError
from core.ports.storage import UnitOfWork
from core.services.campaign_lookup import find_campaign
from core.services.progress import ENGINE, connected_senders
from core.services.tools import Tools, persistently

_AT_A_TIME = 1_000
"""Deliveries in one transaction, which is what a reply may have to wait: 40 ms of processor (bench.campaign_moves)."""


class CampaignLife:
    """Moves of a whole campaign, by the table."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def move(self, actor: Actor, name: str, event: CampaignEvent) -> Campaign:
        """Raises NotFoundError, NotAllowedError, RefusedError with the reason."""
        if event is CampaignEvent.START:
            await self._release_queue(actor, name)
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await self._movable(uow, actor, name, event)
            status = transition(campaign.status, event)
            if not await uow.campaigns.set_status(campaign, status):
                raise RefusedError("The campaign was changed at the same moment. Look again.", reason="race")
            now = self._tools.clock.now()
            if event is CampaignEvent.START:  # the few that came to wait since
                await uow.deliveries.release("campaign", not_before=now, campaign_id=campaign.id)
                uow.wake("outreach")
            await uow.audit.add(at=now, actor=actor.user, action=f"campaign.{event.value}", subject=campaign.id)
        if event is not CampaignEvent.START:
            await self._settle_queue(actor.workspace, actor.user, campaign.id, status)
        return replace(campaign, status=status, version=campaign.version + 1)

    async def _movable(self, uow: UnitOfWork, actor: Actor, name: str, event: CampaignEvent) -> Campaign:
        campaign = await find_campaign(uow, name)
        require_outreach(actor, campaign.owner)
        transition(campaign.status, event)
        if event is CampaignEvent.START:
            await _require_sender(uow, campaign, actor)
        return campaign

    async def _release_queue(self, actor: Actor, name: str) -> None:
        """Before the status changes: nothing goes until then, and whoever stumbles on the way just starts again."""

        async def part() -> int:
            async with self._tools.store.write(actor.workspace) as uow:
                campaign = await self._movable(uow, actor, name, CampaignEvent.START)
                now = self._tools.clock.now()
                return await uow.bulk.release_campaign(
                    campaign.id, "campaign", actor=actor.user, at=now, most=_AT_A_TIME
                )

        while await persistently(part) == _AT_A_TIME:
            continue

    async def catch_up(self, workspace: str) -> int:
        """Ends what a move of a whole campaign left undone: the process died between the status and its queue, or
        somebody who had read the status before the move wrote a stage after it. Returns how many stages changed."""
        async with self._tools.store.read(workspace) as uow:
            behind = await uow.bulk.out_of_step()
        changed = 0
        for campaign_id, status in behind.items():
            changed += await self._settle_queue(workspace, ENGINE, campaign_id, status)
        return changed

    async def _settle_queue(self, workspace: str, user: str, campaign_id: str, status: CampaignStatus) -> int:
        """What waits is cancelled (stopped, archived), shown as waiting for the campaign (paused), or goes on."""
        settled, part = 0, _AT_A_TIME
        while part == _AT_A_TIME:
            part = await persistently(partial(self._settle_part, workspace, user, campaign_id, status))
            settled += part
        return settled

    async def _settle_part(self, workspace: str, user: str, campaign_id: str, status: CampaignStatus) -> int:
        async with self._tools.store.write(workspace) as uow:
            campaign = await uow.campaigns.get(campaign_id)
            if campaign is None or campaign.status is not status:
                return 0  # somebody changed it back meanwhile
            now, bulk = self._tools.clock.now(), uow.bulk
            if status is CampaignStatus.ACTIVE:
                uow.wake("outreach")
                return await bulk.release_campaign(campaign_id, "campaign", actor=user, at=now, most=_AT_A_TIME)
            code = "canceled" if status in CLOSED_STATUSES else "campaign"
            change = bulk.cancel_campaign if status in CLOSED_STATUSES else bulk.wait_for_campaign
            return await change(campaign_id, reason(code), actor=user, at=now, most=_AT_A_TIME)


async def _require_sender(uow: UnitOfWork, campaign: Campaign, actor: Actor) -> None:
    """Mail goes in a mailbox's owner's name, so its owner (or an admin) has to be the one who starts it (threat T8)."""
    own = tuple(stage.sender for stage in campaign.live_stages if stage.sender)
    if not campaign.senders and not own:
        return
    connected = await connected_senders(uow, campaign.senders + own)
    if connected:
        for mailbox in connected:
            require_mailbox(actor, mailbox)
        return
    raise RefusedError(
        f"None of this campaign's senders is connected: {', '.join(campaign.senders + own)}.",
        reason="no_account_selected",
        fix="Connect the mailbox with /mailbox connect, then start again.",
    )
