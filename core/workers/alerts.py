"""The alert loops: broken mailboxes of one cause fold into one card; what lasts is told again, what ends is told ahead.

The first wakes by the topic "alerts" as soon as something breaks or recovers. What only time brings about has a loop of
its own, once a minute: a thousand warnings that are written delay no storm's card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from core.ports.clock import Clock
from core.ports.storage import Store
from core.services.expiry import ExpiryService
from core.services.reminders import ReminderService
from core.services.storms import StormService
from core.workers.supervisor import wait_for, wait_for_either

_log = structlog.get_logger("alerts")

EVERY_SECONDS: Final = 60.0
# Of a storm of a thousand mailboxes every one wakes this loop: it takes at most a tenth of the process's time, but
# what breaks elsewhere meanwhile is told within seconds.
_REST: Final = 9.0
_LONGEST_REST: Final = 5.0


class AlertWorker:
    """Puts every workspace's alert cards right until stopped."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        storms: StormService,
        reminders: ReminderService,
        expiry: ExpiryService,
        *,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._storms = storms
        self._reminders = reminders
        self._expiry = expiry
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped. A failure of one loop ends both, for the supervisor to begin them again."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._follow_storms(stop))
            loops.create_task(self._keep_time(stop))

    async def _follow_storms(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began = self._clock.monotonic()
            await self.settle()
            if not await wait_for(stop, min(_REST * (self._clock.monotonic() - began), _LONGEST_REST)):
                await wait_for_either(stop, self._store.wait("alerts", self._every))

    async def _keep_time(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await wait_for_either(stop, self.tell())
            await wait_for(stop, self._every)

    async def settle(self) -> None:
        """One look at all storms."""
        await self._everywhere(self._storms.settle)

    async def tell(self) -> None:
        """One look at what only time brings about: reminders, ends of mutes, sign-ins that end soon."""
        await self._everywhere(self._reminders.tell_again)
        await self._everywhere(self._expiry.count_down)

    async def _everywhere(self, look: Callable[[str], Awaitable[object]]) -> None:
        """What goes wrong in one workspace waits for the next look and delays no other."""
        for workspace in await self._store.workspaces():
            try:
                await look(workspace)
            except Exception:
                _log.exception("alerts_failed", action="alerts_failed", workspace=workspace)
