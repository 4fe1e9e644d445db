"""The loop that ends holds whose time is over, finishes what a campaign's start or stop left undone, and says of what
is due that it waits for a full mailbox: a look each minute, which costs a few queries where there is nothing to do."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from core.ports.storage import Store
from core.services.campaign_life import CampaignLife
from core.services.holds import HoldService
from core.workers.supervisor import wait_for

EVERY_SECONDS: Final = 60.0

_log = structlog.get_logger("holds")


class HoldWorker:
    """Calls the services for every workspace."""

    def __init__(self, store: Store, holds: HoldService, campaigns: CampaignLife) -> None:
        self._store = store
        self._holds = holds
        self._campaigns = campaigns

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            await self.look()
            await wait_for(stop, EVERY_SECONDS)

    async def look(self) -> int:
        """One round; returns how many holds ended. What goes wrong in one workspace delays no other."""
        ended = 0
        for workspace in await self._store.workspaces():
            try:
                ended += await self._holds.lift_due(workspace)
                await self._campaigns.catch_up(workspace)
                await self._holds.mark_waiting(workspace)
            except Exception:
                _log.exception("holds_failed", action="holds_failed", workspace=workspace)
        return ended
