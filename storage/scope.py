"""The statements of one workspace inside one transaction.

Stores build every statement here, so that none is without its workspace: the tests read each statement that the
contract suite executes and fail on one that lacks it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    Delete,
    Executable,
    Row,
    Select,
    Table,
    Update,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.translation import translated

IN_LIMIT = 5_000
"""Values in one IN list: well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""

Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]


class Scope:
    """One workspace's view of one connection."""

    def __init__(self, connection: AsyncConnection, workspace: str) -> None:
        self._connection = connection
        self.workspace = workspace
        self.on_postgresql = connection.dialect.name == "postgresql"
        self._upsert: Callable[[Table], postgresql.Insert | sqlite.Insert]
        self._upsert = postgresql.insert if self.on_postgresql else sqlite.insert
        self._to_the_end = not self.on_postgresql

    def select(self, table: Table, *columns: ColumnElement[Any]) -> AnySelect:
        """Columns (all of the table where none are named) of this workspace's rows; ``tables.joined`` joins others."""
        return select(*(columns or table.c)).select_from(table).where(table.c.workspace == self.workspace)

    def update(self, table: Table) -> Update:
        return update(table).where(table.c.workspace == self.workspace)

    def delete(self, table: Table) -> Delete:
        return delete(table).where(table.c.workspace == self.workspace)

    async def rows(self, statement: Executable) -> Sequence[AnyRow]:
        with translated():
            return (await self._execute(statement)).all()

    async def first(self, statement: Executable) -> AnyRow | None:
        with translated():
            return (await self._execute(statement)).first()

    async def pairs(self, statement: Executable) -> dict[Any, Any]:
        """Rows of two columns: the first names the second."""
        return {row[0]: row[1] for row in await self.rows(statement)}

    async def scalar(self, statement: Executable) -> Any:
        with translated():
            return (await self._execute(statement)).scalar()

    async def run(self, statement: Executable) -> int:
        """Executes an UPDATE or DELETE; returns how many rows it touched."""
        with translated():
            return (await self._execute(statement)).rowcount

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> int:
        """Executes an UPDATE or DELETE once for each of ``rows`` of values; returns how many rows they touched."""
        with translated():
            return (await self._execute(statement, rows)).rowcount if rows else 0

    async def insert(self, table: Table, rows: Sequence[Values]) -> None:
        """Inserts rows with equal keys. Raises StorageError on a conflict."""
        if rows:
            with translated():
                await self._execute(insert(table), self._owned(rows))

    async def insert_new(self, table: Table, rows: Sequence[Values]) -> int:
        """Inserts the rows that conflict with nothing; returns how many those were."""
        if not rows:
            return 0
        statement = self._upsert(table).on_conflict_do_nothing()
        with translated():
            result = await self._execute(statement, self._owned(rows), execution_options={"preserve_rowcount": True})
        return result.rowcount

    async def insert_all(self, table: Table, rows: Sequence[Values]) -> bool:
        """Inserts all rows, or none where one conflicts with what is there; whether it did."""
        async with self._connection.begin_nested() as inserting:
            if await self.insert_new(table, rows) == len(rows):
                return True
            await inserting.rollback()
            return False

    async def insert_returning(self, table: Table, rows: Sequence[Values], *names: str) -> set[tuple[Any, ...]]:
        """Inserts the rows that conflict with nothing; returns the named columns of those."""
        if not rows:
            return set()
        statement = self._upsert(table).on_conflict_do_nothing().returning(*(table.c[name] for name in names))
        with translated():
            result = await self._execute(statement, self._owned(rows))
            return {tuple(row) for row in result.all()}

    async def put(self, table: Table, row: Values, *, key: str, replace: Mapping[str, Any]) -> None:
        """Inserts the row or, where (workspace, ``key``) is there, sets ``replace`` on it."""
        statement = self._upsert(table).on_conflict_do_update(index_elements=["workspace", key], set_=replace)
        with translated():
            await self._execute(statement, self._owned([row]))

    async def add_up(self, table: Table, rows: Sequence[Values], *, keys: tuple[str, ...], number: str) -> None:
        """Inserts rows or, where (workspace, keys) is there, adds the row's number to the one that stands there."""
        if not rows:
            return
        fresh = self._upsert(table)
        total = {number: table.c[number] + fresh.excluded[number]}
        statement = fresh.on_conflict_do_update(index_elements=["workspace", *keys], set_=total)
        with translated():
            await self._execute(statement, self._owned(rows))

    async def _execute(self, statement: Executable, *rows: Any, **options: Any) -> CursorResult[Any]:
        """Cancelled amid a statement, SQLite's connection is closed while its cursor lives, and keeps the write lock:
        so the statement comes to its end first, and the cancellation goes on then."""
        execution = self._connection.execute(statement, *rows, **options)
        return await (_to_the_end(execution) if self._to_the_end else execution)

    def _owned(self, rows: Sequence[Values]) -> Sequence[Values]:
        for row in rows:
            row["workspace"] = self.workspace
        return rows


async def _to_the_end(execution: Coroutine[Any, Any, CursorResult[Any]]) -> CursorResult[Any]:
    task = asyncio.create_task(execution)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # nobody asks for it any more
        raise


def columns_of(table: Table, kind: type[Any]) -> tuple[Column[Any], ...]:
    """The table's columns in the order of a dataclass's fields, so that ``kind(*row)`` builds one."""
    return tuple(table.c[field.name] for field in fields(kind))


def values_of(value: Any, *, without: tuple[str, ...] = ()) -> Values:
    """A dataclass's fields as column values (shallow)."""
    kind: Any = type(value)  # a class is hashable, which mypy doubts
    names, read = _reader(kind, without)
    return dict(zip(names, read(value), strict=True))


@cache
def _reader(kind: type[Any], without: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Field names and what reads them all at once; asking ``fields`` for every row is what costs."""
    names = tuple(field.name for field in fields(kind) if field.name not in without)
    return names, attrgetter(*names)


def chunks(values: Iterable[str], size: int = IN_LIMIT) -> Iterator[list[str]]:
    """Lists of at most ``size`` values, without repeats."""
    distinct = iter(dict.fromkeys(values))
    while chunk := list(islice(distinct, size)):
        yield chunk
