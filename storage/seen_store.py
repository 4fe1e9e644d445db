"""Keys of requests that were handled: a repeated delivery is answered, not done again."""

from __future__ import annotations

from datetime import datetime

from storage.scope import Scope
from storage.tables import seen_keys


class SqlSeenStore:
    """Implements ``ports.SeenStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def first_time(self, key: str, at: datetime) -> bool:
        return await self._scope.insert_new(seen_keys, [{"key": key, "at": at}]) == 1

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(seen_keys).where(seen_keys.c.at < cutoff))
