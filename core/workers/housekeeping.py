"""What is done once an hour: the write-ahead log is emptied, and what is remembered for a while only is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from core.ports.clock import Clock
from core.ports.storage import Store
from core.services.limit_books import forget_old
from core.workers.supervisor import wait_for

EVERY_SECONDS: Final = 3_600.0
REPEATS_WITHIN: Final = timedelta(days=7)
"""How long a repeated Slack delivery is known as such; Slack itself gives up after an hour."""
OVER_WITHIN: Final = timedelta(days=7)
"""How long links, sign-ins and searches for old mail that are over stay to be looked up."""
TRACES_WITHIN: Final = timedelta(days=30)
"""How long the trace of a mail that concerned nobody is kept (ruling on R81)."""


class HousekeepingWorker:
    """``checkpoint`` empties SQLite's write-ahead log; nothing on PostgreSQL."""

    def __init__(self, store: Store, clock: Clock, checkpoint: Callable[[], Awaitable[None]]) -> None:
        self._store, self._clock, self._checkpoint = store, clock, checkpoint

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not await wait_for(stop, EVERY_SECONDS):
            await self.tidy()

    async def tidy(self) -> None:
        """One round."""
        for workspace in await self._store.workspaces():
            async with self._store.write(workspace) as uow:
                now = self._clock.now()
                await uow.seen.forget_before(now - REPEATS_WITHIN)
                await uow.messages.forget_seen_before(now - TRACES_WITHIN)
                await uow.tickets.forget_before(now - OVER_WITHIN)
                await uow.sign_ins.forget_before(now - OVER_WITHIN)
                await uow.backfills.forget_before(now - OVER_WITHIN)
                await forget_old(uow, now)
        await self._checkpoint()
