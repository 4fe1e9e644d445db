"""The alert loop: woken by what breaks, by time for what lasts, and never stopped by one workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from core.clock import SystemClock
from core.workers.alerts import AlertWorker
from tests.services.alert_rig import SECRET, AlertRig
from tests.services.rig import Rig
from tests.stores import SteadyClock, make_mailbox

DEADLINE_S = 10.0


@pytest.fixture
async def many(rig: Rig) -> AlertRig:
    made = AlertRig.on(rig)
    await made.open()
    return made


@asynccontextmanager
async def running(worker: AlertWorker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await task


async def told(many: AlertRig, kind: str) -> None:
    """Waits until the channel has such a card: whatever is put into the outbox wakes who waits for it."""
    async with asyncio.timeout(DEADLINE_S):
        while not await many.in_channel(kind):
            await many.rig.store.wait("notifications", DEADLINE_S)


async def test_a_break_wakes_the_loop_and_a_stop_ends_it(many: AlertRig) -> None:
    """The storm's card is there at once, not after a minute; a stop does not wait for the minute either."""
    await many.add("a", provider="microsoft")
    async with running(many.worker):
        await many.break_("a", SECRET)
        await told(many, "storm")


async def test_time_alone_brings_reminders(many: AlertRig) -> None:
    """Without anything that wakes it, a round comes when its time has come."""
    await many.add("a")
    await many.break_("a")
    many.rig.clock.pass_time(days=1)
    worker = AlertWorker(many.rig.store, SystemClock(), many.storms, many.reminders, many.expiry, every=0.01)
    async with running(worker):
        await told(many, "sync_reminder")


async def test_reminders_are_looked_for_once_a_minute_however_often_it_is_woken(many: AlertRig) -> None:
    """Storms at each look."""
    await many.add("a")
    await many.break_("a")
    await many.worker.look()
    many.rig.clock.at = many.rig.clock.now().replace(year=2027)
    pause = SteadyClock(many.rig.clock.now())
    worker = AlertWorker(many.rig.store, pause, many.storms, many.reminders, many.expiry)
    await worker.look()
    assert len(await many.in_channel("sync_reminder")) == 1
    many.rig.clock.pass_time(days=1)
    await worker.look()
    assert len(await many.in_channel("sync_reminder")) == 1
    pause.pass_time(seconds=60)
    await worker.look()
    assert len(await many.in_channel("sync_reminder")) == 2


async def test_a_workspace_that_goes_wrong_delays_no_other(many: AlertRig) -> None:
    """An alert that cannot be read in T1; T2 hears of its own."""
    await many.add("a")
    await many.break_("a")
    async with many.rig.store.write("T1") as uow:
        alert = await uow.alerts.current("sync:a")
        assert alert is not None
        await uow.alerts.save(replace(alert, facts={**alert.facts, "began_at": "yesterday"}))
    async with many.rig.store.write("T2") as uow:
        signed_in = many.rig.clock.now()
        await uow.mailboxes.add(make_mailbox("b", workspace="T2", sign_in="microsoft", signed_in_at=signed_in))
    many.rig.clock.pass_time(days=85)
    await many.worker.look()
    async with many.rig.store.read("T2") as uow:
        assert [one.key for one in await uow.alerts.list_open()] == ["expiry:b"]
