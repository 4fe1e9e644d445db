"""Campaigns, who needs attention in them, and one person's history (R112, R203, R207). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.slack.action_ids import START, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import count
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.domain.moment import iso
from core.domain.people import Person
from core.domain.reply_text import visible_reply
from core.ports.storage import Activity, ProspectRow, StageCount

Counts = Mapping[ProspectStatus, int]

FAILED: Final = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
_ROWS: Final = 10
_STATES: Final = {CampaignStatus.DRAFT: "not started", CampaignStatus.ACTIVE: "running"}
_STARTABLE: Final = (CampaignStatus.DRAFT, CampaignStatus.PAUSED)


def failures(counts: Counts) -> int:
    return sum(counts.get(status, 0) for status in FAILED)


def in_words(counts: Counts) -> str:
    """``12 Active, 3 Replied, 1 Bounced``"""
    parts = [f"{counts[status]:,} {status.value}" for status in ProspectStatus if counts.get(status)]
    return ", ".join(parts) or "nobody in it yet"


def state_in_words(campaign: Campaign) -> str:
    """``running``: "active" is what its people are."""
    return _STATES.get(campaign.status, campaign.status.value)


def _people_in_words(campaign: Campaign, counts: Counts) -> str:
    """Before the start nobody is on the way yet, so only how many there are."""
    if campaign.status is not CampaignStatus.DRAFT:
        return in_words(counts)
    enrolled = sum(counts.values())
    return f"{count(enrolled, 'person', 'people')} enrolled" if enrolled else in_words(counts)


def campaign_list(campaigns: Sequence[tuple[Campaign, Counts]]) -> Card:
    """All campaigns in short."""
    title = "Campaigns"
    if not campaigns:
        empty = kit.note("There is none yet. Whoever runs Rethread loads one with the campaign import command.")
        return Card("There is no campaign yet.", [kit.header(title), empty])
    stack = Stack(kit.header(title), most_blocks=kit.MOST_BLOCKS - 1, most_json=kit.MOST_JSON - 400)
    for shown, (campaign, counts) in enumerate(campaigns):
        if not stack.add(campaign_line(campaign, counts)):
            stack.blocks.append(kit.context(f"{len(campaigns) - shown} more. See one with /outreach status campaign."))
            break
    return Card(kit.fallback(f"{count(len(campaigns), 'campaign')}."), stack.blocks)


def campaign_line(campaign: Campaign, counts: Counts) -> Json:
    """One campaign: its state, how many people are where, and what to type where some failed."""
    return kit.paragraph(*_short(campaign, counts), *_next_step(campaign, counts))


def _short(campaign: Campaign, counts: Counts) -> list[list[Json]]:
    stages = count(len(campaign.live_stages), "stage")
    return [
        [kit.bold(campaign.name), kit.glue(f": {state_in_words(campaign)}, {stages}")],
        [kit.glue(_people_in_words(campaign, counts))],
    ]


def _next_step(campaign: Campaign, counts: Counts) -> list[list[Json]]:
    if campaign.status in _STARTABLE:
        return [[kit.glue("Start it: "), kit.typed(f'/outreach start "{campaign.name}"', 240)]]
    if failures(counts):
        return [[kit.glue("Try the failed ones again: "), kit.typed(f'/outreach retry "{campaign.name}"', 240)]]
    return [[kit.glue("Stage by stage: "), kit.typed(f'/outreach status "{campaign.name}"', 240)]]


def start_offer(campaigns: Sequence[tuple[Campaign, Counts]]) -> Card:
    """Every campaign that could be started, each with its button."""
    title = "Start a campaign"
    waiting = [(campaign, counts) for campaign, counts in campaigns if campaign.status in _STARTABLE]
    if not waiting:
        return Card("No campaign waits to be started.", [kit.note("No campaign waits to be started.")])
    stack = Stack(kit.header(title))
    for campaign, counts in waiting[:_ROWS]:
        stack.add(kit.paragraph(*_short(campaign, counts)), kit.actions(_start_button(campaign, counts)))
    if len(waiting) > _ROWS:
        stack.add(kit.context(f"{len(waiting) - _ROWS} more: /outreach list"))
    return Card(kit.fallback(f"{title}: {count(len(waiting), 'campaign waits', 'campaigns wait')}."), stack.blocks)


def _start_button(campaign: Campaign, counts: Counts) -> Json:
    people = count(sum(counts.values()), "person", "people")
    what = (
        f"{people} will get its mails, beginning now."
        if campaign.status is CampaignStatus.DRAFT
        else f"Sending goes on where it stopped, for {people}."
    )
    asked = kit.confirm(f"Start {campaign.name}?", what, "Start")
    value = encode(campaign.id, campaign.version)
    return kit.button("Start", START, value, style="primary", confirm=asked, spoken=f"Start {campaign.name}")


def started(campaign: Campaign) -> Card:
    text = f"{campaign.name} is running. See how it goes with /outreach status."
    return Card(kit.fallback(text), [kit.note(text)])


def campaign_report(
    campaign: Campaign, prospects: Sequence[ProspectRow], stages: Sequence[StageCount], *, people: int, replied: int
) -> Card:
    """One campaign: stages with their figures, then who failed and why."""
    counts: dict[ProspectStatus, int] = {}
    for row in prospects:
        counts[row.status] = counts.get(row.status, 0) + 1
    blocks = [
        kit.header(campaign.name),
        kit.paragraph(
            [
                kit.glue(f"The campaign is {state_in_words(campaign)}. "),
                kit.glue(f"{count(people, 'person', 'people')}, {replied} replied."),
            ],
            [kit.glue(_people_in_words(campaign, counts))],
        ),
    ]
    if stages:
        blocks.append(kit.paragraph(*(_stage(one) for one in stages[:30])))
    failed = [row for row in prospects if row.status in FAILED]
    stack = Stack(*blocks)
    _add_failures(stack, campaign.name, failed)
    summary = f"{campaign.name}: {state_in_words(campaign)}, {_people_in_words(campaign, counts)}."
    return Card(kit.fallback(summary), stack.blocks)


def _stage(one: StageCount) -> list[Json]:
    return [kit.bold(f"Stage {one.stage}"), kit.glue(f": {one.sent:,} sent, {one.replied:,} replied")]


def _add_failures(stack: Stack, campaign: str, failed: Sequence[ProspectRow]) -> None:
    if not failed:
        return
    stack.add(
        kit.divider(), kit.paragraph([kit.bold(f"{count(len(failed), 'person needs', 'people need')} attention")])
    )
    for row in failed[:_ROWS]:
        stack.add(failure_line(row))
    more = [kit.glue(f"{len(failed) - _ROWS} more. ")] if len(failed) > _ROWS else []
    stack.add(kit.paragraph([*more, kit.glue("Try all of them again: "), kit.typed(f'/outreach retry "{campaign}"')]))


def failure_line(row: ProspectRow) -> Json:
    """Who, what happened, what to do."""
    return kit.paragraph(
        [
            kit.words(row.person, 100),
            kit.glue(" ("),
            kit.words(row.email, 254),
            kit.glue(f"), stage {row.stage}: "),
            kit.bold(row.status.value),
        ],
        [
            kit.words(
                " ".join(part for part in (row.reason_text, row.reason_fix) if part) or "No reason is recorded.", 600
            )
        ],
    )


def retried(what: str, retried: int, refused: Sequence[tuple[str, str]]) -> Card:
    """How many go out again, and who could not be: (address, reason)."""
    if not retried and not refused:
        return Card(kit.fallback(f"Nothing to retry: {what}."), [kit.note(f"Nothing has failed: {what}.")])
    text = f"{count(retried, 'failed stage')} will be tried again: {what}."
    stack = Stack(
        kit.paragraph([kit.glue(f"{count(retried, 'failed stage')} will be tried again: "), kit.words(what, 300)])
    )
    for address, reason in refused[:20]:
        stack.add(kit.paragraph([kit.words(address, 254), kit.glue(": "), kit.words(reason, 300)]))
    if len(refused) > 20:
        stack.add(kit.context(f"{len(refused) - 20} more were refused"))
    return Card(kit.fallback(text), stack.blocks)


def person_report(
    person: Person, activities: Sequence[Activity], enrollments: Sequence[tuple[str, str, int, str | None]]
) -> Card:
    """Addresses, campaigns as (name, status, stage, reason), and the newest mail, newest first."""
    stack = Stack(kit.header(person.name), kit.paragraph(*([_address(one)] for one in addresses_in_words(person))))
    for campaign, status, stage, reason in enrollments[:_ROWS]:
        tail = [kit.glue(": "), kit.words(reason, 300)] if reason else []
        stack.add(kit.paragraph([kit.bold(campaign), kit.glue(f", stage {stage}: "), kit.words(status, 40), *tail]))
    if not enrollments:
        stack.add(kit.note("In no campaign."))
    stack.add(kit.divider())
    for one in activities[:_ROWS]:
        if not stack.add(activity_line(one)):
            break
    if not activities:
        stack.add(kit.note("No mail with them yet."))
    return Card(
        kit.fallback(f"{person.name}: {count(len(activities), 'mail')}, {count(len(enrollments), 'campaign')}."),
        stack.blocks,
    )


def addresses_in_words(person: Person) -> list[str]:
    """One to a line, with its type."""
    return [f"{one.address} ({one.type}{', primary' if one.primary else ''})" for one in person.addresses[:20]] or ["–"]


def _address(text: str) -> Json:
    return kit.words(text, 300)


def activity_line(one: Activity) -> Json:
    """When, in which direction, its subject and beginning."""
    arrow = "From them" if one.direction == "in" else "To them"
    return kit.paragraph(
        [kit.when(iso(one.at)), kit.glue(f": {arrow}, "), kit.bold(one.subject or "(no subject)", 200)],
        [kit.words(visible_reply(one.text) or "(no text)", 200)],
    )
