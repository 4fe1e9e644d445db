"""People, their addresses and streams."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from core.domain.people import ADDRESS_TYPES
from storage.column_types import JsonText
from storage.columns import (
    flag_column,
    id_column,
    key,
    number_column,
    one_of,
    refers,
    text_column,
    text_columns,
    time_column,
)
from storage.tables.base import metadata

people = Table(
    "people",
    metadata,
    id_column("workspace"),
    id_column("id"),
    *text_columns("first_name", "last_name", "phone", "timezone"),
    time_column("created_at"),
    time_column("updated_at"),
    Column("fields", JsonText, nullable=False),
    key("id"),
)

person_addresses = Table(
    "person_addresses",
    metadata,
    id_column("workspace"),
    text_column("key"),
    text_column("loose_key"),
    id_column("person_id"),
    text_column("address"),
    id_column("type"),
    flag_column("primary"),
    time_column("added_at"),
    number_column("position"),
    key("key"),
    refers("person_id", "people", ondelete="CASCADE"),
    one_of("type", ADDRESS_TYPES),
    Index("ix_person_addresses_person_id", "workspace", "person_id"),
    Index("ix_person_addresses_loose_key", "workspace", "loose_key"),
    sqlite_with_rowid=False,
)

activities = Table(
    "activities",
    metadata,
    id_column("workspace"),
    id_column("person_id"),
    text_column("fingerprint"),
    id_column("message_row_id"),
    id_column("direction"),
    id_column("kind"),
    text_column("rule"),
    time_column("at"),
    id_column("campaign_id", nullable=True),
    id_column("enrollment_id", nullable=True),
    key("person_id", "fingerprint"),
    refers("person_id", "people", ondelete="CASCADE"),
    refers("message_row_id", "messages"),
    sqlite_with_rowid=False,
)
