"""A mail of which nobody knows whether it went out: a person decides. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import DROP, SEND_AGAIN, WAS_SENT, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import local_time, mention
from core.domain.cards import UncertainCard

_SETTLED: Final = {
    "sent": ("It was sent", "It counts as sent, and the campaign goes on.", kit.GREEN),
    "resent": ("Sending again", "It is sent once more.", kit.AMBER),
    "dropped": ("Dropped", "It is not sent.", kit.GREY),
}


def uncertain_card(facts: UncertainCard) -> Card:
    """Held with its three buttons, or what was decided and by whom."""
    return _held(facts) if facts["state"] == "held" else _settled(facts)


def _held(facts: UncertainCard) -> Card:
    title = f"Sent or not? {facts['person']}"
    blocks = [
        kit.header(title),
        kit.paragraph(
            _which(facts),
            *([] if _is_text(facts) else [[kit.strong("Subject: "), kit.words(facts["subject"] or "(none)", 300)]]),
            [
                kit.glue(
                    f"The connection broke while the {_it(facts)} was handed over, so it may or may not have gone out."
                )
            ],
            [kit.words(facts["evidence"], 600)],
        ),
        kit.paragraph(
            [
                kit.strong("What to do: "),
                kit.glue("see in "),
                kit.words("the text message provider's log" if _is_text(facts) else facts["mailbox"], 254),
                kit.glue(" itself whether it went out, or ask "),
                kit.words(facts["person"], 100),
                kit.glue(", then say here what you found. Until then nothing more is sent to them."),
            ]
        ),
        kit.context(f"Tried {local_time(facts['at'])}", f"owner {mention(facts['owner'])}"),
        _buttons(facts),
    ]
    text = kit.fallback(
        f"Sent or not? Stage {facts['stage']} of {facts['campaign']} to {facts['person']}:", "somebody has to decide."
    )
    return Card(text, blocks, kit.AMBER)


def _is_text(facts: UncertainCard) -> bool:
    return facts.get("kind") == "sms"  # cards that an earlier version left in the outbox say nothing of it


def _it(facts: UncertainCard) -> str:
    return "text" if _is_text(facts) else "mail"


def _which(facts: UncertainCard) -> list[Json]:
    return [
        kit.glue(f"Stage {facts['stage']} of {facts['stages']} of "),
        kit.bold(facts["campaign"]),
        kit.glue(" to "),
        kit.words(facts["email"], 254),
        kit.glue("."),
    ]


def _buttons(facts: UncertainCard) -> Json:
    value = encode(facts["delivery_id"], facts["version"])
    whom = facts["person"]
    again = kit.confirm(
        "Send it again?", f"If the first one did go out, {whom} gets this {_it(facts)} twice.", "Send again"
    )
    drop = kit.confirm(f"Drop this {_it(facts)}?", f"{whom} does not get this stage.", "Drop", danger=True)
    return kit.actions(
        kit.button("It was sent", WAS_SENT, value, style="primary", spoken=f"The {_it(facts)} to {whom} was sent"),
        kit.button("Send again", SEND_AGAIN, value, confirm=again, spoken=f"Send the {_it(facts)} to {whom} again"),
        kit.button("Drop", DROP, value, style="danger", confirm=drop, spoken=f"Drop the {_it(facts)} to {whom}"),
    )


def _settled(facts: UncertainCard) -> Card:
    title, outcome, color = _SETTLED[facts["state"]]
    by = [f"Decided by {mention(facts['actor'])}, {local_time(facts['actor_at'])}"] if facts["actor"] else ["Settled"]
    blocks = [
        kit.header(f"{title}: {facts['person']}"),
        kit.paragraph([*_which(facts), kit.glue(f" {outcome}")]),
        kit.context(*by, f"tried {local_time(facts['at'])}"),
    ]
    return Card(
        kit.fallback(f"{title}: {facts['person']},", f"stage {facts['stage']} of {facts['campaign']}."), blocks, color
    )
