"""What people do: buttons, retries, campaigns; each once, each by the rules, each refused in words."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.campaign import CampaignStatus
from core.domain.enrollment import ProspectEvent
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError, RethreadError, ServerRefusedError
from core.services.campaigns import CampaignFileError
from tests.services.rig import ADA, CAMPAIGN, FILE, OMAR, RITA, VERA, Rig, email_of

NOBODY = ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)
FULL = ServerRefusedError("550 5.2.3 message too large", layer="smtp", smtp_code=550)


async def fail(rig: Rig, people: int = 1, error: ServerRefusedError = FULL) -> None:
    await rig.open()
    await rig.launch(people)
    rig.provider.outcomes = [error] * people
    await rig.send_due()


# -- buttons


async def test_a_click_on_a_stale_card_hears_who_was_faster(rig: Rig) -> None:
    """Two people press Retry: one retry, and a sentence for the second."""
    await fail(rig)
    facts = (await rig.card("stage:")).facts
    await rig.prospects.act_on_card(RITA, ProspectEvent.RETRY, facts["delivery_id"], facts["version"])
    with pytest.raises(RefusedError, match="<@U0RITA> was faster"):
        await rig.prospects.act_on_card(ADA, ProspectEvent.RETRY, facts["delivery_id"], facts["version"])
    assert await rig.states() == ["1.1 failed", "1.2 queued"]
    assert (await rig.card("stage:")).facts["state"] == "retrying"


async def test_clicks_at_the_same_moment_make_one_retry(rig_on_both: Rig) -> None:
    """Five at once, on both databases: one wins, four are refused, one new series."""
    rig = rig_on_both
    await fail(rig)
    facts = (await rig.card("stage:")).facts

    async def click() -> str:
        try:
            await rig.prospects.act_on_card(RITA, ProspectEvent.RETRY, facts["delivery_id"], facts["version"])
        except RefusedError as refused:
            return refused.reason
        return "done"

    results = await asyncio.gather(*(click() for _ in range(5)))
    assert results.count("done") == 1
    assert set(results) <= {"done", "stale", "delivery_exists"}
    assert await rig.states() == ["1.1 failed", "1.2 queued"]


@pytest.mark.parametrize(
    ("event", "card", "shows"),
    [
        (ProspectEvent.RETRY, "retrying", "Active 1"),
        (ProspectEvent.SKIP, "skipped", "Active 2"),
        (ProspectEvent.FINISH, "finished", "Complete 1"),
    ],
)
async def test_each_button_of_the_failed_card(rig: Rig, event: ProspectEvent, card: str, shows: str) -> None:
    """The same card says what was done, and by whom."""
    await fail(rig)
    facts = (await rig.card("stage:")).facts
    await rig.prospects.act_on_card(RITA, event, facts["delivery_id"], facts["version"])
    told = (await rig.card("stage:")).facts
    assert (told["state"], told["actor"]) == (card, "U0RITA")
    assert await rig.shows() == shows


async def test_a_retried_stage_that_goes_out_says_sent_on_the_same_card(rig: Rig) -> None:
    """One card for one stage of one person."""
    await fail(rig)
    await rig.act(ProspectEvent.RETRY)
    await rig.send_due()
    assert (await rig.card("stage:")).facts["state"] == "sent"
    assert await rig.shows() == "Active 2"


async def test_a_card_of_a_removed_prospect_says_so(rig: Rig) -> None:
    """The row is gone with its progress (R134)."""
    await fail(rig)
    facts = (await rig.card("stage:")).facts
    await rig.act(ProspectEvent.REMOVE)
    with pytest.raises(NotFoundError, match="removed"):
        await rig.prospects.act_on_card(RITA, ProspectEvent.RETRY, facts["delivery_id"], facts["version"])


async def test_others_prospects_are_not_ones_own_business(rig: Rig) -> None:
    """Omar neither acts on Rita's campaign nor cancels in it, whatever the prospect's status; viewers nothing."""
    await rig.open()
    await rig.launch(2)
    await rig.act(ProspectEvent.PAUSE, 2)
    for actor in (OMAR, VERA):
        with pytest.raises(NotAllowedError):
            await rig.act(ProspectEvent.FINISH, actor=actor)
        with pytest.raises(NotAllowedError):
            await rig.campaigns.stop(actor, CAMPAIGN)
        for number in (1, 2):
            (delivery,) = await rig.deliveries(number)
            with pytest.raises(NotAllowedError):
                await rig.campaigns.cancel_delivery(actor, delivery.id)
    assert [await rig.states(number) for number in (1, 2)] == [["1.1 queued"], ["1.1 queued"]]


async def test_skipping_to_the_end_completes_also_when_paused(rig: Rig) -> None:
    """Three stages, three skips; a paused prospect stays paused until nothing is left."""
    await rig.open()
    await rig.launch()
    await rig.act(ProspectEvent.PAUSE)
    for shows in ("Paused 2", "Paused 3", "Complete 3"):
        await rig.act(ProspectEvent.SKIP)
        assert await rig.shows() == shows
    assert await rig.follow_up() == 0


async def test_unpausing_after_a_reply_goes_on_where_it_stopped(rig: Rig) -> None:
    """R107, R147: by a person's wish only, with the stage's delay from now."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    enrollment = await rig.prospect()
    async with rig.store.write("T1") as uow:
        await rig.sync.ingest.answers.progress.cancel_open(uow, enrollment, reason="replied")
        await rig.sync.ingest.answers.progress.move(uow, enrollment, ProspectEvent.REPLY)
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.states() == ["1.1 sent", "2.1 cancelled", "2.2 queued"]
    assert await rig.send_due() == 0
    assert await rig.follow_up() == 1
    assert await rig.shows() == "Active 3"


