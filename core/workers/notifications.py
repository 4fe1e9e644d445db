"""The posting loop: claims changed cards and shows them, several at a time; one slow channel delays no other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from core.ports.clock import Clock
from core.ports.storage import OutboxItem, Store
from core.services.notifications import NotificationService
from core.workers.supervisor import LEASE, RENEW_EVERY, wait_for

_log = structlog.get_logger("notifications")

_LONGEST_SLEEP = 1.0
_CAPACITY = 20
_GRACE = 3.0


class NotificationWorker:
    """Posts until stopped. The notifier paces itself per channel."""

    def __init__(self, store: Store, clock: Clock, notifications: NotificationService) -> None:
        self._store = store
        self._clock = clock
        self._notifications = notifications
        self._under_way: dict[asyncio.Task[None], OutboxItem] = {}

    async def recover(self, *, alone: bool) -> None:
        """Run before anything is claimed. ``alone``: no other process posts, so whatever is being posted is ours and
        dead; else ``run_leases`` finds the rest."""
        before = self._clock.now() + timedelta(seconds=1) if alone else self._clock.now() - LEASE
        for workspace in await self._store.workspaces():
            await self._notifications.recover(workspace, claimed_before=before)

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        stumbled = False
        try:
            while not stop.is_set():
                if not await self._tick():
                    await self._store.wait("notifications", _LONGEST_SLEEP)
        except Exception:  # what is being posted goes on: this loop is started again beside it
            stumbled = True
            raise
        finally:
            if not stumbled:
                await self._finish()

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GRACE)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _tick(self) -> bool:
        free = _CAPACITY - len(self._under_way)
        if free <= 0:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return True
        claimed = 0
        for workspace in await self._store.workspaces_with_work("notifications", self._clock.now()):
            if claimed >= free:
                break
            for item in await self._notifications.claim(workspace, limit=free - claimed):
                claimed += 1
                task = asyncio.create_task(self._publish(item), name=f"publish {item.key}")
                self._under_way[task] = item
                task.add_done_callback(self._under_way.pop)
        return claimed > 0

    async def _publish(self, item: OutboxItem) -> None:
        try:
            await self._notifications.publish(item)
        except Exception:
            _log.exception("publish_failed", action="publish_failed", key=item.key)

    async def run_leases(self, stop: asyncio.Event) -> None:
        """Says of what is being posted here that it is, and finds posts whose process is gone, or whose result could
        not be stored."""
        while not await wait_for(stop, RENEW_EVERY):
            await self._notifications.renew(list(self._under_way.values()))
            await self.recover(alone=False)
