"""What one transaction does to many prospects, gathered row by row and written in a handful of statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectEvent, Reason
from core.ports.storage import EnrollmentEvent, UnitOfWork
from core.services.progress import Progress


class Ledger:
    """Each row at most once. Nothing is stored before ``write``."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._deliveries: list[tuple[Delivery, Delivery]] = []
        self._enrollments: list[tuple[Enrollment, Enrollment]] = []
        self._raws: dict[str, bytes] = {}
        self._events: list[EnrollmentEvent] = []
        self._new: list[Delivery] = []

    def save(self, before: Delivery, after: Delivery, *, raw: bytes | None = None) -> None:
        """A delivery as read and as it shall be. Its version is stored as grown by one, whatever ``after`` says."""
        self._deliveries.append((before, after))
        if raw is not None:
            self._raws[after.id] = raw

    def add(self, delivery: Delivery) -> None:
        self._new.append(delivery)

    def move(
        self,
        enrollment: Enrollment,
        event: ProspectEvent,
        *,
        reason: Reason | None = None,
        evidence: str = "",
        stage: int | None = None,
        next_at: datetime | None = None,
    ) -> Enrollment:
        """As ``Progress.move``."""
        moved, line = self._progress.moved(
            enrollment, event, reason=reason, evidence=evidence, stage=stage, next_at=next_at
        )
        self._enrollments.append((enrollment, moved))
        self._events.append(line)
        return moved

    def reschedule(self, enrollment: Enrollment, next_at: datetime) -> None:
        """Only the time that is shown changes: nothing has happened to the prospect."""
        self._enrollments.append((enrollment, replace(enrollment, next_at=next_at)))

    async def write(self, uow: UnitOfWork) -> None:
        """Raises LostRaceError where a row was changed since it was read: the unit must be undone."""
        await uow.deliveries.save_many(self._deliveries, raws=self._raws)
        await uow.enrollments.save_many(self._enrollments)
        await uow.deliveries.add_many(self._new)
        await uow.enrollments.add_events(self._events)
