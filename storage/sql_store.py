"""The database as the services see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Table, exists, literal_column, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from core.ports.clock import Clock
from storage import backup
from storage.claims import free_at
from storage.database import Database
from storage.scope import Scope
from storage.sqlite_file import FileLock
from storage.tables import CLAIMABLE, UNKNOWN, UNPOSTED, deliveries, health, mailboxes, outbox, workspaces
from storage.translation import translated
from storage.unit_of_work import SqlUnitOfWork
from storage.vault import Vault
from storage.wake import Dispatcher, LocalWake

_NOBODY = "-"
"""The workspace of rows about the database itself."""


class SqlStore:
    """Implements ``ports.Store`` on SQLite and PostgreSQL. Built by ``engine.open_store``."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        *,
        wake: LocalWake,
        dispatcher: Dispatcher,
        lock: FileLock | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.database = database
        self.warnings = warnings
        self._vault = vault
        self._clock = clock
        self._wake = wake
        self._dispatcher = dispatcher
        self._lock = lock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def read(self, workspace: str) -> AsyncIterator[SqlUnitOfWork]:
        """A snapshot (SQLite) or committed rows (PostgreSQL); writing fails with StorageError."""
        with translated():
            async with self.database.reader.connect() as connection:
                yield SqlUnitOfWork(Scope(connection, workspace), self._vault)

    @asynccontextmanager
    async def write(self, workspace: str) -> AsyncIterator[SqlUnitOfWork]:
        """Commits at the end, then wakes. A cancelled unit may have committed all the same: ask the rows."""
        with translated():
            async with self.database.writer.connect() as connection:
                await connection.begin()
                unit = SqlUnitOfWork(Scope(connection, workspace), self._vault)
                yield unit
                await self._commit(connection, unit.topics)

    async def _commit(self, connection: AsyncConnection, topics: set[str]) -> None:
        if topics:
            await self._dispatcher.announce(connection, topics)
        try:
            await connection.commit()
        finally:  # also where it is not known whether the commit came through: a wake-up too many does no harm
            self._wake.wake(topics)

    async def ensure_workspace(self, workspace: str, *, name: str, at: datetime) -> None:
        """Registers a workspace; only registered ones are looked at for work. A new name replaces the old."""
        async with self._scope(workspace) as scope:
            row = {"name": name, "created_at": at}
            if not await scope.insert_new(workspaces, [row]):
                await scope.run(scope.update(workspaces).values(name=name))

    async def workspaces(self) -> list[str]:
        """In order of arrival."""
        return await self._names(true())

    async def workspaces_with_work(self, topic: str, now: datetime) -> list[str]:
        """Raises StorageError for a topic that has no rows."""
        return await self._names(_work(topic, now))

    async def _names(self, condition: ColumnElement[bool]) -> list[str]:
        statement = select(workspaces.c.workspace).where(condition)
        with translated():
            async with self.database.reader.connect() as connection:
                found = await connection.scalars(statement.order_by(workspaces.c.created_at, workspaces.c.workspace))
                return list(found)

    async def wait(self, topic: str, timeout: float) -> bool:
        return await self._wake.wait(topic, timeout)

    async def ping(self) -> None:
        """A durable write, and a read that must show it."""
        now = self._clock.now()
        async with self._scope(_NOBODY) as scope:
            await scope.put(health, {"part": "database", "at": now}, key="part", replace={"at": now})
        with translated():
            async with self.database.reader.connect() as connection:
                scope = Scope(connection, _NOBODY)
                if await scope.scalar(scope.select(health, health.c.at)) != now:
                    raise StorageError("The database does not show what was just written.")

    @asynccontextmanager
    async def _scope(self, workspace: str) -> AsyncIterator[Scope]:
        with translated():
            async with self.database.writer.begin() as connection:
                yield Scope(connection, workspace)

    async def backup(self, target: Path) -> None:
        """A consistent copy while running. Raises StorageError, on PostgreSQL with the command to use instead."""
        await backup.copy_database(self.database, target)

    async def checkpoint(self) -> None:
        """Empties SQLite's write-ahead log into the file; hourly, by housekeeping. Nothing on PostgreSQL."""
        if self.database.path is not None:
            with translated():
                async with self.database.writer.connect() as connection:
                    raw = await connection.get_raw_connection()
                    if raw.driver_connection is not None:
                        await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Closes every connection; may be called twice."""
        await self._dispatcher.close()
        await self.database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _work(topic: str, now: datetime) -> ColumnElement[bool]:
    mine = deliveries.c.workspace == workspaces.c.workspace
    match topic:
        case "outreach":
            # What a resting mailbox has due is no work yet, and its queue may be long.
            of_box = deliveries.c.workspace == mailboxes.c.workspace, deliveries.c.mailbox_id == mailboxes.c.id
            boxes = mailboxes.c.workspace == workspaces.c.workspace, free_at(now)
            of_any = _found(mailboxes, workspaces, *boxes, _due(mailboxes, now, *of_box))
            return or_(of_any, _due(workspaces, now, mine, deliveries.c.mailbox_id.is_(None)))
        case "checks":
            return exists().where(mine, UNKNOWN, deliveries.c.next_check_at <= now)
        case "notifications":
            due = outbox.c.not_before.is_(None) | (outbox.c.not_before <= now)
            return exists().where(outbox.c.workspace == workspaces.c.workspace, UNPOSTED, due)
    raise StorageError(f"There is no work called {topic}.")


def _due(outer: Table, now: datetime, *of: ColumnElement[bool]) -> ColumnElement[bool]:
    """In the order of the claim index, so that its first row answers."""
    conditions = *of, CLAIMABLE, deliveries.c.due_at <= now
    first_or_not = ((*conditions, deliveries.c.first_touch.is_(flag)) for flag in (False, True))
    return or_(*(_found(deliveries, outer, *each, order=deliveries.c.due_at) for each in first_or_not))


def _found(
    table: Table, outer: Table, *conditions: ColumnElement[bool], order: ColumnElement[Any] | None = None
) -> ColumnElement[bool]:
    """Whether there is such a row for a row of ``outer``. PostgreSQL turns EXISTS into a join, and would read all that
    is due to answer for a few mailboxes; this it asks row by row."""
    one: Select[tuple[Any]] = select(literal_column("1")).select_from(table).where(*conditions).correlate(outer)
    return one.order_by(order).limit(1).scalar_subquery().is_not(None)
