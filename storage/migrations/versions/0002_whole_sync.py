"""Sign-in by OAuth, history read in the background, leases of mailboxes, check mails; matching by variants of an
address, old mail looked for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.domain.address import loose_key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text()
_BYTES = sa.LargeBinary()
_BIG = sa.BigInteger()
_NUMBER = sa.Integer()
_FLAG = sa.Boolean()
_MOMENT = sa.DateTime(timezone=True)
_PAGE = 5_000


def upgrade() -> None:
    _mailboxes()
    _folders()
    _sign_ins()
    _mailbox_leases()
    _canaries()
    _person_addresses()
    _seen_messages()
    _backfills()


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


def _person_addresses() -> None:
    op.add_column("person_addresses", sa.Column("loose_key", _TEXT, nullable=False, server_default=""))
    _fill_loose_keys(op.get_bind())
    op.create_index("ix_person_addresses_loose_key", "person_addresses", ["workspace", "loose_key"])


def _fill_loose_keys(connection: sa.Connection) -> None:
    """Page by page: a workspace may hold a million addresses."""
    table = sa.table("person_addresses", *(sa.column(name) for name in ("workspace", "key", "loose_key")))
    fill = sa.update(table).where(table.c.workspace == sa.bindparam("of"), table.c.key == sa.bindparam("of_key"))
    fill = fill.values(loose_key=sa.bindparam("loose"))
    for (workspace,) in connection.execute(sa.select(sa.table("workspaces", sa.column("workspace")).c.workspace)).all():
        page = sa.select(table.c.key).where(table.c.workspace == workspace).order_by(table.c.key).limit(_PAGE)
        keys = connection.scalars(page).all()
        while keys:
            connection.execute(fill, [{"of": workspace, "of_key": key, "loose": loose_key(key)} for key in keys])
            keys = connection.scalars(page.where(table.c.key > keys[-1])).all()


def _seen_messages() -> None:
    op.add_column("seen_messages", sa.Column("matched", _FLAG, nullable=False, server_default=sa.false()))


def _backfills() -> None:
    op.create_table(
        "backfills",
        *_columns(_TEXT, "workspace", "key", "mailbox_id", "address"),
        *_columns(_MOMENT, "asked_at", "not_before"),
        *_columns(_NUMBER, "tries"),
        *_columns(_MOMENT, "done_at", nullable=True),
        *_columns(_NUMBER, "there", "looked_at", "logged"),
        sa.PrimaryKeyConstraint("workspace", "key", "mailbox_id", name="pk_backfills"),
        _refers("backfills", "mailbox_id"),
        sqlite_with_rowid=False,
    )
    unfinished = sa.text("done_at IS NULL")
    op.create_index(
        "ix_backfills_unfinished",
        "backfills",
        ["workspace", "not_before"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
