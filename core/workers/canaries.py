"""The loop of check mails: a look each half minute, which costs one query where nothing is to be done, and more often
where patience is shorter."""

from __future__ import annotations

import asyncio

import structlog

from core.ports.storage import Store
from core.services.canaries import LONGEST_PACE, CanaryService
from core.workers.supervisor import wait_for

_log = structlog.get_logger("canaries")


class CanaryWorker:
    """Calls the service for every workspace."""

    def __init__(self, store: Store, canaries: CanaryService) -> None:
        self._store = store
        self._canaries = canaries

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            workspaces = await self._store.workspaces()
            paces = await asyncio.gather(*(self._look(workspace) for workspace in workspaces))
            await wait_for(stop, min(paces, default=LONGEST_PACE))

    async def _look(self, workspace: str) -> float:
        """What goes wrong in one workspace waits for its next look, and delays no other."""
        try:
            return await self._canaries.run_once(workspace)
        except Exception:
            _log.exception("canaries_failed", action="canaries_failed", workspace=workspace)
            return LONGEST_PACE
