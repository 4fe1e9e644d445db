"""Opens, clicks, downloads; and the files that campaigns send along."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, select

from core.ports.storage import CampaignFile, Engagement, EngagementCount
from storage.scope import Scope, columns_of, values_of
from storage.tables import campaign_files, engagements

_ENGAGEMENT = columns_of(engagements, Engagement)
_FILE = columns_of(campaign_files, CampaignFile)


class SqlEngagementStore:
    """Implements ``ports.EngagementStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def note(self, engagement: Engagement) -> bool:
        return await self._scope.insert_new(engagements, [values_of(engagement)]) == 1

    async def of_delivery(self, delivery_id: str) -> list[Engagement]:
        """Oldest first."""
        statement = self._scope.select(engagements, *_ENGAGEMENT).where(engagements.c.delivery_id == delivery_id)
        return [Engagement(*row) for row in await self._scope.rows(statement.order_by(engagements.c.at))]

    async def counts(self, campaign_id: str) -> list[EngagementCount]:
        per_stage = await self._counts(campaign_id, by_stage=True)
        return per_stage + await self._counts(campaign_id, by_stage=False)

    async def _counts(self, campaign_id: str, *, by_stage: bool) -> list[EngagementCount]:
        stage = [engagements.c.stage] if by_stage else []
        group = [*stage, engagements.c.kind, engagements.c.enrollment_id]
        # A machine only where no person was seen: the least of the flags.
        only_machine = func.min(case((engagements.c.machine, 1), else_=0)).label("machine")
        of_each = self._scope.select(engagements, *group, only_machine).where(engagements.c.campaign_id == campaign_id)
        each = of_each.group_by(*group).subquery("each")
        outer = [each.c.stage] if by_stage else []
        statement = select(*outer, each.c.kind, each.c.machine, func.count()).group_by(
            *outer, each.c.kind, each.c.machine
        )
        return [
            EngagementCount(row[0] if by_stage else None, row[-3], bool(row[-2]), row[-1])
            for row in await self._scope.rows(statement)
        ]


class SqlCampaignFileStore:
    """Implements ``ports.CampaignFileStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def put(self, file: CampaignFile) -> None:
        await self.remove(file.campaign_id, file.name)
        await self._scope.insert(campaign_files, [values_of(file)])

    async def get(self, campaign_id: str, name: str) -> CampaignFile | None:
        return next(iter(await self.many(campaign_id, [name])), None)

    async def names(self, campaign_id: str) -> Sequence[str]:
        statement = self._scope.select(campaign_files, campaign_files.c.name).order_by(campaign_files.c.name)
        rows = await self._scope.rows(statement.where(campaign_files.c.campaign_id == campaign_id))
        return [row.name for row in rows]

    async def many(self, campaign_id: str, names: Sequence[str]) -> list[CampaignFile]:
        of_campaign = (campaign_files.c.campaign_id == campaign_id, campaign_files.c.name.in_(list(names)))
        rows = await self._scope.rows(self._scope.select(campaign_files, *_FILE).where(*of_campaign))
        return [CampaignFile(*row) for row in rows]

    async def remove(self, campaign_id: str, name: str) -> bool:
        this = (campaign_files.c.campaign_id == campaign_id, campaign_files.c.name == name)
        return await self._scope.run(self._scope.delete(campaign_files).where(*this)) == 1
