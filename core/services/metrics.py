"""A campaign's figures and its page in ``/outreach status`` (R174..R183), and figures across campaigns.

Counting a campaign of a hundred thousand people takes a second or so. What took long is therefore kept for a while in
proportion, and counted anew in the background while people are shown the last figures; statuses and prospects are
always of this moment. Small campaigns are counted each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.enrollment import ProspectStatus
from core.domain.figures import CampaignFigures, DayFigures, StageFigures
from core.ports.storage import EngagementCount, MinuteCount, ProspectRow, StageCount, UnitOfWork
from core.services.campaign_lookup import find_campaign
from core.services.recent_figures import RecentFigures
from core.services.tools import Tools, settings_in

PAGE: Final = 25
_DAYS_BACK: Final = timedelta(days=366)
_FAILED: Final = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """What ``/outreach status`` shows: how many prospects are in which status, the figures, and some prospects.

    ``figures.days`` is empty here. ``prospects`` are those from ``offset`` on in order of enrolment, ``shown_of`` how
    many there are in all of the status asked for.
    """

    campaign: Campaign
    counts: Mapping[ProspectStatus, int]
    figures: CampaignFigures
    prospects: Sequence[ProspectRow]
    offset: int
    shown_of: int


class MetricsService:
    """Questions of anybody in the workspace; nothing here changes anything."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._recent = RecentFigures(tools.clock)

    async def status(
        self, actor: Actor, name: str, *, status: ProspectStatus | None = None, limit: int = PAGE, offset: int = 0
    ) -> CampaignPage:
        """Raises NotFoundError naming the campaigns there are."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            counts = (await uow.reports.status_counts([campaign.id]))[campaign.id]
            prospects = await uow.reports.prospects(campaign.id, status=status, limit=limit, offset=offset)
        figures = await self._recent.get(
            f"{actor.workspace} status {campaign.id}", lambda: self._totals(actor, campaign)
        )
        people = sum(counts.values())
        figures = replace(figures, people=people, failed=sum(counts.get(one, 0) for one in _FAILED))
        return CampaignPage(
            campaign, counts, figures, prospects, offset, people if status is None else counts.get(status, 0)
        )

    async def campaign(self, actor: Actor, name: str) -> CampaignFigures:
        """One campaign with its days (of the workspace's zone). Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
        return await self._recent.get(f"{actor.workspace} report {campaign.id}", lambda: self._whole(actor, campaign))

    async def across(self, actor: Actor, names: Sequence[str] | None = None) -> CampaignFigures:
        """Several campaigns (all where none are named) as one; a person in two of them counts once. No stages: theirs
        are not the same. Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaigns = [await find_campaign(uow, name) for name in names] if names else await uow.campaigns.list()
        ids = sorted({one.id for one in campaigns})
        return await self._recent.get(f"{actor.workspace} across {' '.join(ids)}", lambda: self._across(actor, ids))

    async def _totals(self, actor: Actor, campaign: Campaign) -> CampaignFigures:
        async with self._tools.store.read(actor.workspace) as uow:
            stages = {one.stage: one for one in await uow.reports.stage_counts(campaign.id)}
            engaged = await uow.engagements.counts(campaign.id)
            counted = await uow.reports.people_counts([campaign.id])
        kinds = {stage.position: stage.kind for stage in campaign.stages}
        positions = sorted(kinds.keys() | stages.keys())
        total = CampaignFigures(
            campaign.name,
            people=counted.people,
            recipients=counted.recipients,
            stages=tuple(_stage(position, kinds.get(position, "email"), stages, engaged) for position in positions),
            replied=counted.replied,
        )
        return _with_engaged(total, [one for one in engaged if one.stage is None])

    async def _whole(self, actor: Actor, campaign: Campaign) -> CampaignFigures:
        totals = await self._totals(actor, campaign)
        async with self._tools.store.read(actor.workspace) as uow:
            return replace(totals, failed=await _failed(uow, [campaign.id]), days=await self._days(uow, [campaign.id]))

    async def _across(self, actor: Actor, campaign_ids: list[str]) -> CampaignFigures:
        async with self._tools.store.read(actor.workspace) as uow:
            counted = await uow.reports.people_counts(campaign_ids)
            engaged = await uow.reports.engaged_people(campaign_ids)
            failed, days = await _failed(uow, campaign_ids), await self._days(uow, campaign_ids)
        number = len(campaign_ids)
        title = f"{number} campaign{'' if number == 1 else 's'}"
        total = CampaignFigures(
            title, counted.people, counted.recipients, replied=counted.replied, failed=failed, days=days
        )
        return _with_engaged(total, engaged)

    async def _days(self, uow: UnitOfWork, campaign_ids: Sequence[str]) -> tuple[DayFigures, ...]:
        zone = ZoneInfo((await settings_in(uow))["workspace_zone"])
        return _days(await uow.reports.minutes(campaign_ids, self._tools.clock.now() - _DAYS_BACK), zone)


async def _failed(uow: UnitOfWork, campaign_ids: Sequence[str]) -> int:
    """Prospects whose status is a failure."""
    counts = await uow.reports.status_counts(campaign_ids)
    return sum(of_campaign.get(one, 0) for of_campaign in counts.values() for one in _FAILED)


def _stage(
    position: int, kind: str, counts: Mapping[int, StageCount], engaged: Sequence[EngagementCount]
) -> StageFigures:
    seen = Counter({(one.kind, one.machine): one.people for one in engaged if one.stage == position})
    count = counts.get(position, StageCount(position, 0, 0))
    return StageFigures(
        position,
        kind,
        sent=count.sent,
        opened=seen["open", False],
        opened_machine=seen["open", True],
        clicked=seen["click", False],
        clicked_machine=seen["click", True],
        downloaded=seen["download", False],
        replied=count.replied,
    )


def _with_engaged(total: CampaignFigures, engaged: Sequence[EngagementCount]) -> CampaignFigures:
    seen = Counter({(one.kind, one.machine): one.people for one in engaged})
    return replace(
        total,
        opened=seen["open", False],
        opened_machine=seen["open", True],
        clicked=seen["click", False],
        clicked_machine=seen["click", True],
        downloaded=seen["download", False],
    )


def _days(minutes: Sequence[MinuteCount], zone: ZoneInfo) -> tuple[DayFigures, ...]:
    counts = Counter[tuple[date, str]]()
    for one in minutes:
        counts[one.at.astimezone(zone).date(), one.what] += one.count
    return tuple(
        DayFigures(day, counts[day, "sent"], counts[day, "replied"], counts[day, "failed"])
        for day in sorted({day for day, _ in counts})
    )
