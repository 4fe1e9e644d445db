"""A consistent copy of a running SQLite database.

``VACUUM INTO`` reads one snapshot and lets the writer go on; SQLite's backup API starts again at each write of
another connection and may never end. The copy holds sealed credentials, never the keys.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from core.errors import StorageError
from storage.database import BUSY_TIMEOUT_S, Database

_PARTS = ("", "-wal", "-shm")


async def copy_database(database: Database, target: Path) -> None:
    """Writes the copy beside ``target``, checks it, and puts it in place in one step; an older copy is replaced.

    Raises StorageError where there is no file to copy (PostgreSQL), the target is the database itself, there is no
    room, or the copy is not sound.
    """
    if database.path is None:
        raise StorageError(
            "PostgreSQL is backed up by its own tools.", fix="pg_dump --format=custom --file=FILE DATABASE_URL"
        )
    await asyncio.to_thread(copy_file, database.path, target)


def copy_file(source: Path, target: Path) -> None:
    """The same for a file, blocking. Raises StorageError."""
    if target.resolve() in {Path(f"{source.resolve()}{part}") for part in _PARTS}:
        raise StorageError(f"{target} is the database itself.", fix="Name another file for the copy.")
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _vacuum_into(source, draft)
        _check(draft)
        _flush(draft)
        draft.replace(target)
        _flush(target.parent)
    except OSError as error:
        raise StorageError(f"The copy {target} could not be written: {error.strerror}.") from None
    except sqlite3.Error as error:
        raise StorageError(f"The copy {target} could not be written: {error}.") from None
    finally:
        draft.unlink(missing_ok=True)


def _vacuum_into(source: Path, draft: Path) -> None:
    """A connection of its own that never checkpoints: only the writer does (see ``database``)."""
    with closing(sqlite3.connect(source, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("VACUUM INTO ?", (str(draft),))


def _check(draft: Path) -> None:
    with closing(sqlite3.connect(draft)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise StorageError(f"The copy is not sound and was thrown away: {verdict}.")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
