"""Many prospects at once, each with its line in the ledger, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.domain.reasons import reason
from core.ports.storage import EnrollmentEvent, UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_enrollment, make_mailbox, make_person

LATER = NOW + timedelta(days=2)
PAUSED = reason("campaign")
CANCELED = reason("canceled")
FULL = reason("mailbox_limit")


async def add_three(uow: UnitOfWork, *statuses: ProspectStatus) -> None:
    """Prospects e1 to e3 of campaign c1, each with a queued delivery d1 to d3 from mailbox mb1."""
    await add_prospect(uow)
    people = [(f"p{n}", make_person(f"{n}@candidates.example")) for n in (2, 3)]
    await uow.people.add_many(people, NOW)
    more = [make_enrollment(f"e{n}", person_id=f"p{n}", next_at=NOW) for n in (2, 3)]
    await uow.enrollments.add_many(more)
    for number, status in enumerate(statuses, start=1):
        one = await uow.enrollments.get(f"e{number}")
        assert one is not None
        if one.status is not status:
            await uow.enrollments.save(make_enrollment(one.id, person_id=one.person_id, status=status))
    await uow.deliveries.add_many([make_delivery(f"d{n}", enrollment_id=f"e{n}", due_at=NOW) for n in (1, 2, 3)])


async def statuses_of(uow: UnitOfWork) -> list[ProspectStatus]:
    found = await uow.enrollments.get_many(["e1", "e2", "e3"])
    return [found[name].status for name in ("e1", "e2", "e3")]


A, P, X = ProspectStatus.ACTIVE, ProspectStatus.PENDING, ProspectStatus.PAUSED


async def test_a_paused_campaigns_queue_waits_and_each_prospect_says_so_in_its_ledger(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, X, A)
        assert await uow.bulk.wait_for_campaign("c1", PAUSED, actor="U0RITA", at=LATER) == 3
        assert await uow.bulk.wait_for_campaign("c1", PAUSED, actor="U0RITA", at=LATER) == 0
        assert await statuses_of(uow) == [P, X, P]
        waiting = await uow.deliveries.get("d1")
        assert waiting is not None
        assert (waiting.waiting_for, waiting.version) == ("campaign", 2)
        changed = await uow.enrollments.get("e3")
        assert changed is not None
        assert changed.reason == PAUSED
        assert changed.next_at == NOW
        expected = EnrollmentEvent("e3", LATER, "wait", P, 1, "U0RITA", "campaign", "")
        assert await uow.enrollments.events("e3") == [expected]
        assert await uow.enrollments.events("e2") == []


async def test_a_stopped_campaigns_queue_is_cancelled_and_the_paused_keep_their_status(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, X, P)
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER) == 3
        assert await statuses_of(uow) == [ProspectStatus.NOT_DELIVERED, X, ProspectStatus.NOT_DELIVERED]
        for name in ("d1", "d2", "d3"):
            gone = await uow.deliveries.get(name)
            assert gone is not None
            assert (gone.state, gone.reason, gone.waiting_for) == (DeliveryState.CANCELLED, "canceled", None)
        ended = await uow.enrollments.get("e1")
        assert ended is not None
        assert (ended.reason, ended.next_at) == (CANCELED, None)
        lines = await uow.enrollments.events("e1")
        assert [(line.event, line.reason, line.actor) for line in lines] == [("not_delivered", "canceled", "U0RITA")]


async def test_a_long_queue_is_changed_some_at_a_time(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, A, A)
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER, most=2) == 2
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER, most=2) == 1
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER, most=2) == 0


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT])
async def test_what_is_out_or_on_its_way_is_never_cancelled(store: SqlStore, state: DeliveryState) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many([make_delivery(state=state)])
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER) == 0
        assert await uow.bulk.wait_for_campaign("c1", PAUSED, actor="U0RITA", at=LATER) == 0


async def test_who_is_due_from_a_full_mailbox_is_pending_and_stays_claimable(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, X, A)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        third = await uow.deliveries.get("d3")
        assert third is not None
        await uow.deliveries.save(make_delivery("d3", enrollment_id="e3", mailbox_id="mb2", due_at=NOW))
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER) == 1
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER) == 0
        assert await statuses_of(uow) == [P, X, A]
        assert [line.reason for line in await uow.enrollments.events("e1")] == ["mailbox_limit"]
        due = await uow.deliveries.claim_due(LATER, limit=10)
        assert {one.delivery.id for one in due} == {"d1", "d3"}


async def test_a_full_mailboxs_long_queue_is_marked_some_at_a_time(store: SqlStore) -> None:
    """A claim marks the first of the queue only; the rest is read apart from it, and judged again when it is marked."""
    async with store.write("T1") as uow:
        await add_three(uow, A, A, A)
        assert await uow.bulk.count_due_of_mailbox("mb1", at=LATER) == 3
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER, most=1) == 1
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER, most=1) == 0
        assert await statuses_of(uow) == [P, A, A]
        assert sorted(await uow.bulk.due_of_mailbox("mb1", at=LATER, most=5)) == ["e2", "e3"]
        assert len(await uow.bulk.due_of_mailbox("mb1", at=LATER, most=1)) == 1
        assert await uow.bulk.due_of_mailbox("mb2", at=LATER, most=5) == []
        await uow.deliveries.save(make_delivery("d3", enrollment_id="e3", due_at=LATER + timedelta(days=1)))
        assert await uow.bulk.wait_of_mailbox("mb1", ["e1", "e2", "e3"], FULL, at=LATER) == 1
        assert await statuses_of(uow) == [P, P, A]
        assert await uow.bulk.count_due_of_mailbox("mb1", at=LATER) == 2


async def test_who_is_not_due_yet_or_whose_campaign_does_not_run_is_left_alone(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, A, A)
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=NOW - timedelta(seconds=1)) == 0
        await uow.campaigns.set_status(make_campaign(), CampaignStatus.PAUSED)
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER) == 0


async def test_a_release_is_told_in_the_ledger_of_those_it_frees(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, X, A)
        await uow.bulk.wait_for_campaign("c1", PAUSED, actor="U0RITA", at=NOW)
        assert await uow.deliveries.release("campaign", not_before=LATER, campaign_id="c1") == 3
        assert await statuses_of(uow) == [A, X, A]
        lines = await uow.enrollments.events("e1")
        assert [(line.event, line.status, line.at) for line in lines] == [("wait", P, NOW), ("release", A, LATER)]
        assert await uow.enrollments.events("e2") == []


async def test_a_started_campaigns_queue_goes_on_some_at_a_time(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, X, A)
        await uow.bulk.wait_for_campaign("c1", PAUSED, actor="U0RITA", at=NOW)
        assert await uow.bulk.release_campaign("c1", "campaign", actor="U0RITA", at=LATER, most=2) == 2
        assert await uow.bulk.release_campaign("c1", "campaign", actor="U0RITA", at=LATER, most=2) == 1
        assert await uow.bulk.release_campaign("c1", "campaign", actor="U0RITA", at=LATER, most=2) == 0
        assert await statuses_of(uow) == [A, X, A]
        freed = await uow.deliveries.get("d1")
        assert freed is not None
        assert (freed.waiting_for, freed.due_at) == (None, LATER)
        lines = await uow.enrollments.events("e3")
        assert [(line.event, line.actor) for line in lines] == [("wait", "U0RITA"), ("release", "U0RITA")]


async def test_a_stages_new_sender_counts_for_what_is_queued(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, A, A)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        await uow.deliveries.save(make_delivery("d1", mailbox_id="mb1", state=DeliveryState.SENDING))
        assert await uow.bulk.send_from("c1", 1, "mb2", own=True) == 2
        assert await uow.bulk.send_from("c1", 2, "mb2", own=True) == 0
        senders = [one.mailbox_id for name in ("d1", "d2") if (one := await uow.deliveries.get(name))]
        assert senders == ["mb1", "mb2"]
        await uow.bulk.send_from("c1", 1, None, own=False)
        back = await uow.deliveries.get("d2")
        assert back is not None
        assert back.mailbox_id == "mb1"


async def test_another_workspaces_prospects_are_never_touched(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_three(uow, A, A, A)
    async with store.write("T2") as uow:
        assert await uow.bulk.cancel_campaign("c1", CANCELED, actor="U0RITA", at=LATER) == 0
        assert await uow.bulk.wait_due_of_mailbox("mb1", FULL, at=LATER) == 0
