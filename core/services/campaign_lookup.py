"""Campaigns and prospects by what people call them."""

from __future__ import annotations

from difflib import get_close_matches

from core.domain.campaign import CLOSED_STATUSES, Campaign
from core.domain.enrollment import Enrollment
from core.domain.people import Person
from core.errors import NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.people import find_person


async def find_campaign(uow: UnitOfWork, name: str) -> Campaign:
    """By exact name, else without regard to case. Raises NotFoundError naming the nearest there is."""
    campaign = await uow.campaigns.by_name(name.strip())
    if campaign is None:
        names = [one.name for one in await uow.campaigns.list()]
        near = get_close_matches(name.strip(), names, n=1) or names[:5]
        listed = ", ".join(f"“{one}”" for one in near)
        fix = f"There {'is' if len(near) == 1 else 'are'}: {listed}." if near else "Import one first."
        raise NotFoundError(f"There is no campaign “{name.strip()[:100]}”.", fix=fix)
    return campaign


async def find_enrollment(uow: UnitOfWork, campaign: Campaign, email: str) -> Enrollment:
    """Raises NotFoundError."""
    person: Person = await find_person(uow, email)
    enrollment = await uow.enrollments.find(campaign.id, person.id)
    if enrollment is None:
        raise NotFoundError(f"{person.name} is not in “{campaign.name}”.")
    return enrollment


async def main_addresses(uow: UnitOfWork, enrollment_ids: list[str]) -> dict[str, str]:
    """By enrollment id the address by which people know the prospect."""
    enrollments = await uow.enrollments.get_many(enrollment_ids)
    people = await uow.people.get_many({one.person_id for one in enrollments.values()})
    found = {}
    for one in enrollments.values():
        person = people.get(one.person_id)
        if person is not None:
            found[one.id] = person.primary.address if person.primary else person.name
    return found


def require_open(campaign: Campaign) -> None:
    """Raises RefusedError for one that is stopped or archived."""
    if campaign.status in CLOSED_STATUSES:
        raise RefusedError(
            f"“{campaign.name}” is {campaign.status.value}; nobody can be added.", reason="campaign_closed"
        )
