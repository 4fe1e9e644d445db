"""Limits and holds, do-not-contact, opens and clicks, campaign files; signatures and further From addresses; what kind
of stage a delivery is of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXT = sa.Text()
_BYTES = sa.LargeBinary()
_BIG = sa.BigInteger()
_NUMBER = sa.Integer()
_FLAG = sa.Boolean()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _mailboxes()
    _campaigns()
    _deliveries()
    _suppressions()
    _holds()
    _traffic()
    _learned_caps()
    _engagements()
    _campaign_files()
    _domain_checks()


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _refers(table: str, column: str, referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace", column],
        [f"{referred}.workspace", f"{referred}.id"],
        name=f"fk_{table}_workspace_{column}",
        ondelete="CASCADE",
    )


def _mailboxes() -> None:
    for name, default in (("signature_text", ""), ("signature_html", ""), ("aliases", "[]")):
        op.add_column("mailboxes", sa.Column(name, _TEXT, nullable=False, server_default=default))


def _campaigns() -> None:
    op.add_column("campaigns", sa.Column("shared", _FLAG, nullable=False, server_default=sa.false()))
    for name in ("job", "job_stage"):
        op.add_column("campaigns", sa.Column(name, _TEXT, nullable=False, server_default=""))


def _deliveries() -> None:
    op.add_column("deliveries", sa.Column("kind", _TEXT, nullable=False, server_default="email"))
    op.add_column("deliveries", sa.Column("bypass", _FLAG, nullable=False, server_default=sa.false()))
    op.create_index("ix_deliveries_newest", "deliveries", ["workspace", "campaign_id", "created_at"])


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        *_columns(_TEXT, "workspace", "key", "code", "note", "actor"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_suppressions"),
        sqlite_with_rowid=False,
    )


def _holds() -> None:
    op.create_table(
        "holds",
        *_columns(_TEXT, "workspace", "kind", "key", "code", "note", "actor"),
        *_columns(_MOMENT, "at"),
        *_columns(_MOMENT, "until", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "kind", "key", "code", name="pk_holds"),
        sqlite_with_rowid=False,
    )


def _traffic() -> None:
    op.create_table(
        "traffic",
        *_columns(_TEXT, "workspace", "scope", "key"),
        *_columns(_MOMENT, "bucket"),
        *_columns(_NUMBER, "count"),
        sa.PrimaryKeyConstraint("workspace", "scope", "key", "bucket", name="pk_traffic"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_traffic_bucket", "traffic", ["workspace", "bucket"])


def _learned_caps() -> None:
    op.create_table(
        "learned_caps",
        *_columns(_TEXT, "workspace", "mailbox_id"),
        *_columns(_NUMBER, "cap"),
        *_columns(_MOMENT, "at", "until"),
        *_columns(_TEXT, "code", "raw"),
        sa.PrimaryKeyConstraint("workspace", "mailbox_id", name="pk_learned_caps"),
        _refers("learned_caps", "mailbox_id", "mailboxes"),
        sqlite_with_rowid=False,
    )


def _engagements() -> None:
    op.create_table(
        "engagements",
        *_columns(_TEXT, "workspace", "delivery_id", "kind", "target"),
        *_columns(_FLAG, "machine"),
        *_columns(_MOMENT, "at"),
        *_columns(_TEXT, "enrollment_id", "campaign_id"),
        *_columns(_NUMBER, "stage"),
        *_columns(_TEXT, "agent"),
        sa.PrimaryKeyConstraint("workspace", "delivery_id", "kind", "target", "machine", name="pk_engagements"),
        _refers("engagements", "delivery_id", "deliveries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_engagements_campaign_id", "engagements", ["workspace", "campaign_id", "kind"])


def _campaign_files() -> None:
    op.create_table(
        "campaign_files",
        *_columns(_TEXT, "workspace", "campaign_id", "name", "content_type", "sha256"),
        *_columns(_BIG, "size"),
        *_columns(_MOMENT, "at"),
        *_columns(_BYTES, "content"),
        sa.PrimaryKeyConstraint("workspace", "campaign_id", "name", name="pk_campaign_files"),
        _refers("campaign_files", "campaign_id", "campaigns"),
    )


def _domain_checks() -> None:
    op.create_table(
        "domain_checks",
        *_columns(_TEXT, "workspace", "domain", "mail"),
        *_columns(_MOMENT, "at"),
        sa.PrimaryKeyConstraint("workspace", "domain", name="pk_domain_checks"),
        sqlite_with_rowid=False,
    )
