"""What all tables share: their metadata, and indexes of a part of the rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData, literal_column

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def literally(column: Column[Any], value: str) -> ColumnElement[bool]:
    return column == literal_column(f"'{value}'")


def partial_index(name: str, condition: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> None:
    """An index of the rows that meet the condition; it joins the table of its columns."""
    workspace = columns[0].table.c.workspace
    Index(name, workspace, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
