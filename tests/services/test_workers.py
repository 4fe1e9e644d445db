"""Loops: woken, stopped, stumbling; what is under way is never lost by a stumble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from core.errors import StorageError
from core.workers.outreach import OutreachWorker
from core.workers.supervisor import next_pause, supervise, wait_for
from core.workers.sync import SyncWorker
from storage.sql_store import SqlStore
from tests.services.rig import RITA, Rig

DEADLINE = 30.0


@asynccontextmanager
async def running(*loops: Callable[[asyncio.Event], object]) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(loop(stop)) for loop in loops]  # type: ignore[arg-type]
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(store: SqlStore, found: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not found():
            await store.wait("test", 0.02)


def worker(rig: Rig, capacity: int = 40) -> OutreachWorker:
    return OutreachWorker(rig.store, rig.clock, rig.outreach, rig.undecided, capacity=capacity)


async def test_due_mail_goes_out_and_the_loop_ends_when_told(sqlite_store: SqlStore) -> None:
    """Several prospects, a capacity of two."""
    rig = Rig.on(sqlite_store)
    await rig.open()
    await rig.launch(5)
    async with running(worker(rig, capacity=2).run):
        await until(sqlite_store, lambda: len(rig.provider.accepted) == 5)
    assert [(await rig.states(n))[0] for n in range(1, 6)] == ["1.1 sent"] * 5


async def test_a_stopped_worker_lets_what_is_on_the_wire_finish(sqlite_store: SqlStore) -> None:
    """The server answers a moment later: sent, not unknown."""
    rig = Rig.on(sqlite_store)
    await rig.open()
    await rig.launch()
    rig.provider.hang = asyncio.Event()
    async with running(worker(rig).run) as stop:
        await asyncio.wait_for(rig.provider.began.wait(), DEADLINE)
        stop.set()
        rig.provider.hang.set()
    assert (await rig.states())[0] == "1.1 sent"


async def test_a_stumble_while_claiming_cancels_no_send(sqlite_store: SqlStore) -> None:
    """The database is away for a moment: the mail on the wire is finished and recorded."""
    rig = Rig.on(sqlite_store)
    await rig.open()
    await rig.launch()
    rig.provider.hang = asyncio.Event()
    one = worker(rig)
    stop = asyncio.Event()
    task = asyncio.create_task(one.run(stop))
    await asyncio.wait_for(rig.provider.began.wait(), DEADLINE)

    class Away:
        """A store that answers nothing."""

        async def workspaces_with_work(self, *_: object) -> list[str]:
            raise StorageError("the database is away")

        async def wait(self, topic: str, timeout: float) -> bool:
            return await sqlite_store.wait(topic, timeout)

    one._store = Away()  # type: ignore[assignment]
    with pytest.raises(StorageError):
        await asyncio.wait_for(task, DEADLINE)
    rig.provider.hang.set()
    await until(sqlite_store, lambda: bool(rig.provider.accepted))
    one._store = sqlite_store
    async with running(one.run):
        await until(sqlite_store, lambda: not one._under_way)
    assert (await rig.states())[0] == "1.1 sent"


async def test_a_session_runs_for_each_mailbox_that_should_have_one(sqlite_store: SqlStore) -> None:
    """Started when connected, ended when paused, started again when resumed."""
    rig = Rig.on(sqlite_store)
    await rig.open()
    sync = SyncWorker(sqlite_store, rig.clock, rig.sync, random=lambda: 0.5)
    mailbox = await rig.mailboxes.find(RITA, "rita@agency.test")
    async with running(sync.run):
        await until(sqlite_store, lambda: sync.sessions == 1)
        await rig.mailboxes.pause(RITA, mailbox.id)
        await until(sqlite_store, lambda: sync.sessions == 0)
        await rig.mailboxes.resume(RITA, mailbox.id)
        await until(sqlite_store, lambda: sync.sessions == 1)
    assert all(client.closed for client in rig.connector.opened)


async def test_a_refused_password_is_not_tried_again_until_somebody_asks(sqlite_store: SqlStore) -> None:
    """One try, one alert; Resync makes the second."""
    rig = Rig.on(sqlite_store)
    await rig.open()
    mailbox = await rig.mailboxes.find(RITA, "rita@agency.test")
    rig.provider.password = "changed by the owner"
    sync = SyncWorker(sqlite_store, rig.clock, rig.sync, random=lambda: 0.5)
    async with running(sync.run):
        await until(sqlite_store, lambda: rig.provider.refused == 1)
        await rig.mailboxes.request_resync(RITA, mailbox.id)
        await until(sqlite_store, lambda: rig.provider.refused == 2)


async def test_a_loop_that_raises_is_started_again(sqlite_store: SqlStore) -> None:
    """After a pause; others never notice."""
    del sqlite_store
    runs = []

    async def loop() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise ZeroDivisionError

    stop = asyncio.Event()
    await asyncio.wait_for(supervise("t", loop, stop=stop, random=lambda: -1.0), DEADLINE)
    assert len(runs) == 3


def test_pauses_grow_to_five_minutes() -> None:
    """One second, doubling, with jitter below the bound."""
    assert [next_pause(n, 1.0) for n in (1, 2, 3, 20)] == [1.0, 2.0, 4.0, 300.0]
    assert next_pause(1, 0.0) == 0.5


async def test_waiting_ends_at_once_when_told() -> None:
    """Shutdown waits for no pause."""
    stop = asyncio.Event()
    waiting = asyncio.create_task(wait_for(stop, 60.0))
    stop.set()
    assert await asyncio.wait_for(waiting, DEADLINE)
    assert not await wait_for(asyncio.Event(), 0.0)
