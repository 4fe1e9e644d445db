"""Cards of calls and tasks in Slack: what is pressed reaches its use case, and is answered."""

from __future__ import annotations

import json

import pytest

from bot.slack.action_ids import encode
from bot.slack.slack_app import SlackFace
from core.domain.enrollment import ProspectStatus
from core.domain.ledger import LedgerLine
from sandbox.slack import Message, SlackSandbox
from tests.fakes.services import NOW, TEAM, FakeServices
from tests.fakes.tasks import FakeTasks
from tests.unit.bot.facts import TASK, TASK_REMINDER


@pytest.fixture
def tasks(services: FakeServices) -> FakeTasks:
    assert services.tasks is not None
    return services.tasks


async def a_card(slack: SlackSandbox, face: SlackFace, *, reminder: bool = False) -> Message:
    kind, facts = ("task_reminder", TASK_REMINDER) if reminder else ("task", TASK)
    ref = await face.notifier.post(TEAM, destination="C0REPLIES", kind=kind, facts=facts, key=f"{kind}:1")
    return next(message for message in slack.messages(ref.channel) if message.ts == ref.ts)


@pytest.mark.parametrize("reminder", [False, True])
@pytest.mark.parametrize(("button", "asked"), [("task.done", "done"), ("task.skip", "skip")])
async def test_a_press_is_done_in_the_name_of_whoever_pressed_and_once(
    slack: SlackSandbox, face: SlackFace, tasks: FakeTasks, button: str, asked: str, reminder: bool
) -> None:
    """The second hears who was faster."""
    card = await a_card(slack, face, reminder=reminder)
    assert await slack.click("U0RITA", "C0REPLIES", card.ts, button) == {"ok": True}
    await face.settle()
    await slack.click("U0OMAR", "C0REPLIES", card.ts, button)
    assert "done already by <@U0RITA>" in (await slack.wait_ephemeral("U0OMAR")).text
    assert tasks.asked == [(asked, "U0RITA", "delivery-1")]


@pytest.mark.parametrize("asked", ["called", "texted", "booked"])
async def test_an_answer_that_no_mailbox_sees_is_chosen_in_the_menu(
    slack: SlackSandbox, face: SlackFace, tasks: FakeTasks, asked: str
) -> None:
    """X7."""
    card = await a_card(slack, face)
    await slack.click("U0RITA", "C0REPLIES", card.ts, "task.more", encode("delivery-1", 4, asked))
    await face.settle()
    assert tasks.asked == [(asked, "U0RITA", "delivery-1")]


async def test_the_history_is_shown_to_whoever_asked(slack: SlackSandbox, face: SlackFace, tasks: FakeTasks) -> None:
    tasks.lines = [
        LedgerLine(
            at=NOW,
            event="pause",
            before=ProspectStatus.ACTIVE,
            after=ProspectStatus.PAUSED,
            stage=2,
            actor="U0OMAR",
            reason="",
            evidence="",
            message_id=None,
            sentence="Paused by <@U0OMAR>: Active → Paused, stage 2.",
        )
    ]
    card = await a_card(slack, face)
    await slack.click("U0RITA", "C0REPLIES", card.ts, "task.more", encode("delivery-1", 4, "history"))
    await face.settle()
    shown = json.dumps(slack.views("U0RITA")[-1].blocks, ensure_ascii=False)
    assert "Paused by <@U0OMAR>: Active → Paused, stage 2." in shown
    assert tasks.asked == []
