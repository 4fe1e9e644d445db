"""Campaigns, prospects, deliveries."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, and_

from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from storage.column_types import Bytes, JsonText, Sequence64, TextTuple, enum_text
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
    unique,
)
from storage.tables.base import literally, metadata, partial_index

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
    flag_column("shared"),
    *text_columns("job", "job_stage"),
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
    Index("ix_enrollments_newest", "workspace", "campaign_id", "created_at"),
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
    id_column("kind"),
    flag_column("bypass"),
    key("id"),
    unique("enrollment_id", "stage", "series"),
    refers("enrollment_id", "enrollments", ondelete="CASCADE"),
    refers("campaign_id", "campaigns"),
    refers("mailbox_id", "mailboxes"),
    # With the stage, so that counting what went out of each reads the index alone.
    Index("ix_deliveries_campaign_id", "workspace", "campaign_id", "state", "stage"),
    Index("ix_deliveries_newest", "workspace", "campaign_id", "created_at"),
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

engagements = Table(
    "engagements",
    metadata,
    id_column("workspace"),
    id_column("delivery_id"),
    id_column("kind"),
    text_column("target"),
    flag_column("machine"),
    time_column("at"),
    id_column("enrollment_id"),
    id_column("campaign_id"),
    number_column("stage"),
    text_column("agent"),
    key("delivery_id", "kind", "target", "machine"),
    refers("delivery_id", "deliveries", ondelete="CASCADE"),
    # All that the counts of distinct prospects ask for, in their order.
    Index("ix_engagements_campaign_id", "workspace", "campaign_id", "kind", "enrollment_id", "stage", "machine"),
    sqlite_with_rowid=False,
)

campaign_files = Table(
    "campaign_files",
    metadata,
    id_column("workspace"),
    id_column("campaign_id"),
    *text_columns("name", "content_type", "sha256"),
    big_column("size"),
    time_column("at"),
    Column("content", Bytes, nullable=False),
    key("campaign_id", "name"),
    refers("campaign_id", "campaigns", ondelete="CASCADE"),
)

# Partial indexes serve only queries that spell their condition in the same literals: both use these terms.
_QUEUED = literally(deliveries.c.state, "queued")
CLAIMABLE = and_(_QUEUED, deliveries.c.waiting_for.is_(None))
WAITING = and_(_QUEUED, deliveries.c.waiting_for.is_not(None))
SENDING = literally(deliveries.c.state, "sending")
UNKNOWN = literally(deliveries.c.state, "unknown")
SENT = literally(deliveries.c.state, "sent")
REPLY = literally(enrollment_events.c.event, "reply")

# By mailbox, so that the long queue of one that rests is stepped over.
partial_index(
    "ix_deliveries_claim",
    CLAIMABLE,
    deliveries.c.mailbox_id,
    deliveries.c.first_touch,
    deliveries.c.due_at,
    deliveries.c.id,
)
partial_index("ix_deliveries_waiting", WAITING, deliveries.c.waiting_for)
partial_index("ix_deliveries_sending", SENDING, deliveries.c.claimed_at)
partial_index("ix_deliveries_unknown", UNKNOWN, deliveries.c.next_check_at)
partial_index(
    "ix_deliveries_looks",
    deliveries.c.next_check_at.is_not(None),
    deliveries.c.kind,
    deliveries.c.state,
    deliveries.c.next_check_at,
)
partial_index("ix_deliveries_sent", SENT, deliveries.c.mailbox_id, deliveries.c.sent_at)
partial_index("ix_deliveries_sent_at", SENT, deliveries.c.campaign_id, deliveries.c.sent_at)
partial_index("ix_enrollment_events_reply", REPLY, enrollment_events.c.enrollment_id, enrollment_events.c.at)
