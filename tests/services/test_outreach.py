"""Sending: what becomes of every outcome, of every race, and of a process that dies in between."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.enrollment import ProspectEvent
from core.errors import (
    ConnectionLostError,
    LoginRefusedError,
    MailError,
    OutcomeUnknownError,
    RefusedError,
    ServerRefusedError,
    UnreachableError,
)
from tests.services.rig import ADA, CAMPAIGN, FILE, RITA, Rig, answer, email_of, message_id

LOST = OutcomeUnknownError("connection closed after the last byte", layer="smtp")


def refused(code: int, words: str) -> ServerRefusedError:
    return ServerRefusedError(words, layer="smtp", smtp_code=code)


async def test_an_accepted_mail_moves_its_prospect_on(rig: Rig) -> None:
    """250 after the dot: sent, and the next stage is queued by its delay."""
    await rig.open()
    await rig.launch()
    assert await rig.send_due() == 1
    assert await rig.states() == ["1.1 sent", "2.1 queued"]
    assert await rig.shows() == "Active 2"
    first, second = await rig.deliveries()
    assert first.server_text == "250 2.0.0 Ok: queued"
    assert second.due_at is not None
    assert (second.due_at - rig.clock.now()).total_seconds() == 3_600


async def test_the_last_stage_completes(rig: Rig) -> None:
    """Each stage once, in order, and then nothing."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    assert [await rig.follow_up(), await rig.follow_up(), await rig.follow_up()] == [1, 1, 0]
    assert await rig.states() == ["1.1 sent", "2.1 sent", "3.1 sent"]
    assert await rig.shows() == "Complete 3"


@pytest.mark.parametrize(
    ("error", "state", "shows"),
    [
        (refused(550, "550 5.1.1 no such user"), "failed", "Bounced 1 invalid_recipient"),
        (refused(554, "554 5.7.1 message refused as spam"), "failed", "Spam 1"),
        (refused(552, "552 5.3.4 message too large"), "failed", "Not Delivered 1"),
        (refused(599, "599 who knows"), "failed", "Not Delivered 1"),
        (LoginRefusedError("535 5.7.8 no", layer="smtp"), "failed", "Not Delivered 1 email_not_synced"),
        (refused(451, "451 4.3.0 try again"), "queued", "Active 1"),
        (refused(421, "421 4.7.0 too many connections"), "queued", "Active 1"),
        (UnreachableError("no route", layer="socket"), "queued", "Active 1"),
        (ConnectionLostError("reset before DATA", layer="smtp"), "queued", "Active 1"),
        (LOST, "unknown", "Pending 1 delivery_unknown"),
    ],
)  # fmt: skip
async def test_every_outcome_of_a_send(rig: Rig, error: MailError, state: str, shows: str) -> None:
    """Certain refusals fail, certain non-starts wait, silence is unknown; never anything in between."""
    await rig.open()
    await rig.launch()
    rig.provider.outcomes = [error]
    await rig.send_due()
    assert await rig.states() == [f"1.1 {state}"]
    assert (await rig.shows()).startswith(shows)
    (delivery,) = await rig.deliveries()
    if state == "failed":
        assert delivery.server_text == error.raw
        assert (await rig.card("stage:")).facts["server_text"] == error.raw
    if state == "queued":
        assert delivery.due_at is not None
        assert delivery.due_at > rig.clock.now()


async def test_an_unexpected_failure_while_sending_is_unknown(rig: Rig) -> None:
    """Unknown failure: temporary for reading, never for sending."""
    await rig.open()
    await rig.launch()

    async def fail() -> None:
        raise ZeroDivisionError

    rig.provider.on_wire = fail
    (one,) = await rig.claim()
    with pytest.raises(ZeroDivisionError):
        await rig.outreach.deliver(one)
    assert await rig.states() == ["1.1 unknown"]


