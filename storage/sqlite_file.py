"""The SQLite file: private, ours alone, and read by a library that is new enough."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from core.errors import DatabaseInUseError, StorageError

_OLDEST = (3, 35, 0)
_REPAIRED = (3, 51, 3)
_REPAIRED_EARLIER = ((3, 44, 6), (3, 50, 7))


class FileLock:
    """Held while this process has the database open; the operating system lets go of it when the process dies."""

    def __init__(self, database: Path) -> None:
        """Raises DatabaseInUseError where another process (or this one) has the database open."""
        path = database.with_name(database.name + ".lock")
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise DatabaseInUseError(
                f"Another process has {database.name} open.",
                fix="Stop it first, or use PostgreSQL for more than one process.",
            ) from None

    def release(self) -> None:
        os.close(self._file)


def claim_file(path: Path) -> FileLock:
    """Makes the file and its folder private where they are new, and takes the lock.

    Raises StorageError where the place cannot be written, DatabaseInUseError where somebody has it open.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened: {error.strerror}.", fix="Check the path and its rights."
        ) from None
    path.chmod(0o600)
    return lock


def version_warnings(version: tuple[int, int, int] = sqlite3.sqlite_version_info[:3]) -> tuple[str, ...]:
    """What a person should know about the SQLite library. Raises StorageError where it is too old to work with."""
    name = ".".join(map(str, version))
    if version < _OLDEST:
        raise StorageError(f"SQLite {name} is too old.", fix="Use Python with SQLite 3.35 or newer, or PostgreSQL.")
    if version >= _REPAIRED or any(version[:2] == fixed[:2] and version >= fixed for fixed in _REPAIRED_EARLIER):
        return ()
    return (
        f"SQLite {name} can damage a database that two programs write at once (repaired in 3.51.3). Rethread writes "
        "through one connection and locks others out; do not open the file for writing with another tool.",
    )
