"""What ``/outreach report`` says: figures of a campaign, or of all campaigns of one person, and why people failed
(R174..R183)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from core.domain.actor import Actor
from core.domain.campaign_query import CampaignQuery
from core.domain.enrollment import ProspectStatus
from core.domain.figures import FailureCount, Report
from core.domain.prospect_query import MOST_ON_A_PAGE, Page, ProspectQuery, ProspectSort
from core.errors import NotFoundError
from core.ports.storage import ProspectRow
from core.services.campaigns import CampaignService
from core.services.metrics import MetricsService

_FAILED: Final = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
_LATEST: Final = ProspectQuery(statuses=_FAILED, sort=ProspectSort.ADDED, reverse=True, page=Page(size=MOST_ON_A_PAGE))


class ReportService:
    """Everybody in the workspace may read the figures of every campaign, as they may see every campaign."""

    def __init__(self, metrics: MetricsService, campaigns: CampaignService) -> None:
        self._metrics, self._campaigns = metrics, campaigns

    async def campaign(self, actor: Actor, name: str) -> Report:
        """Raises NotFoundError naming the nearest campaign."""
        figures = await self._metrics.campaign(actor, name)
        return Report(figures, await self._failures(actor, figures.campaign) if figures.failed else ())

    async def mine(self, actor: Actor) -> Report:
        """All campaigns that the actor owns as one, a person counted once; the operator's are all. Raises NotFoundError
        where there is none."""
        query = CampaignQuery(owners=(actor.user,)) if actor.user != "operator" else CampaignQuery()
        names = [line.campaign.name for line in await self._campaigns.list(actor, query)]
        if not names:
            raise NotFoundError("You have no campaign of your own yet.", fix="Name one: /outreach report campaign")
        return Report(await self._metrics.across(actor, names))

    async def _failures(self, actor: Actor, name: str) -> tuple[FailureCount, ...]:
        page = await self._campaigns.prospects(actor, name, _LATEST)
        texts = {_code(row): row.reason_text or "No reason is recorded." for row in page.rows}
        counts = Counter(map(_code, page.rows))
        if page.total > len(page.rows):
            counts = Counter({code: await self._how_many(actor, name, code) for code in texts if code})
        counted = tuple(FailureCount(code, texts[code], people) for code, people in counts.most_common())
        left = page.total - sum(one.people for one in counted)
        return (*counted, FailureCount("", "Other reasons", left)) if left > 0 else counted

    async def _how_many(self, actor: Actor, name: str, code: str) -> int:
        query = ProspectQuery(statuses=_FAILED, reason=code, page=Page(size=1))
        return (await self._campaigns.prospects(actor, name, query)).total


def _code(row: ProspectRow) -> str:
    return row.reason_code or ""
