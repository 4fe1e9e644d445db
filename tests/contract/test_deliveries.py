"""Deliveries: claims, holds, releases and what the Email Log shows, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.campaign import CampaignStatus
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import ProspectStatus, Reason
from core.errors import LostRaceError, RefusedError
from core.ports.storage import DueDelivery, EnrollmentEvent
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_enrollment, make_mailbox

MINUTE = timedelta(minutes=1)


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.id for delivery in deliveries]


def claimed(due: list[DueDelivery]) -> list[str]:
    return [one.delivery.id for one in due]


async def test_a_delivery_comes_back_as_it_was_saved_and_keeps_its_first_text(store: SqlStore) -> None:
    sending = make_delivery(state=DeliveryState.SENDING, message_id="a@agency.test", token="t1", claimed_at=NOW)
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many([make_delivery()])
        assert await uow.deliveries.save(sending, raw=b"first text")
        assert not await uow.deliveries.save(make_delivery(state=DeliveryState.CANCELLED))
        unknown = replace(sending, version=2, state=DeliveryState.UNKNOWN)
        assert await uow.deliveries.save(unknown, raw=b"another text")
    async with store.read("T1") as uow:
        assert await uow.deliveries.get("d1") == replace(unknown, version=3)
        assert await uow.deliveries.raw("d1") == b"first text"
        assert await uow.deliveries.raw("d2") is None
        assert await uow.deliveries.get("d2") is None


async def test_a_stage_has_one_delivery_per_series_and_a_refused_batch_adds_none(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many([make_delivery()])
        with pytest.raises(RefusedError) as refused:
            await uow.deliveries.add_many([make_delivery("d2", stage=2), make_delivery("d3")])
        assert refused.value.reason == "delivery_exists"
        assert await uow.deliveries.get("d2") is None
        await uow.deliveries.add_many([make_delivery("d3", series=2)])
        latest = await uow.deliveries.latest_of("e1", 1)
        assert latest is not None
        assert latest.id == "d3"
        assert await uow.deliveries.latest_of("e1", 2) is None


async def test_the_open_delivery_is_the_one_that_is_not_settled(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many([make_delivery("d1", state=DeliveryState.SENT, sent_at=NOW)])
        assert await uow.deliveries.open_of("e1") is None
        await uow.deliveries.add_many([make_delivery("d2", stage=2, state=DeliveryState.HELD)])
        held = await uow.deliveries.open_of("e1")
        assert held is not None
        assert held.id == "d2"


async def test_deliveries_are_found_by_our_id_and_by_the_one_the_recipient_got(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow)
        first = make_delivery("d1", message_id="ours@agency.test", wire_message_id="theirs@outlook.example")
        await uow.deliveries.add_many([first, make_delivery("d2", stage=2, message_id="second@agency.test")])
        found = await uow.deliveries.by_message_ids(
            ["ours@agency.test", "theirs@outlook.example", "second@agency.test", "nobody@agency.test"]
        )
        assert {message_id: one.id for message_id, one in found.items()} == {
            "ours@agency.test": "d1",
            "theirs@outlook.example": "d1",
            "second@agency.test": "d2",
        }
        assert await uow.deliveries.by_message_ids([]) == {}


async def test_a_claim_brings_every_fact_of_the_thread(store: SqlStore) -> None:
    """The thread counts what went out from the same mailbox, in order, each by the id the recipient got."""
    sent = {"state": DeliveryState.SENT, "sent_at": NOW - MINUTE}
    async with store.write("T1") as uow:
        enrollment = await add_prospect(uow)
        inbox = await uow.folders.ensure("mb1", "INBOX", "inbox")
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        due = make_delivery("d4", stage=4)
        await uow.deliveries.add_many(
            [
                make_delivery("d1", **sent, message_id="1@x", wire_message_id="1@wire", subject="A role"),
                make_delivery("d2", **sent, stage=2, mailbox_id="mb2", message_id="2@x", subject="From Omar"),
                make_delivery("d3", **sent, stage=3, message_id="3@x", subject="Re: A role"),
                due,
            ]
        )
        person = await uow.people.get("p1")
        assert person is not None
        assert await uow.deliveries.claim_due(NOW, limit=10) == [
            DueDelivery(
                delivery=due,
                enrollment=enrollment,
                person=person,
                mailbox=make_mailbox(),
                previous_message_ids=("1@wire", "3@x"),
                thread_subject="A role",
                folders=(inbox,),
            )
        ]


async def test_follow_ups_come_before_first_touches_and_the_oldest_first(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in range(1, 6):
            await add_prospect(uow, number)
        await uow.deliveries.add_many(
            [
                make_delivery("d1", enrollment_id="e1", due_at=NOW - 9 * MINUTE),
                make_delivery("d2", enrollment_id="e2", due_at=NOW - 8 * MINUTE),
                make_delivery("d3", enrollment_id="e3", due_at=NOW - 2 * MINUTE, stage=3),
                make_delivery("d4", enrollment_id="e4", due_at=NOW - 3 * MINUTE, stage=2),
                make_delivery("d5", enrollment_id="e5", due_at=NOW + MINUTE, stage=2),
            ]
        )
        assert claimed(await uow.deliveries.claim_due(NOW, limit=10)) == ["d4", "d3", "d1", "d2"]
        assert claimed(await uow.deliveries.claim_due(NOW, limit=2)) == ["d4", "d3"]


async def test_what_waits_is_off_or_is_finished_is_not_claimed(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2, status=ProspectStatus.PENDING)
        await add_prospect(uow, 3, status=ProspectStatus.REPLIED)
        await uow.campaigns.add(make_campaign("c2", name="Off", status=CampaignStatus.PAUSED))
        await uow.enrollments.add_many([make_enrollment("e4", campaign_id="c2", mailbox_id=None)])
        await uow.deliveries.add_many(
            [
                make_delivery("waiting", waiting_for="sync_behind"),
                make_delivery("never-due", series=2, due_at=None),
                make_delivery("sending", series=3, state=DeliveryState.SENDING),
                make_delivery("pending", enrollment_id="e2"),
                make_delivery("replied", enrollment_id="e3"),
                make_delivery("campaign-off", enrollment_id="e4", campaign_id="c2"),
            ]
        )
        assert claimed(await uow.deliveries.claim_due(NOW, limit=10)) == ["pending"]


async def test_spacing_holds_a_mailbox_back_and_a_delivery_without_mailbox_is_for_the_gates(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2)
        await uow.deliveries.add_many([make_delivery(), make_delivery("d2", enrollment_id="e2", mailbox_id=None)])
        await uow.mailboxes.reserve_slot("mb1", next_send_at=NOW + MINUTE)
        (without,) = await uow.deliveries.claim_due(NOW, limit=10)
        assert (without.delivery.id, without.mailbox, without.folders) == ("d2", None, ())
        assert claimed(await uow.deliveries.claim_due(NOW + MINUTE, limit=10)) == ["d1", "d2"]


async def test_a_busy_mailbox_hides_nobody_elses_mail(store: SqlStore) -> None:
    """What is due of the others is claimed, also where the busy one's queue is longer than the limit."""
    async with store.write("T1") as uow:
        for number in range(1, 4):
            await add_prospect(uow, number)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        await uow.deliveries.add_many(
            [
                make_delivery("d1", enrollment_id="e1", due_at=NOW - 9 * MINUTE),
                make_delivery("d2", enrollment_id="e2", due_at=NOW - 8 * MINUTE),
                make_delivery("d3", enrollment_id="e3", due_at=NOW - MINUTE, mailbox_id="mb2"),
            ]
        )
        assert claimed(await uow.deliveries.claim_due(NOW, limit=1, busy=["mb1"])) == ["d3"]


