"""What people press on alerts: it is done in their name, once, and whoever comes late hears who was faster."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from bot.slack.action_ids import encode
from bot.slack.slack_app import SlackFace
from core.errors import NotAllowedError
from sandbox.slack import SlackSandbox
from tests.fakes.services import FakeServices, Pack
from tests.integration.slack.test_buttons import a_card, said
from tests.unit.bot.facts import NASTY, RECOVERY, REMINDER, STORM, SYNC

PRESSES = [
    ("sync", SYNC, "alert.acknowledge", None, ("acknowledge", "alert-1", 2, "")),
    ("sync", SYNC, "alert.assign", "U0OMAR", ("assign", "alert-1", 2, "U0OMAR")),
    ("sync", SYNC, "alert.more", "1:alert-1:2:mute_24", ("mute", "alert-1", 2, "24")),
    ("sync", SYNC, "alert.more", "1:alert-1:2:mute_72", ("mute", "alert-1", 2, "72")),
    ("sync", SYNC, "alert.more", "1:alert-1:2:mute_168", ("mute", "alert-1", 2, "168")),
    ("storm", STORM, "storm.resync", None, ("resync_storm", "alert-2", 5, "")),
    ("storm", STORM, "alert.acknowledge", None, ("acknowledge", "alert-2", 5, "")),
    ("storm", STORM, "alert.more", "1:alert-2:5:mute_24", ("mute", "alert-2", 5, "24")),
    ("recovery", RECOVERY, "recovery.retry", None, ("retry", "alert-3", 1, "")),
    ("recovery", RECOVERY, "recovery.leave", None, ("leave", "alert-3", 1, "")),
]
NAMES = [f"{kind}-{action}-{value or ''}" for kind, _, action, value, _ in PRESSES]


def asked(services: FakeServices) -> list[tuple[str, str, str, int, str]]:
    assert services.alerts is not None
    return services.alerts.asked


def new_answer(slack: SlackSandbox, user: str) -> Any:
    known = {message.ts for message in slack.ephemerals(user)}
    return partial(lambda seen, message: message.ts not in seen, known)


@pytest.mark.parametrize(("kind", "facts", "button", "value", "call"), PRESSES, ids=NAMES)
async def test_each_button_and_menu_asks_in_the_pressers_name_with_id_and_version(
    slack: SlackSandbox,
    face: SlackFace,
    services: FakeServices,
    kind: str,
    facts: dict[str, Any],
    button: str,
    value: str | None,
    call: tuple[str, str, int, str],
) -> None:
    """And without an answer: the card itself changes, for everybody. The next press hears who was faster."""
    card = await a_card(slack, face, kind, facts)
    assert await slack.click("U0RITA", "C0ALERTS", card.ts, button, value) == {"ok": True}
    await face.settle()
    what, *rest = call
    assert asked(services) == [(what, "U0RITA", *rest)]
    assert slack.ephemerals("U0RITA") == []
    await slack.click("U0OMAR", "C0ALERTS", card.ts, button, value)
    assert "<@U0RITA> was faster" in (await slack.wait_ephemeral("U0OMAR")).text
    assert len(asked(services)) == 1


@pytest.mark.parametrize("button", ["alert.acknowledge", "storm.resync"])
async def test_whoever_may_not_hears_why(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, button: str
) -> None:
    assert services.alerts is not None
    services.alerts.refusal = NotAllowedError("Only an admin can do this.", fix="Ask an admin.")
    card = await a_card(slack, face, "storm", STORM)
    await slack.click("U0OMAR", "C0ALERTS", card.ts, button)
    answer = await slack.wait_ephemeral("U0OMAR")
    assert "Only an admin can do this." in answer.text
    assert "Ask an admin." in said(answer)


async def test_a_storm_in_which_all_are_tried_already_says_so(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    assert services.alerts is not None
    services.alerts.resynced = []
    card = await a_card(slack, face, "storm", STORM)
    await slack.click("U0ADA", "C0ALERTS", card.ts, "storm.resync")
    assert "each of them is being tried already" in (await slack.wait_ephemeral("U0ADA")).text


@pytest.mark.parametrize(
    ("action", "element"),
    [
        ("alert.more", {"type": "overflow", "options": ["1:alert-1:2:burn", "1:alert-1:2"]}),
        ("alert.more", {"type": "overflow", "options": ["nonsense", "1:alert-1:2:mute_9999"]}),
    ],
)
async def test_a_choice_that_no_card_of_ours_offers_is_refused(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, action: str, element: dict[str, Any]
) -> None:
    options = [{"text": {"type": "plain_text", "text": "Old"}, "value": one} for one in element["options"]]
    menu = {"type": "overflow", "action_id": action, "options": options}
    posted = await face._client.chat_postMessage(
        channel="C0ALERTS", text="old", blocks=[{"type": "actions", "elements": [menu]}]
    )
    for value in element["options"]:
        is_new = new_answer(slack, "U0RITA")
        assert await slack.click("U0RITA", "C0ALERTS", posted["ts"], action, value) == {"ok": True}
        assert "from an older message" in (await slack.wait_ephemeral("U0RITA", is_new)).text
    assert asked(services) == []


async def test_a_menu_of_people_whose_row_carries_nothing_is_from_an_older_card(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    menu = {"type": "users_select", "action_id": "alert.assign", "placeholder": {"type": "plain_text", "text": "Who"}}
    posted = await face._client.chat_postMessage(
        channel="C0ALERTS", text="old", blocks=[{"type": "actions", "elements": [menu]}]
    )
    await slack.click("U0RITA", "C0ALERTS", posted["ts"], "alert.assign", "U0OMAR")
    assert "from an older message" in (await slack.wait_ephemeral("U0RITA")).text
    assert asked(services) == []


async def escalate(slack: SlackSandbox, face: SlackFace, user: str = "U0RITA") -> str:
    """Chooses Escalate on a card; returns the id of the window that opens."""
    card = await a_card(slack, face, "sync", SYNC)
    await slack.click(user, "C0ALERTS", card.ts, "alert.more", encode("alert-1", 2, "escalate"))
    return (await slack.wait_view(user)).id


async def test_escalate_opens_the_facts_to_copy_and_posts_them_once(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R17, R25: for whoever can help, with who asks; a double click is one message."""
    services.settings.values = {"alert_channel": "C0ALERTS"}
    window = await escalate(slack, face)
    view = slack.views("U0RITA")[-1]
    assert "Server said: AUTHENTICATIONFAILED" in str(view.blocks)
    before = len(slack.messages("C0ALERTS"))
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    await slack.wait_view("U0RITA", lambda shown: "Posted to " in str(shown.blocks))
    posted = slack.messages("C0ALERTS")[before:]
    assert len(posted) == 1
    assert "Help is needed" in said(posted[0])
    assert "U0RITA" in said(posted[0])
    assert "Server said: AUTHENTICATIONFAILED" in said(posted[0])


