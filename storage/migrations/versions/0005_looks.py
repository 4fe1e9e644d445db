"""An index of the calls and tasks that are told again, and of the texts that the provider is asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LOOKED_AT = sa.text("next_check_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_looks",
        "deliveries",
        ["workspace", "kind", "state", "next_check_at"],
        sqlite_where=_LOOKED_AT,
        postgresql_where=_LOOKED_AT,
    )
