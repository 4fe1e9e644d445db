"""What matching asks of the database: few questions, each answered from an index; old mail to be looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event, insert, text
from sqlalchemy.ext.asyncio import create_async_engine

import storage
from core.domain.people import KnownAddress
from core.ports.backfill import Backfill
from core.ports.storage import SeenMessage
from storage.migrate import upgrade
from storage.sql_store import SqlStore
from storage.tables import person_addresses
from tests.stores import NOW, make_address, make_mailbox, make_person

HOUR = timedelta(hours=1)


async def test_addresses_are_known_by_letters_and_by_variants(store: SqlStore) -> None:
    """With the facts that the rules ask for."""
    later = replace(make_address("maya+jobs@work.example", "work", primary=False), added_at=NOW + HOUR)
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", make_person("maya.lind@gmail.com"))], NOW)
        await uow.people.add_many([("p2", make_person("m.ayalind@googlemail.com"))], NOW)
        await uow.people.add_address("p1", later)
    async with store.write("T2") as uow:
        await uow.people.add_many([("p1", make_person("mayalind@gmail.com"))], NOW)
    maya = KnownAddress("maya.lind@gmail.com", "p1", primary=True, added_at=NOW, profile_at=NOW)
    second = KnownAddress("maya+jobs@work.example", "p1", primary=False, added_at=NOW + HOUR, profile_at=NOW)
    async with store.read("T1") as uow:
        assert await uow.people.known([]) == {}
        assert await uow.people.known(["maya.lind@gmail.com", "mayalind@gmail.com"]) == {maya.key: [maya]}
        found = await uow.people.known(["mayalind@gmail.com", "maya@work.example"], variants=True)
        assert found["maya@work.example"] == [second]
        assert [one.person_id for one in found["mayalind@gmail.com"]] == ["p2", "p1"]
        assert await uow.people.known([f"n{n}@b.example" for n in range(12_000)]) == {}


async def test_the_next_address_becomes_the_primary_one(store: SqlStore) -> None:
    """Under the rule of primary addresses a person without one would be nobody."""
    others = [make_address(f"{name}@b.example", "work", primary=False) for name in ("second", "first")]
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", make_person("main@b.example"))], NOW)
        for one in others:
            await uow.people.add_address("p1", one)
        await uow.people.remove_address("p1", "first@b.example")
        await uow.people.remove_address("p1", "main@b.example")
        person = await uow.people.get("p1")
        assert person is not None
        assert [(one.key, one.primary) for one in person.addresses] == [("second@b.example", True)]
        assert await uow.people.remove_address("p1", "second@b.example")


async def test_seen_messages_are_counted_by_mailbox(store: SqlStore) -> None:
    """Over all folders and numberings; a message that is matched at a second reading moves over."""
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        for name, matched in (("INBOX", {1, 2}), ("Sent", {3})):
            folder = await uow.folders.ensure("mb1", name, name.lower())
            seen = [SeenMessage(uid, b"h", uid in matched) for uid in range(1, 11)]
            await uow.messages.record_seen(folder.id, 1, seen, NOW)
            await uow.messages.record_seen(folder.id, 1, seen, NOW)
        assert await uow.messages.seen_counts(["mb1", "mb2", "none"]) == {"mb1": (3, 17), "mb2": (0, 0), "none": (0, 0)}
        again = [SeenMessage(uid, b"h", matched=uid == 9) for uid in (1, 9)]
        assert await uow.messages.record_seen(folder.id, 1, again, NOW) == 0
        assert await uow.messages.seen_counts(["mb1"]) == {"mb1": (4, 16)}
        assert await uow.messages.seen_counts([]) == {}


async def test_old_mail_is_looked_for_once_and_again_when_asked_again(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in (1, 2):
            await uow.mailboxes.add(make_mailbox(f"mb{number}", address=f"r{number}@agency.test"))
        await uow.backfills.ask("a@b.example", "A@b.example", ["mb1", "mb2"], NOW)
        first, second = await uow.backfills.due(NOW)
        assert first == Backfill("a@b.example", "mb1", "A@b.example", NOW, NOW)
        done = replace(first, done_at=NOW + HOUR, there=9, looked_at=8, logged=7)
        assert await uow.backfills.save(done)
        assert await uow.backfills.save(replace(second, tries=1, not_before=NOW + HOUR))
        assert await uow.backfills.due(NOW) == []
        assert [one.mailbox_id for one in await uow.backfills.due(NOW + HOUR)] == ["mb2"]
        assert await uow.backfills.of(["a@b.example", "x"]) == [done, replace(second, tries=1, not_before=NOW + HOUR)]
        await uow.backfills.ask("a@b.example", "A@b.example", ["mb1"], NOW + HOUR)
        assert not await uow.backfills.save(done)
        assert [one.mailbox_id for one in await uow.backfills.due(NOW + HOUR)] == ["mb1", "mb2"]


class Asked:
    """Notes every statement with its parameters while it is open."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any]] = []

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        self.statements.append((statement, parameters))

    def __enter__(self) -> list[tuple[str, Any]]:
        event.listen(Engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_error: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)