async def test_after_five_tries_it_fails(rig: Rig) -> None:
    """Too Many Retries (R120): each later than the one before, then a card with Retry."""
    await rig.open()
    await rig.launch()
    rig.provider.outcomes = [refused(451, "451 4.3.0 try again") for _ in range(5)]
    waits = []
    for _ in range(5):
        assert await rig.send_due() == 1
        (delivery,) = await rig.deliveries()
        waits.append(((delivery.due_at or rig.clock.now()) - rig.clock.now()).total_seconds())
        assert await rig.send_due() == 0
        rig.clock.pass_time(hours=1)
    assert waits[:4] == sorted(waits[:4])
    assert await rig.shows() == "Not Delivered 1 too_many_retries"


async def test_a_crash_after_the_claim_is_unknown_and_never_sent_again_by_itself(rig: Rig) -> None:
    """``sending`` found at the start: nobody knows, so nobody sends."""
    await rig.open()
    await rig.launch()
    assert len(await rig.claim()) == 1
    rig.restarted()
    assert await rig.outreach.recover("T1") == 1
    assert await rig.states() == ["1.1 unknown"]
    assert await rig.shows() == "Pending 1 delivery_unknown"
    rig.clock.pass_time(days=2)
    assert await rig.claim() == []


async def test_only_what_was_claimed_long_ago_is_recovered_beside_living_processes(rig: Rig) -> None:
    """Another process's send of a moment ago is its own business."""
    await rig.open()
    await rig.launch()
    await rig.claim()
    assert await rig.outreach.recover("T1", claimed_before=rig.clock.now()) == 0
    rig.clock.pass_time(minutes=31)
    assert await rig.outreach.recover("T1", claimed_before=rig.clock.now()) == 1


async def test_a_cancelled_send_is_unknown(rig: Rig) -> None:
    """Cancellation is a third outcome: never "did not happen"."""
    await rig.open()
    await rig.launch()
    rig.provider.hang = asyncio.Event()
    (one,) = await rig.claim()
    task = asyncio.create_task(rig.outreach.deliver(one))
    await rig.provider.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rig.states() == ["1.1 unknown"]


async def test_a_send_cancelled_before_it_began_goes_back_into_the_queue(rig: Rig) -> None:
    """Nothing is undecided that could be known: nothing was said to the server."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    task = asyncio.create_task(rig.outreach.deliver(one))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rig.states() == ["1.1 queued"]
    assert await rig.send_due() == 1
    assert len(rig.provider.accepted) == 1


async def test_a_mailbox_disconnected_between_claim_and_send_fails_the_stage(rig: Rig) -> None:
    """Its credentials are gone: the row does not stay "sending" for ever."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    await rig.mailboxes.disconnect(RITA, one.mailbox.id)
    await rig.outreach.deliver(one)
    assert await rig.states() == ["1.1 failed"]
    assert await rig.shows() == "Not Delivered 1 email_not_synced"


@pytest.mark.parametrize(
    ("event", "state", "status"),
    [
        (ProspectEvent.PAUSE, "queued", "Paused"),
        (ProspectEvent.FINISH, "cancelled", "Complete"),
    ],
)
async def test_a_stop_between_claim_and_send_wins(rig: Rig, event: ProspectEvent, state: str, status: str) -> None:
    """What was committed before the first byte holds the mail back."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    await rig.act(event)
    await rig.outreach.deliver(one)
    assert rig.provider.accepted == []
    assert await rig.states() == [f"1.1 {state}"]
    assert (await rig.shows()).startswith(status)


async def test_a_reply_between_claim_and_record_keeps_replied(rig: Rig) -> None:
    """The crossed mail is logged as sent; no further stage is queued."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    (one,) = await rig.claim()
    rig.provider.hang = asyncio.Event()
    rig.provider.began.clear()
    task = asyncio.create_task(rig.outreach.deliver(one))
    await rig.provider.began.wait()
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    rig.provider.hang.set()
    await task
    assert await rig.states() == ["1.1 sent", "2.1 sent"]
    assert await rig.shows() == "Replied 2"


