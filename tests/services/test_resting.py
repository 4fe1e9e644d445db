"""What is due from a mailbox that has reached its limit says so within a minute, however much it is."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from core.domain.enrollment import ProspectStatus
from core.domain.limits import DAILY
from core.ports.storage import TrafficKey
from core.services.brakes import Brakes
from core.services.campaign_life import CampaignLife
from core.services.holds import HoldService
from core.services.tools import Tools
from core.workers.holds import HoldWorker
from storage.sql_store import SqlStore
from tests.stores import NOW, SteadyClock, add_prospect, make_delivery, make_mailbox

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def queue(store: SqlStore, *, rests_until: datetime, went: int, prospects: int = 3) -> None:
    """mb1 may send five mails a day; its queue is due by and by, a minute apart."""
    async with store.write("T1") as uow:
        for key, value in {"mailbox_daily": 5, "mailbox_first_days": 0}.items():
            await uow.settings.set(key, value, actor="U0ADA", at=NOW)
        for number in range(1, prospects + 1):
            await add_prospect(uow, number)
        await uow.deliveries.add_many(
            [
                make_delivery(f"d{n}", enrollment_id=f"e{n}", due_at=NOW + (n - 2) * MINUTE)
                for n in range(1, prospects + 1)
            ]
        )
        await uow.traffic.add({(TrafficKey("mailbox", "mb1"), DAILY.span(NOW)): went})
        await uow.mailboxes.reserve_slot("mb1", next_send_at=rests_until)


def worker_of(store: SqlStore, clock: SteadyClock) -> HoldWorker:
    ids = itertools.count()
    tools = Tools(store, clock, lambda: f"id{next(ids)}", lambda: 0.0)
    return HoldWorker(store, HoldService(tools, Brakes(tools)), CampaignLife(tools))


async def states(store: SqlStore, prospects: int = 3) -> list[tuple[str, str | None]]:
    async with store.read("T1") as uow:
        found = [await uow.enrollments.get(f"e{n}") for n in range(1, prospects + 1)]
    return [(one.status.value, one.reason.code if one.reason else None) for one in found if one is not None]


ACTIVE = (ProspectStatus.ACTIVE.value, None)
PENDING = (ProspectStatus.PENDING.value, "mailbox_limit")


async def test_what_becomes_due_while_a_full_mailbox_rests_is_pending_at_the_next_look(sqlite_store: SqlStore) -> None:
    clock = SteadyClock()
    await queue(sqlite_store, rests_until=NOW + HOUR, went=5)
    worker = worker_of(sqlite_store, clock)
    await worker.look()
    assert await states(sqlite_store) == [PENDING, PENDING, ACTIVE]
    clock.pass_time(minutes=1)
    await worker.look()
    await worker.look()
    assert await states(sqlite_store) == [PENDING, PENDING, PENDING]
    async with sqlite_store.read("T1") as uow:
        assert [line.reason for line in await uow.enrollments.events("e3")] == ["mailbox_limit"]


@pytest.mark.parametrize(("rest", "went"), [(HOUR, 4), (-HOUR, 5)], ids=["it only keeps its spacing", "it is free"])
async def test_a_mailbox_that_has_room_or_is_asked_anyway_marks_nobody(
    sqlite_store: SqlStore, rest: timedelta, went: int
) -> None:
    await queue(sqlite_store, rests_until=NOW + rest, went=went)
    await worker_of(sqlite_store, SteadyClock()).look()
    assert await states(sqlite_store) == [ACTIVE, ACTIVE, ACTIVE]


async def test_a_domain_without_room_says_so_of_each_of_its_mailboxes(sqlite_store: SqlStore) -> None:
    """Two mailboxes may send ten together; one has room, the domain has none."""
    await queue(sqlite_store, rests_until=NOW + HOUR, went=0)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        await uow.traffic.add({(TrafficKey("domain", "agency.test"), DAILY.span(NOW)): 10})
    await worker_of(sqlite_store, SteadyClock()).look()
    assert await states(sqlite_store) == [(PENDING[0], "domain_limit")] * 2 + [ACTIVE]


async def test_a_long_queue_is_marked_part_by_part_to_its_end(sqlite_store: SqlStore) -> None:
    """More than one transaction takes: each of them has its line in the ledger once."""
    many = 1_100
    await queue(sqlite_store, rests_until=NOW + 48 * HOUR, went=5, prospects=many)
    clock = SteadyClock(NOW + 20 * HOUR)
    await worker_of(sqlite_store, clock).look()
    assert await states(sqlite_store, many) == [PENDING] * many
    async with sqlite_store.read("T1") as uow:
        assert [len(await uow.enrollments.events(f"e{n}")) for n in (1, 600, many)] == [1, 1, 1]
