"""The alert loop: broken mailboxes of one cause fold into one card, what lasts is told again, what ends is told ahead.

It wakes by the topic "alerts" as soon as something breaks or recovers, and at least once a minute for what only time
brings about.
"""

from __future__ import annotations

import asyncio
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
# Of a storm of a thousand mailboxes every one wakes this loop: it takes at most a tenth of the process's time.
_REST: Final = 9.0


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
        self._next_look: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            began = self._clock.monotonic()
            await self.look()
            if not await wait_for(stop, _REST * (self._clock.monotonic() - began)):
                await wait_for_either(stop, self._store.wait("alerts", self._every))

    async def look(self) -> None:
        """One round: storms at each, reminders and warnings when their time has come. What goes wrong in one workspace
        waits for the next round and delays no other."""
        now = self._clock.monotonic()
        timely = self._next_look is None or now >= self._next_look
        for workspace in await self._store.workspaces():
            try:
                await self._storms.settle(workspace)
                if timely:
                    await self._reminders.tell_again(workspace)
                    await self._expiry.count_down(workspace)
            except Exception:
                _log.exception("alerts_failed", action="alerts_failed", workspace=workspace)
        if timely:
            self._next_look = now + self._every
