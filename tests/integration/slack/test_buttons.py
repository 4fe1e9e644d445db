"""Cards are posted by the notifier; people press their buttons; the face answers over Socket Mode."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from bot.slack.slack_app import SlackFace
from sandbox.slack import Message, SlackSandbox
from tests.fakes.services import TEAM, FakeServices
from tests.unit.bot.facts import STAGE, SYNC, UNCERTAIN


def said(message: Message) -> str:
    return message.text + json.dumps([message.blocks, message.attachments], ensure_ascii=False)


async def a_card(
    slack: SlackSandbox, face: SlackFace, kind: str, facts: dict[str, Any], channel: str = "C0ALERTS"
) -> Message:
    ref = await face.notifier.post(TEAM, destination=channel, kind=kind, facts=facts, key=f"{kind}:1")
    return next(message for message in slack.messages(ref.channel) if message.ts == ref.ts)


async def test_resync_is_asked_for_in_the_name_of_whoever_pressed(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "sync", SYNC | {"mailbox_id": "mailbox-rita"})
    assert await slack.click("U0OMAR", "C0ALERTS", card.ts, "sync.resync") == {"ok": True}
    await face.settle()
    assert services.mailboxes.asked == [("resync", "U0OMAR", "mailbox-rita")]
    assert slack.ephemerals("U0OMAR") == []


async def test_a_second_press_is_told_who_was_first(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "sync", SYNC | {"mailbox_id": "mailbox-rita"})
    await slack.click("U0RITA", "C0ALERTS", card.ts, "sync.resync")
    await face.settle()
    await slack.click("U0OMAR", "C0ALERTS", card.ts, "sync.resync")
    answer = await slack.wait_ephemeral("U0OMAR")
    assert "asked by <@U0RITA> 5 s ago" in answer.text
    assert len(services.mailboxes.asked) == 1


async def test_reconnect_answers_with_a_fresh_private_link(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "sync", SYNC | {"mailbox_id": "mailbox-rita"})
    await slack.click("U0RITA", "C0ALERTS", card.ts, "sync.reconnect")
    answer = await slack.wait_ephemeral("U0RITA")
    assert "/connect/T0AGENCY.token-1" in said(answer)
    assert "History and settings stay." in said(answer)
    assert services.connecting.asked == [("ticket", "U0RITA", "mailbox-rita")]


@pytest.mark.parametrize(
    ("kind", "facts", "button", "asked"),
    [
        ("stage_failed", STAGE, "stage.retry", "retry"),
        ("stage_failed", STAGE, "stage.skip", "skip"),
        ("stage_failed", STAGE, "stage.finish", "finish"),
        ("uncertain", UNCERTAIN, "uncertain.was_sent", "sent"),
        ("uncertain", UNCERTAIN, "uncertain.send_again", "resend"),
        ("uncertain", UNCERTAIN, "uncertain.drop", "drop"),
    ],
)
async def test_each_button_calls_its_use_case_with_id_and_version(
    slack: SlackSandbox,
    face: SlackFace,
    services: FakeServices,
    kind: str,
    facts: dict[str, Any],
    button: str,
    asked: str,
) -> None:
    card = await a_card(slack, face, kind, facts, "C0REPLIES")
    assert await slack.click("U0RITA", "C0REPLIES", card.ts, button) == {"ok": True}
    await face.settle()
    await slack.click("U0OMAR", "C0REPLIES", card.ts, button)
    assert "<@U0RITA> was faster" in (await slack.wait_ephemeral("U0OMAR")).text
    assert services.prospects.asked == [(asked, "U0RITA", "delivery-1", 4)]


def _is_new(known: set[str], message: Message) -> bool:
    return message.ts not in known


async def test_a_button_of_an_older_version_gets_a_plain_sentence(slack: SlackSandbox, face: SlackFace) -> None:
    for action_id, value in (("old.button", "x"), ("stage.retry", "0:delivery-1:4"), ("stage.skip", "nonsense")):
        button = {
            "type": "button",
            "action_id": action_id,
            "value": value,
            "text": {"type": "plain_text", "text": "Old"},
        }
        posted = await face._client.chat_postMessage(
            channel="C0ALERTS", text="old card", blocks=[{"type": "actions", "elements": [button]}]
        )
        known = {message.ts for message in slack.ephemerals("U0RITA")}
        assert await slack.click("U0RITA", "C0ALERTS", posted["ts"], action_id) == {"ok": True}
        answer = await slack.wait_ephemeral("U0RITA", partial(_is_new, known))
        assert "from an older message" in answer.text


async def test_a_press_by_somebody_slack_does_not_know_is_refused_with_a_sentence(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "sync", SYNC | {"mailbox_id": "mailbox-rita"})
    slack.fail_next("users.info", "user_not_found")
    await slack.click("U0OMAR", "C0ALERTS", card.ts, "sync.resync")
    assert "Slack refused a request" in (await slack.wait_ephemeral("U0OMAR")).text
    assert services.mailboxes.asked == []


async def test_the_same_press_delivered_twice_acts_once(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "sync", SYNC | {"mailbox_id": "mailbox-rita"})
    await slack.click("U0RITA", "C0ALERTS", card.ts, "sync.resync")
    await face.settle()
    body = slack.journal.deliveries("block_actions")[-1].request
    await face._desk.serve(body, pytest.fail)  # type: ignore[arg-type]
    assert len(services.mailboxes.asked) == 1


async def test_the_home_tab_shows_my_mailboxes_failures_and_campaigns(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    slack.open_home("U0RITA")
    view = await slack.wait_home("U0RITA")
    shown = json.dumps(view.blocks)
    for words in ("rita@agency.test", "Sync broken (red)", "My failures", "My campaigns", "9 Active, 2 Bounced"):
        assert words in shown
    assert "omar@agency.test" not in shown


async def test_a_press_on_the_home_tab_opens_a_window_that_says_what_came_of_it(
    slack: SlackSandbox, face: SlackFace
) -> None:
    slack.open_home("U0RITA")
    await slack.wait_home("U0RITA")
    await slack.click_home("U0RITA", "mailbox.resync")
    started = await slack.wait_view("U0RITA")
    assert "Resync started: rita@agency.test" in json.dumps(started.blocks)
    await slack.click_home("U0RITA", "mailbox.resync")
    await slack.wait_view("U0RITA", lambda view: "being resynced already" in json.dumps(view.blocks))


async def test_connect_on_the_home_tab_opens_a_window_with_the_link(slack: SlackSandbox, face: SlackFace) -> None:
    slack.open_home("U0RITA")
    await slack.wait_home("U0RITA")
    await slack.click_home("U0RITA", "mailbox.connect")
    view = await slack.wait_view("U0RITA")
    assert "/connect/T0AGENCY.token-1" in json.dumps(view.blocks)


async def test_being_added_to_a_channel_is_answered_with_one_welcome(slack: SlackSandbox, face: SlackFace) -> None:
    slack.join("U0RETHREAD", "C0GENERAL")
    await slack.wait_message("C0GENERAL", lambda message: "Rethread is here" in message.text)
    slack.leave("U0RETHREAD", "C0GENERAL")
    slack.join("U0RETHREAD", "C0GENERAL")
    await slack.wait_for(lambda: len(slack.journal.deliveries("member_joined_channel")) >= 2 or None)
    await face.settle()
    assert sum("Rethread is here" in message.text for message in slack.messages("C0GENERAL")) == 1


async def test_the_answer_finds_another_way_where_slack_takes_no_layout(slack: SlackSandbox, face: SlackFace) -> None:
    slack.fail_next("views.open", "expired_trigger_id", times=2)
    slack.open_home("U0RITA")
    await slack.wait_home("U0RITA")
    await slack.click_home("U0RITA", "mailbox.connect")
    direct = slack.direct_message("U0RITA")
    assert "Connect a mailbox" in (await slack.wait_message(direct)).text
