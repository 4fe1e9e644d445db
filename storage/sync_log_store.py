"""The running log of each mailbox (R39)."""

from __future__ import annotations

from core.ports.storage import SyncLogEntry
from storage.scope import Scope, columns_of, values_of
from storage.tables import sync_log

_COLUMNS = columns_of(sync_log, SyncLogEntry)


class SqlSyncLogStore:
    """Implements ``ports.SyncLogStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, entry: SyncLogEntry) -> None:
        await self._scope.insert(sync_log, [values_of(entry)])

    async def list(self, mailbox_id: str, *, limit: int = 50) -> list[SyncLogEntry]:
        statement = self._scope.select(sync_log, *_COLUMNS).where(sync_log.c.mailbox_id == mailbox_id)
        newest_first = statement.order_by(sync_log.c.at.desc(), sync_log.c.seq.desc()).limit(limit)
        return [SyncLogEntry(*row) for row in await self._scope.rows(newest_first)]
