"""Wake-ups from one process to another, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from core.errors import StorageError
from storage.database import parse_url
from storage.engine import open_store
from storage.procrastinate_wake import ProcrastinateDispatcher
from storage.sql_store import SqlStore
from storage.wake import LocalWake
from tests.postgres import PostgresServer
from tests.stores import KEYS, NOW, SteadyClock

pytestmark = pytest.mark.postgres


async def open_serving(url: str, topics: Collection[str]) -> SqlStore:
    return await open_store(url, keys=KEYS, clock=SteadyClock(), dispatcher="procrastinate", topics=topics)


@pytest.fixture
async def engine_and_bot(postgres_url: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two stores as two processes would have them: one does sync and outreach, the other posts to Slack."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(await open_serving(postgres_url, ["sync", "outreach"]))
        bot = await stack.enter_async_context(await open_serving(postgres_url, ["notifications"]))
        yield engine, bot


async def test_a_commit_in_one_process_wakes_the_process_that_serves_the_topic(
    engine_and_bot: tuple[SqlStore, SqlStore],
) -> None:
    engine, bot = engine_and_bot
    waiting = asyncio.create_task(engine.wait("sync:mb1", 20))
    async with bot.write("T1") as uow:
        await uow.settings.set("key", 1, actor="U0ADA", at=NOW)
        uow.wake("sync:mb1")
    assert await waiting
    async with engine.write("T1") as uow:
        uow.wake("notifications")
    assert await bot.wait("notifications", 20)


async def test_every_engine_hears_what_concerns_a_mailbox(postgres_url: str) -> None:
    """Only the one that reads the mailbox can use it, and nobody knows which that is: a job alone would go to any."""
    async with AsyncExitStack() as stack:
        engines = [await stack.enter_async_context(await open_serving(postgres_url, ["sync"])) for _ in range(3)]
        bot = await stack.enter_async_context(await open_serving(postgres_url, ["notifications"]))
        for engine in engines:
            assert await engine.wait("sync", 20)  # each says to itself that it listens
        for number in range(3):
            async with bot.write("T1") as uow:
                uow.wake(f"sync:mb{number}")
            assert await asyncio.gather(*(engine.wait(f"sync:mb{number}", 20) for engine in engines)) == [True] * 3


async def test_nothing_is_heard_of_a_unit_that_was_rolled_back(postgres_url: str) -> None:
    async def gives_up(unit: SqlStore) -> None:
        async with unit.write("T1") as uow:
            uow.wake("sync:mb1")
            raise OSError("given up")

    async with await open_serving(postgres_url, ["sync"]) as engine, await open_serving(postgres_url, []) as bot:
        assert await engine.wait("sync", 20)
        with pytest.raises(OSError, match="given up"):
            await gives_up(bot)
        async with bot.write("T1") as uow:
            uow.wake("sync:mb2")
        assert await engine.wait("sync:mb2", 20)
        assert not await engine.wait("sync:mb1", 0.05)


async def test_a_process_that_serves_nothing_takes_nobody_s_wake_ups(postgres_url: str) -> None:
    """The bot and the command line make work for others; a job they took would never reach those who wait for it."""
    async with await open_serving(postgres_url, []) as bot:
        async with bot.write("T1") as uow:
            uow.wake("sync:mb1")
        async with await open_serving(postgres_url, []) as other:
            assert not await other.wait("sync:mb1", 1)
        async with await open_serving(postgres_url, ["sync"]) as engine:
            assert await engine.wait("sync:mb1", 20)


async def test_a_wake_up_exists_only_with_the_commit_it_belongs_to(postgres_url: str) -> None:
    """Nobody here serves outreach, so what was committed stays in the queue."""
    dispatcher = ProcrastinateDispatcher(parse_url(postgres_url), LocalWake(), ["sync"])
    await dispatcher.start()
    queued = text("SELECT count(*) FROM procrastinate_jobs")
    store = await open_store(postgres_url, keys=KEYS, clock=SteadyClock())
    async with store, store.database.writer.connect() as connection:
        await dispatcher.announce(connection, ["outreach"])
        assert (await connection.execute(queued)).scalar() == 1
        await connection.rollback()
        assert (await connection.execute(queued)).scalar() == 0
        await dispatcher.announce(connection, ["outreach", "sync:mb1"])
        await connection.commit()
        assert (await connection.execute(queued)).scalar()
    await dispatcher.close()


async def test_wake_ups_go_on_after_the_server_cut_every_connection(
    engine_and_bot: tuple[SqlStore, SqlStore], postgres_server: PostgresServer, postgres_url: str
) -> None:
    engine, bot = engine_and_bot
    await asyncio.to_thread(postgres_server.terminate_connections, postgres_url)

    async def woken() -> bool:
        async with bot.write("T1") as uow:
            uow.wake("outreach")
        return await engine.wait("outreach", 1)

    async with asyncio.timeout(60):
        while not await woken():
            pass
    async with bot.write("T1") as uow:
        uow.wake("sync:mb1")
    assert await engine.wait("sync:mb1", 20)


async def test_procrastinate_is_refused_on_sqlite(sqlite_url: str) -> None:
    with pytest.raises(StorageError) as refused:
        await open_serving(sqlite_url, ["sync"])
    assert "RETHREAD_DISPATCHER" in refused.value.fix