@pytest.mark.parametrize("variants", [False, True])
async def test_two_hundred_addresses_are_looked_up_from_an_index(store: SqlStore, *, variants: bool) -> None:
    """On both databases, among many: one question for a batch of any size, and no table is read from end to end."""
    await _many_people(store, 20_000)
    keys = [f"person{n}@candidates.example" for n in range(0, 20_000, 100)]
    with Asked() as statements:
        async with store.read("T1") as uow:
            assert len(await uow.people.known(keys, variants=variants)) == len(keys)
    ((question, parameters),) = [one for one in statements if "person_addresses" in one[0]]
    plan = "\n".join(await _plan(store, question, parameters))
    assert "Seq Scan on person_addresses" not in plan, plan
    assert "SCAN person_addresses" not in plan, plan
    assert ("ix_person_addresses_loose_key" if variants else "key") in plan.lower(), plan


async def _many_people(store: SqlStore, count: int) -> None:
    people = [(f"p{n}", make_person(f"person{n}@candidates.example")) for n in range(count)]
    for start in range(0, count, 5_000):
        async with store.write("T1") as uow:
            await uow.people.add_many(people[start : start + 5_000], NOW)
    async with store.database.writer.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


async def _plan(store: SqlStore, question: str, parameters: Any) -> list[str]:
    on_sqlite = store.database.path is not None
    explain = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
    async with store.database.reader.connect() as connection:
        rows = (await connection.exec_driver_sql(f"{explain} {question}", parameters)).all()
    return [str(row[-1]) for row in rows]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    return str(request.getfixturevalue("empty_postgres_url"))


async def test_addresses_of_an_older_database_get_their_loose_keys(empty_url: str) -> None:
    """More of them than one page of the migration, in more than one workspace."""
    engine = create_async_engine(empty_url)
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade_to, "0001")
        await connection.run_sync(_old_people, 6_000)
    await engine.dispose()
    await upgrade(empty_url)
    engine = create_async_engine(empty_url)
    right = "loose_key = 'p@b' || position || '.example'"
    count = f"SELECT count(*) FROM person_addresses WHERE person_addresses.workspace = :of AND {right}"
    async with engine.connect() as connection:
        for workspace in ("T1", "T2"):
            assert await connection.scalar(text(count), {"of": workspace}) == 6_000
    await engine.dispose()


def _upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__path__[0]) / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _old_people(connection: Connection, count: int) -> None:
    """Rows as the first schema knew them."""
    columns = [column for column in person_addresses.c if column.name != "loose_key"]
    for workspace in ("T1", "T2"):
        named = {"workspace": workspace, "at": NOW}
        connection.execute(
            text("INSERT INTO workspaces (workspace, name, created_at) VALUES (:workspace, 'Team', :at)"), named
        )
        connection.execute(
            text(
                "INSERT INTO people (workspace, id, first_name, last_name, phone, timezone, created_at, updated_at,"
                " fields) VALUES (:workspace, 'p1', '', '', '', '', :at, :at, '{}')"
            ),
            named,
        )
        rows = [
            {
                **{"workspace": workspace, "key": f"p+tag{n}@b{n}.example", "person_id": "p1", "position": n},
                **{"address": "x", "type": "work", "primary": False, "added_at": NOW},
            }
            for n in range(count)
        ]
        assert {column.name for column in columns} == rows[0].keys()
        connection.execute(insert(person_addresses).inline(), rows)
