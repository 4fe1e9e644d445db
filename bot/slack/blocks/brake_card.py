"""Too many mails bounced, so a mailbox or a campaign is stopped until a person lets it go on. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import LIFT_CAMPAIGN_BRAKE, LIFT_MAILBOX_BRAKE, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card
from bot.slack.blocks.text import local_time, mention
from core.domain.cards import BrakeCard

_STOPPED: Final = {"mailbox": "This mailbox has stopped sending.", "campaign": "This campaign has stopped sending."}
_LIFT: Final = {"mailbox": LIFT_MAILBOX_BRAKE, "campaign": LIFT_CAMPAIGN_BRAKE}
_TO_DO: Final = (
    "look at the addresses that bounced, correct or remove those like them, then let it go on. What is due meanwhile "
    "waits."
)


def brake_card(facts: BrakeCard) -> Card:
    """``state`` decides: braked with its button, or lifted and by whom."""
    return _braked(facts) if facts["state"] == "braked" else _lifted(facts)


def _braked(facts: BrakeCard) -> Card:
    title = f"Too many bounces: {facts['name']}"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.bold(_STOPPED[facts["scope"]])],
            [kit.glue(_share(facts))],
            [kit.strong("What to do: "), kit.glue(_TO_DO)],
        ),
        kit.context(f"Stopped {local_time(facts['at'])}", f"owner {mention(facts['owner'])}"),
        kit.actions(
            kit.button(
                "Let it go on",
                _LIFT[facts["scope"]],
                encode(facts["id"]),
                confirm=kit.confirm("Let it go on?", "Its bounces so far do not count any more.", "Let it go on"),
                spoken=f"Let {facts['name']} go on",
            )
        ),
    ]
    return Card(kit.fallback(f"{title}.", _STOPPED[facts["scope"]], _share(facts)), blocks, kit.RED)


def _lifted(facts: BrakeCard) -> Card:
    title = f"Going on: {facts['name']}"
    text = "What waited goes on; the bounces so far do not count any more."
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue(text)]),
        kit.context(
            f"Let go on by {mention(facts['actor'])}, {local_time(facts['actor_at'])}",
            f"stopped {local_time(facts['at'])}",
        ),
    ]
    return Card(kit.fallback(f"{title}.", text), blocks, kit.GREEN)


def _share(facts: BrakeCard) -> str:
    days = f"{facts['days']} days" if facts["days"] != 1 else "day"
    return (
        f"{facts['bounced']:,} of {facts['sent']:,} mails of the last {days} bounced; "
        f"it stops at {facts['percent']:g} %."
    )
