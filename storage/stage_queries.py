"""Stages that wait for a person, and texts of which the provider has news.

The index holds only rows with a next look: what is settled and told of costs nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.domain.delivery import MANUAL_KINDS, Delivery, DeliveryState
from storage.claims import DELIVERY_COLUMNS
from storage.scope import AnySelect, Scope
from storage.tables import deliveries

_MANUAL: Final = sorted(MANUAL_KINDS)
_OVER: Final = (DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.SKIPPED)


class SqlStageStore:
    """Implements ``ports.StageStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def reminders_due(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        due = self._select().where(
            deliveries.c.kind.in_(_MANUAL),
            deliveries.c.state == DeliveryState.QUEUED,
            deliveries.c.next_check_at <= now,
            deliveries.c.waiting_for == "manual_stage",
        )
        return await self._first(due, limit)

    async def cards_over(self, *, limit: int = 100) -> list[Delivery]:
        over = self._select().where(
            deliveries.c.kind.in_(_MANUAL), deliveries.c.state.in_(_OVER), deliveries.c.next_check_at.is_not(None)
        )
        return await self._first(over, limit)

    async def texts_to_ask(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        due = self._select().where(
            deliveries.c.kind == "sms", deliveries.c.state == DeliveryState.SENT, deliveries.c.next_check_at <= now
        )
        return await self._first(due, limit)

    def _select(self) -> AnySelect:
        return self._scope.select(deliveries, *DELIVERY_COLUMNS)

    async def _first(self, statement: AnySelect, limit: int) -> list[Delivery]:
        ordered = statement.order_by(deliveries.c.next_check_at, deliveries.c.id).limit(limit)
        return [Delivery(*row) for row in await self._scope.rows(ordered)]
