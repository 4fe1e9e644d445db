"""Stages by text message: the same promises as for mail, in front of a provider in memory (R130..R132, R149)."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.enrollment import ProspectEvent
from core.errors import InputError, MailError, OutcomeUnknownError, SmsRefusedError, UnreachableError
from core.ports.storage import Suppression
from tests.services.rig import CAMPAIGN, RITA, Rig, answer, email_of

PHONE = "+46701740605"
FILE = f"""\
name: {CAMPAIGN}
from: rita@agency.test
owner: U0RITA
channel: C0REPLIES
stages:
  - subject: "{{{{first_name}}}}, a role"
    body: Hi
  - kind: sms
    delay: 1h
    body: "{{{{first_name}}}}, did you see my mail? {{{{sender_email}}}}"
  - delay: 1h
    body: Last try
"""
TEXT = "P1, did you see my mail? rita@agency.test"
LOST = OutcomeUnknownError("silence", layer="sms")


def refused(number: int, words: str = "no", status: int = 400) -> SmsRefusedError:
    return SmsRefusedError(f"{number}: {words}", provider_code=number, status=status)


async def at_the_text(rig: Rig, phone: str = PHONE, file: str = FILE) -> None:
    """One person, to whom the first mail has gone; the text is due."""
    await rig.open()
    await rig.people.import_csv(RITA, f"first_name,personal_email,phone\nP1,{email_of(1)},{phone}\n".encode())
    await rig.campaigns.import_file(RITA, file)
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    await rig.campaigns.start(RITA, CAMPAIGN)
    await rig.send_due()
    rig.clock.pass_time(hours=1)


async def test_a_text_goes_when_it_is_due(rig: Rig) -> None:
    """Written for the person, without a look into the mailbox; the next stage counts from then."""
    await at_the_text(rig)
    assert await rig.send_due() == 1
    assert rig.sms.texts_to(PHONE) == [TEXT]
    assert await rig.states() == ["1.1 sent", "2.1 sent", "3.1 queued"]
    _, text, last = await rig.deliveries()
    assert (text.kind, text.recipient, text.settled_by, text.mailbox_id) == ("sms", PHONE, "server", None)
    assert last.due_at is not None
    assert (last.due_at - rig.clock.now()).total_seconds() == 3_600
    assert last.mailbox_id is not None


async def test_a_mail_after_a_text_stays_in_the_thread(rig: Rig) -> None:
    """The provider's id of the text is no Message-ID."""
    await at_the_text(rig)
    await rig.send_due()
    assert await rig.follow_up() == 1
    first, last = rig.provider.accepted
    assert b"In-Reply-To" in last
    assert b"SM0" not in last
    assert b"In-Reply-To" not in first


async def test_a_sent_text_stands_on_the_stream_beside_the_mails(rig: Rig) -> None:
    await at_the_text(rig)
    await rig.send_due()
    report = await rig.people.show(RITA, email_of(1))
    (line,) = [one for one in report.activities if one.kind == "sms"]
    assert (line.direction, line.text, line.campaign) == ("out", TEXT, CAMPAIGN)


async def test_a_reply_by_mail_stops_the_text(rig: Rig) -> None:
    """R97 the other way round: mail and text are one campaign."""
    await at_the_text(rig)
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    assert await rig.send_due() == 0
    assert rig.sms.taken == []
    assert (await rig.shows()).startswith("Replied")


async def test_a_pause_in_the_last_moment_holds_the_text_back(rig: Rig) -> None:
    await at_the_text(rig)
    (outgoing,) = await rig.outreach.claim("T1", limit=5)
    await rig.act(ProspectEvent.PAUSE)
    await rig.outreach.deliver(outgoing)
    assert rig.sms.taken == []
    assert await rig.states() == ["1.1 sent", "2.1 queued"]


@pytest.mark.parametrize(
    ("error", "state", "shows"),
    [
        (refused(21211), "failed", "Not Delivered 2 sms_invalid_number"),
        (refused(21408), "failed", "Not Delivered 2 sms_country_off"),
        (refused(30007), "failed", "Not Delivered 2 sms_filtered"),
        (refused(20003, status=401), "failed", "Not Delivered 2 sms_account"),
        (refused(0), "failed", "Not Delivered 2 sms_unknown"),
        (refused(20429, status=429), "queued", "Active 2"),
        (refused(30023), "queued", "Pending 2 sms_daily_limit"),
        (UnreachableError("no route", layer="sms"), "queued", "Active 2"),
        (LOST, "unknown", "Pending 2 delivery_unknown"),
    ],
)  # fmt: skip
async def test_every_outcome_of_a_text(rig: Rig, error: MailError, state: str, shows: str) -> None:
    """Certain refusals fail with their reason, what passes waits, silence is unknown."""
    await at_the_text(rig)
    rig.sms.outcomes = [error]
    await rig.send_due()
    assert (await rig.states())[-1] == f"2.1 {state}"
    assert await rig.shows() == shows
    if state == "failed":
        assert (await rig.card("stage:")).facts["server_text"] == error.raw