@pytest.mark.parametrize("event", [ProspectEvent.PAUSE, ProspectEvent.FINISH])
async def test_a_mail_put_back_after_a_stop_does_not_wait_for_ever(rig: Rig, event: ProspectEvent) -> None:
    """451 comes, but the person was paused or finished meanwhile: held or cancelled, never silently due."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    rig.provider.outcomes = [refused(451, "451 try again")]

    async def stop() -> None:
        await rig.act(event)

    rig.provider.on_wire = stop
    await rig.outreach.deliver(one)
    rig.provider.on_wire = None
    (delivery,) = await rig.deliveries()
    if event is ProspectEvent.PAUSE:
        assert (delivery.state.value, delivery.waiting_for) == ("queued", "paused")
        await rig.act(ProspectEvent.UNPAUSE)
        rig.clock.pass_time(minutes=10)
        assert await rig.send_due() == 1
    else:
        assert delivery.state.value == "cancelled"


async def test_two_claims_never_take_the_same_row(rig_on_both: Rig) -> None:
    """Several workers at once: each mail is claimed once."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(20)
    claims = await asyncio.gather(*(rig.claim(limit=7) for _ in range(6)))
    claimed = [one.delivery.id for some in claims for one in some]
    while more := await rig.claim():
        claimed.extend(one.delivery.id for one in more)
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 20


async def test_a_pause_racing_the_claim_has_two_outcomes(rig_on_both: Rig) -> None:
    """Claimed and crossed, or paused and not sent; the row knows which."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(10)
    claim = asyncio.create_task(rig.claim())
    await asyncio.gather(claim, *(rig.act(ProspectEvent.PAUSE, n) for n in range(1, 11)))
    claims = claim.result()
    claimed = {one.delivery.enrollment_id for one in claims}
    for number in range(1, 11):
        (delivery,) = await rig.deliveries(number)
        assert (await rig.prospect(number)).status.value == "Paused"
        assert delivery.state.value == ("sending" if delivery.enrollment_id in claimed else "queued")
    for one in claims:
        await rig.outreach.deliver(one)
    assert rig.provider.accepted == []
    assert await rig.claim() == []


async def test_clicks_while_results_are_recorded_lose_nothing(rig_on_both: Rig) -> None:
    """Pauses, skips and results for the same prospects at once: no row is left on the wire."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(10)
    outgoing = await rig.claim()

    async def act(number: int) -> None:
        try:
            await rig.act(ProspectEvent.PAUSE, number)
        except RefusedError:
            return

    await asyncio.gather(*(rig.outreach.deliver(one) for one in outgoing), *(act(n) for n in range(1, 11)))
    for number in range(1, 11):
        states = await rig.states(number)
        assert "1.1 sending" not in states
        assert (await rig.prospect(number)).status.value == "Paused"


async def test_spacing_lets_one_mail_of_a_mailbox_go_at_a_time(rig: Rig) -> None:
    """Between 60 and 120 seconds by default, over all campaigns together."""
    await rig.open(spacing_min_s=60, spacing_max_s=120)
    await rig.launch(3)
    assert await rig.send_due() == 1
    assert await rig.send_due() == 0
    rig.clock.pass_time(seconds=89)
    assert await rig.send_due() == 0
    rig.clock.pass_time(seconds=1)
    assert await rig.send_due() == 1


async def test_follow_ups_wait_until_the_mailbox_was_read(rig: Rig) -> None:
    """The freshness gate: stale folders hold the follow-up as Pending, the finished pass releases it."""
    await rig.open()
    await rig.launch(2)
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    assert await rig.claim() == []
    assert await rig.shows() == "Pending 2 sync_behind"
    assert await rig.claim() == []
    await rig.read_mail()
    assert await rig.shows() == "Active 2"
    assert await rig.send_due() == 2


async def test_a_reply_that_came_during_an_outage_stops_the_next_stage(rig: Rig) -> None:
    """The pass that would release the follow-up finds the reply first."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    rig.clock.pass_time(hours=3)
    assert await rig.claim() == []
    await rig.read_mail()
    assert await rig.claim() == []
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert await rig.shows() == "Replied 2"


async def test_readings_of_a_dead_process_open_no_gate(rig: Rig) -> None:
    """Read a minute ago, but by the process before: read again first."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    rig.clock.pass_time(seconds=10)
    rig.restarted()
    assert await rig.claim() == []
    assert await rig.shows() == "Pending 2 sync_behind"


