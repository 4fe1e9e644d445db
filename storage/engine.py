"""Opens the database: the one way to a store."""

from __future__ import annotations

from collections.abc import Sequence

from core.ports.clock import Clock
from storage import database as connections
from storage.migrate import check_schema, upgrade_unlocked
from storage.sql_store import SqlStore
from storage.sqlite_file import claim_file, version_warnings
from storage.vault import KeyRing, Vault
from storage.wake import LocalWake, NoDispatcher


async def open_store(
    url: str, *, keys: Sequence[str] | KeyRing, clock: Clock, migrate: bool = False, synchronous: str = "FULL"
) -> SqlStore:
    """Opens a SQLite file (creating it) or a PostgreSQL database.

    ``migrate`` brings a SQLite file to the newest schema first; PostgreSQL is migrated by ``storage.migrate.upgrade``
    alone, because other processes may be using it. ``synchronous`` FULL survives power loss, NORMAL may forget the
    last commits then. Raises StorageError: DatabaseInUseError where another process has the file,
    SchemaMismatchError where the schema is not the one this program knows.
    """
    parsed = connections.parse_url(url)
    vault = Vault(keys if isinstance(keys, KeyRing) else KeyRing(keys))
    path = connections.sqlite_path(parsed)
    warnings = version_warnings() if path else ()
    lock = claim_file(path) if path else None
    try:
        if path and migrate:
            await upgrade_unlocked(parsed)
        else:
            await check_schema(parsed)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return SqlStore(
        connections.connect(parsed, synchronous=synchronous),
        vault,
        clock,
        wake=LocalWake(),
        dispatcher=NoDispatcher(),
        lock=lock,
        warnings=warnings,
    )
