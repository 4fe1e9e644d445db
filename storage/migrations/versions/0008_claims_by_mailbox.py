"""What is due is found mailbox by mailbox: the queue of one that rests is not read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CLAIMABLE = sa.text("state = 'queued' AND waiting_for IS NULL")


def upgrade() -> None:
    op.drop_index("ix_deliveries_claim", "deliveries")
    op.create_index(
        "ix_deliveries_claim",
        "deliveries",
        ["workspace", "mailbox_id", "first_touch", "due_at", "id"],
        sqlite_where=_CLAIMABLE,
        postgresql_where=_CLAIMABLE,
    )
