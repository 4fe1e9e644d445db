"""How far the copies of sent mail are filed, mailbox by mailbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXT = sa.Text()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "filings",
        sa.Column("workspace", _TEXT, nullable=False),
        sa.Column("mailbox_id", _TEXT, nullable=False),
        sa.Column("habit", sa.String(20), nullable=False),
        sa.Column("through_at", _MOMENT, nullable=False),
        sa.Column("through_id", _TEXT, nullable=False),
        sa.Column("not_before", _MOMENT, nullable=False),
        sa.CheckConstraint("habit IN ('unknown', 'host', 'ours')", name=op.f("ck_filings_habit")),
        sa.PrimaryKeyConstraint("workspace", "mailbox_id", name="pk_filings"),
        sa.ForeignKeyConstraint(
            ["workspace", "mailbox_id"],
            ["mailboxes.workspace", "mailboxes.id"],
            name="fk_filings_workspace_mailbox_id",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