async def test_first_mails_go_though_the_mailbox_is_stale(rig: Rig) -> None:
    """Nobody can have answered what was not sent."""
    await rig.open()
    rig.clock.pass_time(hours=5)
    await rig.launch()
    assert await rig.send_due() == 1


async def test_a_retry_and_a_resend_pass_the_gate_like_a_follow_up(rig: Rig) -> None:
    """They follow a mail that may have been answered."""
    await rig.open()
    await rig.launch(2)
    rig.provider.outcomes = [refused(552, "552 5.3.4 message too large"), LOST]
    rig.provider.takes_lost = False
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    first = 1 if (await rig.shows(1)).startswith("Not Delivered") else 2
    await rig.act(ProspectEvent.RETRY, first)
    assert await rig.claim() == []
    assert await rig.shows(first) == "Pending 1 sync_behind"
    second = 3 - first
    async with rig.store.write("T1") as uow:
        delivery = (await rig.deliveries(second))[0]
        await rig.outreach.resend(uow, delivery, evidence="absent")
    assert await rig.claim() == []
    assert await rig.shows(second) == "Pending 1 sync_behind"
    await rig.read_mail()
    assert await rig.send_due() == 2


async def test_a_folder_that_is_gone_from_the_server_holds_nobody_up(rig: Rig) -> None:
    """Junk was renamed: the old name is never read again, and no follow-up waits for it."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.provider.folders["Spam"] = rig.provider.folders.pop("Junk")
    assert await rig.follow_up() == 1


async def test_a_missing_merge_field_waits_for_the_profile(rig: Rig) -> None:
    """Pending with the field's name; the import that fills it lets the mail go."""
    await rig.open()
    await rig.launch(file=FILE.replace("Hi {{first_name}}", "Hi {{team}}"))
    assert await rig.claim() == []
    assert await rig.shows() == "Pending 1 missing_variable"
    assert "team" in (await rig.prospect()).reason.text  # type: ignore[union-attr]
    await rig.people.import_csv(RITA, f"first_name,personal_email,team\nP1,{email_of(1)},Blue\n".encode())
    assert await rig.send_due() == 1


async def test_a_person_without_an_allowed_address_fails_with_the_fix(rig: Rig) -> None:
    """Null Email (R118); an address added and Retry sends it."""
    await rig.open()
    await rig.launch(file=FILE + "email_priority: [work]\n")
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 1 null_email"
    await rig.people.add_address(RITA, email_of(1), "p1@work.example", "work")
    await rig.act(ProspectEvent.RETRY)
    assert await rig.send_due() == 1
    assert b"To: P1\r\n <p1@work.example>" in rig.provider.accepted[0]


async def test_a_name_that_cannot_stand_in_a_header_fails_that_prospect_only(rig: Rig) -> None:
    """Content rejected, named; the others' mails go."""
    await rig.open()
    await rig.launch(2, file=FILE.replace("{{first_name}}, a role", "{{team|A}} role"))
    await rig.people.import_csv(RITA, f'first_name,personal_email,team\nP1,{email_of(1)},"a\nBcc: x"\n'.encode())
    assert await rig.send_due() == 1
    assert await rig.shows(1) == "Not Delivered 1 content_rejected"


async def test_a_retry_has_a_message_id_of_its_own_and_a_put_back_keeps_it(rig: Rig) -> None:
    """One Message-ID a series: receivers can drop a copy, but not a new try."""
    await rig.open()
    await rig.launch()
    rig.provider.outcomes = [refused(451, "451 try again")]
    await rig.send_due()
    before = (await rig.deliveries())[0].message_id
    rig.clock.pass_time(minutes=5)
    rig.provider.outcomes = [refused(552, "552 5.3.4 message too large")]
    await rig.send_due()
    assert [one.message_id for one in await rig.deliveries()] == [before]
    await rig.act(ProspectEvent.RETRY)
    await rig.read_mail()
    await rig.send_due()
    first, second, *_ = await rig.deliveries()
    assert (first.series, second.series) == (1, 2)
    assert first.message_id != second.message_id
    assert message_id(rig.provider.accepted[0]) == f"<{second.message_id}>"


