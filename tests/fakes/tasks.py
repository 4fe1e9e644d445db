"""The use cases behind the cards of calls and tasks, as Slack sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.domain.actor import Actor
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import Enrollment, ProspectStatus
from core.domain.ledger import LedgerLine
from core.errors import InputError, RefusedError

_NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@dataclass
class FakeTasks:
    """``asked`` keeps (what, user, delivery); of two who settle a call the second hears who was faster."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    lines: list[LedgerLine] = field(default_factory=list)

    async def done(self, actor: Actor, delivery_id: str) -> Delivery:
        return self._settle("done", actor, delivery_id)

    async def skip(self, actor: Actor, delivery_id: str) -> Delivery:
        return self._settle("skip", actor, delivery_id)

    async def they(self, actor: Actor, how: str, delivery_id: str) -> Enrollment:
        if how not in ("called", "texted", "booked"):
            raise InputError("is none of these", field="how")
        self._settle(how, actor, delivery_id)
        return Enrollment("enrollment-1", "T0", "campaign-1", "person-1", None, ProspectStatus.PAUSED, 1, 2, _NOW)

    async def history(self, actor: Actor, delivery_id: str) -> list[LedgerLine]:
        return self.lines

    def _settle(self, what: str, actor: Actor, delivery_id: str) -> Delivery:
        if self.asked:
            raise RefusedError(f"This call is done already by <@{self.asked[0][1]}>.", reason="stale")
        self.asked.append((what, actor.user, delivery_id))
        return Delivery(delivery_id, "T0", "enrollment-1", "campaign-1", None, 1, 1, DeliveryState.SENT, 2, _NOW, None)
