"""The alert loop: woken by what breaks, by time for what lasts, and never stopped by one workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from core.clock import SystemClock
from core.services.expiry import ExpiryService
from core.workers.alerts import AlertWorker
from tests.services.alert_rig import SECRET, AlertRig
from tests.services.rig import Rig
from tests.stores import make_mailbox

DEADLINE_S = 30.0


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


async def test_a_break_brings_no_reminders_before_their_minute(many: AlertRig) -> None:
    """However often the first loop is woken; each loop has its own work."""
    await many.add("a")
    await many.break_("a")
    many.rig.clock.pass_time(days=1)
    await many.worker.settle()
    assert await many.in_channel("sync_reminder") == []
    await many.worker.tell()
    await many.worker.tell()
    assert len(await many.in_channel("sync_reminder")) == 1


async def test_a_long_look_at_sign_ins_delays_no_storm(many: AlertRig) -> None:
    """Nor does the rest after it: the storm's card stands while the look at a thousand sign-ins goes on."""
    looks, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(ExpiryService):
        async def count_down(self, workspace: str) -> None:
            looks.set()
            await goes_on.wait()

    names = await many.add_many("a", "b", "c")
    worker = AlertWorker(many.rig.store, SystemClock(), many.storms, many.reminders, Slow(many.rig.tools))
    async with running(worker):
        async with asyncio.timeout(DEADLINE_S):
            await looks.wait()
        for name in names:
            await many.break_(name)
        await told(many, "storm")


async def test_a_stop_does_not_wait_for_a_long_look(many: AlertRig) -> None:
    looks = asyncio.Event()

    class Endless(ExpiryService):
        async def count_down(self, workspace: str) -> None:
            looks.set()
            await asyncio.Event().wait()

    async with running(
        AlertWorker(many.rig.store, SystemClock(), many.storms, many.reminders, Endless(many.rig.tools))
    ):
        async with asyncio.timeout(DEADLINE_S):
            await looks.wait()


async def test_a_workspace_that_goes_wrong_delays_no_other(many: AlertRig) -> None:
    """An alert that nobody can read in T1; T2 hears of its own."""
    await many.add("a")
    await many.break_("a")
    async with many.rig.store.write("T1") as uow:
        alert = await uow.alerts.current("sync:a")
        assert alert is not None
        await uow.alerts.save(replace(alert, facts={**alert.facts, "began_at": "yesterday", "told_at": "never"}))
    async with many.rig.store.write("T2") as uow:
        signed_in = many.rig.clock.now()
        await uow.mailboxes.add(make_mailbox("b", workspace="T2", sign_in="microsoft", signed_in_at=signed_in))
    many.rig.clock.pass_time(days=85)
    await many.worker.settle()
    await many.worker.tell()
    async with many.rig.store.read("T2") as uow:
        assert [one.key for one in await uow.alerts.list_open()] == ["expiry:b"]
