"""Reads every statement that the contract suite executes: each names its workspace for each table it touches."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from storage.sql_store import SqlStore
from storage.tables import metadata
from tests.stores import open_with_workspaces

_TABLES = re.compile(r'\b(?:FROM|JOIN|UPDATE)\s+"?(\w+)"?(?:\s+AS\s+"?(\w+)"?)?', re.IGNORECASE)
_INSERT = re.compile(r'INSERT INTO "?(\w+)"? \(([^)]*)\)')
_WHICH_WORKSPACES = "SELECT workspaces.workspace \n"


@pytest.fixture(autouse=True)
def every_statement_names_its_workspace() -> Iterator[None]:
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        executed.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [mistake for statement in executed for mistake in unscoped(statement)] == []


def unscoped(statement: str) -> list[str]:
    """What a statement lacks: one line for each of our tables that is not bound to a workspace."""
    if statement.startswith(_WHICH_WORKSPACES):  # the one question about all of them
        return []
    if inserted := _INSERT.match(statement):
        table, columns = inserted.groups()
        ours = table in metadata.tables and "workspace" not in columns.split(", ")
        return [f"{table} without workspace: {statement}"] if ours else []
    named = [(table, alias or table) for table, alias in _TABLES.findall(statement) if table in metadata.tables]
    return [
        f"{table} without workspace: {statement}"
        for table, alias in named
        if not re.search(rf"\b{alias}\.workspace = |= {alias}\.workspace\b", statement)
    ]


@pytest.fixture
async def store_on_postgres(postgres_url: str) -> AsyncIterator[SqlStore]:
    """For what only PostgreSQL can show: two writing units open at once."""
    async with await open_with_workspaces(postgres_url) as opened:
        yield opened
