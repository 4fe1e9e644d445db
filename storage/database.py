"""Connections: how each database is spoken to.

SQLite has one connection that writes and checkpoints, and readers apart that cannot write: with two writers its WAL
had a bug that corrupts (3.7.0 to 3.51.2, sqlite.org/wal.html, "WAL-reset bug"). PostgreSQL has one engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.errors import StorageError

BUSY_TIMEOUT_S = 10
"""Only tools from outside can make us wait: we have one writer ourselves."""

_POOL_TIMEOUT_S = 30
_READERS = 4
# Each of the five connections keeps up to 2 MiB of pages: more made a first sync larger and no faster, because the
# operating system keeps the file in memory too.
_COMMON_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -2048",
    "PRAGMA mmap_size = 0",
)
_POSTGRESQL_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=5000 -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"
)


@dataclass(frozen=True, slots=True)
class Database:
    """Where writes and reads go. ``path`` is the SQLite file, None on PostgreSQL."""

    writer: AsyncEngine
    reader: AsyncEngine
    path: Path | None

    async def close(self) -> None:
        """Readers first: on SQLite the last connection to close checkpoints, and that must be the writer."""
        await self.reader.dispose()
        await self.writer.dispose()


def parse_url(url: str) -> URL:
    """Our URL for what people write. Raises StorageError for anything but a SQLite file or PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StorageError("DATABASE_URL is not a database address.", fix=_URL_FIX) from None
    match parsed.get_backend_name() if "+" in parsed.drivername else parsed.drivername:
        case "sqlite":
            return _file_url(parsed)
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
    raise StorageError(f"{parsed.drivername} is not a database that Rethread knows.", fix=_URL_FIX)


_URL_FIX = "Use sqlite+aiosqlite:///file.db or postgresql+psycopg://user:password@host/name."


def _file_url(parsed: URL) -> URL:
    if parsed.database in (None, "", ":memory:"):
        raise StorageError("SQLite in memory would give each connection its own database.", fix=_URL_FIX)
    return parsed.set(drivername="sqlite+aiosqlite")


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite address."""
    return Path(str(url.database)).absolute() if url.get_backend_name() == "sqlite" else None


def connect(url: URL, *, synchronous: str = "FULL", pool_size: int = 10) -> Database:
    """Builds the engines; nothing is opened yet. ``pool_size`` is PostgreSQL's."""
    path = sqlite_path(url)
    if path is None:
        engine = _postgresql_engine(url, pool_size)
        return Database(engine, engine.execution_options(postgresql_readonly=True), None)
    writing = (*_COMMON_PRAGMAS, f"PRAGMA synchronous = {synchronous}", "PRAGMA wal_autocheckpoint = 1000")
    reading = (*_COMMON_PRAGMAS, "PRAGMA query_only = ON")
    writer = sqlite_engine(url, begin="BEGIN IMMEDIATE", pragmas=("PRAGMA journal_mode = WAL", *writing), size=1)
    reader = sqlite_engine(url, begin="BEGIN DEFERRED", pragmas=reading, size=_READERS)
    return Database(writer, reader, path)


def sqlite_engine(url: URL, *, begin: str, pragmas: tuple[str, ...], size: int) -> AsyncEngine:
    """SQLite where transactions begin when we say so: sqlite3 by itself begins late, and not before DDL."""
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_S,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_S},
    )

    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    _listen(engine.sync_engine, "connect", prepare)
    _listen(engine.sync_engine, "begin", start)
    return engine


def _postgresql_engine(url: URL, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_S,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"options": _POSTGRESQL_OPTIONS, "connect_timeout": 10},
    )


def _listen(engine: Engine, name: str, listener: Any) -> None:
    event.listen(engine, name, listener)
