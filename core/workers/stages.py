"""The loop of stages that wait: calls and tasks are told again and their cards closed, texts are asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from core.ports.storage import Store
from core.services.manual_stages import ManualStages
from core.services.text_checks import TextChecks
from core.workers.supervisor import wait_for, wait_for_either

_log = structlog.get_logger("stages")

EVERY_SECONDS: Final = 3.0


class StageWorker:
    """A few indexed questions for each workspace every few seconds; what waits for nothing costs nothing."""

    def __init__(self, store: Store, manual: ManualStages, texts: TextChecks, *, every: float = EVERY_SECONDS) -> None:
        self._store = store
        self._looks: tuple[Callable[[str], Awaitable[int]], ...] = (
            manual.close_over,
            manual.remind_due,
            texts.ask_due,
        )
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            await wait_for_either(stop, self.look())
            await wait_for(stop, self._every)

    async def look(self) -> None:
        """One look everywhere. What goes wrong in one workspace waits for the next look and delays no other."""
        for workspace in await self._store.workspaces():
            for look in self._looks:
                try:
                    await look(workspace)
                except Exception:
                    _log.exception("stages_failed", action="stages_failed", workspace=workspace)
