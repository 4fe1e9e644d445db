"""Opening, locking, copying and migrating databases."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import DatabaseInUseError, SchemaMismatchError, StorageBusyError, StorageError
from storage.database import parse_url
from storage.engine import open_store
from storage.migrate import current, head, upgrade
from storage.sql_store import SqlStore
from storage.sqlite_file import version_warnings
from storage.tables import metadata
from tests.postgres import PostgresServer
from tests.stores import KEYS, NOW, SteadyClock, make_mailbox, open_with_workspaces

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from storage.sqlite_file import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


async def open_at(url: str, **options: bool) -> SqlStore:
    return await open_store(url, keys=KEYS, clock=SteadyClock(), **options)  # type: ignore[arg-type]


def file_of(url: str) -> Path:
    return Path(url.partition("///")[2])


def modes_in(folder: Path) -> dict[str, int]:
    return {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()}


async def test_a_new_file_is_made_private_and_migrated(tmp_path: Path) -> None:
    path = tmp_path / "own" / "rethread.db"
    url = f"sqlite:///{path}"
    async with await open_at(url, migrate=True) as store:
        await store.ensure_workspace("T1", name="Team", at=NOW)
        modes = modes_in(path.parent)
        assert set(modes.values()) == {0o600}
        assert "rethread.db-wal" in modes
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    async with await open_at(url) as store:
        assert await store.workspaces() == ["T1"]


async def test_a_second_process_is_refused_until_the_first_is_gone(sqlite_url: str) -> None:
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD_THE_LOCK, str(file_of(sqlite_url))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"
    with pytest.raises(DatabaseInUseError):
        await open_at(sqlite_url)
    with pytest.raises(DatabaseInUseError):
        await upgrade(sqlite_url)
    other.kill()
    await other.wait()
    async with await open_at(sqlite_url) as store:
        await store.ping()


async def test_a_store_in_the_same_process_keeps_another_out_and_closing_lets_it_in(sqlite_url: str) -> None:
    first = await open_at(sqlite_url)
    with pytest.raises(DatabaseInUseError):
        await open_at(sqlite_url)
    await first.close()
    await first.close()
    async with await open_at(sqlite_url) as second:
        await second.ping()


async def test_a_file_that_a_foreign_tool_locks_is_busy(sqlite_url: str) -> None:
    """The whole unit may be tried again."""
    with closing(sqlite3.connect(file_of(sqlite_url), isolation_level=None)) as foreign:
        store = await open_at(sqlite_url)
        await store.ping()
        foreign.execute("BEGIN IMMEDIATE")
        async with store.database.writer.connect() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(StorageBusyError):
            await store.ping()
        foreign.execute("ROLLBACK")
        await store.ping()
        await store.close()


async def test_a_writing_unit_holds_the_file_from_its_first_moment(sqlite_store: SqlStore) -> None:
    """A transaction that only becomes a writing one later fails at once where somebody wrote in between."""
    path = sqlite_store.database.path
    assert path is not None
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as foreign:
        async with sqlite_store.write("T1") as uow:
            await uow.people.count()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                foreign.execute("DELETE FROM health")
        foreign.execute("DELETE FROM health")


async def test_sqlite_is_set_up_to_survive_power_loss(sqlite_store: SqlStore) -> None:
    found = {}
    async with sqlite_store.database.writer.connect() as connection:
        for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "wal_autocheckpoint"):
            found[pragma] = (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "wal_autocheckpoint": 1000,
    }


@pytest.mark.parametrize(
    ("version", "warns"),
    [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 44, 6), False), ((3, 50, 7), False)],
)
def test_the_wal_bug_is_warned_of(version: tuple[int, int, int], *, warns: bool) -> None:
    assert bool(version_warnings(version)) is warns


def test_a_sqlite_without_returning_is_refused() -> None:
    with pytest.raises(StorageError):
        version_warnings((3, 34, 1))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "no address", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(StorageError):
        parse_url(url)


@pytest.mark.parametrize("url", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_every_spelling_of_postgresql_uses_psycopg(url: str) -> None:
    assert parse_url(url).drivername == "postgresql+psycopg"


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be opened"):
        await open_at(f"sqlite:///{tmp_path}/file/rethread.db", migrate=True)


async def test_a_server_that_is_not_there_is_a_storage_error() -> None:
    with pytest.raises(StorageError):
        await open_at("postgresql://postgres@127.0.0.1:1/nothing")


async def test_a_copy_is_whole_and_private_while_the_store_is_written(sqlite_store: SqlStore, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("an earlier copy")

    async def keep_writing() -> None:
        for number in range(20):
            async with sqlite_store.write("T1") as uow:
                await uow.settings.set(str(number), number, actor="U0ADA", at=NOW)

    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
    await asyncio.gather(sqlite_store.backup(target), keep_writing())
    await sqlite_store.checkpoint()
    modes = modes_in(tmp_path)
    assert modes["copy.db"] == 0o600
    assert not [name for name in modes if name.endswith(".part")]
    async with await open_at(f"sqlite:///{target}") as copy, copy.read("T1") as uow:
        assert await uow.mailboxes.get("mb1") == make_mailbox()


@pytest.mark.parametrize("part", ["", "-wal"])
async def test_a_backup_never_takes_the_place_of_the_database(sqlite_store: SqlStore, part: str) -> None:
    """The server would go on writing into a file that nobody can open any more."""
    database = sqlite_store.database.path
    assert database is not None
    before = database.stat().st_ino
    with pytest.raises(StorageError, match="the database itself"):
        await sqlite_store.backup(database.parent / "." / f"{database.name}{part}")
    assert database.stat().st_ino == before


async def test_a_copy_to_nowhere_is_a_storage_error(sqlite_store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        await sqlite_store.backup(tmp_path / "missing" / "copy.db")


@pytest.mark.postgres
async def test_postgresql_names_its_own_tool_for_copies(postgres_url: str, tmp_path: Path) -> None:
    async with await open_at(postgres_url) as store:
        with pytest.raises(StorageError) as refused:
            await store.backup(tmp_path / "copy")
        assert "pg_dump" in refused.value.fix
        await store.checkpoint()


@pytest.mark.postgres
async def test_a_cut_connection_is_replaced(postgres_server: PostgresServer, postgres_url: str) -> None:
    async with await open_with_workspaces(postgres_url) as store:

        async def cut_in_the_middle() -> None:
            async with store.write("T1") as uow:
                await uow.people.count()
                postgres_server.terminate_connections(postgres_url)
                await uow.people.count()

        with pytest.raises(StorageError):
            await cut_in_the_middle()
        await store.ping()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    return str(request.getfixturevalue("empty_postgres_url"))


async def test_a_database_is_served_only_with_the_schema_this_program_knows(empty_url: str) -> None:
    assert await current(empty_url) is None
    with pytest.raises(SchemaMismatchError) as refused:
        await open_at(empty_url)
    assert "migrate" in refused.value.fix
    assert await upgrade(empty_url) == head()
    assert await upgrade(empty_url) == head()
    assert await current(empty_url) == head()
    async with await open_at(empty_url) as store:
        await store.ping()


async def test_a_schema_from_the_future_is_refused(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    await engine.dispose()
    for attempt in (open_at(database_url), upgrade(database_url)):
        with pytest.raises(SchemaMismatchError, match="from-the-future"):
            await attempt


async def test_the_migrations_build_exactly_the_tables(database_url: str) -> None:
    """Autogenerate finds nothing to do, and the checks, which it does not compare, are the same too."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _ours})
        return [*compare_metadata(context, metadata), *(set(metadata.tables) ^ _tables(connection))]

    constraints = [one for table in metadata.tables.values() for one in table.constraints]
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        checks = {str(one.name) for one in constraints if isinstance(one, CheckConstraint)}
        assert await connection.run_sync(_checks) == checks
    await engine.dispose()


async def test_the_migrations_build_partial_indexes_with_the_conditions_of_the_tables(sqlite_url: str) -> None:
    planned = create_engine("sqlite://")
    metadata.create_all(planned)
    engine = create_async_engine(sqlite_url)
    with planned.connect() as plan:
        async with engine.connect() as connection:
            assert await connection.run_sync(_conditions) == _conditions(plan) != {}
    planned.dispose()
    await engine.dispose()


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("procrastinate_")


def _tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if _ours(name, "table", None)} - {"alembic_version"}


def _checks(connection: Connection) -> set[str]:
    found = inspect(connection)
    return {str(check["name"]) for table in _tables(connection) for check in found.get_check_constraints(table)}


def _conditions(connection: Connection) -> dict[str, str]:
    found = inspect(connection)
    indexes = [index for table in _tables(connection) for index in found.get_indexes(table)]
    where = {str(index["name"]): index.get("dialect_options", {}).get("sqlite_where") for index in indexes}
    return {name: str(condition) for name, condition in where.items() if condition is not None}
