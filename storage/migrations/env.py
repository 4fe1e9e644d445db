"""Alembic's entry: always on a connection that ``storage.migrate`` (or a test) hands in."""

from __future__ import annotations

from alembic import context

from storage.tables import metadata


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """Procrastinate keeps its own tables in the same PostgreSQL database."""
    return kind != "table" or not str(name).startswith("procrastinate_")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=_ours,
)
with context.begin_transaction():
    context.run_migrations()
