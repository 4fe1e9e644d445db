"""Many prospects from one status to another at once, each with its line in the ledger.

The rows are chosen (and on PostgreSQL locked) first, so that exactly those that change get a line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, literal

from core.domain.enrollment import ProspectEvent, ProspectStatus, Reason
from storage.scope import Scope, Values, chunks
from storage.tables import enrollment_events, enrollments

_LINE = ("workspace", "enrollment_id", "at", "event", "status", "stage", "actor", "reason", "evidence")


@dataclass(frozen=True, slots=True)
class Move:
    """From which statuses to which, by what event; ``keeps_time``: the planned time of the next stage stays."""

    event: ProspectEvent
    from_: Sequence[ProspectStatus]
    to: ProspectStatus
    at: datetime
    actor: str = "engine"
    reason: Reason | None = None
    evidence: str = ""
    keeps_time: bool = True


async def move_many(scope: Scope, enrollment_ids: Collection[str], move: Move) -> int:
    """Those of these prospects that stand where the move begins. Returns how many."""
    moved = 0
    for ids in chunks(enrollment_ids):
        statement = scope.select(enrollments, enrollments.c.id).where(
            enrollments.c.id.in_(ids), enrollments.c.status.in_(move.from_)
        )
        found = [row.id for row in await scope.rows(statement.order_by(enrollments.c.id).with_for_update())]
        if found:
            these = enrollments.c.id.in_(found)
            await scope.run(scope.update(enrollments).where(these).values(_changes(move)))
            await scope.run(_lines(scope, move, these))
        moved += len(found)
    return moved


def _changes(move: Move) -> Values:
    reason = move.reason
    changes = {
        "status": move.to,
        "version": enrollments.c.version + 1,
        "reason_code": reason.code if reason else None,
        "reason_text": reason.text if reason else None,
        "reason_fix": reason.fix if reason else None,
    }
    return changes if move.keeps_time else changes | {"next_at": None}


def _lines(scope: Scope, move: Move, these: Any) -> Any:
    said = (move.actor, move.reason.code if move.reason else "", move.evidence)
    line = scope.select(
        enrollments,
        *(enrollments.c.workspace, enrollments.c.id, literal(move.at, enrollment_events.c.at.type)),
        *(literal(move.event.value), enrollments.c.status, enrollments.c.stage, *map(literal, said)),
    )
    return insert(enrollment_events).from_select(list(_LINE), line.where(these))