async def test_the_same_window_posts_once_however_fast_one_clicks(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.settings.values = {"alert_channel": "C0ALERTS"}
    window = await escalate(slack, face)
    before = len(slack.messages("C0ALERTS"))
    held = slack.hold("views.update")  # the window still shows its button
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    await held.arrived.wait()
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    held.release()
    await face.settle()
    assert len(slack.messages("C0ALERTS")) == before + 1
    assert "posted from this window already" in str(slack.views("U0RITA")[-1].blocks)


async def test_without_an_alert_channel_the_window_says_what_to_do(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    window = await escalate(slack, face)
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    shown = await slack.wait_view("U0RITA", lambda view: "no alert channel" in str(view.blocks))
    assert "/mailbox settings alert_channel" in str(shown.blocks)


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived"])
async def test_a_channel_that_rethread_cannot_post_to_is_named_with_the_way_out(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, code: str
) -> None:
    services.settings.values = {"alert_channel": "C0ALERTS"}
    window = await escalate(slack, face)
    slack.fail_next("chat.postMessage", code)
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    shown = await slack.wait_view("U0RITA", lambda view: "cannot post" in str(view.blocks))
    assert "/invite @Rethread" in str(shown.blocks)


async def test_a_window_that_opens_too_late_becomes_a_message(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """Slack lets three seconds pass; the facts are not lost for that."""
    slack.fail_next("views.open", "expired_trigger_id")
    card = await a_card(slack, face, "sync", SYNC)
    await slack.click("U0RITA", "C0ALERTS", card.ts, "alert.more", encode("alert-1", 2, "escalate"))
    answer = await slack.wait_ephemeral("U0RITA")
    assert "Server said: AUTHENTICATIONFAILED" in said(answer)


@pytest.mark.parametrize("text", NASTY)
async def test_hostile_facts_in_the_pack_ring_no_bell(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, text: str
) -> None:
    assert services.alerts is not None
    services.alerts.pack = Pack(text)
    services.settings.values = {"alert_channel": "C0ALERTS"}
    window = await escalate(slack, face)
    await slack.click_view("U0RITA", window, "escalation.post_alert")
    await slack.wait_view("U0RITA", lambda shown: "Posted to " in str(shown.blocks))
    posted = slack.messages("C0ALERTS")[-1]
    assert "<!" not in posted.text
    assert not any(part.get("type") == "mrkdwn" and "<!" in part["text"] for part in posted.all_blocks())


async def test_review_opens_a_window_with_what_failed(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    card = await a_card(slack, face, "recovery", RECOVERY)
    await slack.click("U0RITA", "C0ALERTS", card.ts, "recovery.review")
    view = await slack.wait_view("U0RITA")
    assert "ben@candidates.example" in str(view.blocks)
    assert "Backend engineers, autumn" in str(view.blocks)


async def test_a_reminders_resync_says_that_it_was_done(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """A reminder never changes, so whoever presses gets an answer."""
    card = await a_card(slack, face, "sync_reminder", REMINDER | {"mailbox_id": "mailbox-rita"})
    await slack.click("U0RITA", "C0ALERTS", card.ts, "mailbox.resync")
    assert "Resync started: rita@agency.test" in (await slack.wait_ephemeral("U0RITA")).text
