"""The sending loop: claims what is due, sends it beside other sends, looks up what stayed undecided."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import datetime

import structlog

from core.ports.clock import Clock
from core.ports.storage import Store
from core.services.last_look import Departing, Outgoing
from core.services.outreach import OutreachService
from core.services.undecided import UndecidedService
from core.workers.supervisor import LEASE, RENEW_EVERY, wait_for, wait_for_either

_log = structlog.get_logger("outreach")

_LONGEST_SLEEP = 1.0
_GRACE = 15.0
_BATCH = 200
"""The most that one transaction claims: nobody else writes meanwhile, and a reply must not wait for long."""
_GROUPS_WITHIN = 0.1


class OutreachWorker:
    """At most ``capacity`` mails are under way at once; a slow server holds up nobody else's."""

    def __init__(
        self, store: Store, clock: Clock, outreach: OutreachService, undecided: UndecidedService, *, capacity: int = 40
    ) -> None:
        self._store = store
        self._clock = clock
        self._outreach = outreach
        self._undecided = undecided
        self._capacity = capacity
        self._under_way: dict[asyncio.Task[None], Departing] = {}
        self._done = asyncio.Event()

    async def recover(self, *, claimed_before: datetime | None) -> None:
        """What a dead process left behind is undecided, not forgotten. Run before anything is claimed, with None where
        no other process sends; else ``run_leases`` finds the rest."""
        for workspace in await self._store.workspaces():
            count = await self._outreach.recover(workspace, claimed_before=claimed_before)
            if count:
                _log.warning("undecided_found", action="undecided_found", workspace=workspace, count=count)

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped; then what is on the wire may finish for a while, and the rest is given back.

        Where claiming stumbles (the database is away) what is on the wire goes on: the loop is started again beside it.
        """
        stumbled = False
        try:
            while not stop.is_set():
                if not await self._tick():
                    await self._rest()
        except Exception:
            stumbled = True
            raise
        finally:
            if not stumbled:
                await self._finish()

    async def _tick(self) -> bool:
        free = self._capacity - len(self._under_way)
        if free <= 0:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            await self._group()
            return True
        claimed = 0
        for workspace in await self._store.workspaces_with_work("outreach", self._clock.now()):
            if claimed >= free:
                break
            under_way = Counter(one.mailbox.id for one in self._under_way.values() if isinstance(one, Outgoing))
            limit = min(free - claimed, _BATCH)
            outgoing = await self._outreach.claim(workspace, limit=limit, under_way=under_way)
            claimed += len(outgoing)
            for one in outgoing:
                self._start(one)
        if claimed:
            await self._group()
        return claimed > 0

    async def _group(self) -> None:
        """A moment, or until a quarter of what is under way is done: results come in groups, and a claim for each one
        of them would cost more than the mails do."""
        enough = len(self._under_way) * 3 // 4
        with suppress(TimeoutError):
            async with asyncio.timeout(_GROUPS_WITHIN):
                while len(self._under_way) > enough:
                    self._done.clear()
                    await self._done.wait()

    async def _rest(self) -> None:
        """Until there is work, or a mail has gone and its mailbox is free for the next."""
        self._done.clear()
        waiting = [
            asyncio.create_task(self._store.wait("outreach", _LONGEST_SLEEP)),
            asyncio.create_task(self._done.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _start(self, outgoing: Departing) -> None:
        task = asyncio.create_task(self._deliver(outgoing), name=f"deliver {outgoing.delivery.id}")
        self._under_way[task] = outgoing
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._done.set()

    async def _deliver(self, outgoing: Departing) -> None:
        try:
            await self._outreach.deliver(outgoing)
        except Exception:
            _log.exception("deliver_failed", action="deliver_failed", delivery=outgoing.delivery.id)

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GRACE)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def run_checks(self, stop: asyncio.Event) -> None:
        """Looks up undecided sends at their times, apart from sending: a slow Sent folder delays no mail."""
        while not stop.is_set():
            for workspace in await self._store.workspaces_with_work("checks", self._clock.now()):
                await wait_for_either(stop, self._undecided.settle_due(workspace))
            await self._store.wait("checks", _LONGEST_SLEEP)

    async def run_leases(self, stop: asyncio.Event) -> None:
        """Says of what is under way here that it is, and finds what is under way nowhere: sends whose process is gone,
        or whose result could not be stored."""
        while not await wait_for(stop, RENEW_EVERY):
            await self._outreach.renew(list(self._under_way.values()))
            await self.recover(claimed_before=self._clock.now() - LEASE)
