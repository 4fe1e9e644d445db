"""What Mark finished set aside, kept as text beside its line in the ledger until it is final (X8). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectStatus, Reason


@dataclass(frozen=True, slots=True)
class SetAside:
    """How the prospect stood, the id of the delivery that was cancelled ("" where none was), and why that one was
    waiting for another try (None where it was not)."""

    status: ProspectStatus
    reason: Reason | None
    next_at: datetime | None
    delivery_id: str
    delivery_reason: str | None

    @classmethod
    def of(cls, enrollment: Enrollment, cancelled: Delivery | None) -> SetAside:
        told = (cancelled.id, cancelled.reason) if cancelled else ("", None)
        return cls(enrollment.status, enrollment.reason, enrollment.next_at, *told)

    def as_text(self) -> str:
        why = self.reason
        words = [why.code, why.text, why.fix] if why else None
        at = self.next_at.isoformat() if self.next_at else None
        queue = [self.delivery_id, self.delivery_reason]
        return json.dumps({"was": self.status.value, "reason": words, "next_at": at, "delivery": queue})


def set_aside(text: str) -> SetAside | None:
    """What ``as_text`` wrote; None for any other text."""
    try:
        facts = json.loads(text)
        why = facts["reason"]
        return SetAside(
            ProspectStatus(facts["was"]),
            Reason(*why) if why else None,
            datetime.fromisoformat(facts["next_at"]) if facts["next_at"] else None,
            *facts["delivery"],
        )
    except (ValueError, KeyError, TypeError):
        return None


def seconds_left(finished_at: datetime, now: datetime, window_s: float) -> float:
    """How long a finish can still be undone; 0 or less: it is final."""
    return (finished_at + timedelta(seconds=window_s) - now).total_seconds()
