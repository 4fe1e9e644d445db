"""The five journeys of the house, on real IMAP and SMTP and on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.domain.enrollment import ProspectEvent
from sandbox.mail import MailHost
from storage.sql_store import SqlStore
from tests.journeys.engine_rig import ADA, RITA, Rig, request, running

CAMPAIGN = """
name: Backend engineers
from: rita@agency.test
stages:
  - kind: email
    subject: "{{first_name}}, a role at {{company}}"
    body: |
      Hi {{first_name}}, shall we talk?
  - kind: email
    delay: 2s
    body: Did you see my note, {{first_name}}?
"""
MAYA = "maya.lind@candidates.example"
PEOPLE = f"first_name,last_name,personal_email,company\nMaya,Lind,{MAYA},Northwind\n".encode()


@pytest.fixture
async def host() -> AsyncIterator[MailHost]:
    async with MailHost() as mail_host:
        yield mail_host


@pytest.fixture
async def rig(store: SqlStore, host: MailHost) -> AsyncIterator[Rig]:
    async with running(store, host) as one:
        yield one


async def launch(rig: Rig) -> None:
    """Rita's mailbox is connected and the sample campaign runs for Maya."""
    await rig.connect()
    await rig.light("rita@agency.test", "green")
    await rig.uses.people.import_csv(ADA, PEOPLE)
    await rig.uses.campaigns.import_file(ADA, CAMPAIGN)
    await rig.uses.campaigns.enroll(ADA, "Backend engineers", [MAYA])
    await rig.uses.campaigns.start(ADA, "Backend engineers")


async def test_a_due_stage_goes_out_and_the_follow_up_stays_in_its_thread(rig: Rig) -> None:
    """Journey 2: both stages arrive once, the second as an answer to the first, and Maya is Complete."""
    await launch(rig)
    await rig.prospect("Backend engineers", MAYA, "Complete")
    first, second = [one for one in rig.host.accepted if MAYA in one.rcpts]
    assert "Maya, a role at Northwind" in first.subject
    assert second.subject == "Re: Maya, a role at Northwind"
    assert f"In-Reply-To: <{first.message_id.strip('<>')}>".encode() in second.raw


async def test_a_reply_stops_the_rest_and_reaches_slack(rig: Rig) -> None:
    """Journey 1: the answer is on Maya's stream, she is Replied, the channel knows who, the recruiter reads what."""
    await launch(rig)
    sent = await rig.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
    await rig.host.reply(MAYA, sent, "Yes, Thursday works for me.")
    await rig.prospect("Backend engineers", MAYA, "Replied")
    told = await rig.notifier.wait(lambda: rig.notifier.of("reply", "C0REPLIES"), "reply card")
    read = await rig.notifier.wait(lambda: rig.notifier.of("reply_excerpt", "user:U0RITA"), "excerpt")
    assert told[0].facts["person"] == "Maya Lind"
    assert "excerpt" not in told[0].facts
    assert read[0].facts["excerpt"] == "Yes, Thursday works for me."

    async def both_ways() -> bool:
        stream = (await rig.uses.people.show(ADA, MAYA)).activities
        return sorted(line.direction for line in stream) == ["in", "out"]

    await rig.until(both_ways, "the sent mail and the answer on Maya's stream")


async def test_a_changed_password_is_told_with_its_cause_and_mended_on_the_same_card(rig: Rig) -> None:
    """Journey 3: broken, reconnected with the new password, recovered: one card in each place."""
    await rig.connect()
    await rig.light("rita@agency.test", "green")
    await rig.host.switch("rita@agency.test", "password", "a new password")
    card = (await rig.notifier.wait(lambda: rig.notifier.of("sync", "C0ALERTS"), "alert"))[0]
    assert card.facts["cause"] == "credentials_rejected"
    assert "Invalid credentials" in card.facts["raw"]
    await rig.uses.connecting.connect(RITA, request(rig.host, "rita@agency.test", "a new password"))
    await rig.notifier.wait(lambda: card.facts["state"] == "recovered", "recovery")
    assert len(rig.notifier.of("sync", "C0ALERTS")) == 1
    assert len(rig.notifier.of("sync", "user:U0RITA")) == 1


