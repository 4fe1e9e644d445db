"""Old mail that is still to be looked for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from core.ports.backfill import Backfill
from storage.scope import Scope, chunks, columns_of, values_of
from storage.tables import UNFINISHED, backfills

_COLUMNS = columns_of(backfills, Backfill)


class SqlBackfillStore:
    """Implements ``ports.BackfillStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def ask(self, key: str, address: str, mailbox_ids: Collection[str], at: datetime) -> None:
        rows = [Backfill(key, mailbox_id, address, asked_at=at, not_before=at) for mailbox_id in mailbox_ids]
        for ids in chunks(mailbox_ids):
            earlier = (backfills.c.key == key, backfills.c.mailbox_id.in_(ids))
            await self._scope.run(self._scope.delete(backfills).where(*earlier))
        await self._scope.insert(backfills, [values_of(row) for row in rows])

    async def due(self, now: datetime, *, limit: int = 20) -> list[Backfill]:
        statement = self._scope.select(backfills, *_COLUMNS).where(UNFINISHED, backfills.c.not_before <= now)
        waiting = statement.order_by(backfills.c.not_before, backfills.c.key, backfills.c.mailbox_id).limit(limit)
        return [Backfill(*row) for row in await self._scope.rows(waiting)]

    async def of(self, keys: Collection[str]) -> list[Backfill]:
        found: list[Backfill] = []
        for some in chunks(keys):
            statement = self._scope.select(backfills, *_COLUMNS).where(backfills.c.key.in_(some))
            rows = await self._scope.rows(statement.order_by(backfills.c.key, backfills.c.mailbox_id))
            found += [Backfill(*row) for row in rows]
        return found

    async def save(self, backfill: Backfill) -> bool:
        same = (
            backfills.c.key == backfill.key,
            backfills.c.mailbox_id == backfill.mailbox_id,
            backfills.c.asked_at == backfill.asked_at,
        )
        return await self._scope.run(self._scope.update(backfills).where(*same).values(values_of(backfill))) == 1

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(backfills).where(backfills.c.done_at < cutoff))