async def test_a_claim_reads_only_as_many_of_a_mailbox_as_can_go(store: SqlStore) -> None:
    """The rest of its queue stays for a later claim; what has no mailbox yet is for the gates."""
    async with store.write("T1") as uow:
        for number in range(1, 7):
            await add_prospect(uow, number)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        boxes = ("mb1", "mb1", "mb1", "mb2", None, None)
        await uow.deliveries.add_many(
            [make_delivery(f"d{n}", enrollment_id=f"e{n}", mailbox_id=box) for n, box in enumerate(boxes, 1)]
        )
        assert claimed(await uow.deliveries.claim_due(NOW, limit=10, each=2)) == ["d1", "d2", "d4", "d5", "d6"]


async def test_many_are_saved_at_once_each_by_what_differs(store: SqlStore) -> None:
    """Different fields of different rows; the version of each grows, the text is kept, what was not named stays."""
    async with store.write("T1") as uow:
        for number in (1, 2, 3):
            await add_prospect(uow, number)
        before = [make_delivery(f"d{n}", enrollment_id=f"e{n}", message_id="old@x") for n in (1, 2, 3)]
        await uow.deliveries.add_many(before)
        after = [
            replace(before[0], state=DeliveryState.SENDING, claimed_at=NOW, token="t"),
            replace(before[1], state=DeliveryState.SENDING, claimed_at=NOW, token="u"),
            replace(before[2], due_at=NOW + MINUTE, message_id=None),
        ]
        await uow.deliveries.save_many(list(zip(before, after, strict=True)), raws={"d1": b"one", "d2": b"two"})
        assert await uow.deliveries.lock([one.id for one in before]) == {"d1": 2, "d2": 2, "d3": 2}
        assert [await uow.deliveries.get(one.id) for one in after] == [replace(one, version=2) for one in after]
        assert await uow.deliveries.raws(["d1", "d2", "d3"]) == {"d1": b"one", "d2": b"two"}
        await uow.deliveries.save_many([])
        assert await uow.deliveries.furthest_stages(["e1", "e9"]) == {"e1": 1}


