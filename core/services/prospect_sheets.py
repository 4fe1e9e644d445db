"""One prospect as whoever acts on it must see it: status, reason, attempt, and until when a finish can be undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.people import Person
from core.errors import NotFoundError
from core.ports.storage import UnitOfWork
from core.services.people import find_person
from core.services.tools import Tools, settings_in


@dataclass(frozen=True, slots=True)
class ProspectSheet:
    """``attempt`` is the newest of the stage that is due or failed; ``undo_until`` when Mark finished becomes final,
    None where it is final or was not pressed. ``at`` is the moment of all this."""

    at: datetime
    enrollment: Enrollment
    campaign: Campaign
    person: Person
    attempt: Delivery | None
    undo_until: datetime | None


class ProspectSheets:
    """Reads only; everybody sees every prospect."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def of(self, actor: Actor, enrollment_id: str) -> ProspectSheet:
        """Raises NotFoundError for a prospect that was removed."""
        async with self._tools.store.read(actor.workspace) as uow:
            return await self._sheet(uow, await uow.enrollments.get(enrollment_id))

    async def of_attempt(self, actor: Actor, delivery_id: str) -> ProspectSheet:
        """The prospect to whom a delivery belongs. Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            delivery = await uow.deliveries.get(delivery_id)
            return await self._sheet(uow, await uow.enrollments.get(delivery.enrollment_id) if delivery else None)

    async def of_person(self, actor: Actor, email: str) -> Sequence[ProspectSheet]:
        """One for each campaign. Raises NotFoundError for an address that nobody has."""
        async with self._tools.store.read(actor.workspace) as uow:
            person = await find_person(uow, email)
            enrollments = await uow.enrollments.of_person(person.id)
            return [await self._sheet(uow, one) for one in enrollments]

    async def versions(self, actor: Actor, enrollment_ids: Collection[str]) -> dict[str, int]:
        """As they are now; those that were removed are left out."""
        async with self._tools.store.read(actor.workspace) as uow:
            found = await uow.enrollments.get_many(enrollment_ids)
        return {one.id: one.version for one in found.values()}

    async def _sheet(self, uow: UnitOfWork, enrollment: Enrollment | None) -> ProspectSheet:
        campaign = await uow.campaigns.get(enrollment.campaign_id) if enrollment else None
        person = await uow.people.get(enrollment.person_id) if enrollment else None
        if enrollment is None or campaign is None or person is None:
            raise NotFoundError("This prospect was removed from the campaign.")
        attempt = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        until = await self._undo_until(uow, enrollment)
        return ProspectSheet(self._tools.clock.now(), enrollment, campaign, person, attempt, until)

    async def _undo_until(self, uow: UnitOfWork, enrollment: Enrollment) -> datetime | None:
        if enrollment.status is not ProspectStatus.COMPLETE:
            return None
        lines = await uow.enrollments.events(enrollment.id)
        if not lines or lines[-1].event != ProspectEvent.FINISH.value:
            return None
        window = (await settings_in(uow)).seconds("finish_undo_s")
        until = lines[-1].at + timedelta(seconds=window)
        return until if until > self._tools.clock.now() else None
