"""Campaigns with their stages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import timedelta

from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage
from core.errors import RefusedError
from storage.scope import AnyRow, Scope, Values, chunks, columns_of, values_of
from storage.tables import campaigns

_COLUMNS = columns_of(campaigns, Campaign)


class SqlCampaignStore:
    """Implements ``ports.CampaignStore``. Names are unique as written; ``by_name`` forgives their case."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, campaign: Campaign) -> None:
        if not await self._scope.insert_new(campaigns, [_values(campaign)]):
            raise _exists(campaign.name)

    async def get(self, campaign_id: str) -> Campaign | None:
        return (await self.get_many([campaign_id])).get(campaign_id)

    async def get_many(self, campaign_ids: Collection[str]) -> dict[str, Campaign]:
        found: dict[str, Campaign] = {}
        for ids in chunks(campaign_ids):
            statement = self._scope.select(campaigns, *_COLUMNS).where(campaigns.c.id.in_(ids))
            found.update((row.id, campaign_from(row)) for row in await self._scope.rows(statement))
        return found

    async def by_name(self, name: str) -> Campaign | None:
        statement = self._scope.select(campaigns, *_COLUMNS).where(campaigns.c.name_key == name.casefold())
        oldest_first = statement.order_by(campaigns.c.created_at, campaigns.c.id)
        found = [campaign_from(row) for row in await self._scope.rows(oldest_first)]
        return next((one for one in found if one.name == name), next(iter(found), None))

    async def list(self) -> list[Campaign]:
        """Oldest first."""
        statement = self._scope.select(campaigns, *_COLUMNS).order_by(campaigns.c.created_at, campaigns.c.id)
        return [campaign_from(row) for row in await self._scope.rows(statement)]

    async def set_status(self, campaign: Campaign, status: CampaignStatus) -> bool:
        return await self._swap(campaign, {"status": status})

    async def replace(self, campaign: Campaign) -> bool:
        """Everything but the id, status and birth. Raises RefusedError where the new name is another campaign's."""
        same_name = self._scope.select(campaigns, campaigns.c.id).where(
            campaigns.c.name == campaign.name, campaigns.c.id != campaign.id
        )
        if await self._scope.first(same_name):
            raise _exists(campaign.name)
        changes = _values(campaign)
        for kept in ("id", "status", "created_at"):
            del changes[kept]
        return await self._swap(campaign, changes)

    async def _swap(self, campaign: Campaign, changes: Values) -> bool:
        unchanged = (campaigns.c.id == campaign.id, campaigns.c.version == campaign.version)
        changes = changes | {"version": campaign.version + 1}
        return await self._scope.run(self._scope.update(campaigns).where(*unchanged).values(changes)) == 1


def _exists(name: str) -> RefusedError:
    return RefusedError(f"There is a campaign called {name} already.", reason="campaign_exists")


def _values(campaign: Campaign) -> Values:
    return values_of(campaign, without=("workspace",)) | {
        "name_key": campaign.name.casefold(),
        "stages": [_stage_values(stage) for stage in campaign.stages],
    }


def _stage_values(stage: Stage) -> Values:
    delay = {"seconds": stage.delay.elapsed.total_seconds(), "business_days": stage.delay.business_days}
    return asdict(stage) | {"delay": delay}


def campaign_from(row: AnyRow) -> Campaign:
    """A row of ``campaigns`` as the domain sees it."""
    values = dict(row._mapping)
    values["stages"] = tuple(_stage_from(stage) for stage in values["stages"])
    return Campaign(**values)


def _stage_from(values: Values) -> Stage:
    delay = Delay(timedelta(seconds=values["delay"]["seconds"]), values["delay"]["business_days"])
    return Stage(**values | {"delay": delay, "attachments": tuple(values["attachments"])})