async def test_many_at_once_lose_the_race_together(store: SqlStore) -> None:
    """One row is newer than as it was read: the unit must be undone, so it says so."""
    first, second = make_delivery("d1"), make_delivery("d2", enrollment_id="e2")
    async with store.write("T1") as uow:
        for number in (1, 2):
            await add_prospect(uow, number)
        await uow.deliveries.add_many([first, second])
        assert await uow.deliveries.save(replace(second, attempts=1))
    with pytest.raises(LostRaceError):
        async with store.write("T1") as uow:
            await uow.deliveries.save_many([(one, replace(one, attempts=5)) for one in (first, second)])
    async with store.read("T1") as uow:
        assert await uow.deliveries.get("d1") == first


async def test_many_prospects_move_at_once_with_their_lines_in_the_ledger(store: SqlStore) -> None:
    reason = Reason("mailbox_limit", "Full", "Wait")
    async with store.write("T1") as uow:
        before = [await add_prospect(uow, number) for number in (1, 2)]
        after = [
            replace(before[0], status=ProspectStatus.PENDING, reason=reason),
            replace(before[1], status=ProspectStatus.REPLIED, stage=2),
        ]
        await uow.enrollments.save_many(list(zip(before, after, strict=True)))
        lines = [EnrollmentEvent(one.id, NOW, "wait", one.status, one.stage, "engine") for one in after]
        await uow.enrollments.add_events(lines)
        assert await uow.enrollments.lock(["e1", "e2", "e9"]) == {"e1": 2, "e2": 2}
        assert await uow.enrollments.get("e1") == replace(after[0], version=2)
        assert await uow.enrollments.events("e2") == [lines[1]]
        assert await uow.enrollments.running(["e1", "e2", "e9"]) == {"e1"}
        with pytest.raises(LostRaceError):
            await uow.enrollments.save_many([(before[0], after[1])])


