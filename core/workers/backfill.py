"""Looks for old mail where somebody asked for it: on a wake-up, and now and then by itself."""

from __future__ import annotations

import asyncio

import structlog

from core.ports.backfill import TOPIC
from core.ports.storage import Store
from core.services.backfill import BackfillService
from core.workers.supervisor import wait_for_either

EVERY_SECONDS = 30.0

_log = structlog.get_logger("backfill")


class BackfillWorker:
    """One search at a time: nobody waits for it, and servers count connections."""

    def __init__(self, store: Store, backfill: BackfillService) -> None:
        self._store = store
        self._backfill = backfill

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped; a search under way is broken off, and begins again at the next start."""
        while not stop.is_set():
            await wait_for_either(stop, self._round())

    async def _round(self) -> None:
        """What goes wrong in one workspace waits for the next round, and delays no other."""
        for workspace in await self._store.workspaces():
            try:
                await self._backfill.run_due(workspace)
            except Exception:
                _log.exception("backfill_failed", action="backfill_failed", workspace=workspace)
        await self._store.wait(TOPIC, EVERY_SECONDS)
