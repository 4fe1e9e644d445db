"""/outreach status of one campaign, in short: its state, who is where, stage by stage, who failed and why (R112, R115).
Pure. The Prospects window is one press away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.outreach_status import failure_line, in_words, state_in_words
from bot.slack.blocks.prospect_words import implied, status_words
from bot.slack.blocks.text import count
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.ports.storage import ProspectPage
from core.services.metrics import CampaignPage

_STAGES: Final = 20
_NAMED: Final = 5


def campaign_status(page: CampaignPage, failed: ProspectPage) -> Card:
    """``failed`` are the newest who failed, and how many did."""
    campaign, people = page.campaign, sum(page.counts.values())
    lines = [f"{status_words(one)}: {page.counts[one]:,}" for one in ProspectStatus if page.counts.get(one)]
    stack = Stack(
        kit.header(campaign.name),
        kit.note(implied(campaign, "The campaign")),
        kit.markup("\n".join([f"*{count(people, 'person', 'people')}*, {page.figures.replied:,} replied", *lines])),
    )
    stages = [one for one in page.figures.stages if one.sent or one.replied]
    if stages:
        stack.add(kit.paragraph(*(_stage(one.stage, one.sent, one.replied) for one in stages[:_STAGES])))
    stack.add(kit.actions(*_buttons(campaign, people, failed.total)))
    if failed.total:
        _add_failed(stack, campaign.name, failed)
    summary = f"{campaign.name}: {state_in_words(campaign)}, {_people(campaign, page.counts)}."
    return Card(kit.fallback(summary), stack.blocks)


def _people(campaign: Campaign, counts: Mapping[ProspectStatus, int]) -> str:
    if campaign.status is CampaignStatus.DRAFT and counts:
        return f"{count(sum(counts.values()), 'person', 'people')} enrolled"
    return in_words(counts)


def _stage(position: int, sent: int, replied: int) -> Sequence[Json]:
    return [kit.strong(f"Stage {position}"), kit.glue(f": {sent:,} sent, {replied:,} replied")]


def _buttons(campaign: Campaign, people: int, failed: int) -> list[Json]:
    value, buttons = encode(campaign.id, campaign.version), []
    if people:
        buttons.append(kit.button(f"Prospects ({people:,})", ids.LIST_OPEN, value, style="primary"))
    if failed:
        buttons.append(kit.button(f"Failed ({failed:,})", ids.LIST_FAILED, value))
    return [*buttons, kit.button("Email Log", ids.LOG_OPEN, value, spoken=f"Email Log of {campaign.name}")]


def _add_failed(stack: Stack, campaign: str, failed: ProspectPage) -> None:
    heading = f"{count(failed.total, 'person needs', 'people need')} attention"
    stack.add(kit.divider(), kit.markup(f":red_circle: *{heading}*"))
    for row in failed.rows[:_NAMED]:
        stack.add(failure_line(row))
    more = [kit.glue(f"{failed.total - _NAMED:,} more. ")] if failed.total > _NAMED else []
    retry = kit.typed(f'/outreach retry "{campaign}"', 240)
    stack.add(kit.paragraph([*more, kit.glue("Choose whom to retry under Failed, or try all of them again: "), retry]))
