"""A mailbox is back, and stages failed while it was down: try them again, look, or leave them (X3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.slack.action_ids import LEAVE, RETRY_ALL, REVIEW, encode
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import duration
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import count, escaped, local_time, mention
from bot.slack.read_models import FailedStage
from core.domain.cards import FailedCampaign, RecoveryCard
from core.domain.moment import iso

_MOST_CAMPAIGNS: Final = 15


def recovery_card(facts: RecoveryCard) -> Card:
    """``state`` decides: offered, retried or left."""
    return _BY_STATE[facts["state"]](facts)


def _offered(facts: RecoveryCard) -> Card:
    title = f"{_failed(facts)} failed while {facts['address']} was down"
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue("The mailbox works again. What failed meanwhile is not sent again by itself.")]),
        *_campaigns(facts["campaigns"]),
        kit.context(*_down(facts), f"owner {mention(facts['owner'])}"),
        _buttons(facts),
    ]
    return Card(kit.fallback(f"{title}."), blocks, kit.AMBER)


def _failed(facts: RecoveryCard) -> str:
    return count(facts["failed"], "stage")


def _down(facts: RecoveryCard) -> list[str]:
    minutes = facts["down_minutes"]
    return [] if minutes is None else [f"Down for {duration(minutes)}"]


def _campaigns(campaigns: Sequence[FailedCampaign]) -> list[Json]:
    """How many stages of which campaign."""
    lines = [f"{one['campaign']}: {count(one['failed'], 'stage')}" for one in campaigns]
    if not lines:
        return []
    more = len(lines) - _MOST_CAMPAIGNS
    rest = [f"and {count(more, 'more campaign')}"] if more > 0 else []
    return [kit.bullets([*lines[:_MOST_CAMPAIGNS], *rest])]


def _buttons(facts: RecoveryCard) -> Json:
    value, what = encode(facts["alert_id"], facts["version"]), f"what failed while {facts['address']} was down"
    asked = kit.confirm("Retry all?", f"{_failed(facts)} of {facts['address']} may be sent now.", "Retry all")
    return kit.actions(
        kit.button("Retry all", RETRY_ALL, value, style="primary", confirm=asked, spoken=f"Retry {what}"),
        kit.button("Review", REVIEW, value, spoken=f"Review {what}"),
        kit.button("Leave", LEAVE, value, spoken=f"Leave {what} as it is"),
    )


def _retried(facts: RecoveryCard) -> Card:
    title = f"Tried again: {_failed(facts)} of {facts['address']}"
    refused = facts["refused"]
    lines = [[kit.glue(_in_line(facts["retried"]))]]
    if refused and facts["retried"]:
        lines.append([kit.glue(f"{count(refused, 'stage')} could not be tried again.")])
    if refused:
        lines.append([kit.glue("See why with "), kit.typed("/outreach status"), kit.glue(".")])
    return Card(kit.fallback(f"{title}."), [kit.header(title), kit.paragraph(*lines), _by(facts)], kit.GREEN)


def _in_line(retried: int) -> str:
    if not retried:
        return "None of them could be tried again."
    return f"{count(retried, 'stage')} {'is' if retried == 1 else 'are'} in line to be sent again."


def _left(facts: RecoveryCard) -> Card:
    title = f"Left as it is: {_failed(facts)} of {facts['address']}"
    later = kit.paragraph([kit.glue("To try again later, type "), kit.typed("/outreach retry all"), kit.glue(".")])
    return Card(kit.fallback(f"{title}."), [kit.header(title), later, _by(facts)], kit.GREY)


def _by(facts: RecoveryCard) -> Json:
    return kit.context(f"Decided by {mention(facts['actor'])}, {local_time(facts['actor_at'])}")


def review(stages: Iterable[FailedStage]) -> Card:
    """What failed, one by one: whom it was for, in which campaign, and when."""
    listed = list(stages)
    title = f"{count(len(listed), 'failed stage')}"
    if not listed:
        return Card("Nothing failed any more.", [kit.note("Nothing is left: all of it was settled.")], window=_WINDOW)
    stack = Stack(kit.paragraph([kit.bold(title)]), most_blocks=95, most_json=60_000)
    for shown, one in enumerate(listed):
        if not stack.add(_stage(one)):
            stack.blocks.append(kit.context(escaped(f"and {len(listed) - shown:,} more", 60)))
            break
    return Card(kit.fallback(f"{title}."), stack.blocks, window=_WINDOW)


def _stage(one: FailedStage) -> Json:
    return kit.paragraph(
        [kit.bold(one.person, 100), kit.glue(", "), kit.words(one.email, 254)],
        [
            kit.glue(f"Stage {one.stage} of "),
            kit.words(one.campaign, 150),
            kit.glue(", failed "),
            kit.when(iso(one.failed_at)),
        ],
    )


_WINDOW: Final = "Failed stages"
_BY_STATE: Final = {"offered": _offered, "retried": _retried, "left": _left}