async def test_a_skipped_first_stage_leaves_its_subject_to_the_second(rig: Rig) -> None:
    """The second mail opens the thread; it does not answer nothing."""
    await rig.open()
    await rig.launch()
    await rig.act(ProspectEvent.SKIP)
    assert await rig.follow_up() == 1
    assert b"\r\nSubject: P1, a role\r\n" in rig.provider.accepted[0]
    assert b"In-Reply-To" not in rig.provider.accepted[0]


async def test_follow_ups_stay_in_the_thread(rig: Rig) -> None:
    """Re: of the first, references to all before."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    await rig.follow_up()
    await rig.follow_up()
    first, second, third = rig.provider.accepted
    assert b"\r\nSubject: Re: P1, a role\r\n" in third
    assert f"In-Reply-To: {message_id(second)}".encode() in third
    assert f"References: {message_id(first)}\r\n {message_id(second)}".encode() in third


async def test_a_first_stage_with_a_sender_of_its_own_goes_from_there(rig: Rig) -> None:
    """The stage's own `from` wins over the campaign's, from the first stage on."""
    await rig.open()
    await rig.connect("omar@agency.test", ADA, owner="U0OMAR")
    await rig.read_mail("omar@agency.test")
    file = FILE.replace("    body: Hi", "    from: omar@agency.test\n    body: Hi", 1)
    await rig.launch(file=file, start=False)
    await rig.campaigns.start(ADA, CAMPAIGN)
    await rig.send_due()
    assert b"From: omar@agency.test" in rig.provider.accepted[0]


async def test_a_late_result_does_not_undo_a_newer_try(rig: Rig) -> None:
    """An attempt given up and repeated: the old one's refusal is not the new one's."""
    await rig.open()
    await rig.launch()
    (old,) = await rig.claim()
    assert await rig.outreach.recover("T1") == 1
    async with rig.store.write("T1") as uow:
        delivery = await uow.deliveries.get(old.delivery.id)
        assert delivery is not None
        await rig.outreach.resend(uow, delivery, evidence="absent")
    await rig.read_mail()
    (new,) = await rig.claim()
    assert old.delivery.id == new.delivery.id
    rig.provider.outcomes = [refused(550, "550 5.1.1 no such user")]
    await rig.outreach.deliver(old)
    assert await rig.states() == ["1.1 sending"]
    await rig.outreach.deliver(new)
    assert await rig.states() == ["1.1 sent", "2.1 queued"]


async def test_a_late_250_counts_even_when_the_mail_waits_to_go_again(rig: Rig) -> None:
    """The slow attempt did succeed: it is not sent a second time."""
    await rig.open()
    await rig.launch()
    (old,) = await rig.claim()
    await rig.outreach.recover("T1")
    async with rig.store.write("T1") as uow:
        delivery = await uow.deliveries.get(old.delivery.id)
        assert delivery is not None
        await rig.outreach.resend(uow, delivery, evidence="absent")
    await rig.outreach.deliver(old)
    assert await rig.states() == ["1.1 sent", "2.1 queued"]
    await rig.read_mail()
    assert await rig.claim() == []
    assert len(rig.provider.accepted) == 1


async def test_a_stage_sent_after_the_campaign_stopped_queues_nothing(rig: Rig) -> None:
    """The crossed mail counts; the prospect is told why there is no more."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    await rig.campaigns.stop(RITA, CAMPAIGN)
    await rig.outreach.deliver(one)
    assert await rig.states() == ["1.1 sent"]
    assert await rig.shows() == "Not Delivered 2 canceled"


async def test_a_mailbox_has_few_mails_under_way_at_once(rig: Rig) -> None:
    """What is under way at a crash has to be looked up, and a long queue must not keep other mailboxes waiting."""
    await rig.open()
    await rig.launch(people=10)
    first = await rig.claim()
    assert len(first) == 4
    mailbox_id = first[0].mailbox.id
    assert await rig.outreach.claim("T1", limit=50, under_way={mailbox_id: 4}) == []
    assert len(await rig.outreach.claim("T1", limit=50, under_way={mailbox_id: 3})) == 1
