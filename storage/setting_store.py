"""Workspace settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.scope import Scope
from storage.tables import settings


class SqlSettingStore:
    """Implements ``ports.SettingStore``: what a workspace changed from the defaults."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def all(self) -> dict[str, Any]:
        statement = self._scope.select(settings, settings.c.key, settings.c.value)
        return await self._scope.pairs(statement)

    async def set(self, key: str, value: Any, *, actor: str, at: datetime) -> None:
        changes = {"value": value, "actor": actor, "at": at}
        await self._scope.put(settings, {"key": key, **changes}, key="key", replace=changes)
