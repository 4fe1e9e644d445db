"""Files copies of sent mail where the host does not: a look now and then, which costs three queries where nothing is to
be done."""

from __future__ import annotations

import asyncio

import structlog

from core.ports.storage import Store
from core.services.filing import FilingService
from core.workers.supervisor import wait_for, wait_for_either

EVERY_SECONDS = 30.0

_log = structlog.get_logger("filing")


class FilingWorker:
    """One mailbox at a time: nobody waits for it, and servers count connections."""

    def __init__(self, store: Store, filing: FilingService) -> None:
        self._store = store
        self._filing = filing

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped; what is broken off is looked at again, and never filed twice."""
        while not stop.is_set():
            await wait_for_either(stop, self.round())
            await wait_for(stop, EVERY_SECONDS)

    async def round(self) -> None:
        """What goes wrong in one workspace waits for the next round, and delays no other."""
        for workspace in await self._store.workspaces():
            try:
                while await self._filing.file_due(workspace):
                    continue
            except Exception:
                _log.exception("filing_failed", action="filing_failed", workspace=workspace)
