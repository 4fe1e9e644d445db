"""Every table. Each carries ``workspace``, and ids are unique within a workspace only: keys are (workspace, id)."""

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
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
)

from core.domain.account import MailboxStatus
from core.domain.alert import AlertState
from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.domain.people import ADDRESS_TYPES
from storage.column_types import Bytes, BytewiseText, JsonText, PlainText, Sequence64, TextTuple, UtcDateTime, enum_text

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


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, PlainText, nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> Column[str]:
    """An id of our own making: plain text that needs no cleaning."""
    return Column(name, Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=nullable)


def _number(name: str, default: int | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, default=default)


def _big(name: str, *, nullable: bool = False) -> Column[int]:
    """UIDs and their kin fill 32 bits without a sign, mod-sequences 63."""
    return Column(name, BigInteger, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _key(*names: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint("workspace", *names)


def _unique(*names: str) -> UniqueConstraint:
    return UniqueConstraint("workspace", *names)


def _refers(name: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["workspace", name], [f"{table}.workspace", f"{table}.id"], ondelete=ondelete)


def _one_of(name: str, values: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{name} IN ({', '.join(repr(str(value)) for value in values)})", name=name)


def joined(referring: Table, column: str, referred: Table) -> ColumnElement[bool]:
    """The join of a referring column with the id it names, within one workspace."""
    return and_(referring.c.workspace == referred.c.workspace, referring.c[column] == referred.c.id)


workspaces = Table(
    "workspaces",
    metadata,
    _id("workspace"),
    _text("name"),
    _time("created_at"),
    _key(),
)

health = Table("health", metadata, _id("workspace"), _id("part"), _time("at"), _key("part"))

mailboxes = Table(
    "mailboxes",
    metadata,
    _id("workspace"),
    _id("id"),
    _text("address"),
    _text("address_key"),
    _text("owner"),
    _text("provider"),
    _text("username"),
    _text("imap_host"),
    _number("imap_port"),
    _text("imap_tls"),
    _text("smtp_host"),
    _number("smtp_port"),
    _text("smtp_tls"),
    _flag("send"),
    _flag("capture"),
    Column("status", enum_text(MailboxStatus), nullable=False),
    _one_of("status", MailboxStatus),
    _number("version"),
    _time("created_at"),
    _text("display_name"),
    _text("fault_cause", nullable=True),
    _text("fault_raw", nullable=True),
    _text("fault_fix", nullable=True),
    _time("fault_at", nullable=True),
    _number("streak"),
    _time("failing_since", nullable=True),
    _time("last_sync_at", nullable=True),
    _time("next_send_at", nullable=True),
    _time("resync_requested_at", nullable=True),
    _text("resync_requested_by", nullable=True),
    _key("id"),
    _unique("address_key"),
)

credentials = Table(
    "credentials",
    metadata,
    _id("workspace"),
    _id("mailbox_id"),
    _id("key_id"),
    Column("sealed", Bytes, nullable=False),
    _key("mailbox_id"),
    _refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
)

folders = Table(
    "folders",
    metadata,
    _id("workspace"),
    _id("id"),
    _id("mailbox_id"),
    _text("name"),
    _text("role"),
    _big("uidvalidity", nullable=True),
    _big("uidnext"),
    _big("highestmodseq", nullable=True),
    _big("exists"),
    _time("read_through_at", nullable=True),
    _number("resets"),
    _number("error_count"),
    _time("parked_until", nullable=True),
    _key("id"),
    _unique("mailbox_id", "name"),
    _refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
)

seen_messages = Table(
    "seen_messages",
    metadata,
    _id("workspace"),
    _id("folder_id"),
    _big("uidvalidity"),
    _big("uid"),
    Column("header_hash", Bytes, nullable=False),
    _time("at"),
    _key("folder_id", "uidvalidity", "uid"),
    _refers("folder_id", "folders", ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    _id("workspace"),
    _id("id"),
    _id("mailbox_id"),
    _text("fingerprint"),
    _text("message_id", nullable=True),
    _id("direction"),
    _id("kind"),
    _time("at"),
    _text("sender"),
    Column("recipients", TextTuple, nullable=False),
    _text("subject"),
    Column("in_reply_to", TextTuple, nullable=False),
    Column("references", TextTuple, nullable=False),
    _text("thread_id", nullable=True),
    _text("text"),
    Column("defects", TextTuple, nullable=False),
    Column("raw", Bytes, nullable=True),
    _key("id"),
    _unique("mailbox_id", "fingerprint"),
    _refers("mailbox_id", "mailboxes"),
)

people = Table(
    "people",
    metadata,
    _id("workspace"),
    _id("id"),
    _text("first_name"),
    _text("last_name"),
    _text("phone"),
    _text("timezone"),
    _time("created_at"),
    _time("updated_at"),
    Column("fields", JsonText, nullable=False),
    _key("id"),
)

person_addresses = Table(
    "person_addresses",
    metadata,
    _id("workspace"),
    _text("key"),
    _id("person_id"),
    _text("address"),
    _id("type"),
    _flag("primary"),
    _time("added_at"),
    _number("position"),
    _key("key"),
    _refers("person_id", "people", ondelete="CASCADE"),
    _one_of("type", ADDRESS_TYPES),
    Index("ix_person_addresses_person_id", "workspace", "person_id"),
    sqlite_with_rowid=False,
)

activities = Table(
    "activities",
    metadata,
    _id("workspace"),
    _id("person_id"),
    _text("fingerprint"),
    _id("message_row_id"),
    _id("direction"),
    _id("kind"),
    _text("rule"),
    _time("at"),
    _id("campaign_id", nullable=True),
    _id("enrollment_id", nullable=True),
    _key("person_id", "fingerprint"),
    _refers("person_id", "people", ondelete="CASCADE"),
    _refers("message_row_id", "messages"),
    sqlite_with_rowid=False,
)

campaigns = Table(
    "campaigns",
    metadata,
    _id("workspace"),
    _id("id"),
    _text("name"),
    _text("name_key"),
    Column("status", enum_text(CampaignStatus), nullable=False),
    _one_of("status", CampaignStatus),
    _number("version"),
    _time("created_at"),
    Column("senders", TextTuple, nullable=False),
    Column("stages", JsonText, nullable=False),
    _text("owner", nullable=True),
    _text("channel", nullable=True),
    _text("timezone", nullable=True),
    Column("email_priority", TextTuple, nullable=False),
    Column("definition", JsonText, nullable=False),
    _key("id"),
    _unique("name"),
    Index("ix_campaigns_name_key", "workspace", "name_key"),
)

enrollments = Table(
    "enrollments",
    metadata,
    _id("workspace"),
    _id("id"),
    _id("campaign_id"),
    _id("person_id"),
    _id("mailbox_id", nullable=True),
    Column("status", enum_text(ProspectStatus), nullable=False),
    _one_of("status", ProspectStatus),
    _number("stage"),
    _number("version"),
    _time("created_at"),
    _text("reason_code", nullable=True),
    _text("reason_text", nullable=True),
    _text("reason_fix", nullable=True),
    _time("next_at", nullable=True),
    _key("id"),
    _unique("campaign_id", "person_id"),
    _refers("campaign_id", "campaigns"),
    _refers("person_id", "people"),
    _refers("mailbox_id", "mailboxes"),
    Index("ix_enrollments_person_id", "workspace", "person_id"),
    Index("ix_enrollments_campaign_status", "workspace", "campaign_id", "status"),
)

enrollment_events = Table(
    "enrollment_events",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _id("workspace"),
    _id("enrollment_id"),
    _time("at"),
    _text("event"),
    Column("status", enum_text(ProspectStatus), nullable=False),
    _one_of("status", ProspectStatus),
    _number("stage"),
    _text("actor"),
    _text("reason"),
    _text("evidence"),
    _refers("enrollment_id", "enrollments", ondelete="CASCADE"),
    Index("ix_enrollment_events_enrollment_id", "workspace", "enrollment_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id("workspace"),
    _id("id"),
    _id("enrollment_id"),
    _id("campaign_id"),
    _id("mailbox_id", nullable=True),
    _number("stage"),
    _number("series"),
    # Follow-ups are claimed first: the claim index carries the order, and a long queue is neither sorted nor read.
    _flag("first_touch"),
    Column("state", enum_text(DeliveryState), nullable=False),
    _one_of("state", DeliveryState),
    _number("version"),
    _time("created_at"),
    _time("due_at", nullable=True),
    _text("waiting_for", nullable=True),
    _text("message_id", nullable=True),
    _text("wire_message_id", nullable=True),
    _text("subject", nullable=True),
    _text("recipient", nullable=True),
    _text("token", nullable=True),
    _time("claimed_at", nullable=True),
    _number("attempts"),
    _number("resends"),
    _number("checks"),
    _time("next_check_at", nullable=True),
    _text("reason", nullable=True),
    _text("server_text", nullable=True),
    _time("sent_at", nullable=True),
    _text("settled_by", nullable=True),
    _key("id"),
    _unique("enrollment_id", "stage", "series"),
    _refers("enrollment_id", "enrollments", ondelete="CASCADE"),
    _refers("campaign_id", "campaigns"),
    _refers("mailbox_id", "mailboxes"),
    Index("ix_deliveries_campaign_id", "workspace", "campaign_id", "state"),
    Index("ix_deliveries_message_id", "workspace", "message_id"),
    Index("ix_deliveries_wire_message_id", "workspace", "wire_message_id"),
)

delivery_texts = Table(
    "delivery_texts",
    metadata,
    _id("workspace"),
    _id("delivery_id"),
    Column("raw", Bytes, nullable=False),
    _key("delivery_id"),
    _refers("delivery_id", "deliveries", ondelete="CASCADE"),
)

alerts = Table(
    "alerts",
    metadata,
    _id("workspace"),
    _id("id"),
    _text("key"),
    Column("state", enum_text(AlertState), nullable=False),
    _one_of("state", AlertState),
    _number("version"),
    _time("opened_at"),
    Column("facts", JsonText, nullable=False),
    _time("resolved_at", nullable=True),
    _key("id"),
)

sync_log = Table(
    "sync_log",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _id("workspace"),
    _id("mailbox_id"),
    _time("at"),
    _text("cause"),
    _text("raw"),
    _text("fix"),
    _refers("mailbox_id", "mailboxes", ondelete="CASCADE"),
    Index("ix_sync_log_mailbox_id", "workspace", "mailbox_id", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id("workspace"),
    _id("id"),
    Column("key", BytewiseText, nullable=False),
    _text("destination"),
    _text("kind"),
    Column("facts", JsonText, nullable=False),
    _number("version"),
    _number("posted_version"),
    Column("state", Text, nullable=False),
    _number("attempts"),
    _text("channel", nullable=True),
    _text("ts", nullable=True),
    _text("token", nullable=True),
    _time("not_before", nullable=True),
    _time("claimed_at", nullable=True),
    _time("created_at"),
    _time("changed_at"),
    _text("error", nullable=True),
    _key("id"),
    _unique("key"),
    _one_of("state", OUTBOX_STATES),
    Index("ix_outbox_state", "workspace", "state"),
)

settings = Table(
    "settings",
    metadata,
    _id("workspace"),
    _text("key"),
    Column("value", JsonText, nullable=False),
    _text("actor"),
    _time("at"),
    _key("key"),
    sqlite_with_rowid=False,
)

tickets = Table(
    "tickets",
    metadata,
    _id("workspace"),
    Column("token_hash", Bytes, nullable=False),
    _text("user"),
    _time("expires_at"),
    _id("mailbox_id", nullable=True),
    _time("spent_at", nullable=True),
    _key("token_hash"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _id("workspace"),
    _time("at"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    Column("facts", JsonText, nullable=False),
    Index("ix_audit_at", "workspace", "at"),
)

seen_keys = Table(
    "seen_keys",
    metadata,
    _id("workspace"),
    _text("key"),
    _time("at"),
    _key("key"),
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
_partial("ix_outbox_unposted", UNPOSTED, outbox.c.changed_at)
