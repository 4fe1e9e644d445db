"""What keeps mail back: counts of what went, holds, lowered caps, addresses that are never written to."""

from __future__ import annotations

from sqlalchemy import Index, Table

from storage.columns import id_column, key, number_column, refers, text_column, text_columns, time_column, time_columns
from storage.tables.base import metadata

traffic = Table(
    "traffic",
    metadata,
    id_column("workspace"),
    id_column("scope"),
    text_column("key"),
    time_column("bucket"),
    number_column("count"),
    key("scope", "key", "bucket"),
    Index("ix_traffic_bucket", "workspace", "bucket"),
    sqlite_with_rowid=False,
)

holds = Table(
    "holds",
    metadata,
    id_column("workspace"),
    *text_columns("kind", "key", "code", "note", "actor"),
    time_column("at"),
    time_column("until", nullable=True),
    key("kind", "key", "code"),
    sqlite_with_rowid=False,
)

learned_caps = Table(
    "learned_caps",
    metadata,
    id_column("workspace"),
    id_column("mailbox_id"),
    number_column("cap"),
    *time_columns("at", "until"),
    *text_columns("code", "raw"),
    key("mailbox_id"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    id_column("workspace"),
    *text_columns("key", "code", "note", "actor"),
    time_column("at"),
    key("key"),
    sqlite_with_rowid=False,
)

domain_checks = Table(
    "domain_checks",
    metadata,
    id_column("workspace"),
    *text_columns("domain", "mail"),
    time_column("at"),
    key("domain"),
    sqlite_with_rowid=False,
)
