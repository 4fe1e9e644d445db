"""An index by which the days of a large campaign are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SENT = sa.text("state = 'sent'")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_sent_at",
        "deliveries",
        ["workspace", "campaign_id", "sent_at"],
        sqlite_where=_SENT,
        postgresql_where=_SENT,
    )
