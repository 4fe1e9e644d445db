"""The loop that writes down opens, clicks and downloads: each second, and once more at the end."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from core.services.engagement import EngagementService
from core.workers.supervisor import wait_for

EVERY_SECONDS: Final = 1.0
_log = structlog.get_logger("engagement")


class EngagementWorker:
    """Runs wherever the web pages are served."""

    def __init__(self, engagement: EngagementService) -> None:
        self._engagement = engagement

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not await wait_for(stop, EVERY_SECONDS):
            await self._note()
        await self._note(everything=True)

    async def _note(self, *, everything: bool = False) -> None:
        """What cannot be written now is lost: it is a figure, and no reason to fall behind."""
        try:
            await self._engagement.note(everything=everything)
        except Exception:
            _log.exception("engagement_lost", action="engagement_lost")
