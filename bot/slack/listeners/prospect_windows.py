"""The Prospects window and what belongs to it: gathered for whoever opens them, a page at a time, never all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.slack.action_ids import STALE, STALE_FIX, ButtonValue
from bot.slack.blocks.forms import Form
from bot.slack.blocks.prospect_list import ListView, filter_form, list_window
from bot.slack.prospect_uses import Outreach
from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.prospect_query import Page, ProspectQuery
from core.errors import NotFoundError, RefusedError

_REASONS_FROM: Final = 200
"""So many failed and waiting prospects are looked at for reasons to filter by."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was pressed, and where: ``kept`` is what the window carries, None where it was no window; ``state`` what is
    ticked and chosen in it."""

    value: ButtonValue
    kept: Mapping[str, str] | None = None
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def view(self) -> ListView:
        """The question that the window answers. Raises RefusedError where it carries none."""
        if not self.kept or "campaign" not in self.kept:
            raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
        return ListView.kept(self.kept)


class ProspectWindows:
    """Every method raises RethreadError kinds."""

    def __init__(self, outreach: Outreach) -> None:
        self._outreach = outreach

    async def show(self, actor: Actor, view: ListView, notice: str = "") -> Form:
        """Two questions whatever the campaign's size, and the versions of the ten that are shown. A page behind the end
        gives way to the last."""
        whole = await self._outreach.figures.status(actor, view.campaign, limit=1)
        page = await self._outreach.lists.prospects(actor, view.campaign, view.query)
        size = view.query.page.size
        last = max(1, -(-page.total // size))
        if view.query.page.number > last:
            view = view.on_page(last)
            page = await self._outreach.lists.prospects(actor, view.campaign, view.query)
        versions = await self._outreach.sheets.versions(actor, [row.enrollment_id for row in page.rows])
        return list_window(view, whole.campaign, whole.counts, page, versions, self._outreach.clock.now(), notice)

    async def filter(self, actor: Actor, view: ListView) -> Form:
        """With the reasons that its prospects have."""
        campaign = await self.campaign(actor, view.campaign)
        query = ProspectQuery(page=Page(size=_REASONS_FROM), reverse=True)
        rows = (await self._outreach.lists.prospects(actor, view.campaign, query)).rows
        return filter_form(view, campaign, [row.reason_code for row in rows if row.reason_code])

    async def campaign(self, actor: Actor, name: str) -> Campaign:
        return (await self._outreach.figures.status(actor, name, limit=1)).campaign

    async def named_by(self, actor: Actor, campaign_id: str) -> str:
        """The campaign's name, which a button is too small to carry. Raises NotFoundError."""
        for line in await self._outreach.lists.list(actor):
            if line.campaign.id == campaign_id:
                return line.campaign.name
        raise NotFoundError("This campaign is not there any more.", fix="See all with /outreach list.")
