"""People type; the real Bolt app answers over Socket Mode."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.slack.slack_app import SlackFace
from core.domain.campaign import CampaignStatus
from core.domain.diagnosis import Failure, diagnose
from core.domain.enrollment import ProspectStatus
from core.errors import StorageError
from core.services.campaigns import CampaignLine
from core.services.mailboxes import SendRefusedError
from sandbox.slack import Message, SlackSandbox
from tests.fakes.services import FakeServices, a_mailbox, broken


def said(message: Message) -> str:
    return message.text + json.dumps([message.blocks, message.attachments], ensure_ascii=False)


async def ask(slack: SlackSandbox, text: str, *, user: str = "U0RITA", command: str = "/mailbox") -> Message:
    """Types a command and returns the newest answer that only this person sees."""
    before = len(slack.ephemerals(user))
    assert await slack.command(user, "C0ALERTS", command, text) == {"ok": True}
    return await slack.wait_for(lambda: next(iter(slack.ephemerals(user)[before:]), None))


async def test_status_shows_my_mailboxes_with_their_light_in_words(slack: SlackSandbox, face: SlackFace) -> None:
    answer = await ask(slack, "status")
    assert "rita@agency.test" in said(answer)
    assert "Sync broken (red)" in said(answer)
    assert "omar@agency.test" not in said(answer)


async def test_status_all_shows_everybodys(slack: SlackSandbox, face: SlackFace) -> None:
    assert "omar@agency.test" in said(await ask(slack, "status all"))


async def test_status_of_a_person_by_mention(slack: SlackSandbox, face: SlackFace) -> None:
    answer = await ask(slack, "status @omar")
    assert "omar@agency.test" in said(answer)
    assert "rita@agency.test" not in said(answer)


async def test_an_address_that_slack_turned_into_a_link_is_understood(slack: SlackSandbox, face: SlackFace) -> None:
    assert "Syncing (green)" in said(await ask(slack, "status omar@agency.test"))


async def test_an_unknown_address_names_the_nearest(slack: SlackSandbox, face: SlackFace) -> None:
    answer = await ask(slack, "status rota@agency.test")
    assert "Did you mean rita@agency.test?" in said(answer)
    assert "Reference" not in said(answer)


async def test_connect_answers_with_a_private_link(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    answer = await ask(slack, "connect")
    assert "http://127.0.0.1:3000/connect/T0AGENCY.token-1" in said(answer)
    assert "never in Slack" in said(answer)
    assert services.connecting.asked == [("ticket", "U0RITA", "new")]


async def test_the_link_button_only_wants_its_ack(slack: SlackSandbox, face: SlackFace) -> None:
    answer = await ask(slack, "connect")
    assert await slack.click("U0RITA", "C0ALERTS", answer.ts, "link.open") == {"ok": True}


async def test_resync_without_an_address_means_my_broken_one(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    assert "Resync started: rita@agency.test" in said(await ask(slack, "resync"))
    assert services.mailboxes.asked == [("resync", "U0RITA", "mailbox-rita")]


async def test_resync_of_several_tells_what_became_of_each(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.mailboxes.mailboxes.append(broken("rita2@agency.test"))
    await ask(slack, "resync rita@agency.test")
    answer = await ask(slack, "resync")
    assert "rita2@agency.test: trying to reach it now" in said(answer)
    assert "rita@agency.test: It is being resynced already" in said(answer)


async def test_resync_all_is_one_request(slack: SlackSandbox, face: SlackFace, services: FakeServices) -> None:
    await ask(slack, "resync all", user="U0ADA")
    assert services.mailboxes.asked == [("resync", "U0ADA", "mailbox-rita")]


@pytest.mark.parametrize("verb", ["refresh", "pause", "resume"])
async def test_a_person_with_one_mailbox_need_not_name_it(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, verb: str
) -> None:
    assert "rita@agency.test: " in said(await ask(slack, verb))
    assert services.mailboxes.asked == [(verb, "U0RITA", "mailbox-rita")]


async def test_a_person_with_several_is_asked_which(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.mailboxes.mailboxes.append(a_mailbox("rita2@agency.test"))
    assert "One of: rita@agency.test, rita2@agency.test." in said(await ask(slack, "pause"))
    assert services.mailboxes.asked == []


@pytest.mark.parametrize(
    ("typed", "asked", "words"),
    [
        ("switch send off", "send=False capture=None", "Campaigns send nothing from it"),
        ("switch rita@agency.test capture off", "send=None capture=False", "its campaigns send nothing"),
    ],
)
async def test_a_switch_turned_off_says_what_follows(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str, asked: str, words: str
) -> None:
    """R6..R9."""
    services.mailboxes.mailboxes[0] = a_mailbox()
    assert words in said(await ask(slack, typed))
    assert services.mailboxes.asked == [(asked, "U0RITA", "mailbox-rita")]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("switch send on", "lets Rethread send"),
        ("switch capture on", "Mail that comes from now on is logged; what came while it was off is not."),
    ],
)
async def test_a_switch_turned_on_says_what_it_does_and_what_campaigns_need_still(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str, words: str
) -> None:
    """R80."""
    services.mailboxes.mailboxes[0] = a_mailbox(send=False, capture=False)
    answer = said(await ask(slack, typed))
    assert words in answer
    assert "Campaigns need both switches" in answer


async def test_a_switch_that_stands_right_is_said_to(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.mailboxes.mailboxes[0] = a_mailbox()
    assert "sending is on already; nothing was changed" in said(await ask(slack, "switch send on"))


async def test_sending_that_does_not_work_is_refused_in_the_servers_words(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R43."""
    mailbox = a_mailbox(send=False)
    refusal = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled"
    verdict = diagnose(Failure("smtp", refusal, "smtp.office365.com"))
    services.mailboxes.mailboxes[0] = mailbox
    services.mailboxes.switch_failure = SendRefusedError(mailbox, verdict)
    answer = said(await ask(slack, "switch send on"))
    for words in ("does not work, so it stays off", refusal, verdict.fix[:40]):
        assert words in answer


