"""The hourly round."""

from __future__ import annotations

from core.ports.storage import SeenMessage
from core.workers.housekeeping import HousekeepingWorker
from storage.sql_store import SqlStore
from tests.stores import SteadyClock, make_mailbox


async def test_what_was_seen_long_ago_is_forgotten_and_the_rest_is_not(sqlite_store: SqlStore) -> None:
    """Every click and command leaves a key behind: the table must not grow for ever."""
    clock = SteadyClock()
    worker = HousekeepingWorker(sqlite_store, clock, sqlite_store.checkpoint)

    async def first_time(key: str) -> bool:
        async with sqlite_store.write("T1") as uow:
            return await uow.seen.first_time(key, clock.now())

    assert await first_time("old")
    clock.pass_time(days=6)
    assert await first_time("new")
    clock.pass_time(days=2)
    await worker.tidy()
    assert not await first_time("new")
    assert await first_time("old")


async def test_traces_of_mail_that_concerned_nobody_are_kept_for_thirty_days(sqlite_store: SqlStore) -> None:
    """Ruling on R81: folder, number and a salted hash, for thirty days."""
    clock = SteadyClock()
    worker = HousekeepingWorker(sqlite_store, clock, sqlite_store.checkpoint)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        folder = await uow.folders.ensure("mb1", "INBOX", "inbox")

    async def traces_added() -> int:
        async with sqlite_store.write("T1") as uow:
            return await uow.messages.record_seen(folder.id, 1, [SeenMessage(7, b"hash")], clock.now())

    assert await traces_added() == 1
    clock.pass_time(days=29)
    await worker.tidy()
    assert await traces_added() == 0
    clock.pass_time(days=2)
    await worker.tidy()
    assert await traces_added() == 1
