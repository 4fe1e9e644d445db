"""The loop of check mails: a look each half minute, which costs one query where nothing is to be done, and more often
where patience is shorter."""

from __future__ import annotations

import asyncio

from core.ports.storage import Store
from core.services.canaries import LONGEST_PACE, CanaryService
from core.workers.supervisor import wait_for


class CanaryWorker:
    """Calls the service for every workspace."""

    def __init__(self, store: Store, canaries: CanaryService) -> None:
        self._store = store
        self._canaries = canaries

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            paces = [await self._canaries.run_once(workspace) for workspace in await self._store.workspaces()]
            await wait_for(stop, min(paces, default=LONGEST_PACE))
