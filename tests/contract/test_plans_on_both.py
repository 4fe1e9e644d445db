"""What reading and watching ask all the time is answered from an index on both databases, once there are many rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Table, event, insert, select, text

from core.ports.storage import UnitOfWork
from storage.sql_store import SqlStore
from storage.tables import (
    backfills,
    canaries,
    folders,
    mailbox_leases,
    mailboxes,
    people,
    person_addresses,
    seen_messages,
)
from tests.stores import NOW, make_mailbox

_MAILBOXES = 2_000
_BIG = "backfills|canaries|folders|mailbox_leases|people|person_addresses|seen_messages"
_HOUR = timedelta(hours=1)

# SQLite: the whole table, or all of a workspace. PostgreSQL says the same in two lines.
_READS_ALL = re.compile(
    rf"^SCAN (?:{_BIG})\b(?!.*\bix_\w+_un)"
    rf"|^SEARCH (?:{_BIG}) USING .* \(workspace=\?\)$"
    rf"|Seq Scan on (?:{_BIG})\b"
    r"|Index Cond: \(\(?workspace\)?(?:::text)? = '\w+'(?:::\w+)?\)$"
)


async def fill(store: SqlStore) -> None:
    """A workspace as it is after some weeks: nearly all check mails are settled, nearly all searches done."""
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("mb0", address="0@agency.test"))
    async with store.database.writer.begin() as connection:
        known = (await connection.execute(select(mailboxes).where(mailboxes.c.workspace == "T1"))).mappings().one()
        numbers = range(_MAILBOXES)
        boxes = [
            {**known, "id": f"mb{n}", "address": f"{n}@agency.test", "address_key": f"{n}@agency.test"} for n in numbers
        ]
        await connection.execute(insert(mailboxes), boxes[1:])
        for table, rows in _rows(numbers):
            await connection.execute(insert(table), [{"workspace": "T1", **row} for row in rows])
    if store.database.writer.dialect.name == "postgresql":
        async with store.database.writer.begin() as connection:
            await connection.execute(text("ANALYZE"))


def _rows(numbers: Sequence[int]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    folder = {"role": "inbox", "uidnext": 1, "exists": 0, "resets": 0, "error_count": 0, "history_left": 0}
    yield (
        folders,
        [
            {**folder, "id": f"f{n}-{name}", "mailbox_id": f"mb{n}", "name": name}
            for n in numbers
            for name in ("INBOX", "Sent")
        ],
    )
    trace = {"uidvalidity": 1, "header_hash": b"x", "at": NOW, "matched": False}
    yield (
        seen_messages,
        [{**trace, "folder_id": f"f{n}-INBOX", "uid": uid} for n in numbers for uid in range(5)],
    )
    yield mailbox_leases, [{"mailbox_id": f"mb{n}", "holder": "one", "until": NOW} for n in numbers]
    sent = [(n, NOW - n * _HOUR) for n in numbers]
    yield (
        canaries,
        [
            {
                **{"id": f"c{n}", "from_mailbox": f"mb{n}", "to_mailbox": "mb0", "message_id": f"{n}@agency.test"},
                **{"sent_at": at, "seen_at": None, "settled_at": None if n % 500 == 0 else at},
            }
            for n, at in sent
        ],
    )
    search = {"address": "a@b.example", "tries": 0, "there": 0, "looked_at": 0, "logged": 0}
    yield (
        backfills,
        [
            {
                **{**search, "key": f"k{n}", "mailbox_id": f"mb{n}", "asked_at": at, "not_before": at},
                "done_at": None if n % 500 == 0 else at,
            }
            for n, at in sent
        ],
    )
    person = {"first_name": "", "last_name": "", "phone": "", "timezone": "", "fields": {}}
    yield people, [{**person, "id": f"p{n}", "created_at": NOW, "updated_at": NOW} for n in numbers]
    address = {"type": "personal", "primary": True, "added_at": NOW, "position": 1}
    yield (
        person_addresses,
        [
            {**address, **dict.fromkeys(("key", "loose_key", "address"), f"{n}@c.example"), "person_id": f"p{n}"}
            for n in numbers
        ],
    )


async def ask(uow: UnitOfWork) -> None:
    await uow.canaries.overdue(NOW - 400 * _HOUR)
    await uow.leases.take(["mb1", "mb2"], holder="two", now=NOW - _HOUR, until=NOW)
    await uow.folders.by_mailbox(["mb1", "mb2"])
    await uow.messages.seen_counts(["mb1", "mb2"])
    await uow.people.known(["1@c.example", "2@c.example"])
    await uow.people.known(["1@c.example", "2@c.example"], variants=True)
    await uow.backfills.due(NOW - 400 * _HOUR)


@contextmanager
def heard() -> Iterator[dict[str, Any]]:
    """Statements to their parameters, as the driver gets them."""
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            asked[statement] = parameters

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def plan_of(store: SqlStore, statement: str, parameters: Any) -> list[str]:
    explain = "EXPLAIN QUERY PLAN" if store.database.writer.dialect.name == "sqlite" else "EXPLAIN"
    async with store.database.writer.connect() as connection:
        rows = (await connection.exec_driver_sql(f"{explain} {statement}", parameters)).all()
        await connection.rollback()
    return [str(row[-1]).strip() for row in rows]


async def test_what_is_asked_all_the_time_reads_no_whole_table(store: SqlStore) -> None:
    """Overdue check mails, leases, folders, traces counted, addresses known, searches due."""
    await fill(store)
    with heard() as asked:
        async with store.write("T1") as uow:
            await ask(uow)
    assert len(asked) >= 7
    plans = {statement: await plan_of(store, statement, parameters) for statement, parameters in asked.items()}
    slow = [(step, statement) for statement, steps in plans.items() for step in steps if _READS_ALL.search(step)]
    assert slow == []


async def test_the_few_that_are_open_are_found_by_their_own_index(store: SqlStore) -> None:
    """Of check mails and searches that wait, however many are over."""
    await fill(store)
    with heard() as asked:
        async with store.write("T1") as uow:
            assert len(await uow.canaries.overdue(NOW - 400 * _HOUR)) == 3
            assert len(await uow.backfills.due(NOW - 400 * _HOUR)) == 3
    plans = [" ".join(await plan_of(store, statement, parameters)) for statement, parameters in asked.items()]
    assert ["ix_canaries_unsettled" in plans[0], "ix_backfills_unfinished" in plans[1]] == [True, True]


@pytest.mark.parametrize(
    ("index", "rows"), [("ix_canaries_unsettled", 1_000), ("ix_backfills_unfinished", 1_000), ("mailbox_leases", 1_000)]
)
async def test_sqlites_planner_is_told_how_few_they_are(sqlite_store: SqlStore, index: str, rows: int) -> None:
    async with sqlite_store.database.reader.connect() as connection:
        told = await connection.exec_driver_sql("SELECT stat FROM sqlite_stat1 WHERE idx = ?", (index,))
        assert int(str(told.scalar_one()).split()[0]) == rows
