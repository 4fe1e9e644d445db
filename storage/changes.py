"""Many rows of one table changed at once, each by what differs, none where somebody else was there first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Table, bindparam

from core.errors import LostRaceError
from storage.scope import Scope, Values, chunks


async def locked_versions(scope: Scope, table: Table, ids: Collection[str]) -> dict[str, int]:
    """Ids to versions. On PostgreSQL the rows are locked until the transaction ends (in one order, so that two units
    never wait for each other); SQLite has one writer."""
    found: dict[str, int] = {}
    for some in chunks(ids):
        statement = scope.select(table, table.c.id, table.c.version).where(table.c.id.in_(some)).order_by(table.c.id)
        found.update(await scope.pairs(statement.with_for_update()))
    return found


async def change_many(scope: Scope, table: Table, changes: Iterable[tuple[Values, Values]]) -> None:
    """Each change is a row as it was read and as it shall be; both hold ``id`` and ``version``. One statement for all
    that change the same columns: an index over a column that stays is not written. Raises LostRaceError where a row
    has another version by now; then the transaction must be undone."""
    alike: dict[tuple[str, ...], list[Values]] = {}
    for before, after in changes:
        changed = tuple(name for name, value in after.items() if value != before[name] and name != "version")
        values: Values = {f"new_{name}": after[name] for name in changed}
        alike.setdefault(changed, []).append(values | {"of_id": before["id"], "of_version": before["version"]})
    for changed, rows in alike.items():
        columns = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in changed}
        unchanged = (table.c.id == bindparam("of_id"), table.c.version == bindparam("of_version"))
        statement = scope.update(table).where(*unchanged).values(columns | {"version": table.c.version + 1})
        if await scope.run_many(statement, rows) != len(rows):
            raise LostRaceError
