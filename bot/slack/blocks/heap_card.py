"""Many stages of one campaign that failed for one reason: one message for one root cause (X10). Pure."""

from __future__ import annotations

from bot.slack.action_ids import RETRY_HEAP, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import count, local_time, mention
from core.domain.cards import StageHeap


def heap_card(facts: StageHeap) -> Card:
    """How many failed and why, with one button for all; or by whom they are tried again."""
    retrying = facts["state"] == "retrying"
    title = f"{'Retrying ' if retrying else ''}{count(facts['count'], 'stage')}{'' if retrying else ' failed'}"
    blocks = [
        kit.header(f"{title}: {facts['campaign']}"),
        kit.paragraph([kit.words(facts["reason"] or "The reason is not known.")]),
        *(_tried_again(facts) if retrying else _failed(facts)),
    ]
    text = kit.fallback(f"{title} in {facts['campaign']}:", facts["reason"], facts["fix"])
    return Card(text, blocks, kit.AMBER if retrying else kit.RED)


def _failed(facts: StageHeap) -> list[Json]:
    fix = [kit.paragraph([kit.strong("What to do: "), kit.words(facts["fix"])])] if facts["fix"] else []
    many = count(facts["count"], "stage")
    asked = kit.confirm("Retry all?", f"{many} of {facts['campaign']} may be sent now.", "Retry all")
    value, spoken = encode(facts["campaign_id"], 0, facts["reason_code"]), f"Retry what failed in {facts['campaign']}"
    return [
        *fix,
        kit.context(f"Since {local_time(facts['at'])}", f"owner {mention(facts['owner'])}"),
        kit.actions(kit.button("Retry all", RETRY_HEAP, value, style="primary", confirm=asked, spoken=spoken)),
    ]


def _tried_again(facts: StageHeap) -> list[Json]:
    by = f"tried again by {mention(facts['actor'])}, {local_time(facts['actor_at'])}"
    return [kit.context(f"They had failed since {local_time(facts['at'])}", by)]
