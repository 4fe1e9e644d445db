"""Figures that took long to count, kept in proportion to what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from core.domain.figures import CampaignFigures
from core.ports.clock import Clock

_QUICK_S: Final = 0.05
_KEPT_FOR: Final = 20  # times as long as counting took: at most a twentieth of the time is spent on counting
_OLDEST_S: Final = 600.0
"""Figures older than this are not shown again: whoever asks waits for new ones."""


@dataclass(slots=True)
class _Kept:
    figures: CampaignFigures
    counted_at: float
    good_until: float


class RecentFigures:
    """The figures of large campaigns, kept in proportion to what they cost."""

    def __init__(self, clock: Clock, most: int = 200) -> None:
        self._clock = clock
        self._most = most
        self._kept: dict[str, _Kept] = {}
        self._counting: dict[str, asyncio.Task[CampaignFigures]] = {}

    async def get(self, key: str, count: Callable[[], Awaitable[CampaignFigures]]) -> CampaignFigures:
        """The last figures while a new count is under way, except for the first time."""
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic() < kept.good_until:
            return kept.figures
        task = self._counting.get(key)
        if task is None:
            task = asyncio.create_task(self._count(key, count))
            self._counting[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        if kept is not None and self._clock.monotonic() - kept.counted_at < _OLDEST_S:
            return kept.figures
        return await asyncio.shield(task)  # whoever asks may go away; the count goes on for the others

    async def _count(self, key: str, count: Callable[[], Awaitable[CampaignFigures]]) -> CampaignFigures:
        began = self._clock.monotonic()
        figures = await count()
        now = self._clock.monotonic()
        self._kept.pop(key, None)
        if now - began > _QUICK_S:
            self._kept[key] = _Kept(figures, now, now + (now - began) * _KEPT_FOR)
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return figures

    async def settled(self) -> None:
        """When no count is under way any more."""
        await asyncio.gather(*self._counting.values(), return_exceptions=True)

    def _done(self, key: str, task: asyncio.Task[CampaignFigures]) -> None:
        del self._counting[key]
        if not task.cancelled() and task.exception() is not None:
            self._kept.pop(key, None)  # whoever asks next counts, and hears of the error
