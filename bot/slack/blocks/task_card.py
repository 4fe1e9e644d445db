"""A call or a task of a campaign: whom, why, since when, and what came of it (R149, R150, X7). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import TASK_DONE, TASK_MORE, TASK_SKIP, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import escaped, local_time, mention
from core.domain.cards import TaskCard, TaskReminder

HISTORY: Final = "history"
"""The menu's choice that shows what happened to the prospect so far."""

_MORE: Final = (
    ("called", "They called"),
    ("texted", "They texted"),
    ("booked", "They booked a meeting"),
    (HISTORY, "History"),
)
_LABELS: Final = {"call": "Call", "task": "Task for"}
_SETTLED: Final = {
    "done": ("Done", "The campaign goes on.", kit.GREEN),
    "skipped": ("Skipped", "The campaign goes on without it.", kit.GREY),
    "closed": ("No longer needed", "Nothing more is to do for them in this campaign.", kit.GREY),
    "paused": ("Paused", "The prospect is paused; this comes back when somebody unpauses them.", kit.GREY),
    "heard": ("They got in touch", "The prospect is paused; unpause them to go on with the campaign.", kit.GREEN),
    "removed": ("Removed from the campaign", "Nothing more is to do for them in this campaign.", kit.GREY),
}


def task_card(facts: TaskCard) -> Card:
    """Open with its buttons, or how it ended and by whose hand."""
    return _open(facts) if facts["state"] == "open" else _settled(facts)


def task_reminder(facts: TaskReminder) -> Card:
    """Short: the card has the rest."""
    title = f"Still to do: {_what(facts['kind'], facts['person'])}"
    value = encode(facts["delivery_id"], facts["version"])
    blocks = [
        kit.header(title),
        kit.paragraph(*_phone(facts["phone"]), *_note(facts["note"])),
        kit.context(
            f"Due since {local_time(facts['due'])}",
            escaped(facts["campaign"], 200),
            f"owner {mention(facts['owner'])}",
            "the campaign waits for it",
        ),
        kit.actions(*_settling(value, facts["kind"], facts["person"], required=True)),
    ]
    return Card(kit.fallback(f"{title}.", facts["note"]), blocks, kit.AMBER)


def _open(facts: TaskCard) -> Card:
    title = _what(facts["kind"], facts["person"])
    value = encode(facts["delivery_id"], facts["version"])
    blocks = [
        kit.header(title),
        kit.paragraph(_which(facts), *_phone(facts["phone"]), *_note(facts["note"])),
        *_profile(facts["profile"]),
        kit.context(f"Due since {local_time(facts['due'])}", f"owner {mention(facts['owner'])}", _waits(facts)),
        kit.actions(
            *_settling(value, facts["kind"], facts["person"], required=facts["required"]),
            kit.more_menu(
                TASK_MORE,
                [(label, encode(facts["delivery_id"], facts["version"], choice)) for choice, label in _MORE],
            ),
        ),
    ]
    return Card(kit.fallback(f"{title},", f"stage {facts['stage']} of {facts['campaign']}.", facts["note"]), blocks)


def _what(kind: str, person: str) -> str:
    return f"{_LABELS.get(kind, 'Task for')} {person}"


def _which(facts: TaskCard) -> list[Json]:
    return [
        kit.glue(f"Stage {facts['stage']} of {facts['stages']} of "),
        kit.bold(facts["campaign"]),
        kit.glue(" for "),
        kit.words(facts["email"] or facts["person"], 254),
        kit.glue("."),
    ]


def _phone(phone: str) -> list[list[Json]]:
    """As text that a telephone recognises; numbers come from outside and are never made a link."""
    return [[kit.strong("Telephone: "), kit.words(phone, 60)]] if phone.strip() else []


def _note(note: str) -> list[list[Json]]:
    return [[kit.words(note, 600)]] if note.strip() else []


def _profile(facts: list[list[str]]) -> list[Json]:
    return [kit.bullets(f"{name}: {value}" for name, value in facts)] if facts else []


def _waits(facts: TaskCard) -> str:
    return "the campaign waits for it" if facts["required"] else "the campaign goes on meanwhile"


def _settling(value: str, kind: str, whom: str, *, required: bool) -> list[Json]:
    """There is something to skip only where the campaign waits."""
    done = kit.button("Done", TASK_DONE, value, style="primary", spoken=f"The {kind} for {whom} is done")
    skip = kit.button("Skip", TASK_SKIP, value, spoken=f"Skip the {kind} for {whom}")
    return [done, skip] if required else [done]


def _settled(facts: TaskCard) -> Card:
    outcome, told, color = _SETTLED[facts["state"]]
    title = f"{outcome}: {_what(facts['kind'], facts['person'])}"
    by = [f"by {mention(facts['actor'])}, {local_time(facts['actor_at'])}"] if facts["actor"] else []
    blocks = [
        kit.header(title),
        kit.paragraph([*_which(facts), kit.glue(f" {told}")]),
        kit.context(f"It was due {local_time(facts['due'])}", *by),
    ]
    return Card(kit.fallback(f"{title},", f"stage {facts['stage']} of {facts['campaign']}."), blocks, color)