async def test_pause_holds_and_unpause_releases(rig: Rig) -> None:
    """R135: nothing goes meanwhile, nothing is lost."""
    await rig.open()
    await rig.launch()
    await rig.act(ProspectEvent.PAUSE)
    assert await rig.follow_up() == 0
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.send_due() == 1


async def test_a_failed_prospect_that_is_paused_goes_on_when_unpaused(rig: Rig) -> None:
    """The stage that failed is queued again and waits for nothing but its time."""
    await fail(rig)
    await rig.act(ProspectEvent.PAUSE)
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.states() == ["1.1 failed", "1.2 queued"]
    assert await rig.send_due() == 1
    assert await rig.shows() == "Active 2"


# -- retry all


async def test_retry_all_goes_on_past_those_that_are_refused(rig: Rig) -> None:
    """One person's last try is undecided, another campaign is somebody else's: the rest is retried, each is named."""
    await fail(rig, people=3)
    await rig.act(ProspectEvent.PAUSE, 2)
    result = await rig.prospects.retry_all(RITA, CAMPAIGN)
    assert (result.retried, result.refused) == (2, [])
    rig.provider.outcomes = [FULL, FULL]
    await rig.read_mail()
    await rig.send_due()
    by_omar = await rig.prospects.retry_all(OMAR, None)
    assert by_omar.retried == 0 or by_omar.refused
    assert {one.email for one in by_omar.refused} <= {email_of(1), email_of(3)}


async def test_retry_all_by_a_recruiter_skips_what_is_not_theirs(rig: Rig) -> None:
    """Refused by name, not an error half-way. (Omar owns neither campaign nor mailbox.)"""
    await fail(rig, people=2)
    result = await rig.prospects.retry_all(OMAR, None)
    assert result.retried == 0
    assert sorted(one.email for one in result.refused) == [email_of(1), email_of(2)]
    assert all("belongs to" in one.reason for one in result.refused)


async def test_retry_all_by_reason(rig: Rig) -> None:
    """Only what failed for this cause."""
    await rig.open()
    await rig.launch(2)
    rig.provider.outcomes = [FULL, NOBODY]
    await rig.send_due()
    reasons = {(await rig.shows(n)).split()[-1] for n in (1, 2)}
    assert len(reasons) == 2
    result = await rig.prospects.retry_all(RITA, CAMPAIGN, why=reasons.pop(), confirmed=True)
    assert (result.retried, result.refused) == (1, [])


async def test_who_bounced_is_retried_after_a_warning_or_at_another_address(rig: Rig) -> None:
    """R139: the address first; a person who has read the warning may insist."""
    await fail(rig, error=NOBODY)
    with pytest.raises(RefusedError, match="bounced, and it is still the one") as refused:
        await rig.act(ProspectEvent.RETRY)
    assert refused.value.reason == "retry_warning"
    (named,) = (await rig.prospects.retry_all(RITA, CAMPAIGN)).refused
    assert named.email == email_of(1)
    await rig.prospects.act(RITA, ProspectEvent.RETRY, CAMPAIGN, email_of(1), confirmed=True)
    assert await rig.shows() == "Active 1"


async def test_a_changed_address_needs_no_warning(rig: Rig) -> None:
    await fail(rig, error=NOBODY)
    await rig.people.add_address(RITA, email_of(1), "new@candidates.example", "personal")
    await rig.people.remove_address(RITA, "new@candidates.example", email_of(1))
    await rig.prospects.act(RITA, ProspectEvent.RETRY, CAMPAIGN, "new@candidates.example")
    assert await rig.send_due() == 1


