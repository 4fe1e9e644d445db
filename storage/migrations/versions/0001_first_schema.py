"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text()
_WORD = sa.String(20)
_NUMBER = sa.Integer()
_BIG = sa.BigInteger()
_FLAG = sa.Boolean()
_BYTES = sa.LargeBinary()
_MOMENT = sa.DateTime(timezone=True)
_BYTEWISE = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _alerts()
    _audit()
    _campaigns()
    _health()
    _mailboxes()
    _outbox()
    _people()
    _seen_keys()
    _settings()
    _tickets()
    _workspaces()
    _credentials()
    _enrollments()
    _folders()
    _messages()
    _person_addresses()
    _sync_log()
    _activities()
    _deliveries()
    _enrollment_events()
    _seen_messages()
    _delivery_texts()


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _refers(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_workspace_{column}"
    return sa.ForeignKeyConstraint(["workspace", column], [f"{to}.workspace", f"{to}.id"], name=name, ondelete=ondelete)


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _alerts() -> None:
    op.create_table(
        "alerts",
        *_columns(_TEXT, "workspace", "id", "key"),
        *_columns(_WORD, "state"),
        *_columns(_NUMBER, "version"),
        *_columns(_MOMENT, "opened_at"),
        *_columns(_TEXT, "facts"),
        *_columns(_MOMENT, "resolved_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_alerts"),
        sa.CheckConstraint("state IN ('open', 'resyncing', 'resolved')", name=op.f("ck_alerts_state")),
    )
    _partial_index("ix_alerts_unresolved", "alerts", ["workspace", "key"], "state != 'resolved'", unique=True)


def _audit() -> None:
    op.create_table(
        "audit",
        *_columns(_SEQUENCE, "seq"),
        *_columns(_TEXT, "workspace"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "actor", "action", "subject", "facts"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["workspace", "at"])


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        *_columns(_TEXT, "workspace", "id", "name", "name_key"),
        *_columns(_WORD, "status"),
        *_columns(_NUMBER, "version"),
        *_columns(_MOMENT, "created_at"),
        *_columns(_TEXT, "senders", "stages"),
        *_columns(_TEXT, "owner", "channel", "timezone", nullable=True),
        *_columns(_TEXT, "email_priority", "definition"),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_campaigns"),
        sa.UniqueConstraint("workspace", "name", name="uq_campaigns_workspace_name"),
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'paused', 'stopped', 'archived')", name=op.f("ck_campaigns_status")
        ),
    )
    op.create_index("ix_campaigns_name_key", "campaigns", ["workspace", "name_key"])


def _health() -> None:
    op.create_table(
        "health",
        *_columns(_TEXT, "workspace", "part"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "part", name="pk_health"),
    )


