"""/outreach report: figures as text, and for one campaign two pictures for everybody in the conversation."""

from __future__ import annotations

import asyncio

from bot.slack.blocks import report as blocks
from bot.slack.blocks.kit import Card
from bot.slack.uses import Desk, Picture, Services
from core.domain.actor import Actor
from core.domain.figures import CampaignFigures
from core.errors import RefusedError
from core.pictures import funnel_png, timeline_png


class Reporting:
    """Raises RethreadError kinds."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._desk, self._reports = desk, services.reports

    async def answer(self, actor: Actor, name: str | None, channel: str | None) -> Card | None:
        """Without a name all of the person's own campaigns, for their eyes alone. A campaign from which nothing went
        yet has no pictures, and is no news for a whole channel either."""
        if self._reports is None:
            raise RefusedError("Rethread has no reports here.", reason="not_offered")
        if name is None:
            return blocks.report_card(await self._reports.mine(actor), title="all your campaigns", pictures=False)
        report = await self._reports.campaign(actor, name)
        if not report.figures.recipients:
            return blocks.report_card(report, pictures=False)
        pictures = await asyncio.to_thread(_draw, report.figures)
        return await self._desk.share(actor, channel, blocks.report_card(report), pictures)


def _draw(figures: CampaignFigures) -> list[Picture]:
    """Takes the processor a tenth of a second or more, so it runs beside the loop."""
    return [
        Picture("funnel.png", "Funnel", blocks.funnel_in_words(figures), funnel_png(figures)),
        Picture("timeline.png", "Timeline", blocks.timeline_in_words(figures), timeline_png(figures)),
    ]
