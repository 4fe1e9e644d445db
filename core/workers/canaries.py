"""The loop of check mails: a look each half minute, which costs one query where nothing is to be done."""

from __future__ import annotations

import asyncio

from core.ports.storage import Store
from core.services.canaries import CanaryService
from core.workers.supervisor import wait_for

_PACE = 30.0


class CanaryWorker:
    """Calls the service for every workspace."""

    def __init__(self, store: Store, canaries: CanaryService, *, pace: float = _PACE) -> None:
        self._store = store
        self._canaries = canaries
        self._pace = pace

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            for workspace in await self._store.workspaces():
                await self._canaries.run_once(workspace)
            await wait_for(stop, self._pace)
