"""Transactions: all or nothing, wake-ups after the commit, and cancellation at any moment, on both databases."""

from __future__ import annotations

import asyncio
import random

import pytest

from core.errors import StorageError
from storage.sql_store import SqlStore
from tests.stores import NOW, make_mailbox, make_person


class BreakOffError(Exception):
    """Something of the service's own."""


async def broken_off(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        uow.wake("outreach")
        raise BreakOffError


async def test_an_error_rolls_everything_back_and_comes_out_as_it_is(store: SqlStore) -> None:
    with pytest.raises(BreakOffError):
        await broken_off(store)
    async with store.read("T1") as uow:
        assert await uow.mailboxes.list() == []


async def test_a_reading_unit_cannot_write(store: SqlStore) -> None:
    with pytest.raises(StorageError):
        async with store.read("T1") as uow:
            await uow.mailboxes.add(make_mailbox())


async def test_an_error_of_the_database_names_no_values(store: SqlStore) -> None:
    """PostgreSQL quotes whole rows in its details, and rows hold mail."""
    with pytest.raises(StorageError) as refused:
        async with store.write("T1") as uow:
            await uow.folders.ensure("a-canary-nobody-may-see", "INBOX", "inbox")
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


async def test_a_wake_up_comes_after_the_commit_and_not_without_one(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        uow.wake("outreach")
        assert not await store.wait("outreach", 0)
    assert await store.wait("outreach", 0)
    assert not await store.wait("outreach", 0)
    with pytest.raises(BreakOffError):
        await broken_off(store)
    assert not await store.wait("outreach", 0)


async def test_a_wake_up_between_two_waits_is_not_lost(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        uow.wake("sync")
        uow.wake("sync:mb1")
    assert not await store.wait("outreach", 0)
    assert await store.wait("sync", 0)
    assert await store.wait("sync:mb1", 0)


async def test_a_waiter_is_woken_by_another_task(store: SqlStore) -> None:
    waiting = asyncio.create_task(store.wait("notifications", 30))
    async with store.write("T1") as uow:
        uow.wake("notifications")
    assert await waiting


async def test_a_ping_writes_durably_and_reads_back(store: SqlStore) -> None:
    await store.ping()
    await store.ping()


async def test_a_storm_of_cancellations_tears_nothing_and_leaves_no_connection_stuck(store: SqlStore) -> None:
    """Each unit adds a person and a setting: afterwards both are there or neither, and the store still works."""
    seed = random.Random(7)

    async def unit(number: int) -> None:
        async with store.write("T1") as uow:
            address = f"person{number}@candidates.example"
            await uow.people.add_many([(f"p{number}", make_person(address))], NOW)
            await uow.settings.set(f"p{number}", True, actor="U0ADA", at=NOW)
            uow.wake("sync")

    async def look() -> None:
        async with store.read("T1") as uow:
            await uow.people.count()

    for start in range(0, 120, 12):
        tasks = [asyncio.create_task(unit(n)) for n in range(start, start + 12)]
        tasks += [asyncio.create_task(look()) for _ in range(4)]
        for task in seed.sample(tasks, k=10):
            for _ in range(seed.randrange(25)):
                await asyncio.sleep(0)
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(one) for one in done} <= {type(None), asyncio.CancelledError}
    async with asyncio.timeout(20):
        await store.ping()
        async with store.read("T1") as uow:
            settings = await uow.settings.all()
            people = await uow.people.get_many([f"p{n}" for n in range(120)])
    assert set(people) == set(settings)
    assert all(person.primary for person in people.values())
    assert 0 < len(people) < 120
    await asyncio.gather(*(look() for _ in range(8)))


async def test_a_unit_cancelled_amid_a_statement_gives_its_lock_back(store: SqlStore) -> None:
    """Whoever writes next must not find the database locked."""
    random.seed(7)

    async def unit(number: int, begun: asyncio.Event | None = None) -> None:
        async with store.write("T1") as uow:
            if begun is not None:
                begun.set()
            for _ in range(5):
                await uow.settings.set("freshness_s", number, actor="U0ADA", at=NOW)
                await uow.settings.all()

    for number in range(40):
        begun = asyncio.Event()
        task = asyncio.create_task(unit(number, begun))
        await begun.wait()
        await asyncio.wait({task}, timeout=random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await unit(number)
