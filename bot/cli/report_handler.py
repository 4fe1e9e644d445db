"""A campaign's report for the terminal: figures, why people failed, and the two pictures where they are asked for."""

from __future__ import annotations

import asyncio
import base64
from typing import Final

from bot.cli import shapes
from bot.cli.services import Args, Handler, Result, Services
from core.domain.actor import Actor
from core.domain.figures import CampaignFigures


async def _report(services: Services, actor: Actor, args: Args) -> Result:
    """Without a name all campaigns as one."""
    name = args["name"]
    report = await (services.reports.campaign(actor, name) if name else services.reports.mine(actor))
    shown = shapes.report(report)
    return {**shown, "pictures": await asyncio.to_thread(_drawn, report.figures)} if args["pictures"] else shown


def _drawn(figures: CampaignFigures) -> dict[str, str]:
    """PNGs as base64 by file name: they are written where the person is."""
    from core.pictures import funnel_png, timeline_png  # takes longer than most commands

    drawn = {"funnel.png": funnel_png(figures), "timeline.png": timeline_png(figures)}
    return {name: base64.b64encode(png).decode("ascii") for name, png in drawn.items()}


REPORTS: Final[dict[str, Handler]] = {"campaign report": _report}
