"""Campaigns and prospects, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.campaign import CampaignStatus, Delay, Stage
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus, Reason
from core.errors import RefusedError
from core.ports.storage import EnrollmentEvent, ProspectRow, StageCount
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_enrollment


async def test_a_campaign_comes_back_as_it_was_added(store: SqlStore) -> None:
    campaign = make_campaign()
    async with store.write("T1") as uow:
        await uow.campaigns.add(campaign)
    async with store.read("T1") as uow:
        assert await uow.campaigns.get("c1") == campaign
        assert await uow.campaigns.get_many({"c1", "c2"}) == {"c1": campaign}
        assert await uow.campaigns.list() == [campaign]


async def test_a_name_is_taken_once_and_found_in_any_case_exact_first(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.campaigns.add(make_campaign("c1", name="Backend Straße"))
        await uow.campaigns.add(make_campaign("c2", name="backend straße"))
        with pytest.raises(RefusedError) as refused:
            await uow.campaigns.add(make_campaign("c3", name="Backend Straße"))
        assert refused.value.reason == "campaign_exists"
        for name, found in (("Backend Straße", "c1"), ("backend straße", "c2"), ("BACKEND STRASSE", "c1")):
            campaign = await uow.campaigns.by_name(name)
            assert campaign is not None
            assert campaign.id == found
        assert await uow.campaigns.by_name("Frontend") is None


async def test_a_status_is_set_once_per_version(store: SqlStore) -> None:
    campaign = make_campaign()
    async with store.write("T1") as uow:
        await uow.campaigns.add(campaign)
        assert await uow.campaigns.set_status(campaign, CampaignStatus.PAUSED)
        assert not await uow.campaigns.set_status(campaign, CampaignStatus.STOPPED)
        assert await uow.campaigns.get("c1") == make_campaign(status=CampaignStatus.PAUSED, version=2)


async def test_a_draft_imported_again_is_replaced(store: SqlStore) -> None:
    draft = make_campaign(status=CampaignStatus.DRAFT)
    again = make_campaign(
        status=CampaignStatus.DRAFT,
        senders=("omar@agency.test",),
        stages=(Stage(1, "call", Delay(timedelta(hours=1)), note="Ask", required=True),),
        definition={"name": "Backend engineers"},
        email_priority=("work",),
    )
    async with store.write("T1") as uow:
        await uow.campaigns.add(draft)
        await uow.campaigns.add(make_campaign("c2", name="Frontend"))
        assert await uow.campaigns.replace(again)
        assert not await uow.campaigns.replace(draft)
        stored = await uow.campaigns.get("c1")
        assert stored is not None
        assert (stored.stages, stored.senders, stored.version) == (again.stages, again.senders, 2)
        with pytest.raises(RefusedError):
            await uow.campaigns.replace(make_campaign(name="Frontend", version=2))


async def test_a_person_is_enrolled_once_per_campaign(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        assert await uow.enrollments.add_many([make_enrollment("e1-again")]) == set()
        assert await uow.enrollments.find("c1", "p1") == make_enrollment()
        assert await uow.enrollments.of_person("p1") == [make_enrollment()]
        assert await uow.enrollments.get_many({"e1", "e2"}) == {"e1": make_enrollment()}
        assert await uow.enrollments.find("c1", "p2") is None
        assert await uow.enrollments.get("e2") is None


async def test_only_the_first_of_two_saves_of_a_prospect_wins(store: SqlStore) -> None:
    waiting = make_enrollment(
        status=ProspectStatus.PENDING, reason=Reason("throttled", "Too many", "Wait"), next_at=None
    )
    async with store.write("T1") as uow:
        await add_prospect(uow)
        assert await uow.enrollments.save(waiting)
        assert not await uow.enrollments.save(make_enrollment(status=ProspectStatus.REPLIED))
        stored = await uow.enrollments.get("e1")
        assert stored is not None
        assert (stored.status, stored.reason, stored.version) == (ProspectStatus.PENDING, waiting.reason, 2)


async def test_removing_a_prospect_takes_deliveries_and_events_with_it(store: SqlStore) -> None:
    event = EnrollmentEvent("e1", NOW, "reply", ProspectStatus.REPLIED, 1, "system", evidence="<x@y>")
    async with store.write("T1") as uow:
        enrollment = await add_prospect(uow)
        delivery = make_delivery()
        await uow.deliveries.add_many([delivery])
        await uow.deliveries.save(delivery, raw=b"mail")
        await uow.enrollments.add_event(event)
        assert await uow.enrollments.events("e1") == [event]
        assert not await uow.enrollments.remove(make_enrollment(version=9))
        assert await uow.enrollments.remove(enrollment)
        assert await uow.enrollments.events("e1") == []
        assert await uow.deliveries.get("d1") is None
        assert await uow.deliveries.raw("d1") is None


async def test_the_ledger_keeps_its_order_whatever_the_clock_says(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        for number, name in enumerate(("first", "second", "third")):
            at = NOW - timedelta(hours=number)
            await uow.enrollments.add_event(EnrollmentEvent("e1", at, name, ProspectStatus.ACTIVE, 1, "U0RITA"))
        assert [event.event for event in await uow.enrollments.events("e1")] == ["first", "second", "third"]


async def test_the_prospects_view_shows_the_latest_delivery_and_where_it_went(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow, 1, status=ProspectStatus.PENDING, reason=Reason("throttled", "Too many", "Wait"))
        await add_prospect(uow, 2)
        await uow.deliveries.add_many(
            [
                make_delivery("d1", state=DeliveryState.FAILED, recipient="old@candidates.example"),
                make_delivery("d2", series=2, recipient="new@candidates.example", version=4),
            ]
        )
    async with store.read("T1") as uow:
        first, second = await uow.reports.prospects("c1")
        assert first == ProspectRow(
            enrollment_id="e1",
            person="Cleo Candidate",
            email="new@candidates.example",
            status=ProspectStatus.PENDING,
            reason_code="throttled",
            reason_text="Too many",
            reason_fix="Wait",
            stage=1,
            next_at=NOW,
            delivery_id="d2",
            delivery_state=DeliveryState.QUEUED,
            delivery_version=4,
        )
        assert (second.email, second.delivery_id) == ("person2@candidates.example", None)
        assert await uow.reports.prospects("c1", status=ProspectStatus.ACTIVE) == [second]
        assert await uow.reports.prospects("c1", limit=1) == [first]


async def test_counts_per_status_stage_and_state(store: SqlStore) -> None:
    """A reply counts once per prospect, for the last stage that had gone out by then."""
    sent = {"state": DeliveryState.SENT, "sent_at": NOW}
    async with store.write("T1") as uow:
        for number in (1, 2, 3):
            await add_prospect(uow, number)
        second = {**sent, "sent_at": NOW + timedelta(days=2), "stage": 2}
        await uow.deliveries.add_many(
            [
                *(make_delivery(f"d{n}", enrollment_id=f"e{n}", **sent) for n in (1, 2, 3)),
                make_delivery("d4", enrollment_id="e1", **second),
                make_delivery("d5", enrollment_id="e2", **second),
                make_delivery("d6", enrollment_id="e3", stage=2),
            ]
        )
        for name, days in (("e1", 3), ("e1", 4), ("e3", 1)):
            at = NOW + timedelta(days=days)
            await uow.enrollments.add_event(EnrollmentEvent(name, at, "reply", ProspectStatus.REPLIED, 2, "system"))
        await uow.enrollments.save(make_enrollment(status=ProspectStatus.REPLIED))
    async with store.read("T1") as uow:
        assert await uow.reports.stage_counts("c1") == [StageCount(1, 3, 1), StageCount(2, 2, 1)]
        assert await uow.reports.status_counts(["c1", "c2"]) == {
            "c1": {ProspectStatus.REPLIED: 1, ProspectStatus.ACTIVE: 2},
            "c2": {},
        }
        assert await uow.reports.delivery_counts() == {DeliveryState.SENT: 5, DeliveryState.QUEUED: 1}