async def test_after_five_tries_a_text_fails(rig: Rig) -> None:
    """Too Many Retries (R120), each later than the one before."""
    await at_the_text(rig)
    rig.sms.trouble = UnreachableError("no route", layer="sms")
    for _ in range(5):
        assert await rig.send_due() == 1
        assert await rig.send_due() == 0
        rig.clock.pass_time(hours=1)
    assert await rig.shows() == "Not Delivered 2 too_many_retries"


@pytest.mark.parametrize(
    ("phone", "file", "shows"),
    [
        ("", FILE, "Not Delivered 2 no_phone"),
        ("0701740605", FILE, "Not Delivered 2 no_phone"),
        (PHONE, FILE.replace("{first_name}}, did", "{shoe_size}}, did"), "Pending 2 missing_variable"),
        (PHONE, FILE.replace("did you see", "x" * 1_600), "Not Delivered 2 sms_text"),
    ],
)  # fmt: skip
async def test_a_text_that_cannot_go_says_why(rig: Rig, phone: str, file: str, shows: str) -> None:
    await at_the_text(rig, phone, file)
    assert await rig.send_due() == 0
    assert await rig.shows() == shows


async def test_a_number_without_country_code_is_of_the_workspaces_country(rig: Rig) -> None:
    await at_the_text(rig, "070-174 06 05")
    await rig.settings.seed("T1", {"phone_country": ["SE"]})
    assert await rig.send_due() == 1
    assert rig.sms.texts_to(PHONE) == [TEXT]


async def test_without_a_provider_the_stage_says_so_and_a_retry_helps_later(rig: Rig) -> None:
    """The operator sets it up, then Retry."""
    await at_the_text(rig)
    rig.sms, provider = None, rig.sms  # type: ignore[assignment]
    rig.restarted()
    assert await rig.send_due() == 0
    assert await rig.shows() == "Not Delivered 2 sms_off"
    rig.sms = provider
    rig.restarted()
    await rig.act(ProspectEvent.RETRY)
    assert await rig.send_due() == 1
    assert await rig.states() == ["1.1 sent", "2.1 failed", "2.2 sent", "3.1 queued"]


async def test_texts_over_the_days_limit_wait_by_themselves(rig: Rig) -> None:
    """The setting sms_daily (R112): Pending, and it goes when there is room."""
    await at_the_text(rig)
    await rig.people.import_csv(RITA, f"first_name,personal_email,phone\nP2,{email_of(2)},+46701740606\n".encode())
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(2)])
    await rig.settings.seed("T1", {"sms_daily": 1})
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    await rig.send_due()
    assert await rig.shows(2) == "Pending 2 sms_limit"
    assert len(rig.sms.taken) == 1
    rig.clock.pass_time(hours=25)
    await rig.send_due()
    assert len(rig.sms.taken) == 2


async def test_somebody_who_unsubscribed_gets_no_text_and_one_whose_mail_bounced_does(rig: Rig) -> None:
    """A wish to be left alone holds for every kind of message; an address that bounced says nothing of the phone."""
    await at_the_text(rig)
    async with rig.store.write("T1") as uow:
        key = (await rig.person()).addresses[0].key
        await uow.suppressions.put_many([suppression(key, "unsubscribed", rig)])
    assert await rig.send_due() == 0
    assert await rig.shows() == "Not Delivered 2 suppressed"
    async with rig.store.write("T1") as uow:
        await uow.suppressions.remove(key)
        await uow.suppressions.put_many([suppression(key, "bounced", rig)])
    await rig.act(ProspectEvent.RETRY)
    assert await rig.send_due() == 1


def suppression(key: str, code: str, rig: Rig) -> Suppression:
    return Suppression(key, code, "recipient", rig.clock.now())


