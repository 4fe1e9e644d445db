"""What SQLite's planner is told about the sizes of things.

Without statistics it takes ten rows for every index whose first column is given. Here that column is ``workspace``,
which says almost nothing, and plans would read a whole workspace per row. ``ANALYZE`` of a young database would
freeze the opposite mistake. So the statistics are written once, from assumptions about a grown database, and plans
stay the same from the first row to the millionth (sqlite.org/optoverview.html, "sqlite_stat1").
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

_MANY = 1_000_000
_ROWS = {
    "workspaces": 10,
    "mailboxes": 1_000,
    "credentials": 1_000,
    "folders": 5_000,
    "campaigns": 500,
    "settings": 100,
    "tickets": 500,
    "sign_ins": 500,
    "mailbox_leases": 1_000,
    "canaries": 100_000,
    "backfills": 20_000,
    "filings": 1_000,
    "holds": 100,
    "traffic": 200_000,
    "learned_caps": 100,
    "suppressions": 100_000,
    "campaign_files": 500,
    "domain_checks": 50_000,
}
_ROWS_OF_PARTIAL = {
    "ix_deliveries_claim": 20_000,
    "ix_deliveries_waiting": 20_000,
    "ix_deliveries_sending": 50,
    "ix_deliveries_unknown": 50,
    "ix_deliveries_looks": 20_000,
    "ix_alerts_unresolved": 100,
    "ix_outbox_unposted": 100,
    "ix_enrollment_events_reply": 20_000,
    "ix_canaries_unsettled": 1_000,
    "ix_backfills_unfinished": 1_000,
}
_ROWS_PER_VALUE = {
    "workspace": _MANY,
    "state": 200_000,
    "status": 200_000,
    "first_touch": 500_000,
    "kind": 200_000,
    "waiting_for": 5_000,
    "campaign_id": 5_000,
    "mailbox_id": 5_000,
    "from_mailbox": 1_000,
    "folder_id": 5_000,
    "uidvalidity": 5_000,
    "scope": 50_000,
    "bucket": 500,
    "person_id": 5,
    "enrollment_id": 5,
}


def write_statistics(connection: Connection) -> None:
    """Replaces SQLite's statistics by our assumptions; connections opened afterwards plan by them."""
    connection.exec_driver_sql("ANALYZE health")  # creates sqlite_stat1
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    rows = [row for table in inspect(connection).get_table_names() for row in _statistics(connection, table)]
    connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)"), rows)


def _statistics(connection: Connection, table: str) -> Iterator[dict[str, str]]:
    stored = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'").scalars())
    for _, name, unique, *_ in connection.exec_driver_sql(f'PRAGMA index_list("{table}")').all():
        info = connection.exec_driver_sql(f'PRAGMA index_info("{name}")').all()
        rows = _ROWS_OF_PARTIAL.get(name, _ROWS.get(table, _MANY))
        stat = _stat([column for _, _, column in info], rows, unique=bool(unique))
        # The key of a table without rowid is the table itself and goes by its name.
        yield {"tbl": table, "idx": name if name in stored else table, "stat": stat}


def _stat(columns: list[str], rows: int, *, unique: bool) -> str:
    """The number of rows, then how many share one value of the first column, of the first two, and so on."""
    shared, numbers = rows, [rows]
    for column in columns:
        shared = min(shared, _ROWS_PER_VALUE.get(column, 2))
        numbers.append(shared)
    if unique:
        numbers[-1] = 1
    return " ".join(map(str, numbers))
