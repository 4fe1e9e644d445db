"""The schema's version: what a database has, what this program needs, and the way from one to the other."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import SchemaMismatchError
from storage.backup import copy_file
from storage.database import parse_url, sqlite_engine, sqlite_path
from storage.planner import write_statistics
from storage.sqlite_file import claim_file
from storage.translation import translated

_ADVISORY_LOCK = 7_203_114
"""Any number of our own: two migrations of one PostgreSQL database wait for each other."""


def head() -> str:
    """The revision that this program needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


async def current(url: str) -> str | None:
    """The revision that a database has; None for an empty one. Raises StorageError."""
    engine = _engine(parse_url(url))
    try:
        return await _revision(engine)
    finally:
        await engine.dispose()


async def upgrade(url: str) -> str:
    """Brings a database to the newest schema; returns its revision.

    On SQLite it takes the file's lock (DatabaseInUseError where a server runs) and keeps a copy of what was there
    as ``<file>.before-<revision>``. Raises SchemaMismatchError for a schema newer than this program.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is None:
        return await upgrade_unlocked(parsed)
    lock = claim_file(path)
    try:
        return await upgrade_unlocked(parsed)
    finally:
        lock.release()


async def upgrade_unlocked(url: URL) -> str:
    """``upgrade`` for a caller who holds the file's lock already."""
    engine = _engine(url)
    try:
        before = await _revision(engine)
        if before == head():
            return before
        _refuse_unknown(before)
        path = sqlite_path(url)
        if path is not None and before is not None:
            copy_file(path, path.with_name(f"{path.name}.before-{head()}"))
        with translated():
            async with engine.begin() as connection:
                await connection.run_sync(run_upgrade)
                if path is None:
                    from storage.procrastinate_wake import install_schema

                    await install_schema(connection)
        return head()
    finally:
        await engine.dispose()


async def check_schema(url: URL) -> None:
    """Raises SchemaMismatchError where the database is not exactly what this program knows."""
    engine = _engine(url)
    try:
        found = await _revision(engine)
    finally:
        await engine.dispose()
    if found != head():
        _refuse_unknown(found)
        raise SchemaMismatchError(
            f"The database has the schema {found or 'of an empty one'}, this program needs {head()}.",
            fix="Run: python app.py migrate",
        )


def run_upgrade(connection: Connection) -> None:
    """Runs every step that is missing, in the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        write_statistics(connection)


async def _revision(engine: AsyncEngine) -> str | None:
    with translated():
        async with engine.connect() as connection:
            return await connection.run_sync(lambda raw: MigrationContext.configure(raw).get_current_revision())


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaMismatchError(
            f"The database has the schema {revision}, which is newer than this program.",
            fix="Install the newer Rethread again, or restore the copy made before its migration.",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _engine(url: URL) -> AsyncEngine:
    """SQLite changes a table by copying it, which its foreign keys must not follow: they are off here."""
    if sqlite_path(url) is not None:
        return sqlite_engine(url, begin="BEGIN IMMEDIATE", pragmas=("PRAGMA foreign_keys = OFF",), size=1)
    return create_async_engine(url, poolclass=NullPool, hide_parameters=True)
