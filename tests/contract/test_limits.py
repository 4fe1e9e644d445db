"""Counts of what went, holds, lowered caps, do-not-contact, what DNS said of domains; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.ports.storage import Hold, LearnedCap, Suppression, TrafficKey
from storage.sql_store import SqlStore
from tests.stores import NOW, make_mailbox

MINUTE = timedelta(minutes=1)
RITA, OMAR = TrafficKey("mailbox", "mb1"), TrafficKey("mailbox", "mb2")
MAILS = TrafficKey("workspace", "mail")


async def test_counts_add_up_and_can_be_given_back(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.traffic.add({(RITA, NOW): 2, (OMAR, NOW): 1, (MAILS, NOW): 0})
        await uow.traffic.add({(RITA, NOW): 3, (RITA, NOW + MINUTE): 1})
        await uow.traffic.add({(RITA, NOW): -1})
        await uow.traffic.add({})
        assert await uow.traffic.spans([RITA, OMAR, MAILS], NOW) == {
            RITA: {NOW: 4, NOW + MINUTE: 1},
            OMAR: {NOW: 1},
        }


async def test_spans_are_those_asked_for_from_a_moment_on_oldest_first(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.traffic.add({(RITA, NOW + n * MINUTE): n for n in (3, 1, 2)})
        await uow.traffic.add({(MAILS, NOW + 5 * MINUTE): 7, (TrafficKey("day", "mb1"), NOW + 5 * MINUTE): 9})
        found = await uow.traffic.spans([RITA, MAILS], NOW + 2 * MINUTE)
        assert list(found[RITA].items()) == [(NOW + 2 * MINUTE, 2), (NOW + 3 * MINUTE, 3)]
        assert found[MAILS] == {NOW + 5 * MINUTE: 7}
        assert await uow.traffic.spans([], NOW) == {}
        assert await uow.traffic.spans([OMAR], NOW) == {}


async def test_old_counts_are_forgotten_of_all_scopes_or_of_some(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.traffic.add({(key, NOW + n * MINUTE): 1 for key in (RITA, MAILS) for n in range(3)})
        assert await uow.traffic.forget_before(NOW + MINUTE, scopes=["mailbox", "minute"]) == 1
        assert await uow.traffic.forget_before(NOW + 2 * MINUTE) == 3
        assert await uow.traffic.spans([RITA, MAILS], NOW) == {key: {NOW + 2 * MINUTE: 1} for key in (RITA, MAILS)}


@pytest.mark.postgres
async def test_two_units_that_count_at_once_lose_nothing(store_on_postgres: SqlStore) -> None:
    store = store_on_postgres
    keys = [(TrafficKey("mailbox", f"mb{n}"), NOW) for n in range(5)]

    async def count(reverse: bool) -> None:
        for _ in range(20):
            async with store.write("T1") as uow:
                await uow.traffic.add(dict.fromkeys(sorted(keys, key=lambda one: one[0].key, reverse=reverse), 1))
                await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(count(False), count(True), count(False))
    async with store.read("T1") as uow:
        found = await uow.traffic.spans([key for key, _ in keys], NOW)
    assert [found[key][NOW] for key, _ in keys] == [60] * 5


@pytest.mark.postgres
async def test_whoever_locks_reads_what_the_one_before_has_counted(store_on_postgres: SqlStore) -> None:
    """The second unit waits for the first to end, in this workspace only, and then sees its count."""
    store, locked = store_on_postgres, asyncio.Event()

    async def second() -> int:
        async with store.write("T1") as uow:
            locked.set()
            await uow.traffic.lock([MAILS, RITA])
            return (await uow.traffic.spans([MAILS], NOW))[MAILS][NOW]

    async with asyncio.timeout(10):
        async with store.write("T1") as first:
            await first.traffic.lock([RITA, MAILS])
            waiting = asyncio.create_task(second())
            await locked.wait()
            async with store.write("T2") as other:
                await other.traffic.lock([MAILS, RITA])
            assert not waiting.done()
            await first.traffic.add({(MAILS, NOW): 3})
        assert await waiting == 3


async def test_a_hold_stands_once_until_it_is_lifted(store: SqlStore) -> None:
    stopped = Hold("workspace", "", "everything_stopped", "U0ADA", NOW)
    away = Hold("owner", "U0RITA", "owner_away", "U0RITA", NOW + MINUTE, NOW + 3 * MINUTE, "on the beach")
    async with store.write("T1") as uow:
        for hold in (away, stopped, Hold("workspace", "", "everything_stopped", "U0OMAR", NOW), stopped):
            await uow.holds.put(hold)
        assert await uow.holds.all() == [stopped, away]
        assert await uow.holds.lift("workspace", "", "everything_stopped")
        assert not await uow.holds.lift("workspace", "", "everything_stopped")
        assert not await uow.holds.lift("owner", "U0OMAR", "owner_away")
        assert await uow.holds.all() == [away]


async def test_a_lowered_cap_is_in_force_until_it_ends(store: SqlStore) -> None:
    first = LearnedCap("mb1", 100, NOW, NOW + 2 * MINUTE, "own_limit", "550 5.4.5 Daily limit")
    lower = LearnedCap("mb1", 50, NOW + MINUTE, NOW + 3 * MINUTE, "own_limit", "again")
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        await uow.holds.put_cap(first)
        assert await uow.holds.caps(NOW) == {"mb1": first}
        await uow.holds.put_cap(lower)
        assert await uow.holds.caps(NOW + 2 * MINUTE) == {"mb1": lower}
        assert await uow.holds.caps(NOW + 3 * MINUTE) == {}


async def test_an_address_is_suppressed_itself_or_by_its_domain(store: SqlStore) -> None:
    gone = Suppression("gone@candidates.example", "bounced", "engine", NOW)
    company = Suppression("@initech.example", "asked", "U0ADA", NOW + MINUTE, "a client")
    async with store.write("T1") as uow:
        assert await uow.suppressions.put_many([gone, company]) == 2
        assert await uow.suppressions.put_many([Suppression(gone.key, "asked", "U0RITA", NOW)]) == 0
        assert await uow.suppressions.put_many([]) == 0
        asked = ["gone@candidates.example", "cleo@initech.example", "cleo@candidates.example", "x@sub.initech.example"]
        assert await uow.suppressions.among(asked) == {asked[0]: gone, asked[1]: company}
        assert await uow.suppressions.among([]) == {}
        assert await uow.suppressions.list() == [company, gone]
        assert await uow.suppressions.list(limit=1) == [company]
        assert await uow.suppressions.count() == 2
        assert await uow.suppressions.remove(company.key)
        assert not await uow.suppressions.remove(company.key)
        assert await uow.suppressions.among(asked) == {asked[0]: gone}


async def test_what_dns_said_of_a_domain_is_known_while_it_is_fresh(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.domain_checks.put_many({"a.example": "mail", "b.example": "none"}, NOW)
        await uow.domain_checks.put_many({"b.example": "mail"}, NOW + MINUTE)
        await uow.domain_checks.put_many({}, NOW)
        both = ["a.example", "b.example", "c.example"]
        assert await uow.domain_checks.known(both, NOW) == {"a.example": "mail", "b.example": "mail"}
        assert await uow.domain_checks.known(both, NOW + MINUTE) == {"b.example": "mail"}
        assert await uow.domain_checks.forget_before(NOW + MINUTE) == 1
        assert await uow.domain_checks.known(both, NOW) == {"b.example": "mail"}
