"""Edits of a campaign, running or not, by its owner or an admin (R154, R155; decision 0017).

A changed text, note or sender counts for every mail that nobody has claimed yet; a changed delay for everybody who
comes to the stage from now on (whoever waits for it already keeps the time).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.domain.actor import Actor, require_outreach
from core.domain.campaign import CLOSED_STATUSES, Campaign
from core.domain.campaign_edits import with_details, with_stage_added, with_stage_changed, with_stage_removed
from core.domain.enrollment import ProspectEvent
from core.errors import RefusedError
from core.ports.storage import UnitOfWork
from core.services.bulk_actions import BulkActions, Selection
from core.services.campaign_files import keep_only
from core.services.campaign_lookup import find_campaign
from core.services.progress import Progress
from core.services.tools import Tools


class CampaignEdits:
    """One change at a time, each in a transaction of its own."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._bulk = BulkActions(tools, progress)

    async def change_stage(self, actor: Actor, name: str, position: int, changes: Mapping[str, Any]) -> Campaign:
        """Fields of a stage in the words of the campaign file: delay, subject, body, html, note, required, from,
        attachments. Raises InputError with every fault, NotFoundError, NotAllowedError, RefusedError."""
        async with self._tools.store.write(actor.workspace) as uow:
            before = await self._editable(uow, actor, name)
            after = with_stage_changed(before, position, changes)
            await self._store(uow, actor, after, "campaign.stage.change", position)
            if "from" in changes:
                await self._send_from(uow, after, position)
        return after

    async def add_stage(self, actor: Actor, name: str, stage: Mapping[str, Any]) -> Campaign:
        """At the end. Whoever has come through the campaign already stays Complete."""
        async with self._tools.store.write(actor.workspace) as uow:
            after = with_stage_added(await self._editable(uow, actor, name), stage)
            await self._store(uow, actor, after, "campaign.stage.add", len(after.stages))
        return after

    async def delete_stage(self, actor: Actor, name: str, position: int, *, skip: bool = False) -> Campaign:
        """Raises RefusedError (reason "stage_in_use") where people stand at it, naming how many; with ``skip`` those
        are moved past it first. Whoever could not be is in the refusal."""
        if skip:
            await self._skip_all(actor, name, position)
        async with self._tools.store.write(actor.workspace) as uow:
            before = await self._editable(uow, actor, name)
            there = await uow.lists.standing_at(before.id, position)
            if there:
                people = "person is" if len(there) == 1 else "people are"
                raise RefusedError(
                    f"{len(there)} {people} at stage {position} of “{before.name}”, so it cannot be deleted.",
                    reason="stage_in_use",
                    fix="Skip them past it first, or delete it and skip them in one step.",
                )
            counts = await uow.reports.status_counts({before.id})
            after = with_stage_removed(before, position, keeps_place=bool(sum(counts[before.id].values())))
            await self._store(uow, actor, after, "campaign.stage.delete", position)
            await keep_only(uow, after)
        return after

    async def change_details(self, actor: Actor, name: str, changes: Mapping[str, Any]) -> Campaign:
        """Owner, shared, job, job_stage, channel, timezone, window, holidays, email_priority, from, tracking, in the
        words of the campaign file."""
        async with self._tools.store.write(actor.workspace) as uow:
            after = with_details(await self._editable(uow, actor, name), changes)
            await self._store(uow, actor, after, "campaign.change", 0)
        return after

    async def _editable(self, uow: UnitOfWork, actor: Actor, name: str) -> Campaign:
        campaign = await find_campaign(uow, name)
        require_outreach(actor, campaign.owner)
        if campaign.status in CLOSED_STATUSES:
            raise RefusedError(
                f"“{campaign.name}” is {campaign.status.value}: it does not change any more.",
                reason=f"campaign_{campaign.status.value}",
                fix="Duplicate it and change the copy.",
            )
        return campaign

    async def _store(self, uow: UnitOfWork, actor: Actor, after: Campaign, action: str, stage: int) -> None:
        if not await uow.campaigns.replace(after):
            raise RefusedError("The campaign was changed at the same moment. Look again.", reason="race")
        at = self._tools.clock.now()
        # What waited for a value that the old text wanted, or for a better address than its types, is judged anew.
        for code in ("missing_variable", "risky_address"):
            await uow.deliveries.release(code, not_before=at, campaign_id=after.id)
        uow.wake("outreach")
        await uow.audit.add(at=at, actor=actor.user, action=action, subject=after.id, facts={"stage": stage})

    async def _send_from(self, uow: UnitOfWork, campaign: Campaign, position: int) -> None:
        """What is queued of a mail goes from the new sender; calls, tasks and texts need none."""
        stage = campaign.stages[position - 1]
        if stage.kind != "email":
            return
        mailbox = await uow.mailboxes.by_sender(stage.sender) if stage.sender else None
        await uow.bulk.send_from(campaign.id, position, mailbox.id if mailbox else None, own=stage.sender is not None)

    async def _skip_all(self, actor: Actor, name: str, position: int) -> None:
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await self._editable(uow, actor, name)
            with_stage_removed(campaign, position, keeps_place=True)  # nobody is skipped for what cannot be deleted
            there = await uow.lists.standing_at(campaign.id, position)
        chosen = Selection(campaign.name, tuple(there))
        await self._bulk.act(actor, ProspectEvent.SKIP, chosen)
