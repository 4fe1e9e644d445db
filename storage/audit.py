"""Who did what: rows are added, never changed or taken away (threat T27)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.scope import Scope
from storage.tables import audit


class SqlAuditStore:
    """Implements ``ports.AuditStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(
        self, *, at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any] | None = None
    ) -> None:
        row = {"at": at, "actor": actor, "action": action, "subject": subject, "facts": dict(facts or {})}
        await self._scope.insert(audit, [row])
