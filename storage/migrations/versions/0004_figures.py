"""Indexes by which the figures of a large campaign are counted, and its first page is shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REPLY = sa.text("event = 'reply'")


def upgrade() -> None:
    op.create_index("ix_enrollments_newest", "enrollments", ["workspace", "campaign_id", "created_at"])
    op.create_index(
        "ix_enrollment_events_reply",
        "enrollment_events",
        ["workspace", "enrollment_id", "at"],
        sqlite_where=_REPLY,
        postgresql_where=_REPLY,
    )
    _widen("ix_deliveries_campaign_id", "deliveries", ["workspace", "campaign_id", "state", "stage"])
    _widen(
        "ix_engagements_campaign_id",
        "engagements",
        ["workspace", "campaign_id", "kind", "enrollment_id", "stage", "machine"],
    )


def _widen(name: str, table: str, columns: list[str]) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns)
