"""Alerts: at most one unresolved per cause."""

from __future__ import annotations

import json

from sqlalchemy import Text, type_coerce

from core.domain.alert import Alert
from core.errors import RefusedError
from storage.scope import AnySelect, Scope, columns_of, values_of
from storage.tables import UNRESOLVED, alerts

_COLUMNS = columns_of(alerts, Alert)


class SqlAlertStore:
    """Implements ``ports.AlertStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def current(self, key: str) -> Alert | None:
        return await self._first(self._select().where(UNRESOLVED, alerts.c.key == key))

    async def get(self, alert_id: str) -> Alert | None:
        return await self._first(self._select().where(alerts.c.id == alert_id))

    async def list_open(self) -> list[Alert]:
        """Oldest first."""
        statement = self._select().where(UNRESOLVED).order_by(alerts.c.opened_at, alerts.c.id)
        return [Alert(*row) for row in await self._scope.rows(statement)]

    async def newest_open(self, kind: str, cause: str, *, limit: int) -> list[Alert]:
        """The database sorts out by the facts' text, so that a thousand alerts of other causes are never decoded."""
        text = type_coerce(alerts.c.facts, Text)
        named = text.contains(f'"cause":{json.dumps(cause)}', autoescape=True)
        of_kind = self._select().where(UNRESOLVED, alerts.c.key.startswith(f"{kind}:", autoescape=True), named)
        rows = await self._scope.rows(of_kind.order_by(alerts.c.opened_at.desc(), alerts.c.id).limit(limit))
        return [one for one in (Alert(*row) for row in rows) if one.facts.get("cause") == cause]

    async def add(self, alert: Alert) -> None:
        """Raises RefusedError(reason="alert_exists") where the key has an unresolved one."""
        if not await self._scope.insert_new(alerts, [values_of(alert)]):
            raise RefusedError("This alert is open already.", reason="alert_exists")

    async def save(self, alert: Alert) -> bool:
        """Compare-and-set on ``alert.version``. The key changes where a storm turns out to be wider than a provider."""
        changes = {
            "key": alert.key,
            "state": alert.state,
            "facts": alert.facts,
            "resolved_at": alert.resolved_at,
            "version": alert.version + 1,
        }
        unchanged = (alerts.c.id == alert.id, alerts.c.version == alert.version)
        return await self._scope.run(self._scope.update(alerts).where(*unchanged).values(changes)) == 1

    def _select(self) -> AnySelect:
        return self._scope.select(alerts, *_COLUMNS)

    async def _first(self, statement: AnySelect) -> Alert | None:
        row = await self._scope.first(statement)
        return Alert(*row) if row else None
