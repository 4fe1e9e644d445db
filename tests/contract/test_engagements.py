"""Opens, clicks, downloads, and the files that campaigns send along; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.ports.storage import CampaignFile, Engagement, EngagementCount
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery

MINUTE = timedelta(minutes=1)
OPEN = Engagement("d1", "open", "", False, NOW, "e1", "c1", 1, "Mail/1.0")
FILE = CampaignFile("c1", "jd.pdf", "application/pdf", 4, "0a", NOW, b"%PDF")


async def add_three(store: SqlStore) -> None:
    """Two prospects; the first has two stages out."""
    async with store.write("T1") as uow:
        for number in (1, 2):
            await add_prospect(uow, number)
        await uow.deliveries.add_many(
            [
                make_delivery("d1"),
                make_delivery("d2", enrollment_id="e2"),
                make_delivery("d3", stage=2),
            ]
        )


async def test_an_open_is_noted_the_first_time_only(store: SqlStore) -> None:
    await add_three(store)
    click = replace(OPEN, kind="click", target="https://agency.test/a", at=NOW + MINUTE)
    async with store.write("T1") as uow:
        assert await uow.engagements.note(click)
        assert await uow.engagements.note(OPEN)
        assert not await uow.engagements.note(replace(OPEN, at=NOW + MINUTE, agent="other"))
        assert await uow.engagements.note(replace(OPEN, machine=True, at=NOW + 2 * MINUTE))
        assert await uow.engagements.note(replace(click, target="https://agency.test/b", at=NOW + 3 * MINUTE))
        noted = await uow.engagements.of_delivery("d1")
        assert noted[:2] == [OPEN, click]
        assert len(noted) == 4
        assert await uow.engagements.of_delivery("d2") == []


async def test_whoever_was_seen_as_a_person_is_no_machine_and_counts_once(store: SqlStore) -> None:
    await add_three(store)
    second = replace(OPEN, delivery_id="d2", enrollment_id="e2")
    third = replace(OPEN, delivery_id="d3", stage=2)
    noted = [
        OPEN,
        replace(OPEN, machine=True),
        replace(second, machine=True),
        third,
        replace(third, kind="click", target="a"),
        replace(third, kind="click", target="b"),
    ]
    async with store.write("T1") as uow:
        for one in noted:
            await uow.engagements.note(one)
        found = await uow.engagements.counts("c1")
        assert await uow.engagements.counts("other") == []
    assert sorted(found, key=repr) == sorted(
        [
            EngagementCount(1, "open", False, 1),
            EngagementCount(1, "open", True, 1),
            EngagementCount(2, "open", False, 1),
            EngagementCount(2, "click", False, 1),
            EngagementCount(None, "open", False, 1),
            EngagementCount(None, "open", True, 1),
            EngagementCount(None, "click", False, 1),
        ],
        key=repr,
    )


async def test_a_prospect_seen_by_a_machine_in_one_stage_and_in_person_in_another_is_a_person(store: SqlStore) -> None:
    await add_three(store)
    async with store.write("T1") as uow:
        await uow.engagements.note(replace(OPEN, machine=True))
        await uow.engagements.note(replace(OPEN, delivery_id="d3", stage=2))
        found = await uow.engagements.counts("c1")
    assert [one for one in found if one.stage is None] == [EngagementCount(None, "open", False, 1)]


async def test_a_campaigns_file_is_replaced_by_its_name(store: SqlStore) -> None:
    newer = replace(FILE, content=b"newer", size=5, at=NOW + MINUTE)
    async with store.write("T1") as uow:
        for campaign_id, name in (("c1", "Backend"), ("c2", "Frontend")):
            await uow.campaigns.add(make_campaign(campaign_id, name=name))
        for file in (FILE, replace(FILE, name="about.txt"), replace(FILE, campaign_id="c2"), newer):
            await uow.campaign_files.put(file)
        assert await uow.campaign_files.get("c1", "jd.pdf") == newer
        assert await uow.campaign_files.get("c1", "gone.pdf") is None
        assert await uow.campaign_files.names("c1") == ["about.txt", "jd.pdf"]
        assert await uow.campaign_files.many("c1", ["jd.pdf", "gone.pdf"]) == [newer]
        assert await uow.campaign_files.many("c1", []) == []
        assert await uow.campaign_files.remove("c1", "jd.pdf")
        assert not await uow.campaign_files.remove("c1", "jd.pdf")
        assert await uow.campaign_files.names("c2") == ["jd.pdf"]