def _mailboxes() -> None:
    op.create_table(
        "mailboxes",
        *_columns(_TEXT, "workspace", "id", "address", "address_key", "owner", "provider", "username", "imap_host"),
        *_columns(_NUMBER, "imap_port"),
        *_columns(_TEXT, "imap_tls", "smtp_host"),
        *_columns(_NUMBER, "smtp_port"),
        *_columns(_TEXT, "smtp_tls"),
        *_columns(_FLAG, "send", "capture"),
        *_columns(_WORD, "status"),
        *_columns(_NUMBER, "version"),
        *_columns(_MOMENT, "created_at"),
        *_columns(_TEXT, "display_name"),
        *_columns(_TEXT, "fault_cause", "fault_raw", "fault_fix", nullable=True),
        *_columns(_MOMENT, "fault_at", nullable=True),
        *_columns(_NUMBER, "streak"),
        *_columns(_MOMENT, "failing_since", "last_sync_at", "next_send_at", "resync_requested_at", nullable=True),
        *_columns(_TEXT, "resync_requested_by", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_mailboxes"),
        sa.UniqueConstraint("workspace", "address_key", name="uq_mailboxes_workspace_address_key"),
        sa.CheckConstraint(
            "status IN ('connecting', 'historical', 'active', 'partial', 'error', 'connection_issue', 'pending', 'paused', 'disconnected')",
            name=op.f("ck_mailboxes_status"),
        ),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_columns(_TEXT, "workspace", "id"),
        *_columns(_BYTEWISE, "key"),
        *_columns(_TEXT, "destination", "kind", "facts"),
        *_columns(_NUMBER, "version", "posted_version"),
        *_columns(_TEXT, "state"),
        *_columns(_NUMBER, "attempts"),
        *_columns(_TEXT, "channel", "ts", "token", nullable=True),
        *_columns(_MOMENT, "not_before", "claimed_at", nullable=True),
        *_columns(_MOMENT, "created_at", "changed_at"),
        *_columns(_TEXT, "error", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_outbox"),
        sa.UniqueConstraint("workspace", "key", name="uq_outbox_workspace_key"),
        sa.CheckConstraint(
            "state IN ('ready', 'posting', 'posted', 'unknown', 'failed')", name=op.f("ck_outbox_state")
        ),
    )
    op.create_index("ix_outbox_state", "outbox", ["workspace", "state"])
    _partial_index("ix_outbox_unposted", "outbox", ["workspace", "changed_at"], "state IN ('ready', 'unknown')")


def _people() -> None:
    op.create_table(
        "people",
        *_columns(_TEXT, "workspace", "id", "first_name", "last_name", "phone", "timezone"),
        *_columns(_MOMENT, "created_at", "updated_at"),
        *_columns(_TEXT, "fields"),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_people"),
    )


def _seen_keys() -> None:
    op.create_table(
        "seen_keys",
        *_columns(_TEXT, "workspace", "key"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_seen_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_seen_keys_at", "seen_keys", ["workspace", "at"])


def _settings() -> None:
    op.create_table(
        "settings",
        *_columns(_TEXT, "workspace", "key", "value", "actor"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_settings"),
        sqlite_with_rowid=False,
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        *_columns(_TEXT, "workspace"),
        *_columns(_BYTES, "token_hash"),
        *_columns(_TEXT, "user"),
        *_columns(_MOMENT, "expires_at"),
        *_columns(_TEXT, "mailbox_id", nullable=True),
        *_columns(_MOMENT, "spent_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "token_hash", name="pk_tickets"),
        sqlite_with_rowid=False,
    )


def _workspaces() -> None:
    op.create_table(
        "workspaces",
        *_columns(_TEXT, "workspace", "name"),
        *_columns(_MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("workspace", name="pk_workspaces"),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        *_columns(_TEXT, "workspace", "mailbox_id", "key_id"),
        *_columns(_BYTES, "sealed"),
        sa.PrimaryKeyConstraint("workspace", "mailbox_id", name="pk_credentials"),
        _refers("credentials", "mailbox_id", "mailboxes", ondelete="CASCADE"),
    )


def _enrollments() -> None:
    op.create_table(
        "enrollments",
        *_columns(_TEXT, "workspace", "id", "campaign_id", "person_id"),
        *_columns(_TEXT, "mailbox_id", nullable=True),
        *_columns(_WORD, "status"),
        *_columns(_NUMBER, "stage", "version"),
        *_columns(_MOMENT, "created_at"),
        *_columns(_TEXT, "reason_code", "reason_text", "reason_fix", nullable=True),
        *_columns(_MOMENT, "next_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_enrollments"),
        sa.UniqueConstraint(
            "workspace", "campaign_id", "person_id", name="uq_enrollments_workspace_campaign_id_person_id"
        ),
        _refers("enrollments", "campaign_id", "campaigns"),
        _refers("enrollments", "mailbox_id", "mailboxes"),
        _refers("enrollments", "person_id", "people"),
        sa.CheckConstraint(
            "status IN ('Active', 'Pending', 'Paused', 'Replied', 'Complete', 'Bounced', 'Spam', 'Not Delivered')",
            name=op.f("ck_enrollments_status"),
        ),
    )
    op.create_index("ix_enrollments_campaign_status", "enrollments", ["workspace", "campaign_id", "status"])
    op.create_index("ix_enrollments_person_id", "enrollments", ["workspace", "person_id"])


def _folders() -> None:
    op.create_table(
        "folders",
        *_columns(_TEXT, "workspace", "id", "mailbox_id", "name", "role"),
        *_columns(_BIG, "uidvalidity", nullable=True),
        *_columns(_BIG, "uidnext"),
        *_columns(_BIG, "highestmodseq", nullable=True),
        *_columns(_BIG, "exists"),
        *_columns(_MOMENT, "read_through_at", nullable=True),
        *_columns(_NUMBER, "resets", "error_count"),
        *_columns(_MOMENT, "parked_until", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_folders"),
        sa.UniqueConstraint("workspace", "mailbox_id", "name", name="uq_folders_workspace_mailbox_id_name"),
        _refers("folders", "mailbox_id", "mailboxes", ondelete="CASCADE"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        *_columns(_TEXT, "workspace", "id", "mailbox_id", "fingerprint"),
        *_columns(_TEXT, "message_id", nullable=True),
        *_columns(_TEXT, "direction", "kind"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "sender", "recipients", "subject", "in_reply_to", "references"),
        *_columns(_TEXT, "thread_id", nullable=True),
        *_columns(_TEXT, "text", "defects"),
        *_columns(_BYTES, "raw", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_messages"),
        sa.UniqueConstraint(
            "workspace", "mailbox_id", "fingerprint", name="uq_messages_workspace_mailbox_id_fingerprint"
        ),
        _refers("messages", "mailbox_id", "mailboxes"),
    )


def _person_addresses() -> None:
    op.create_table(
        "person_addresses",
        *_columns(_TEXT, "workspace", "key", "person_id", "address", "type"),
        *_columns(_FLAG, "primary"),
        *_columns(_MOMENT, "added_at"),
        *_columns(_NUMBER, "position"),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_person_addresses"),
        _refers("person_addresses", "person_id", "people", ondelete="CASCADE"),
        sa.CheckConstraint("type IN ('personal', 'work', 'other')", name=op.f("ck_person_addresses_type")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_person_addresses_person_id", "person_addresses", ["workspace", "person_id"])


def _sync_log() -> None:
    op.create_table(
        "sync_log",
        *_columns(_SEQUENCE, "seq"),
        *_columns(_TEXT, "workspace", "mailbox_id"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "cause", "raw", "fix"),
        sa.PrimaryKeyConstraint("seq", name="pk_sync_log"),
        _refers("sync_log", "mailbox_id", "mailboxes", ondelete="CASCADE"),
    )
    op.create_index("ix_sync_log_mailbox_id", "sync_log", ["workspace", "mailbox_id", "at"])


def _activities() -> None:
    op.create_table(
        "activities",
        *_columns(_TEXT, "workspace", "person_id", "fingerprint", "message_row_id", "direction", "kind", "rule"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "campaign_id", "enrollment_id", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "person_id", "fingerprint", name="pk_activities"),
        _refers("activities", "message_row_id", "messages"),
        _refers("activities", "person_id", "people", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        *_columns(_TEXT, "workspace", "id", "enrollment_id", "campaign_id"),
        *_columns(_TEXT, "mailbox_id", nullable=True),
        *_columns(_NUMBER, "stage", "series"),
        *_columns(_FLAG, "first_touch"),
        *_columns(_WORD, "state"),
        *_columns(_NUMBER, "version"),
        *_columns(_MOMENT, "created_at"),
        *_columns(_MOMENT, "due_at", nullable=True),
        *_columns(
            _TEXT, "waiting_for", "message_id", "wire_message_id", "subject", "recipient", "token", nullable=True
        ),
        *_columns(_MOMENT, "claimed_at", nullable=True),
        *_columns(_NUMBER, "attempts", "resends", "checks"),
        *_columns(_MOMENT, "next_check_at", nullable=True),
        *_columns(_TEXT, "reason", "server_text", nullable=True),
        *_columns(_MOMENT, "sent_at", nullable=True),
        *_columns(_TEXT, "settled_by", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "workspace", "enrollment_id", "stage", "series", name="uq_deliveries_workspace_enrollment_id_stage_series"
        ),
        _refers("deliveries", "campaign_id", "campaigns"),
        _refers("deliveries", "enrollment_id", "enrollments", ondelete="CASCADE"),
        _refers("deliveries", "mailbox_id", "mailboxes"),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'unknown', 'held', 'failed', 'cancelled', 'skipped')",
            name=op.f("ck_deliveries_state"),
        ),
    )
    op.create_index("ix_deliveries_campaign_id", "deliveries", ["workspace", "campaign_id", "state"])
    _partial_index(
        "ix_deliveries_claim",
        "deliveries",
        ["workspace", "first_touch", "due_at", "id"],
        "state = 'queued' AND waiting_for IS NULL",
    )
    op.create_index("ix_deliveries_message_id", "deliveries", ["workspace", "message_id"])
    _partial_index("ix_deliveries_sending", "deliveries", ["workspace", "claimed_at"], "state = 'sending'")
    _partial_index("ix_deliveries_sent", "deliveries", ["workspace", "mailbox_id", "sent_at"], "state = 'sent'")
    _partial_index("ix_deliveries_unknown", "deliveries", ["workspace", "next_check_at"], "state = 'unknown'")
    _partial_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["workspace", "waiting_for"],
        "state = 'queued' AND waiting_for IS NOT NULL",
    )
    op.create_index("ix_deliveries_wire_message_id", "deliveries", ["workspace", "wire_message_id"])


def _enrollment_events() -> None:
    op.create_table(
        "enrollment_events",
        *_columns(_SEQUENCE, "seq"),
        *_columns(_TEXT, "workspace", "enrollment_id"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "event"),
        *_columns(_WORD, "status"),
        *_columns(_NUMBER, "stage"),
        *_columns(_TEXT, "actor", "reason", "evidence"),
        sa.PrimaryKeyConstraint("seq", name="pk_enrollment_events"),
        _refers("enrollment_events", "enrollment_id", "enrollments", ondelete="CASCADE"),
        sa.CheckConstraint(
            "status IN ('Active', 'Pending', 'Paused', 'Replied', 'Complete', 'Bounced', 'Spam', 'Not Delivered')",
            name=op.f("ck_enrollment_events_status"),
        ),
    )
    op.create_index("ix_enrollment_events_enrollment_id", "enrollment_events", ["workspace", "enrollment_id"])


def _seen_messages() -> None:
    op.create_table(
        "seen_messages",
        *_columns(_TEXT, "workspace", "folder_id"),
        *_columns(_BIG, "uidvalidity", "uid"),
        *_columns(_BYTES, "header_hash"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "folder_id", "uidvalidity", "uid", name="pk_seen_messages"),
        _refers("seen_messages", "folder_id", "folders", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def _delivery_texts() -> None:
    op.create_table(
        "delivery_texts",
        *_columns(_TEXT, "workspace", "delivery_id"),
        *_columns(_BYTES, "raw"),
        sa.PrimaryKeyConstraint("workspace", "delivery_id", name="pk_delivery_texts"),
        _refers("delivery_texts", "delivery_id", "deliveries", ondelete="CASCADE"),
    )
