"""A stage that failed, with what can be done about it (R202, R207). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import FINISH, FIX_ADDRESS, RETRY, RETRY_ANYWAY, SKIP, ButtonValue, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import escaped, local_time, mention
from core.domain.cards import StageCard
from core.domain.enrollment import ProspectEvent, ProspectStatus, may_follow

_SETTLED: Final = {
    "retrying": ("Retrying", "The stage is being tried again.", kit.AMBER),
    "sent": ("Sent after all", "The stage went out.", kit.GREEN),
    "skipped": ("Stage skipped", "The campaign goes on with the next stage.", kit.GREY),
    "finished": ("Marked finished", "Nothing more is sent to them in this campaign.", kit.GREY),
    "removed": ("Removed from the campaign", "Nothing more is sent to them in this campaign.", kit.GREY),
    "replied": ("Replied meanwhile", "They have answered; nothing more is sent to them.", kit.GREEN),
}


_DID: Final = {
    "retrying": "tried again",
    "sent": "tried again",
    "skipped": "skipped",
    "finished": "marked finished",
    "removed": "removed",
}


def stage_card(facts: StageCard) -> Card:
    """Failed with its buttons, or how it was settled and by whom."""
    return _failed(facts) if facts["state"] == "failed" else _settled(facts)


def _failed(facts: StageCard) -> Card:
    title = f"Stage failed: {facts['person']}"
    blocks = [
        kit.header(title),
        kit.paragraph(_which(facts), [kit.bold(_what_happened(facts), 350)]),
        *_server_words(facts["server_text"]),
        *_fix(facts["fix"]),
        kit.context(f"Failed {local_time(facts['at'])}", f"owner {mention(facts['owner'])}"),
        *_buttons(facts),
    ]
    text = kit.fallback(f"{title},", f"stage {facts['stage']} of {facts['campaign']}:", facts["reason"], facts["fix"])
    return Card(text, blocks, kit.RED)


def _which(facts: StageCard) -> list[Json]:
    return [
        kit.glue(f"Stage {facts['stage']} of {facts['stages']} of "),
        kit.bold(facts["campaign"]),
        kit.glue(" to "),
        kit.words(facts["email"], 254),
        kit.glue(" failed."),
    ]


def _what_happened(facts: StageCard) -> str:
    return f"{facts['status']}: {facts['reason'] or 'The reason is not known.'}"


def _server_words(text: str | None) -> list[Json]:
    return [kit.server_said(text)] if text else []


def _fix(fix: str) -> list[Json]:
    return [kit.paragraph([kit.strong("What to do: "), kit.words(fix)])] if fix else []


def _buttons(facts: StageCard) -> list[Json]:
    """Only what the prospect's state allows: a button that can only be refused is not shown."""
    value = encode(facts["delivery_id"], facts["version"])
    whom = facts["person"]
    offered = (
        (ProspectEvent.RETRY, kit.button("Retry", RETRY, value, style="primary", spoken=f"Retry {whom}")),
        (ProspectEvent.RETRY, kit.button("Fix address …", FIX_ADDRESS, value, spoken=f"Fix the address of {whom}")),
        (ProspectEvent.SKIP, kit.button("Skip", SKIP, value, spoken=f"Skip this stage for {whom}")),
        (ProspectEvent.FINISH, _finish(value, whom)),
    )
    buttons = [button for event, button in offered if _allowed(event, facts["status"])]
    return [kit.actions(*buttons)] if buttons else []


def _allowed(event: ProspectEvent, status: str) -> bool:
    return any(state.value == status for state in may_follow(event)) or status not in set(ProspectStatus)


def _finish(value: str, whom: str) -> Json:
    words = f"{whom} gets nothing more in this campaign. Undo works for a short while, then it is final."
    asked = kit.confirm("Mark finished?", words, "Mark finished")
    return kit.button("Mark finished", FINISH, value, confirm=asked, spoken=f"Mark {whom} finished")


def retry_warning(words: str, fix: str, stage: ButtonValue) -> Card:
    """A retry that is unlikely to help: why, and the two ways on. For whoever pressed, beside the card."""
    value = encode(stage.id, stage.version)
    blocks = [
        kit.markup(f":warning: *{escaped(words, 400)}*\n{escaped(fix, 400)}"),
        kit.actions(
            kit.button("Retry all the same", RETRY_ANYWAY, value, style="danger"),
            kit.button("Fix address …", FIX_ADDRESS, value),
        ),
    ]
    return Card(kit.fallback(words, fix), blocks)


def retried_anyway() -> Card:
    """In place of the warning; the card itself says how it went."""
    words = "The stage is tried again. Its card says how it goes."
    return Card(words, [kit.note(words)], replaces=True)


def _settled(facts: StageCard) -> Card:
    title, outcome, color = _SETTLED[facts["state"]]
    did = _DID.get(facts["state"], "decided")
    by = [f"{did} by {mention(facts['actor'])}, {local_time(facts['actor_at'])}"] if facts["actor"] else []
    blocks = [
        kit.header(f"{title}: {facts['person']}"),
        kit.paragraph(
            [
                kit.glue(f"Stage {facts['stage']} of {facts['stages']} of "),
                kit.bold(facts["campaign"]),
                kit.glue(" to "),
                kit.words(facts["email"], 254),
                kit.glue(f". {outcome}"),
            ],
        ),
        kit.context(f"It had failed {local_time(facts['at'])}", *by),
    ]
    return Card(
        kit.fallback(f"{title}: {facts['person']},", f"stage {facts['stage']} of {facts['campaign']}."), blocks, color
    )