async def test_retry_of_one_person(rig: Rig) -> None:
    """By address; nobody failed is nobody retried."""
    await fail(rig)
    assert (await rig.prospects.retry_person(RITA, email_of(1))).retried == 1
    assert (await rig.prospects.retry_person(RITA, email_of(1))).retried == 0
    with pytest.raises(NotFoundError):
        await rig.prospects.retry_person(RITA, "nobody@candidates.example")


# -- campaigns


async def test_a_campaign_without_a_connected_sender_does_not_start(rig: Rig) -> None:
    """R127, before anything fails; a disconnected mailbox is no sender."""
    await rig.import_people(1)
    await rig.campaigns.import_file(RITA, FILE)
    with pytest.raises(RefusedError, match="None of this campaign's senders"):
        await rig.campaigns.start(RITA, CAMPAIGN)
    await rig.open()
    mailbox = await rig.mailboxes.find(RITA, "rita@agency.test")
    await rig.mailboxes.disconnect(RITA, mailbox.id)
    with pytest.raises(RefusedError, match="None of this campaign's senders"):
        await rig.campaigns.start(RITA, CAMPAIGN)


async def test_people_enrolled_before_the_mailbox_was_connected_are_mailed(rig: Rig) -> None:
    """Import, enrol, connect, start: any order of the four works."""
    await rig.launch(start=False)
    await rig.open()
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.send_due() == 1
    assert (await rig.prospect()).mailbox_id is not None


async def test_nobody_is_enrolled_twice(rig: Rig) -> None:
    """Named with the reason, as is who is unknown."""
    await rig.open()
    await rig.launch()
    again = await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1).upper(), " ", "x@nowhere.example"])
    assert again.enrolled == 0
    assert sorted((one.email, one.reason) for one in again.skipped) == [
        (email_of(1).upper(), "is in this campaign already"),
        ("x@nowhere.example", "nobody here has this address"),
    ]
    assert await rig.states() == ["1.1 queued"]


async def test_people_added_one_at_a_time_spread_over_the_senders(rig: Rig) -> None:
    """A list rotates, each prospect keeps one."""
    await rig.open()
    await rig.connect("omar@agency.test", ADA, owner="U0OMAR")
    await rig.import_people(4)
    file = FILE.replace("from: rita@agency.test", "from: [rita@agency.test, omar@agency.test]")
    await rig.campaigns.import_file(RITA, file)
    for number in range(1, 5):
        await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(number)])
    senders = [(await rig.prospect(number)).mailbox_id for number in range(1, 5)]
    assert senders[:2] == senders[2:]
    assert senders[0] != senders[1]


async def test_pausing_a_campaign_shows_and_starting_releases(rig: Rig) -> None:
    """Its prospects are Pending with the reason; started again they go on."""
    await rig.open()
    await rig.launch(2)
    await rig.act(ProspectEvent.PAUSE, 2)
    await rig.campaigns.pause(RITA, CAMPAIGN)
    assert await rig.shows() == "Pending 1 campaign"
    assert await rig.shows(2) == "Paused 1"
    assert await rig.send_due() == 0
    await rig.act(ProspectEvent.UNPAUSE, 2)
    assert await rig.shows(2) == "Pending 1 campaign"
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.shows() == "Active 1"
    assert await rig.send_due() == 2


@pytest.mark.parametrize("end", ["stop", "archive"])
async def test_the_end_of_a_campaign_cancels_what_waits_for_good(rig: Rig, end: str) -> None:
    """No later click starts anything: each is refused in words."""
    await rig.open()
    await rig.launch(2)
    await rig.act(ProspectEvent.PAUSE, 2)
    if end == "archive":
        await rig.campaigns.pause(RITA, CAMPAIGN)
        await rig.campaigns.archive(RITA, CAMPAIGN)
    else:
        await rig.campaigns.stop(RITA, CAMPAIGN)
    assert await rig.states() == ["1.1 cancelled"]
    assert await rig.shows() == "Not Delivered 1 canceled"
    for event, number in ((ProspectEvent.RETRY, 1), (ProspectEvent.SKIP, 1), (ProspectEvent.UNPAUSE, 2)):
        with pytest.raises(RefusedError, match="nothing more goes out"):
            await rig.act(event, number)
    with pytest.raises(RefusedError, match="nobody can be added"):
        await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    await rig.act(ProspectEvent.FINISH)
    assert await rig.follow_up() == 0


