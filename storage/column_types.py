"""Column types that mean the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, LargeBinary, Text, TypeDecorator
from sqlalchemy.dialects import postgresql


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: ``timestamptz`` on PostgreSQL, sortable text of fixed width on SQLite.

    Raises ValueError for a naive datetime: a time without a zone is a mistake that would surface months later.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite straight to text: SQLAlchemy's own way there costs five times as much, on the hottest path."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (theirs)
        return None if value is None else _utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("times are stored with their zone")
    return value.astimezone(UTC)


def _sqlite_text(value: datetime | None) -> str | None:
    """The format that SQLAlchemy reads: 2026-09-01 09:00:00.000000."""
    return None if value is None else _utc(value).isoformat(" ", "microseconds")[:26]


class PlainText(TypeDecorator[str]):
    """Text from outside. NUL and lone surrogates, which no UTF-8 database takes, become U+FFFD."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:  # noqa: ARG002 (their signature)
        return _storable


def _storable(value: str | None) -> str | None:
    if value is None:
        return None
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value)
    return value


class JsonText(TypeDecorator[Any]):
    """A JSON document as ASCII text: NUL and lone surrogates travel escaped, which ``jsonb`` would refuse.

    Tuples come back as lists, and None is the document ``null``: such columns are never NULL.
    """

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:  # noqa: ARG002 (their signature)
        return _json

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 (their signature)
        return None if value is None else json.loads(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_json = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


class TextTuple(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts as a JSON array."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:  # noqa: ARG002 (their signature)
        return _json_array

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:  # noqa: ARG002 (theirs)
        return tuple(json.loads(value or "[]"))


def _json_array(texts: Iterable[str]) -> str:
    return f"[{','.join(map(encode_basestring_ascii, texts))}]"


def enum_text(kind: type[StrEnum]) -> Enum:
    """The enum's values as short text; the table adds the CHECK."""
    return Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        length=20,
    )


Sequence64 = BigInteger().with_variant(Integer, "sqlite")
"""A growing number as primary key: SQLite counts by itself only where the type is INTEGER."""

BytewiseText = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text ordered by code point on both databases, so that a prefix is a range of the index."""

Bytes = LargeBinary
