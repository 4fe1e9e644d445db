"""A mailbox that rests with a long queue costs a claim nothing: neither the question whether there is work, nor the
claim itself reads what is due from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_delivery, make_mailbox

_QUEUE = 10_000
_HOUR = timedelta(hours=1)
_EVERY = 100
_FEW_STEPS = 3_000
"""Of SQLite's machine, for all statements together; a row that is read takes ten of them at least."""


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """What is asked, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def steps_of(store: SqlStore, asked: list[tuple[str, Any]]) -> int:
    """How many steps SQLite's machine takes for these questions."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    async with store.database.reader.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.set_progress_handler(tick, _EVERY)
        try:
            for statement, parameters in asked:
                await driver.execute_fetchall(statement, parameters)
        finally:
            await driver.set_progress_handler(None, _EVERY)
    return ticks * _EVERY


async def queue_of_a_full_mailbox(store: SqlStore) -> None:
    """Ten thousand mails of mb1 are due, first mails and follow-ups."""
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many(
            [make_delivery(f"d{n}", stage=1 + n % 2, series=2 + n, due_at=NOW - _HOUR) for n in range(_QUEUE)]
        )


async def test_what_a_resting_mailbox_has_due_is_not_read(sqlite_store: SqlStore) -> None:
    await queue_of_a_full_mailbox(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.reserve_slot("mb1", next_send_at=NOW + _HOUR)
        with heard() as claim:
            assert await uow.deliveries.claim_due(NOW, limit=200, each=4) == []
    with heard() as look:
        assert await sqlite_store.workspaces_with_work("outreach", NOW) == []
    assert claim
    assert look
    assert await steps_of(sqlite_store, [*claim, *look]) < _FEW_STEPS


async def test_the_rest_of_a_free_mailboxs_queue_is_not_read(sqlite_store: SqlStore) -> None:
    await queue_of_a_full_mailbox(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        with heard() as claim:
            assert len(await uow.deliveries.claim_due(NOW, limit=200, each=4)) == 4
    with heard() as look:
        assert await sqlite_store.workspaces_with_work("outreach", NOW) == ["T1"]
    candidates = [one for one in claim if "LIMIT" in one[0]]  # all the mails are of one prospect: not the facts
    assert candidates
    assert await steps_of(sqlite_store, [*candidates, *look]) < _FEW_STEPS


async def test_the_steps_are_counted_where_a_queue_is_read(sqlite_store: SqlStore) -> None:
    """The control of the two tests above."""
    await queue_of_a_full_mailbox(sqlite_store)
    whole = ("SELECT count(subject) FROM deliveries WHERE workspace = 'T1' AND due_at < '2030'", ())
    assert await steps_of(sqlite_store, [whole]) > 10 * _FEW_STEPS


@pytest.mark.parametrize("free", ["mb2", None])
async def test_behind_a_resting_mailbox_there_is_work_of_others(store: SqlStore, free: str | None) -> None:
    """Of another mailbox, and of none: that is for the gates."""
    async with store.write("T1") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        await uow.deliveries.add_many([make_delivery(due_at=NOW - _HOUR)])
        await uow.mailboxes.reserve_slot("mb1", next_send_at=NOW + _HOUR)
    assert await store.workspaces_with_work("outreach", NOW) == []
    assert await store.workspaces_with_work("outreach", NOW + _HOUR) == ["T1"]
    async with store.write("T1") as uow:
        await uow.deliveries.add_many([make_delivery("d2", enrollment_id="e2", mailbox_id=free)])
    assert await store.workspaces_with_work("outreach", NOW) == ["T1"]
    async with store.write("T1") as uow:
        assert [one.delivery.id for one in await uow.deliveries.claim_due(NOW, limit=1, each=1)] == ["d2"]


async def test_each_mailbox_gives_its_first_in_the_order_of_all(store: SqlStore) -> None:
    """Follow-ups of all mailboxes first; where one has enough of them, its first mails hide nobody else's."""
    minute = timedelta(minutes=1)
    async with store.write("T1") as uow:
        for number in range(1, 8):
            await add_prospect(uow, number)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        queue = [(1, "mb1", 2), (2, "mb1", 1), (3, "mb1", 1), (4, "mb2", 1), (5, "mb2", 2), (6, None, 1), (7, None, 2)]
        await uow.deliveries.add_many(
            [
                make_delivery(
                    f"d{n}", enrollment_id=f"e{n}", mailbox_id=box, stage=stage, due_at=NOW - (9 - n) * minute
                )
                for n, box, stage in queue
            ]
        )
        found = [
            [one.delivery.id for one in await uow.deliveries.claim_due(NOW, limit=limit, each=each)]
            for limit, each in ((10, 1), (10, 2), (4, 1), (5, None), (2, 2))
        ]
    assert found == [
        ["d1", "d5", "d7", "d6"],
        ["d1", "d5", "d7", "d2", "d4", "d6"],
        ["d1", "d5", "d7", "d6"],
        ["d1", "d5", "d7", "d2", "d3"],
        ["d1", "d5"],
    ]