async def test_two_workers_never_claim_the_same_delivery_or_share_a_mailbox(store: SqlStore) -> None:
    """While one unit holds its claims, another gets none of them, and nothing of the same mailbox."""
    async with store.write("T1") as uow:
        for number in range(1, 9):
            await add_prospect(uow, number)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        await uow.deliveries.add_many(
            [make_delivery(f"d{n}", enrollment_id=f"e{n}", mailbox_id="mb1" if n <= 4 else "mb2") for n in range(1, 9)]
        )

    async def work() -> list[tuple[str, str]]:
        async with store.write("T1") as uow:
            due = await uow.deliveries.claim_due(NOW, limit=2)
            for one in due:
                await uow.deliveries.save(replace(one.delivery, state=DeliveryState.SENDING, claimed_at=NOW))
            await asyncio.sleep(0)
            return [(one.delivery.id, one.delivery.mailbox_id or "") for one in due]

    rounds = [await asyncio.gather(*(work() for _ in range(4))) for _ in range(4)]
    everything = [one for round_ in rounds for part in round_ for one in part]
    assert sorted(name for name, _ in everything) == [f"d{n}" for n in range(1, 9)]


@pytest.mark.postgres
async def test_a_claim_on_postgresql_skips_what_another_unit_holds(store_on_postgres: SqlStore) -> None:
    """Two units open at once: the second sees neither the claimed rows nor the rest of that mailbox's queue."""
    store = store_on_postgres
    async with store.write("T1") as uow:
        for number in (1, 2, 3):
            await add_prospect(uow, number)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        boxes = ("mb1", "mb1", "mb2")
        await uow.deliveries.add_many(
            [make_delivery(f"d{n}", enrollment_id=f"e{n}", mailbox_id=box) for n, box in enumerate(boxes, 1)]
        )
    async with store.write("T1") as first, store.write("T1") as second:
        assert claimed(await first.deliveries.claim_due(NOW, limit=1)) == ["d1"]
        assert claimed(await second.deliveries.claim_due(NOW, limit=10)) == ["d3"]


@pytest.mark.postgres
async def test_a_delivery_without_mailbox_is_claimed_by_one_unit_too(store_on_postgres: SqlStore) -> None:
    async with store_on_postgres.write("T1") as uow:
        for number in (1, 2):
            await add_prospect(uow, number)
        await uow.deliveries.add_many([make_delivery(f"d{n}", enrollment_id=f"e{n}", mailbox_id=None) for n in (1, 2)])
    async with store_on_postgres.write("T1") as first, store_on_postgres.write("T1") as second:
        assert claimed(await first.deliveries.claim_due(NOW, limit=1)) == ["d1"]
        assert claimed(await second.deliveries.claim_due(NOW, limit=10)) == ["d2"]


async def test_holding_back_and_releasing_a_campaign(store: SqlStore) -> None:
    """A released delivery is due no earlier than told; its prospect is Active without a reason."""
    reason = Reason("campaign_off", "The campaign is paused", "Start it")
    async with store.write("T1") as uow:
        await add_prospect(uow, 1, status=ProspectStatus.PENDING, reason=reason)
        await add_prospect(uow, 2, status=ProspectStatus.PAUSED, reason=reason)
        await add_prospect(uow, 3)
        later = NOW + timedelta(hours=1)
        await uow.deliveries.add_many(
            [
                make_delivery("d1", due_at=NOW - MINUTE),
                make_delivery("d2", enrollment_id="e2", due_at=later),
                make_delivery("d3", enrollment_id="e3", waiting_for="sync_behind", due_at=None),
            ]
        )
        assert await uow.deliveries.hold_back("c1", waiting_for="campaign") == 2
        assert await uow.deliveries.hold_back("c1", waiting_for="campaign") == 0
        assert await uow.deliveries.claim_due(NOW, limit=10) == []
        assert not await uow.deliveries.save(make_delivery("d1", due_at=NOW))
        assert await uow.deliveries.release("campaign", not_before=NOW, campaign_id="c2") == 0
        assert await uow.deliveries.release("campaign", not_before=NOW, campaign_id="c1", mailbox_id="mb1") == 2
        assert await uow.deliveries.release("sync_behind", not_before=NOW, mailbox_id="mb2") == 0
        assert await uow.deliveries.release("sync_behind", not_before=NOW, mailbox_id="mb1") == 1
        found = [await uow.deliveries.get(f"d{n}") for n in (1, 2, 3)]
        assert [one and (one.due_at, one.waiting_for) for one in found] == [(NOW, None), (later, None), (NOW, None)]
        first, second = await uow.enrollments.get("e1"), await uow.enrollments.get("e2")
        assert first == make_enrollment(version=2)
        assert second is not None
        assert (second.status, second.reason) == (ProspectStatus.PAUSED, reason)


