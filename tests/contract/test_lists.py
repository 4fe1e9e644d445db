"""What people look up page by page, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.domain.prospect_query import LogQuery, Page, ProspectQuery, ProspectSort
from core.domain.reasons import reason
from core.ports.storage import UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_enrollment, make_person

HOUR = timedelta(hours=1)
A, P, X = ProspectStatus.ACTIVE, ProspectStatus.PENDING, ProspectStatus.PAUSED


async def add_team(uow: UnitOfWork) -> None:
    """Cleo, Ada and Ben in campaign c1: Active in an hour, Pending at stage 2, Paused without a time."""
    await add_prospect(uow, next_at=NOW + HOUR)
    people = [
        ("p2", make_person("ada_100%@candidates.example", first_name="Ada", last_name="Ábel")),
        ("p3", make_person("ben@Northwind.example", first_name="Ben", last_name="Carter")),
    ]
    await uow.people.add_many(people, NOW)
    waits = reason("campaign")
    await uow.enrollments.add_many(
        [
            make_enrollment("e2", person_id="p2", status=P, stage=2, reason=waits, created_at=NOW + HOUR),
            make_enrollment("e3", person_id="p3", status=X, next_at=None, created_at=NOW + 2 * HOUR),
        ]
    )
    sent = {"state": DeliveryState.SENT, "sent_at": NOW, "recipient": "ada_100%@candidates.example"}
    await uow.deliveries.add_many(
        [
            make_delivery("d1", created_at=NOW - HOUR),
            make_delivery("d2", enrollment_id="e2", **sent),
            make_delivery("d3", enrollment_id="e2", stage=2, created_at=NOW + HOUR, bypass=True),
        ]
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ProspectQuery(), ["e1", "e2", "e3"]),
        (ProspectQuery(reverse=True), ["e3", "e2", "e1"]),
        (ProspectQuery(sort=ProspectSort.NAME), ["e2", "e3", "e1"]),
        (ProspectQuery(sort=ProspectSort.STATUS), ["e1", "e3", "e2"]),
        (ProspectQuery(sort=ProspectSort.NEXT), ["e2", "e1", "e3"]),
        (ProspectQuery(statuses=(P, X)), ["e2", "e3"]),
        (ProspectQuery(reason="campaign"), ["e2"]),
        (ProspectQuery(stage=2), ["e2"]),
        (ProspectQuery(text="NORTHWIND"), ["e3"]),
        (ProspectQuery(text="en car"), ["e3"]),
        (ProspectQuery(text="_100%"), ["e2"]),
        (ProspectQuery(text="a%n"), []),
        (ProspectQuery(page=Page(2, 2)), ["e3"]),
        (ProspectQuery(page=Page(9, 2)), []),
    ],
)
async def test_prospects_are_filtered_sorted_and_paged(store: SqlStore, query: ProspectQuery, found: list[str]) -> None:
    """R159: every filter alone; the total counts what the page does not show."""
    async with store.write("T1") as uow:
        await add_team(uow)
        page = await uow.lists.prospects("c1", query)
        assert [row.enrollment_id for row in page.rows] == found
        everybody = await uow.lists.prospect_ids("c1", query)
        assert page.total == len(everybody)
        assert set(found) <= set(everybody)


async def test_a_row_carries_its_latest_delivery(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_team(uow)
        (row,) = (await uow.lists.prospects("c1", ProspectQuery(stage=2))).rows
        assert (row.person, row.email) == ("Ada Ábel", "ada_100%@candidates.example")
        assert (row.delivery_id, row.delivery_state, row.reason_code) == ("d3", DeliveryState.QUEUED, "campaign")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogQuery(), ["d3", "d2", "d1"]),
        (LogQuery(states=(DeliveryState.SENT,)), ["d2"]),
        (LogQuery(person="ada"), ["d3", "d2"]),
        (LogQuery(person="cleo"), ["d1"]),
        (LogQuery(page=Page(2, 2)), ["d1"]),
    ],
)
async def test_the_email_log_is_filtered_and_paged(store: SqlStore, query: LogQuery, found: list[str]) -> None:
    """Newest first; whether there are older lines is known."""
    async with store.write("T1") as uow:
        await add_team(uow)
        page = await uow.lists.email_log(query, campaign_id="c1")
        assert [line.id for line in page.rows] == found
        assert not page.more
        assert (await uow.lists.email_log(query, campaign_id="c2")).rows == []


async def test_a_log_line_says_whether_there_are_more_and_whether_validation_was_passed_over(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_team(uow)
        page = await uow.lists.email_log(LogQuery(page=Page(1, 1)))
        assert page.more
        assert (page.rows[0].bypass, page.rows[0].kind, page.rows[0].campaign) == (True, "email", "Backend engineers")


async def test_who_stands_at_a_stage(store: SqlStore) -> None:
    """Whoever is there, and whose delivery of it is open; not whoever is through."""
    async with store.write("T1") as uow:
        await add_team(uow)
        assert await uow.lists.standing_at("c1", 1) == ["e1", "e3"]
        assert await uow.lists.standing_at("c1", 2) == ["e2"]
        assert await uow.lists.standing_at("c1", 3) == []


async def test_who_is_written_to_by_other_running_campaigns(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_team(uow)
        await uow.campaigns.add(make_campaign("c2", name="Winter", status=CampaignStatus.PAUSED))
        await uow.campaigns.add(make_campaign("c3", name="Old", status=CampaignStatus.STOPPED))
        ended = ProspectStatus.COMPLETE
        await uow.enrollments.add_many(
            [
                make_enrollment("e4", campaign_id="c2", person_id="p1"),
                make_enrollment("e5", campaign_id="c2", person_id="p2", status=ended),
                make_enrollment("e6", campaign_id="c3", person_id="p3"),
            ]
        )
        assert await uow.lists.running_elsewhere(["p1", "p2", "p3"], but="c1") == {"p1": ["Winter"]}
        assert await uow.lists.running_elsewhere(["p1"], but="c2") == {"p1": ["Backend engineers"]}


async def test_people_are_found_by_their_domain(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_team(uow)
        assert await uow.lists.people_at({"northwind.example"}) == {"ben@northwind.example": "p3"}
        assert await uow.lists.people_at({"wind.example", "n_rthwind.example"}) == {}
