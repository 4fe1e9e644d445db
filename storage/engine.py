"""Opens the database: the one way to a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.engine import URL

from core.errors import StorageError
from core.ports.clock import Clock
from storage import database as connections
from storage.migrate import check_schema, upgrade_unlocked
from storage.sql_store import SqlStore
from storage.sqlite_file import claim_file, version_warnings
from storage.vault import KeyRing, Vault
from storage.wake import Dispatcher, LocalWake, NoDispatcher

ALL_TOPICS = ("sync", "outreach", "checks", "notifications", "alerts", "backfill")
"""What there is to serve; ``sync:<mailbox>`` belongs to ``sync``."""


async def open_store(
    url: str,
    *,
    keys: Sequence[str] | KeyRing,
    clock: Clock,
    migrate: bool = False,
    synchronous: str = "FULL",
    dispatcher: str = "local",
    topics: Collection[str] = ALL_TOPICS,
) -> SqlStore:
    """Opens a SQLite file (creating it) or a PostgreSQL database.

    ``migrate`` brings a SQLite file to the newest schema first; PostgreSQL is migrated by ``storage.migrate.upgrade``
    alone, because other processes may be using it. ``synchronous`` FULL survives power loss, NORMAL may forget the
    last commits then. ``dispatcher``: ``local`` and ``sql`` wake this process only (others sweep), ``procrastinate``
    wakes any process that serves one of ``topics``; it needs PostgreSQL.

    Raises StorageError: DatabaseInUseError where another process has the file, SchemaMismatchError where the schema
    is not the one this program knows.
    """
    parsed = connections.parse_url(url)
    vault = Vault(keys if isinstance(keys, KeyRing) else KeyRing(keys))
    path = connections.sqlite_path(parsed)
    warnings = version_warnings() if path else ()
    wake = LocalWake()
    lock = claim_file(path) if path else None
    try:
        if path and migrate:
            await upgrade_unlocked(parsed)
        else:
            await check_schema(parsed)
        started = await _start(dispatcher, parsed, wake, topics)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    database = connections.connect(parsed, synchronous=synchronous)
    return SqlStore(database, vault, clock, wake=wake, dispatcher=started, lock=lock, warnings=warnings)


async def _start(name: str, url: URL, wake: LocalWake, topics: Collection[str]) -> Dispatcher:
    if name in ("local", "sql"):
        return NoDispatcher()
    if name != "procrastinate" or connections.sqlite_path(url) is not None:
        raise StorageError(
            f"The dispatcher {name} cannot be used with this database.",
            fix="Set RETHREAD_DISPATCHER to local on SQLite, to procrastinate or sql on PostgreSQL.",
        )
    from storage.procrastinate_wake import ProcrastinateDispatcher

    dispatcher = ProcrastinateDispatcher(url, wake, topics)
    await dispatcher.start()
    return dispatcher