async def test_undecided_deliveries_are_found_when_they_are_due(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in range(1, 5):
            await add_prospect(uow, number)
        await uow.deliveries.add_many(
            [
                make_delivery("d1", state=DeliveryState.SENDING, claimed_at=NOW),
                make_delivery("d2", enrollment_id="e2", state=DeliveryState.SENDING, claimed_at=NOW - MINUTE),
                make_delivery("d3", enrollment_id="e3", state=DeliveryState.UNKNOWN, next_check_at=NOW),
                make_delivery("d4", enrollment_id="e4", state=DeliveryState.UNKNOWN, next_check_at=NOW + MINUTE),
            ]
        )
        assert ids(await uow.deliveries.sending()) == ["d2", "d1"]
        assert ids(await uow.deliveries.sending(claimed_before=NOW)) == ["d2"]
        assert ids(await uow.deliveries.checks_due(NOW)) == ["d3"]
        assert ids(await uow.deliveries.checks_due(NOW + MINUTE, limit=1)) == ["d3"]


async def test_a_send_that_is_renewed_is_not_taken_for_a_dead_process(store: SqlStore) -> None:
    """Only what is being sent is renewed, and its version stays: the sender's own result must still be stored."""
    async with store.write("T1") as uow:
        for number in (1, 2):
            await add_prospect(uow, number)
        sending = make_delivery("d1", state=DeliveryState.SENDING, claimed_at=NOW)
        await uow.deliveries.add_many([sending, make_delivery("d2", enrollment_id="e2")])
        assert await uow.deliveries.renew(["d1", "d2"], NOW + MINUTE) == 1
        assert ids(await uow.deliveries.sending(claimed_before=NOW + MINUTE)) == []
        assert await uow.deliveries.save(replace(sending, state=DeliveryState.SENT))
        assert await uow.deliveries.renew(["d1"], NOW + MINUTE) == 0
        assert await uow.deliveries.renew([], NOW) == 0


async def test_the_control_for_a_search_in_sent_is_what_the_server_itself_took(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in range(1, 6):
            await add_prospect(uow, number)
        settled = ("server", "sent_folder", None, "server", "server")
        await uow.deliveries.add_many(
            [
                make_delivery(
                    f"d{n}", enrollment_id=f"e{n}", state=DeliveryState.SENT, sent_at=NOW + n * MINUTE, settled_by=by
                )
                for n, by in enumerate(settled, 1)
            ]
        )
        assert ids(await uow.deliveries.latest_accepted("mb1")) == ["d5", "d4", "d3"]
        assert ids(await uow.deliveries.latest_accepted("mb2")) == []


async def test_retry_all_gets_the_latest_delivery_of_each_failed_prospect(store: SqlStore) -> None:
    full = Reason("mailbox_full", "Full", "Retry later")
    async with store.write("T1") as uow:
        await add_prospect(uow, 1, status=ProspectStatus.NOT_DELIVERED, reason=full)
        await add_prospect(uow, 2, status=ProspectStatus.BOUNCED, reason=Reason("hard_bounce", "Gone", "Fix address"))
        await add_prospect(uow, 3)
        failed = {"state": DeliveryState.FAILED}
        await uow.deliveries.add_many(
            [
                make_delivery("d1", **failed),
                make_delivery("d2", **failed, series=2),
                make_delivery("d3", **failed, enrollment_id="e2"),
                make_delivery("d4", **failed, enrollment_id="e3"),
            ]
        )
        assert ids(await uow.deliveries.failed_of("c1")) == ["d2", "d3"]
        assert ids(await uow.deliveries.failed_of("c1", reason="mailbox_full")) == ["d2"]
        assert ids(await uow.deliveries.failed_of("c2")) == []


async def test_what_failed_in_a_mailbox_since_then_is_found_over_all_campaigns(store: SqlStore) -> None:
    """Of the newest delivery of each prospect: by reason, by mailbox, and not before the moment asked for."""
    down = Reason("email_not_synced", "Not synced", "Reconnect")
    async with store.write("T1") as uow:
        for number, at in enumerate((0, 5, 9, 9), 1):
            changes = {"campaign_id": "c2"} if number == 3 else {}
            if number == 1:
                await uow.campaigns.add(make_campaign("c2", name="Before", created_at=NOW - MINUTE))
            await add_prospect(uow, number, status=ProspectStatus.NOT_DELIVERED, reason=down, **changes)
            failed = EnrollmentEvent(
                f"e{number}", NOW + at * MINUTE, "failed", ProspectStatus.NOT_DELIVERED, 1, "system"
            )
            await uow.enrollments.add_event(failed)
            await uow.enrollments.add_event(replace(failed, at=NOW + 20 * MINUTE, status=ProspectStatus.ACTIVE))
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
        states = {"state": DeliveryState.FAILED, "reason": "email_not_synced"}
        await uow.deliveries.add_many(
            [
                make_delivery("d1", **states),
                make_delivery("d2", **states, enrollment_id="e2"),
                make_delivery("d3", **states, enrollment_id="e3", campaign_id="c2"),
                make_delivery("d4", **states, enrollment_id="e4", mailbox_id="mb2"),
            ]
        )
        deliveries, then, why = uow.deliveries, NOW + MINUTE, "email_not_synced"
        found = await deliveries.failed_of_mailbox("mb1", reason=why, since=then)
        assert [(one.id, at) for one, at in found] == [("d2", NOW + 5 * MINUTE), ("d3", NOW + 9 * MINUTE)]
        assert await deliveries.count_failed_of_mailbox("mb1", reason=why, since=then) == 2
        assert await deliveries.count_failed_of_mailbox("mb1", reason=why, since=NOW) == 3
        assert await deliveries.count_failed_of_mailbox("mb1", reason="mailbox_full", since=NOW) == 0
        assert await deliveries.count_failed_of_mailbox("mb2", reason=why, since=then) == 1


async def test_the_email_log_shows_the_newest_first(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2)
        sent = make_delivery(
            "d1",
            state=DeliveryState.SENT,
            sent_at=NOW + MINUTE,
            message_id="1@agency.test",
            subject="A role",
            recipient="p1@candidates.example",
            server_text="250 ok",
        )
        await uow.deliveries.add_many([sent, make_delivery("d2", enrollment_id="e2")])
    async with store.read("T1") as uow:
        first, second = await uow.deliveries.log()
        assert (first.id, first.email, first.at, first.server_text, first.message_id, first.campaign) == (
            "d1",
            "p1@candidates.example",
            NOW + MINUTE,
            "250 ok",
            "1@agency.test",
            "Backend engineers",
        )
        assert (second.email, second.person, second.state) == (
            "person2@candidates.example",
            "Cleo Candidate",
            DeliveryState.QUEUED,
        )
        assert await uow.deliveries.log(campaign_id="c2") == []
        assert await uow.deliveries.log(state={DeliveryState.QUEUED}) == [second]
        assert await uow.deliveries.log(campaign_id="c1", limit=1) == [first]
