"""Sign-in by OAuth, history read in the background, leases of mailboxes, check mails."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text()
_BYTES = sa.LargeBinary()
_BIG = sa.BigInteger()
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _mailboxes()
    _folders()
    _sign_ins()
    _mailbox_leases()
    _canaries()


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _refers(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace", column],
        ["mailboxes.workspace", "mailboxes.id"],
        name=f"fk_{table}_workspace_{column}",
        ondelete="CASCADE",
    )


def _mailboxes() -> None:
    op.add_column("mailboxes", sa.Column("sign_in", _TEXT, nullable=False, server_default="password"))
    moments = _columns(_MOMENT, "signed_in_at", "token_expires_at", "refreshed_at", "send_fault_at", nullable=True)
    texts = _columns(_TEXT, "send_fault_cause", "send_fault_raw", "send_fault_fix", nullable=True)
    for column in moments + texts:
        op.add_column("mailboxes", column)


def _folders() -> None:
    op.add_column("folders", sa.Column("history_below", _BIG, nullable=True))
    op.add_column("folders", sa.Column("history_left", _BIG, nullable=False, server_default="0"))


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        *_columns(_TEXT, "workspace"),
        *_columns(_BYTES, "state_hash", "ticket_hash"),
        *_columns(_TEXT, "provider", "address"),
        *_columns(_MOMENT, "expires_at"),
        *_columns(_MOMENT, "spent_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "state_hash", name="pk_sign_ins"),
        sqlite_with_rowid=False,
    )


def _mailbox_leases() -> None:
    op.create_table(
        "mailbox_leases",
        *_columns(_TEXT, "workspace", "mailbox_id", "holder"),
        *_columns(_MOMENT, "until"),
        sa.PrimaryKeyConstraint("workspace", "mailbox_id", name="pk_mailbox_leases"),
        _refers("mailbox_leases", "mailbox_id"),
        sqlite_with_rowid=False,
    )


def _canaries() -> None:
    op.create_table(
        "canaries",
        *_columns(_TEXT, "workspace", "id", "from_mailbox", "to_mailbox", "message_id"),
        *_columns(_MOMENT, "sent_at"),
        *_columns(_MOMENT, "seen_at", "settled_at", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_canaries"),
        sa.UniqueConstraint("workspace", "message_id", name="uq_canaries_workspace_message_id"),
        _refers("canaries", "from_mailbox"),
        _refers("canaries", "to_mailbox"),
    )
    op.create_index("ix_canaries_from_mailbox", "canaries", ["workspace", "from_mailbox", "sent_at"])
    unsettled = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_canaries_unsettled",
        "canaries",
        ["workspace", "sent_at"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
