"""Several engines on one database: each mailbox has one of them, and none is left alone for long."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from core.domain.account import MailboxStatus
from core.services.cards import CardWriter
from core.services.ingest import IngestService
from core.services.progress import Progress
from core.services.sync import SyncService
from core.services.tools import Tools
from core.workers.sync import SyncWorker
from storage.sql_store import SqlStore
from tests.services.rig import Rig, make_sync
from tests.stores import make_mailbox, open_with_workspaces

pytestmark = pytest.mark.postgres
MAILBOXES = {f"mb{number}" for number in range(6)}


@dataclass
class Engine:
    """A process of its own on the common database; all share one clock."""

    store: SqlStore
    rig: Rig
    sync: SyncService

    @classmethod
    async def on(cls, url: str, first: Rig | None, name: str) -> Engine:
        store = await open_with_workspaces(url)
        rig = Rig.on(store)
        clock = first.clock if first else rig.clock
        numbers = itertools.count(1)
        tools = Tools(store, clock, new_id=lambda: f"{name}{next(numbers)}", random=lambda: 0.5)
        ingest = IngestService(tools, Progress(tools, CardWriter(tools)), rig.outreach)
        rig.clock = clock
        return cls(store, rig, make_sync(tools, rig.connector, rig.transport, ingest, rig.alerts))

    async def held(self) -> set[str]:
        return {mailbox for _, mailbox in await self.sync.runnable()}


@pytest.fixture
async def engines(postgres_url: str) -> AsyncIterator[tuple[Engine, Engine]]:
    one = await Engine.on(postgres_url, None, "one")
    other = await Engine.on(postgres_url, one.rig, "other")
    async with one.store, other.store:
        async with one.store.write("T1") as uow:
            for mailbox in MAILBOXES:
                await uow.mailboxes.add(make_mailbox(mailbox, address=f"{mailbox}@agency.test"))
        yield one, other


async def test_two_engines_never_hold_the_same_mailbox(engines: tuple[Engine, Engine]) -> None:
    """Though both ask at the same moment, again and again; together they leave none out."""
    one, other = engines
    for _ in range(5):
        first, second = await asyncio.gather(one.held(), other.held())
        assert first | second == MAILBOXES
        assert first & second == set()
        one.rig.clock.pass_time(seconds=11)


async def test_whoever_has_a_mailbox_keeps_it_while_it_lives(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    assert await one.held() == MAILBOXES
    for _ in range(10):
        one.rig.clock.pass_time(seconds=11)
        assert await other.held() == set()
        assert await one.held() == MAILBOXES


async def test_the_mailboxes_of_a_dead_engine_are_taken_over_after_the_lease(engines: tuple[Engine, Engine]) -> None:
    """Half a minute; when the dead one comes back, it does not take them away again."""
    one, other = engines
    assert await one.held() == MAILBOXES
    one.rig.clock.pass_time(seconds=25)
    assert await other.held() == set()
    one.rig.clock.pass_time(seconds=11)
    assert await other.held() == MAILBOXES
    assert await one.held() == set()


async def test_what_an_engine_gives_back_at_its_end_is_free_at_once(engines: tuple[Engine, Engine]) -> None:
    one, other = engines
    assert await one.held() == MAILBOXES
    await one.sync.hand_back()
    one.rig.clock.pass_time(seconds=1)
    assert await other.held() == MAILBOXES
    await one.sync.hand_back()  # again, and nothing of the other's is lost
    one.rig.clock.pass_time(seconds=11)
    assert await other.held() == MAILBOXES


async def test_an_engine_that_stops_gives_back_what_it_holds(engines: tuple[Engine, Engine]) -> None:
    """A worker that is told to stop, in order."""
    one, other = engines
    worker, stop = SyncWorker(one.store, one.rig.clock, one.sync, random=lambda: 0.5), asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(60):
        while worker.sessions < len(MAILBOXES):
            await one.store.wait("test", 0.02)
    assert await other.held() == set()
    stop.set()
    await asyncio.wait_for(task, 60)
    one.rig.clock.pass_time(seconds=11)
    assert await other.held() == MAILBOXES


async def test_a_new_mailbox_is_found_at_once(engines: tuple[Engine, Engine]) -> None:
    """By whoever asks first; one that is switched off is held by nobody."""
    one, _ = engines
    await one.held()
    async with one.store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("new", address="new@agency.test"))
        await uow.mailboxes.add(make_mailbox("off", address="off@agency.test", status=MailboxStatus.PAUSED))
    assert await one.held() == {*MAILBOXES, "new"}


async def test_whoever_stood_by_has_what_was_given_back_at_the_next_look(engines: tuple[Engine, Engine]) -> None:
    """It asked a moment ago and got nothing: that answer is not kept."""
    one, other = engines
    assert await one.held() == MAILBOXES
    assert await other.held() == set()
    await one.sync.hand_back()
    one.rig.clock.pass_time(seconds=1)
    assert await other.held() == MAILBOXES
