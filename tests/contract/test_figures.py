"""Counts for figures mean the same on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.ports.storage import Engagement, EngagementCount, EnrollmentEvent, MinuteCount, PeopleCount, UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_enrollment

SENT = {"state": DeliveryState.SENT, "sent_at": NOW + timedelta(seconds=70)}


async def two_campaigns(uow: UnitOfWork) -> None:
    """Persons 1 to 3 in c1, person 1 also in c2; 1 and 2 got c1's first mail, 1 also c2's; 1 answered both."""
    for number in (1, 2, 3):
        await add_prospect(uow, number)
    await uow.campaigns.add(make_campaign("c2", name="Designers"))
    await uow.enrollments.add_many([make_enrollment("e9", campaign_id="c2", person_id="p1")])
    second: dict[str, Any] = {"enrollment_id": "e9", "campaign_id": "c2"}
    await uow.deliveries.add_many(
        [
            make_delivery("d1", enrollment_id="e1", **SENT),
            make_delivery("d2", enrollment_id="e2", **SENT),
            make_delivery("d3", enrollment_id="e3", state=DeliveryState.FAILED, claimed_at=NOW),
            make_delivery("d9", **second, **SENT),
        ]
    )
    for enrollment, hours in (("e1", 2), ("e1", 3), ("e9", 26)):
        at = NOW + timedelta(hours=hours)
        await uow.enrollments.add_event(EnrollmentEvent(enrollment, at, "reply", ProspectStatus.REPLIED, 1, "system"))


def seen(delivery: str, enrollment: str, campaign: str, kind: str, *, machine: bool) -> Engagement:
    return Engagement(delivery, kind, "", machine, NOW, enrollment, campaign, 1)


async def test_people_count_once_over_campaigns(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await two_campaigns(uow)
    async with store.read("T1") as uow:
        assert await uow.reports.people_counts(["c1"]) == PeopleCount(people=3, recipients=2, replied=1)
        assert await uow.reports.people_counts(["c1", "c2"]) == PeopleCount(people=3, recipients=2, replied=1)
        assert await uow.reports.people_counts(["c2"]) == PeopleCount(people=1, recipients=1, replied=1)
        assert await uow.reports.people_counts([]) == PeopleCount(0, 0, 0)
    async with store.read("T2") as uow:
        assert await uow.reports.people_counts(["c1"]) == PeopleCount(0, 0, 0)


async def test_a_person_beats_a_machine_over_campaigns(store: SqlStore) -> None:
    """Whoever was seen as a person anywhere counts as one."""
    async with store.write("T1") as uow:
        await two_campaigns(uow)
        for one in (
            seen("d1", "e1", "c1", "open", machine=True),
            seen("d9", "e9", "c2", "open", machine=False),
            seen("d2", "e2", "c1", "open", machine=True),
            seen("d2", "e2", "c1", "click", machine=True),
        ):
            assert await uow.engagements.note(one)
    async with store.read("T1") as uow:
        found = await uow.reports.engaged_people(["c1", "c2"])
        assert sorted(found, key=str) == sorted(
            [
                EngagementCount(None, "open", False, 1),
                EngagementCount(None, "open", True, 1),
                EngagementCount(None, "click", True, 1),
            ],
            key=str,
        )
        of_one = await uow.reports.engaged_people(["c1"])
        assert EngagementCount(None, "open", True, 2) in of_one


async def test_what_happened_in_which_minute(store: SqlStore) -> None:
    """In UTC; a person's first reply only; what is older than asked for is left out."""
    async with store.write("T1") as uow:
        await two_campaigns(uow)
    minute, day = NOW.replace(second=0, microsecond=0), timedelta(days=1)
    async with store.read("T1") as uow:
        found = await uow.reports.minutes(["c1", "c2"], NOW - day)
        assert set(found) == {
            MinuteCount(minute + timedelta(minutes=1), "sent", 3),
            MinuteCount(minute, "failed", 1),
            MinuteCount(minute + timedelta(hours=2), "replied", 1),
            MinuteCount(minute + timedelta(hours=26), "replied", 1),
        }
        assert {one.what for one in await uow.reports.minutes(["c1", "c2"], NOW + day)} == {"replied"}


async def test_prospects_come_by_pages(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await two_campaigns(uow)
    async with store.read("T1") as uow:
        pages = [await uow.reports.prospects("c1", limit=2, offset=offset) for offset in (0, 2, 4)]
        assert [[row.enrollment_id for row in page] for page in pages] == [["e1", "e2"], ["e3"], []]
