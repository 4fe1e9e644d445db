"""The pieces that tables are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

from storage.column_types import PlainText, UtcDateTime


def text_column(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, PlainText, nullable=nullable)


def id_column(name: str, *, nullable: bool = False) -> Column[str]:
    """An id of our own making: plain text that needs no cleaning."""
    return Column(name, Text, nullable=nullable)


def time_column(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=nullable)


def number_column(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def big_column(name: str, *, nullable: bool = False) -> Column[int]:
    """UIDs and their kin fill 32 bits without a sign, mod-sequences 63."""
    return Column(name, BigInteger, nullable=nullable)


def text_columns(*names: str, nullable: bool = False) -> list[Column[str]]:
    return [text_column(name, nullable=nullable) for name in names]


def time_columns(*names: str, nullable: bool = False) -> list[Column[Any]]:
    return [time_column(name, nullable=nullable) for name in names]


def number_columns(*names: str) -> list[Column[int]]:
    return [number_column(name) for name in names]


def flag_column(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def key(*names: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint("workspace", *names)


def unique(*names: str) -> UniqueConstraint:
    return UniqueConstraint("workspace", *names)


def refers(name: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["workspace", name], [f"{table}.workspace", f"{table}.id"], ondelete=ondelete)


def one_of(name: str, values: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{name} IN ({', '.join(repr(str(value)) for value in values)})", name=name)


def joined(referring: Table, column: str, referred: Table) -> ColumnElement[bool]:
    """The join of a referring column with the id it names, within one workspace."""
    return and_(referring.c.workspace == referred.c.workspace, referring.c[column] == referred.c.id)
