"""Mailboxes, what is read of them, and who keeps them."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from core.domain.account import MailboxStatus
from core.ports.filing import FilingHabit
from storage.column_types import Bytes, Sequence64, TextTuple, enum_text
from storage.columns import (
    big_column,
    flag_column,
    id_column,
    key,
    number_column,
    number_columns,
    one_of,
    refers,
    text_column,
    text_columns,
    time_column,
    time_columns,
    unique,
)
from storage.tables.base import metadata, partial_index

mailboxes = Table(
    "mailboxes",
    metadata,
    id_column("workspace"),
    id_column("id"),
    *text_columns("address", "address_key", "owner", "provider", "username", "imap_host"),
    number_column("imap_port"),
    text_column("imap_tls"),
    text_column("smtp_host"),
    number_column("smtp_port"),
    text_column("smtp_tls"),
    flag_column("send"),
    flag_column("capture"),
    Column("status", enum_text(MailboxStatus), nullable=False),
    one_of("status", MailboxStatus),
    number_column("version"),
    time_column("created_at"),
    text_column("display_name"),
    *text_columns("fault_cause", "fault_raw", "fault_fix", nullable=True),
    time_column("fault_at", nullable=True),
    number_column("streak"),
    *time_columns("failing_since", "last_sync_at", "next_send_at", "resync_requested_at", nullable=True),
    text_column("resync_requested_by", nullable=True),
    text_column("sign_in"),
    *time_columns("signed_in_at", "token_expires_at", "refreshed_at", nullable=True),
    *text_columns("send_fault_cause", "send_fault_raw", "send_fault_fix", nullable=True),
    time_column("send_fault_at", nullable=True),
    *text_columns("signature_text", "signature_html"),
    Column("aliases", TextTuple, nullable=False),
    key("id"),
    unique("address_key"),
)

credentials = Table(
    "credentials",
    metadata,
    id_column("workspace"),
    id_column("mailbox_id"),
    id_column("key_id"),
    Column("sealed", Bytes, nullable=False),
    key("mailbox_id"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
)

folders = Table(
    "folders",
    metadata,
    id_column("workspace"),
    id_column("id"),
    id_column("mailbox_id"),
    text_column("name"),
    text_column("role"),
    big_column("uidvalidity", nullable=True),
    big_column("uidnext"),
    big_column("highestmodseq", nullable=True),
    big_column("exists"),
    time_column("read_through_at", nullable=True),
    number_column("resets"),
    number_column("error_count"),
    time_column("parked_until", nullable=True),
    big_column("history_below", nullable=True),
    big_column("history_left"),
    key("id"),
    unique("mailbox_id", "name"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
)

seen_messages = Table(
    "seen_messages",
    metadata,
    id_column("workspace"),
    id_column("folder_id"),
    big_column("uidvalidity"),
    big_column("uid"),
    Column("header_hash", Bytes, nullable=False),
    time_column("at"),
    flag_column("matched"),
    key("folder_id", "uidvalidity", "uid"),
    refers("folder_id", "folders", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    id_column("workspace"),
    id_column("id"),
    id_column("mailbox_id"),
    text_column("fingerprint"),
    text_column("message_id", nullable=True),
    id_column("direction"),
    id_column("kind"),
    time_column("at"),
    text_column("sender"),
    Column("recipients", TextTuple, nullable=False),
    text_column("subject"),
    Column("in_reply_to", TextTuple, nullable=False),
    Column("references", TextTuple, nullable=False),
    text_column("thread_id", nullable=True),
    text_column("text"),
    Column("defects", TextTuple, nullable=False),
    Column("raw", Bytes, nullable=True),
    key("id"),
    unique("mailbox_id", "fingerprint"),
    refers("mailbox_id", "mailboxes"),
)

sync_log = Table(
    "sync_log",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    id_column("workspace"),
    id_column("mailbox_id"),
    time_column("at"),
    *text_columns("cause", "raw", "fix"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    Index("ix_sync_log_mailbox_id", "workspace", "mailbox_id", "at"),
)

mailbox_leases = Table(
    "mailbox_leases",
    metadata,
    id_column("workspace"),
    id_column("mailbox_id"),
    id_column("holder"),
    time_column("until"),
    key("mailbox_id"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

canaries = Table(
    "canaries",
    metadata,
    id_column("workspace"),
    id_column("id"),
    id_column("from_mailbox"),
    id_column("to_mailbox"),
    text_column("message_id"),
    time_column("sent_at"),
    time_column("seen_at", nullable=True),
    time_column("settled_at", nullable=True),
    key("id"),
    unique("message_id"),
    refers("from_mailbox", "mailboxes", ondelete="CASCADE"),
    refers("to_mailbox", "mailboxes", ondelete="CASCADE"),
    Index("ix_canaries_from_mailbox", "workspace", "from_mailbox", "sent_at"),
)

tickets = Table(
    "tickets",
    metadata,
    id_column("workspace"),
    Column("token_hash", Bytes, nullable=False),
    text_column("user"),
    time_column("expires_at"),
    id_column("mailbox_id", nullable=True),
    time_column("spent_at", nullable=True),
    key("token_hash"),
    sqlite_with_rowid=False,
)

sign_ins = Table(
    "sign_ins",
    metadata,
    id_column("workspace"),
    Column("state_hash", Bytes, nullable=False),
    Column("ticket_hash", Bytes, nullable=False),
    id_column("provider"),
    text_column("address"),
    time_column("expires_at"),
    time_column("spent_at", nullable=True),
    key("state_hash"),
    sqlite_with_rowid=False,
)

backfills = Table(
    "backfills",
    metadata,
    id_column("workspace"),
    text_column("key"),
    id_column("mailbox_id"),
    text_column("address"),
    time_column("asked_at"),
    time_column("not_before"),
    number_column("tries"),
    time_column("done_at", nullable=True),
    *number_columns("there", "looked_at", "logged"),
    key("key", "mailbox_id"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

filings = Table(
    "filings",
    metadata,
    id_column("workspace"),
    id_column("mailbox_id"),
    Column("habit", enum_text(FilingHabit), nullable=False),
    one_of("habit", FilingHabit),
    time_column("through_at"),
    id_column("through_id"),
    time_column("not_before"),
    key("mailbox_id"),
    refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

# Partial indexes serve only queries that spell their condition in the same literals: both use these terms.
UNSETTLED = canaries.c.settled_at.is_(None)
UNFINISHED = backfills.c.done_at.is_(None)

partial_index("ix_canaries_unsettled", UNSETTLED, canaries.c.sent_at)
partial_index("ix_backfills_unfinished", UNFINISHED, backfills.c.not_before)
