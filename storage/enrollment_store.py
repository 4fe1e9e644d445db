"""Prospects: one person in one campaign, and the ledger of what changed them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus, Reason
from core.ports.storage import EnrollmentEvent
from storage.changes import change_many, locked_versions
from storage.moves import Move, move_many
from storage.scope import AnyRow, AnySelect, Scope, Values, chunks, columns_of, values_of
from storage.tables import enrollment_events, enrollments

_EVENT_COLUMNS = columns_of(enrollment_events, EnrollmentEvent)


class SqlEnrollmentStore:
    """Implements ``ports.EnrollmentStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add_many(self, new: Sequence[Enrollment]) -> set[str]:
        rows = [_values(one) for one in new]
        return {added for (added,) in await self._scope.insert_returning(enrollments, rows, "id")}

    async def get(self, enrollment_id: str) -> Enrollment | None:
        return (await self.get_many([enrollment_id])).get(enrollment_id)

    async def get_many(self, enrollment_ids: Collection[str]) -> dict[str, Enrollment]:
        found: dict[str, Enrollment] = {}
        for ids in chunks(enrollment_ids):
            statement = self._scope.select(enrollments).where(enrollments.c.id.in_(ids))
            found.update((one.id, one) for one in await self._all(statement))
        return found

    async def find(self, campaign_id: str, person_id: str) -> Enrollment | None:
        statement = self._scope.select(enrollments).where(
            enrollments.c.campaign_id == campaign_id, enrollments.c.person_id == person_id
        )
        return next(iter(await self._all(statement)), None)

    async def of_person(self, person_id: str) -> list[Enrollment]:
        """Oldest first."""
        statement = self._scope.select(enrollments).where(enrollments.c.person_id == person_id)
        return await self._all(statement.order_by(enrollments.c.created_at, enrollments.c.id))

    async def save(self, enrollment: Enrollment) -> bool:
        changes = _values(enrollment) | {"version": enrollment.version + 1}
        for kept in ("id", "campaign_id", "person_id", "created_at"):
            del changes[kept]
        statement = self._scope.update(enrollments).where(*_unchanged(enrollment)).values(changes)
        return await self._scope.run(statement) == 1

    async def lock(self, enrollment_ids: Collection[str]) -> dict[str, int]:
        return await locked_versions(self._scope, enrollments, enrollment_ids)

    async def save_many(self, changes: Sequence[tuple[Enrollment, Enrollment]]) -> None:
        await change_many(self._scope, enrollments, ((_values(before), _values(after)) for before, after in changes))

    async def running(self, enrollment_ids: Collection[str]) -> set[str]:
        found: set[str] = set()
        for ids in chunks(enrollment_ids):
            statement = self._scope.select(enrollments, enrollments.c.id).where(
                enrollments.c.id.in_(ids), enrollments.c.status.in_((ProspectStatus.ACTIVE, ProspectStatus.PENDING))
            )
            found.update(row.id for row in await self._scope.rows(statement))
        return found

    async def remove(self, enrollment: Enrollment) -> bool:
        """Compare-and-set on ``enrollment.version``; the database takes deliveries and events with it."""
        return await self._scope.run(self._scope.delete(enrollments).where(*_unchanged(enrollment))) == 1

    async def release(self, enrollment_ids: Collection[str], at: datetime) -> None:
        """Those that are Pending become Active; the reason goes."""
        back = Move(ProspectEvent.RELEASE, (ProspectStatus.PENDING,), ProspectStatus.ACTIVE, at)
        await move_many(self._scope, enrollment_ids, back)

    async def add_event(self, event: EnrollmentEvent) -> None:
        await self.add_events([event])

    async def add_events(self, events: Sequence[EnrollmentEvent]) -> None:
        await self._scope.insert(enrollment_events, [values_of(one) for one in events])

    async def events(self, enrollment_id: str) -> list[EnrollmentEvent]:
        """In the order in which they happened."""
        statement = self._scope.select(enrollment_events, *_EVENT_COLUMNS).where(
            enrollment_events.c.enrollment_id == enrollment_id
        )
        return [EnrollmentEvent(*row) for row in await self._scope.rows(statement.order_by(enrollment_events.c.seq))]

    async def _all(self, statement: AnySelect) -> list[Enrollment]:
        return [enrollment_from(row) for row in await self._scope.rows(statement)]


def _unchanged(enrollment: Enrollment) -> tuple[Any, ...]:
    return enrollments.c.id == enrollment.id, enrollments.c.version == enrollment.version


def _values(enrollment: Enrollment) -> Values:
    reason = enrollment.reason
    return values_of(enrollment, without=("workspace", "reason")) | {
        "reason_code": reason.code if reason else None,
        "reason_text": reason.text if reason else None,
        "reason_fix": reason.fix if reason else None,
    }


def enrollment_from(row: AnyRow) -> Enrollment:
    """A row of ``enrollments`` as the domain sees it."""
    values = dict(row._mapping)
    code, text, fix = (values.pop(f"reason_{part}") for part in ("code", "text", "fix"))
    return Enrollment(**values, reason=Reason(code, text, fix) if code is not None else None)
