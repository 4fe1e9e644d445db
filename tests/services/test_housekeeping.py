"""The hourly round."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.ports.storage import ConnectTicket, SeenMessage, SignInState
from core.workers.housekeeping import HousekeepingWorker
from storage.sql_store import SqlStore
from tests.stores import NOW, SteadyClock, make_mailbox


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


async def test_links_sign_ins_and_searches_that_are_over_stay_for_a_week(sqlite_store: SqlStore) -> None:
    """Each connect leaves a link and a sign-in behind, each added address a search in each mailbox."""
    clock = SteadyClock()
    worker = HousekeepingWorker(sqlite_store, clock, sqlite_store.checkpoint)
    over, waiting = "done@candidates.example", "waits@candidates.example"
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        await uow.tickets.add(b"link", ConnectTicket("U0RITA", NOW, None))
        await uow.sign_ins.add(b"state", SignInState(b"link", "google", "rita@agency.test", NOW))
        for address in (over, waiting):
            await uow.backfills.ask(address, address, ["mb1"], NOW)
        (search,) = await uow.backfills.of([over])
        await uow.backfills.save(replace(search, done_at=NOW))

    async def left() -> tuple[bool, bool, list[str]]:
        async with sqlite_store.write("T1") as uow:
            link = await uow.tickets.get(b"link") is not None
            sign_in = await uow.sign_ins.spend(b"state", NOW - timedelta(days=1)) is not None
            return link, sign_in, [one.key for one in await uow.backfills.of([over, waiting])]

    clock.pass_time(days=7)
    await worker.tidy()
    assert await left() == (True, True, [over, waiting])
    clock.pass_time(minutes=1)
    await worker.tidy()
    async with sqlite_store.database.reader.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM sign_ins")
        assert rows.scalar_one() == 0
    assert await left() == (False, False, [waiting])