async def test_a_resync_that_fails_again_says_so_on_the_card(rig: Rig) -> None:
    """A person who pressed Resync gets an answer, also when it is the same as before."""
    mailbox = await rig.connect()
    await rig.light("rita@agency.test", "green")
    await rig.host.switch("rita@agency.test", "password", "a new password")
    card = (await rig.notifier.wait(lambda: rig.notifier.of("sync", "C0ALERTS"), "alert"))[0]
    await rig.uses.mailboxes.request_resync(RITA, mailbox.id)
    await rig.notifier.wait(lambda: card.updates >= 1 and card.facts["state"] == "broken", "second refusal")


async def test_a_failed_stage_is_retried_from_its_card_and_the_card_says_sent(rig: Rig) -> None:
    """Journey 5: refused for good, mended, retried once; a second click is told who was faster."""
    await rig.host.switch(MAYA, "refuse", "reject")
    await launch(rig)
    card = (await rig.notifier.wait(lambda: rig.notifier.of("stage_failed"), "failed card"))[0]
    assert card.facts["status"] == "Bounced"
    assert "550" in card.facts["server_text"] or "5.1.1" in card.facts["server_text"]
    rig.host.mend(MAYA)
    facts = dict(card.facts)
    stage = (facts["delivery_id"], facts["version"])
    with pytest.raises(Exception, match="still the one to write to"):
        await rig.uses.prospects.act_on_card(RITA, ProspectEvent.RETRY, *stage)
    await rig.uses.prospects.act_on_card(RITA, ProspectEvent.RETRY, *stage, confirmed=True)
    with pytest.raises(Exception, match="faster"):
        await rig.uses.prospects.act_on_card(RITA, ProspectEvent.RETRY, facts["delivery_id"], facts["version"])
    await rig.notifier.wait(lambda: card.facts["state"] == "sent", "sent on the same card")


async def test_a_bounce_by_report_marks_the_prospect_bounced(rig: Rig) -> None:
    """The server accepts, a report comes later: Bounced with the server's words, nothing further goes."""
    await rig.host.switch(MAYA, "refuse", "bounce")
    await launch(rig)
    await rig.prospect("Backend engineers", MAYA, "Bounced")
    card = (await rig.notifier.wait(lambda: rig.notifier.of("stage_failed"), "failed card"))[0]
    assert "5.1.1" in card.facts["server_text"]


async def test_an_out_of_office_note_does_not_stop_the_campaign(rig: Rig) -> None:
    """R221: an auto-reply is logged, and the follow-up goes."""
    await rig.host.switch(MAYA, "ooo", "I am away until Monday.")
    await launch(rig)
    await rig.prospect("Backend engineers", MAYA, "Complete")


async def test_a_send_of_unknown_outcome_is_looked_up_and_never_sent_twice(rig: Rig) -> None:
    """The connection breaks after the last byte; the copy in Sent proves that it went out."""
    await rig.host.switch(MAYA, "refuse", "drop")
    await launch(rig)
    await rig.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
    rig.host.mend(MAYA)
    await rig.prospect("Backend engineers", MAYA, "Complete")
    ids = [one.message_id for one in rig.host.accepted if MAYA in one.rcpts]
    assert len(ids) == len(set(ids)) == 2


async def test_people_enrolled_before_the_sender_is_connected_are_mailed_once_it_is(rig: Rig) -> None:
    """The order of setting things up must not decide whether mail goes."""
    await rig.uses.people.import_csv(ADA, PEOPLE)
    await rig.uses.campaigns.import_file(ADA, CAMPAIGN)
    await rig.uses.campaigns.enroll(ADA, "Backend engineers", [MAYA])
    await rig.connect()
    await rig.light("rita@agency.test", "green")
    await rig.uses.campaigns.start(ADA, "Backend engineers")
    await rig.prospect("Backend engineers", MAYA, "Complete")


async def test_sent_is_read_before_an_answer_that_has_just_come(store: SqlStore, host: MailHost) -> None:
    """An answer may name an id that only the copy in Sent shows to be ours; the next regular look is a minute away."""
    async with running(store, host, poll_sent_s=60) as rig:
        await launch(rig)
        sent = await rig.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
        await rig.host.reply(MAYA, sent, "Yes, Thursday works for me.")
        await rig.prospect("Backend engineers", MAYA, "Replied")
        stream = (await rig.uses.people.show(ADA, MAYA)).activities
        assert sorted(line.direction for line in stream) == ["in", "out"]