async def test_cancelling_against_a_concurrent_send_has_two_outcomes(rig_on_both: Rig) -> None:
    """R218: cancelled and not sent, or refused because it is on its way."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(8)
    waiting = {number: (await rig.deliveries(number))[0].id for number in range(1, 9)}

    async def cancel(number: int) -> str:
        try:
            await rig.campaigns.cancel_delivery(RITA, waiting[number])
        except RethreadError:
            return "sending"
        return "cancelled"

    claimed, *said = await asyncio.gather(rig.claim(), *(cancel(number) for number in range(1, 9)))
    on_wire = {one.delivery.id for one in claimed}
    for number, outcome in zip(range(1, 9), said, strict=True):
        (delivery,) = await rig.deliveries(number)
        assert delivery.state.value == outcome
        assert (delivery.id in on_wire) == (outcome == "sending")


async def test_a_cancelled_send_can_be_retried(rig: Rig) -> None:
    """R164: Not Delivered, Canceled; Retry sends it after all."""
    await rig.open()
    await rig.launch()
    (delivery,) = await rig.deliveries()
    await rig.campaigns.cancel_delivery(RITA, delivery.id)
    assert await rig.shows() == "Not Delivered 1 canceled"
    await rig.act(ProspectEvent.RETRY)
    assert await rig.send_due() == 1
    with pytest.raises(NotFoundError):
        await rig.campaigns.cancel_delivery(RITA, "no such line")


async def test_a_file_with_faults_is_refused_with_all_of_them(rig: Rig) -> None:
    """Nothing is stored."""
    with pytest.raises(CampaignFileError) as refused:
        await rig.campaigns.import_file(RITA, FILE.replace("name: Autumn", "nmae: Autumn"))
    assert len(refused.value.faults) == 2
    assert await rig.campaigns.list(RITA) == []


async def test_a_draft_is_replaced_by_its_owner_only_and_keeps_its_owner(rig: Rig) -> None:
    """A running one by nobody."""
    await rig.open()
    own = FILE.replace("owner: U0RITA\n", "")
    await rig.campaigns.import_file(RITA, own)
    with pytest.raises(NotAllowedError):
        await rig.campaigns.import_file(OMAR, own)
    again = await rig.campaigns.import_file(ADA, own.replace("Last try", "The very last"))
    assert again.owner == "U0RITA"
    assert "The very last" in await rig.campaigns.export(RITA, CAMPAIGN)
    await rig.campaigns.start(RITA, CAMPAIGN)
    with pytest.raises(RefusedError, match="only a draft"):
        await rig.campaigns.import_file(RITA, own)


async def test_reports_and_the_email_log(rig: Rig) -> None:
    """Counts, rows and words as shown; an unknown word is refused with those there are."""
    await fail(rig, people=2)
    await rig.act(ProspectEvent.RETRY, 1)
    await rig.read_mail()
    await rig.send_due()
    report = await rig.campaigns.status(ADA, CAMPAIGN.lower())
    assert (report.people, report.replied) == (2, 0)
    assert {count.stage: count.sent for count in report.stages} == {1: 1}
    sent = await rig.campaigns.email_log(ADA, CAMPAIGN, "sent")
    assert [row.email for row in sent] == [email_of(1)]
    assert len(await rig.campaigns.email_log(ADA)) == 4
    with pytest.raises(InputError, match="no status"):
        await rig.campaigns.email_log(ADA, None, "Gone")
    with pytest.raises(NotFoundError) as unknown:
        await rig.campaigns.status(ADA, "Spring")
    assert "Autumn" in unknown.value.fix


async def test_people_with_two_owners_of_addresses_and_repeats_are_named(rig: Rig) -> None:
    """Good rows go in; the rejected stand in the order of their lines."""
    await rig.import_people(2)
    rows = (
        "first_name,personal_email,work_email\n"
        f"A,{email_of(1)},{email_of(2)}\nB,b@x.example,\nC,not one,\n"
        f"B2,b@x.example,\nP1,{email_of(1)},p1@work.example\n"
    )
    result = await rig.people.import_csv(RITA, rows.encode())
    assert (result.created, result.updated) == (1, 0)
    assert [one.line for one in result.rejected] == [2, 4, 5, 6]


async def test_the_stream_of_an_unknown_person_is_not_found(rig: Rig) -> None:
    """And a viewer changes nobody."""
    with pytest.raises(NotFoundError):
        await rig.people.show(RITA, "nobody@candidates.example")
    with pytest.raises(NotAllowedError):
        await rig.people.import_csv(VERA, b"personal_email\n")


async def test_nobody_starts_mail_in_a_colleagues_name(rig: Rig) -> None:
    """Threat T8: a mailbox's owner or an admin has to be the one who starts what goes out of it."""
    await rig.open()
    file = "name: Borrowed\nfrom: rita@agency.test\nstages: [{kind: email, subject: Hello, body: Hi}]\n"
    await rig.campaigns.import_file(OMAR, file)
    with pytest.raises(NotAllowedError, match="belongs to <@U0RITA>"):
        await rig.campaigns.start(OMAR, "Borrowed")
    assert (await rig.campaigns.start(ADA, "Borrowed")).status is CampaignStatus.ACTIVE
