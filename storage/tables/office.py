"""Workspaces, settings, alerts, cards on their way, and what was done by whom."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, literal_column

from core.domain.alert import AlertState
from storage.column_types import BytewiseText, JsonText, Sequence64, enum_text
from storage.columns import (
    id_column,
    key,
    number_column,
    one_of,
    text_column,
    text_columns,
    time_column,
    unique,
)
from storage.tables.base import metadata, partial_index

OUTBOX_STATES = ("ready", "posting", "posted", "unknown", "failed")

workspaces = Table(
    "workspaces",
    metadata,
    id_column("workspace"),
    text_column("name"),
    time_column("created_at"),
    key(),
)

health = Table("health", metadata, id_column("workspace"), id_column("part"), time_column("at"), key("part"))

alerts = Table(
    "alerts",
    metadata,
    id_column("workspace"),
    id_column("id"),
    text_column("key"),
    Column("state", enum_text(AlertState), nullable=False),
    one_of("state", AlertState),
    number_column("version"),
    time_column("opened_at"),
    Column("facts", JsonText, nullable=False),
    time_column("resolved_at", nullable=True),
    key("id"),
)

outbox = Table(
    "outbox",
    metadata,
    id_column("workspace"),
    id_column("id"),
    Column("key", BytewiseText, nullable=False),
    text_column("destination"),
    text_column("kind"),
    Column("facts", JsonText, nullable=False),
    number_column("version"),
    number_column("posted_version"),
    Column("state", Text, nullable=False),
    number_column("attempts"),
    *text_columns("channel", "ts", "token", nullable=True),
    time_column("not_before", nullable=True),
    time_column("claimed_at", nullable=True),
    time_column("created_at"),
    time_column("changed_at"),
    text_column("error", nullable=True),
    key("id"),
    unique("key"),
    one_of("state", OUTBOX_STATES),
    Index("ix_outbox_state", "workspace", "state"),
)

settings = Table(
    "settings",
    metadata,
    id_column("workspace"),
    text_column("key"),
    Column("value", JsonText, nullable=False),
    text_column("actor"),
    time_column("at"),
    key("key"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    id_column("workspace"),
    time_column("at"),
    *text_columns("actor", "action", "subject"),
    Column("facts", JsonText, nullable=False),
    Index("ix_audit_at", "workspace", "at"),
)

seen_keys = Table(
    "seen_keys",
    metadata,
    id_column("workspace"),
    text_column("key"),
    time_column("at"),
    key("key"),
    Index("ix_seen_keys_at", "workspace", "at"),
    sqlite_with_rowid=False,
)

# Partial indexes serve only queries that spell their condition in the same literals: both use these terms.
UNRESOLVED = alerts.c.state != literal_column("'resolved'")
UNPOSTED = outbox.c.state.in_((literal_column("'ready'"), literal_column("'unknown'")))

partial_index("ix_alerts_unresolved", UNRESOLVED, alerts.c.key, unique=True)
partial_index("ix_outbox_unposted", UNPOSTED, outbox.c.changed_at)