async def test_disconnecting_asks_once_more(slack: SlackSandbox, face: SlackFace, services: FakeServices) -> None:
    question = await ask(slack, "disconnect rita@agency.test")
    assert services.mailboxes.asked == []
    await slack.click("U0RITA", "C0ALERTS", question.ts, "mailbox.disconnect")
    await slack.wait_ephemeral("U0RITA", lambda message: "is disconnected" in message.text)
    assert services.mailboxes.asked == [("disconnect", "U0RITA", "mailbox-rita")]


async def test_settings_are_shown_and_changed_by_channel_mention(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    assert "alert_channel" in said(await ask(slack, "settings", user="U0ADA"))
    assert "C0REPLIES" in said(await ask(slack, "settings alert_channel #outreach", user="U0ADA"))
    assert services.settings.values == {"alert_channel": "C0REPLIES"}
    assert "must be from" in said(await ask(slack, "settings spacing_min_s 1e9", user="U0ADA"))


async def test_whoever_changes_a_setting_hears_what_else_that_changed(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.settings.note = "Waiting for a seat from now on: omar@agency.test."
    assert services.settings.note in said(await ask(slack, "settings mailbox_limit 1", user="U0ADA"))


@pytest.mark.parametrize("text", ["", "help"])
async def test_help_lists_the_verbs(slack: SlackSandbox, face: SlackFace, text: str) -> None:
    assert "/mailbox resync" in said(await ask(slack, text))


async def test_a_mistyped_verb_names_the_nearest(slack: SlackSandbox, face: SlackFace) -> None:
    assert "Did you mean “resync”?" in said(await ask(slack, "resinc"))


@pytest.mark.parametrize(
    "text", ["<!channel> &", "<@U0ADA|x", "“" * 50, "status <mailto:|>", "x" * 10_000, "status 😀"]
)
async def test_rubbish_gets_a_plain_sentence_and_rings_no_bell(slack: SlackSandbox, face: SlackFace, text: str) -> None:
    assert "<!channel>" not in (await ask(slack, text)).text


async def test_outreach_list_and_report(slack: SlackSandbox, face: SlackFace) -> None:
    assert "9 Active, 2 Bounced" in said(await ask(slack, "status", command="/outreach"))
    answer = await ask(slack, "status “backend engineers, AUTUMN”", command="/outreach")
    assert "12 sent, 3 replied" in said(answer)


async def test_outreach_start_pause_and_retry(slack: SlackSandbox, face: SlackFace, services: FakeServices) -> None:
    name = "Backend engineers, autumn"
    assert "is running" in said(await ask(slack, f"start {name}", command="/outreach"))
    assert "is paused" in said(await ask(slack, f'pause "{name}"', command="/outreach"))
    answer = await ask(slack, f"retry {name}", command="/outreach")
    assert "2 failed stages will be tried again" in said(answer)
    assert "omar@x.example" in said(answer)
    await ask(slack, "retry ben@candidates.example", command="/outreach")
    await ask(slack, "retry all", command="/outreach")
    assert services.prospects.retried == [name, "ben@candidates.example", "*"]


async def test_outreach_start_alone_offers_what_waits_with_a_button(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """A draft can be started by clicking; what runs already is not offered, and an old offer is refused in words."""
    assert "No campaign waits to be started" in said(await ask(slack, "start", command="/outreach"))
    line = services.campaigns.lines[0]
    draft = replace(line.campaign, id="campaign-2", name="Spring", status=CampaignStatus.DRAFT)
    services.campaigns.lines.append(CampaignLine(draft, {ProspectStatus.ACTIVE: 6}))
    offer = await ask(slack, "start", command="/outreach")
    assert "6 people will get its mails" in said(offer)
    assert line.campaign.name not in said(offer)
    await slack.click("U0RITA", offer.channel, offer.ts, "campaign.start")
    await face.settle()
    assert services.campaigns.asked == [("start", "U0RITA", "Spring")]
    services.campaigns.lines.pop()
    await slack.click("U0RITA", offer.channel, offer.ts, "campaign.start")
    await face.settle()
    assert "older message" in said(slack.ephemerals("U0RITA")[-1])


async def test_a_persons_history(slack: SlackSandbox, face: SlackFace) -> None:
    answer = await ask(slack, "person ben@candidates.example", command="/outreach")
    assert "Re: Hello" in said(answer)
    assert "Backend engineers, autumn" in said(answer)


async def test_a_database_that_does_not_answer_is_told_with_a_reference(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.mailboxes.failure = StorageError("disk I/O error")
    answer = await ask(slack, "status")
    assert "database did not answer" in said(answer)
    assert "disk I/O" not in said(answer)


async def test_an_unknown_failure_becomes_a_sentence_and_the_log_has_the_same_reference(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.mailboxes.failure = RuntimeError("a bug with a secret")
    answer = await ask(slack, "status")
    assert "Something went wrong on our side" in said(answer)
    assert "secret" not in said(answer)
    reference = next(word for word in said(answer).replace('"', " ").split() if word.startswith("r-"))
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)


async def test_a_slow_use_case_is_acknowledged_all_the_same(slack: SlackSandbox, face: SlackFace) -> None:
    """The ack goes first: Slack would say that the command failed after three seconds."""
    held = slack.hold("users.info")
    assert await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status") == {"ok": True}
    await held.arrived.wait()
    assert slack.ephemerals("U0RITA") == []
    held.release()
    await slack.wait_ephemeral("U0RITA")
