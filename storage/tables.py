"""Every table. Each carries ``workspace``, and ids are unique within a workspace only: keys are (workspace, id)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData, Table, Text, and_, literal_column

from core.domain.account import MailboxStatus
from core.domain.alert import AlertState
from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.domain.people import ADDRESS_TYPES
from storage.column_types import Bytes, BytewiseText, JsonText, Sequence64, TextTuple, enum_text
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

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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

campaigns = Table(
    "campaigns",
    metadata,
    id_column("workspace"),
    id_column("id"),
    text_column("name"),
    text_column("name_key"),
    Column("status", enum_text(CampaignStatus), nullable=False),
    one_of("status", CampaignStatus),
    number_column("version"),
    time_column("created_at"),
    Column("senders", TextTuple, nullable=False),
    Column("stages", JsonText, nullable=False),
    *text_columns("owner", "channel", "timezone", nullable=True),
    Column("email_priority", TextTuple, nullable=False),
    Column("definition", JsonText, nullable=False),
    key("id"),
    unique("name"),
    Index("ix_campaigns_name_key", "workspace", "name_key"),
)

enrollments = Table(
    "enrollments",
    metadata,
    id_column("workspace"),
    id_column("id"),
    id_column("campaign_id"),
    id_column("person_id"),
    id_column("mailbox_id", nullable=True),
    Column("status", enum_text(ProspectStatus), nullable=False),
    one_of("status", ProspectStatus),
    number_column("stage"),
    number_column("version"),
    time_column("created_at"),
    *text_columns("reason_code", "reason_text", "reason_fix", nullable=True),
    time_column("next_at", nullable=True),
    key("id"),
    unique("campaign_id", "person_id"),
    refers("campaign_id", "campaigns"),
    refers("person_id", "people"),
    refers("mailbox_id", "mailboxes"),
    Index("ix_enrollments_person_id", "workspace", "person_id"),
    Index("ix_enrollments_campaign_status", "workspace", "campaign_id", "status"),
)

enrollment_events = Table(
    "enrollment_events",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    id_column("workspace"),
    id_column("enrollment_id"),
    time_column("at"),
    text_column("event"),
    Column("status", enum_text(ProspectStatus), nullable=False),
    one_of("status", ProspectStatus),
    number_column("stage"),
    *text_columns("actor", "reason", "evidence"),
    refers("enrollment_id", "enrollments", ondelete="CASCADE"),
    Index("ix_enrollment_events_enrollment_id", "workspace", "enrollment_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column("workspace"),
    id_column("id"),
    id_column("enrollment_id"),
    id_column("campaign_id"),
    id_column("mailbox_id", nullable=True),
    number_column("stage"),
    number_column("series"),
    # Follow-ups are claimed first: the claim index carries the order, and a long queue is neither sorted nor read.
    flag_column("first_touch"),
    Column("state", enum_text(DeliveryState), nullable=False),
    one_of("state", DeliveryState),
    number_column("version"),
    time_column("created_at"),
    time_column("due_at", nullable=True),
    *text_columns("waiting_for", "message_id", "wire_message_id", "subject", "recipient", "token", nullable=True),
    time_column("claimed_at", nullable=True),
    *number_columns("attempts", "resends", "checks"),
    time_column("next_check_at", nullable=True),
    text_column("reason", nullable=True),
    text_column("server_text", nullable=True),
    time_column("sent_at", nullable=True),
    text_column("settled_by", nullable=True),
    key("id"),
    unique("enrollment_id", "stage", "series"),
    refers("enrollment_id", "enrollments", ondelete="CASCADE"),
    refers("campaign_id", "campaigns"),
    refers("mailbox_id", "mailboxes"),
    Index("ix_deliveries_campaign_id", "workspace", "campaign_id", "state"),
    Index("ix_deliveries_message_id", "workspace", "message_id"),
    Index("ix_deliveries_wire_message_id", "workspace", "wire_message_id"),
)

delivery_texts = Table(
    "delivery_texts",
    metadata,
    id_column("workspace"),
    id_column("delivery_id"),
    Column("raw", Bytes, nullable=False),
    key("delivery_id"),
    refers("delivery_id", "deliveries", ondelete="CASCADE"),
)

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


def _literally(column: Column[Any], value: str) -> ColumnElement[bool]:
    return column == literal_column(f"'{value}'")


_QUEUED = _literally(deliveries.c.state, "queued")
CLAIMABLE = and_(_QUEUED, deliveries.c.waiting_for.is_(None))
WAITING = and_(_QUEUED, deliveries.c.waiting_for.is_not(None))
SENDING = _literally(deliveries.c.state, "sending")
UNKNOWN = _literally(deliveries.c.state, "unknown")
SENT = _literally(deliveries.c.state, "sent")
UNRESOLVED = alerts.c.state != literal_column("'resolved'")
UNSETTLED = canaries.c.settled_at.is_(None)
UNFINISHED = backfills.c.done_at.is_(None)
UNPOSTED = outbox.c.state.in_((literal_column("'ready'"), literal_column("'unknown'")))


def _partial(name: str, condition: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> None:
    """An index of the rows that meet the condition; it joins the table of its columns."""
    workspace = columns[0].table.c.workspace
    Index(name, workspace, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


_partial("ix_deliveries_claim", CLAIMABLE, deliveries.c.first_touch, deliveries.c.due_at, deliveries.c.id)
_partial("ix_deliveries_waiting", WAITING, deliveries.c.waiting_for)
_partial("ix_deliveries_sending", SENDING, deliveries.c.claimed_at)
_partial("ix_deliveries_unknown", UNKNOWN, deliveries.c.next_check_at)
_partial("ix_deliveries_sent", SENT, deliveries.c.mailbox_id, deliveries.c.sent_at)
_partial("ix_alerts_unresolved", UNRESOLVED, alerts.c.key, unique=True)
_partial("ix_canaries_unsettled", UNSETTLED, canaries.c.sent_at)
_partial("ix_backfills_unfinished", UNFINISHED, backfills.c.not_before)
_partial("ix_outbox_unposted", UNPOSTED, outbox.c.changed_at)
