"""The one place where a driver's error becomes one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import StorageBusyError, StorageError

# PostgreSQL's own words (SQLSTATE): serialisation failure, deadlock, lock not available, statement timed out.
_BUSY_SQLSTATES = frozenset(("40001", "40P01", "55P03", "57014"))
_BUSY_WORDS = ("database is locked", "database table is locked", "database is busy")


@contextmanager
def translated() -> Iterator[None]:
    """Raises StorageBusyError or StorageError for whatever SQLAlchemy or a driver raises inside.

    The cause is not chained: PostgreSQL quotes whole rows in its details, and rows hold mail.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise storage_error(error) from None


def storage_error(error: SQLAlchemyError) -> StorageError:
    """Our error for theirs, in the first line of the database's own words."""
    if isinstance(error, PoolTimeoutError):
        return StorageBusyError("No database connection was free in time.")
    if not isinstance(error, DBAPIError):
        return StorageError(f"The database layer refused a statement: {type(error).__name__}.")
    words = str(error.orig).strip().partition("\n")[0]
    if _is_busy(error, words):
        return StorageBusyError(f"The database is busy: {words}")
    return StorageError(f"The database refused a statement: {words}")


def _is_busy(error: DBAPIError, words: str) -> bool:
    sqlstate = getattr(error.orig, "sqlstate", None) or getattr(error.driver_exception, "sqlstate", None)
    return sqlstate in _BUSY_SQLSTATES or any(busy in words for busy in _BUSY_WORDS)