async def test_a_text_of_unknown_outcome_is_found_in_the_providers_list(rig: Rig) -> None:
    """Taken although the answer was lost: sent, once."""
    await at_the_text(rig)
    rig.sms.outcomes = [LOST]
    await rig.send_due()
    rig.clock.pass_time(seconds=60)
    assert await rig.undecided.settle_due("T1") == 1
    assert rig.sms.texts_to(PHONE) == [TEXT]
    assert await rig.states() == ["1.1 sent", "2.1 sent", "3.1 queued"]
    assert (await rig.deliveries())[1].settled_by == "provider_list"


async def test_a_text_that_is_in_no_list_goes_again(rig: Rig) -> None:
    """Only after every look; and never twice."""
    await at_the_text(rig)
    rig.sms.outcomes, rig.sms.takes_lost = [LOST], False
    await rig.send_due()
    for _ in range(3):
        assert await rig.send_due() == 0
        rig.clock.pass_time(minutes=20)
        assert await rig.undecided.settle_due("T1") == 1
    assert await rig.send_due() == 1
    assert rig.sms.texts_to(PHONE) == [TEXT]


async def test_where_the_list_cannot_be_read_a_person_decides(rig: Rig) -> None:
    """Held like a mail, with its card."""
    await at_the_text(rig)
    rig.sms.outcomes = [LOST]
    await rig.send_due()
    rig.sms.trouble = UnreachableError("no route", layer="sms")
    for _ in range(10):
        rig.clock.pass_time(hours=1)
        await rig.undecided.settle_due("T1")
    assert (await rig.states())[-1] == "2.1 held"
    held = (await rig.deliveries())[-1]
    assert (await rig.card("uncertain:")).facts["email"] == PHONE
    await rig.prospects.settle(RITA, "sent", held.id, held.version)
    assert (await rig.states())[1] == "2.1 sent"


async def test_a_crash_while_a_text_is_handed_over_is_unknown(rig: Rig) -> None:
    """Claimed, committed, dead: the provider is asked, nobody guesses."""
    await at_the_text(rig)
    assert len(await rig.outreach.claim("T1", limit=5)) == 1
    rig.restarted()
    assert await rig.outreach.recover("T1") == 1
    assert await rig.shows() == "Pending 2 delivery_unknown"
    assert "text" in str((await rig.prospect()).reason)


async def test_a_cancelled_text_is_unknown(rig: Rig) -> None:
    """Cancellation is never "did not happen"."""
    await at_the_text(rig)
    rig.sms.hang = asyncio.Event()
    (outgoing,) = await rig.outreach.claim("T1", limit=5)
    task = asyncio.create_task(rig.outreach.deliver(outgoing))
    await rig.sms.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await rig.states())[-1] == "2.1 unknown"


async def test_a_text_that_did_not_arrive_is_told_some_minutes_later(rig: Rig) -> None:
    """The provider took it and gave it up: Not Delivered, and the mail behind it does not go."""
    await at_the_text(rig)
    rig.sms.undelivered = 30_003
    await rig.send_due()
    assert await rig.texts.ask_due("T1") == 0
    rig.clock.pass_time(minutes=2)
    assert await rig.texts.ask_due("T1") == 1
    assert await rig.states() == ["1.1 sent", "2.1 failed", "3.1 cancelled"]
    assert await rig.shows() == "Not Delivered 2 sms_unreachable"
    assert await rig.texts.ask_due("T1") == 0


async def test_a_text_that_arrived_is_not_asked_about_any_more(rig: Rig) -> None:
    await at_the_text(rig)
    await rig.send_due()
    rig.clock.pass_time(minutes=2)
    assert await rig.texts.ask_due("T1") == 1
    assert (await rig.deliveries())[1].server_text == "delivered"
    rig.clock.pass_time(days=2)
    assert await rig.texts.ask_due("T1") == 0


async def test_a_provider_in_trouble_is_asked_again_about_a_text_and_not_for_ever(rig: Rig) -> None:
    await at_the_text(rig)
    await rig.send_due()
    rig.sms.trouble = UnreachableError("no route", layer="sms")
    asked = 0
    for _ in range(20):
        rig.clock.pass_time(hours=1)
        asked += await rig.texts.ask_due("T1")
    assert asked == 4
    assert (await rig.states())[1] == "2.1 sent"


async def test_a_text_that_the_adapter_finds_faulty_fails(rig: Rig) -> None:
    """Never unknown: nothing was sent."""
    await at_the_text(rig)
    rig.sms.outcomes = [InputError("the text message is empty", field="text")]  # type: ignore[list-item]
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 2 sms_text"
