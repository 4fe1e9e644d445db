"""One campaign in a window: its stages, who stands where, and everything that can be done with it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack import action_ids
from bot.slack.action_ids import encode
from bot.slack.blocks import kit
from bot.slack.blocks.campaign_words import (
    KINDS,
    delay_words,
    goes_after,
    holiday_words,
    hours_words,
    sender_words,
)
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Json, Stack
from bot.slack.blocks.outreach_status import in_words, state_in_words
from bot.slack.blocks.text import count, escaped, local_time, mention
from core.domain.campaign import CLOSED_STATUSES, Campaign, CampaignStatus, Stage
from core.domain.moment import iso
from core.services.campaign_overview import CampaignOverview, StagePreview

IN_WINDOW: Final = "window"
"""Said by buttons of a window: what follows is shown in it."""

_WINDOW: Final = "campaign.window"
_STAGES: Final = 30
_EXCERPT: Final = 140
_STARTABLE: Final = (CampaignStatus.DRAFT, CampaignStatus.PAUSED)


def campaign_window(overview: CampaignOverview, *notes: str) -> Form:
    """``notes`` say what was just done."""
    campaign = overview.campaign
    stack = Stack(most_blocks=95, most_json=200_000)
    for words in notes:
        stack.add(kit.told(f":white_check_mark: {words}"))
    stack.add(kit.header(campaign.name), kit.paragraph(*_summary(overview)), _particulars(campaign))
    stack.add(_buttons(overview))
    stack.add(kit.divider())
    stages = campaign.live_stages
    for number, stage in enumerate(stages[:_STAGES]):
        stack.add(_stage(overview, stage, first=number == 0))
    if len(stages) > _STAGES:
        stack.add(kit.context(f"{len(stages) - _STAGES} more stages: see them with /outreach export"))
    if campaign.status not in CLOSED_STATUSES:
        stack.add(kit.actions(_new_stage_menu(campaign)))
    return Form(_WINDOW, "Campaign", stack.blocks, submit="", close="Close", kept={"campaign": campaign.id})


def _summary(overview: CampaignOverview) -> list[list[Json]]:
    campaign = overview.campaign
    people = in_words(overview.counts)
    if campaign.status is CampaignStatus.DRAFT and overview.people:
        people = f"{count(overview.people, 'person', 'people')} in it"
    state = [kit.bold(state_in_words(campaign).capitalize()), kit.glue(f", {people}.")]
    missing = [name for name, there in overview.files.items() if not there]
    if not missing:
        return [state]
    return [state, [kit.glue("Attachments that are not there yet: "), kit.words(", ".join(missing), 300)]]


def _particulars(campaign: Campaign) -> Json:
    definition = campaign.definition
    parts = [
        escaped(sender_words(campaign), 300),
        escaped(hours_words(definition, campaign.timezone), 150),
        escaped(holiday_words(definition.get("holidays")), 60),
        f"owner {mention(campaign.owner)}" if campaign.owner else "the team's",
        "shared" if campaign.shared else "not shared",
    ]
    parts += [f"{label} {escaped(text, 100)}" for label, text in _jobs(campaign) if text]
    if campaign.channel:
        parts.append(f"told in <#{campaign.channel}>")
    return kit.context(*parts)


def _jobs(campaign: Campaign) -> list[tuple[str, str]]:
    return [("job", campaign.job), ("job stage", campaign.job_stage)]


def _buttons(overview: CampaignOverview) -> Json:
    campaign = overview.campaign
    value = encode(campaign.id, campaign.version, IN_WINDOW)
    made: list[Json] = []
    if campaign.status in _STARTABLE:
        label = "Check and start" if campaign.status is CampaignStatus.DRAFT else "Go on"
        made.append(kit.button(label, action_ids.START, value, style="primary"))
    if campaign.status is CampaignStatus.ACTIVE:
        made.append(kit.button("Pause", action_ids.CAMPAIGN_PAUSE, value))
    if campaign.status not in CLOSED_STATUSES:
        made += [
            kit.button("Add people", action_ids.CAMPAIGN_ADD, value),
            kit.button("Preflight", action_ids.CAMPAIGN_PREFLIGHT, value),
            kit.button("Settings", action_ids.CAMPAIGN_SETTINGS, value),
        ]
    return kit.actions(*made, *_endings(campaign, value), _more(campaign))


def _endings(campaign: Campaign, value: str) -> list[Json]:
    made: list[Json] = []
    if campaign.status in (CampaignStatus.ACTIVE, CampaignStatus.PAUSED):
        asked = kit.confirm("Stop it for good?", f"{campaign.name} ends; what waits is cancelled.", "Stop", danger=True)
        made.append(kit.button("Stop", action_ids.CAMPAIGN_STOP, value, style="danger", confirm=asked))
    if campaign.status not in (CampaignStatus.ACTIVE, CampaignStatus.ARCHIVED):
        asked = kit.confirm("Put it away?", f"{campaign.name} is archived; nothing more goes out.", "Archive")
        made.append(kit.button("Archive", action_ids.CAMPAIGN_ARCHIVE, value, confirm=asked))
    return made


def _more(campaign: Campaign) -> Json:
    choices = (("Duplicate", "duplicate"), ("Move people to another …", "move"), ("Export as a file", "export"))
    return kit.more_menu(
        action_ids.CAMPAIGN_MORE, [(label, encode(campaign.id, campaign.version, one)) for label, one in choices]
    )


def _stage(overview: CampaignOverview, stage: Stage, *, first: bool) -> Json:
    """One stage with its delay in words (R151) and how many people stand there (R154)."""
    what = f"*{stage.position}. {KINDS.get(stage.kind, stage.kind)}*, {goes_after(stage, first=first)}"
    if stage.required:
        what += ", required"
    lines = [what]
    if stage.subject:
        lines.append(f"Subject: {escaped(stage.subject, 200)}")
    text = stage.body or stage.note
    if text:
        lines.append(escaped(text, _EXCERPT))
    lines.append(f"_{'; '.join(_facts(overview, stage))}_")
    made = kit.markup("\n".join(lines))
    if overview.campaign.status in CLOSED_STATUSES:
        return made
    return made | {"accessory": _stage_menu(overview.campaign, stage)}


def _facts(overview: CampaignOverview, stage: Stage) -> list[str]:
    standing = overview.standing.get(stage.position, 0)
    figures = overview.figures.get(stage.position)
    facts = [f"{count(standing, 'person stands', 'people stand')} here" if standing else "nobody stands here"]
    if figures:
        facts.append(f"{figures.sent:,} sent, {figures.replied:,} replied")
    if stage.sender:
        facts.append(f"from {escaped(stage.sender, 254)}")
    facts += [f"with {escaped(name, 80)}" for name in stage.attachments[:3]]
    return facts


def _stage_menu(campaign: Campaign, stage: Stage) -> Json:
    choices = [("Edit", "edit"), ("Preview", "preview")]
    if stage.kind == "email":
        choices.append(("Send me a test", "test"))
    choices.append(("Delete", "delete"))
    return kit.more_menu(
        action_ids.STAGE_MORE,
        [(label, encode(campaign.id, campaign.version, f"{one}_{stage.position}")) for label, one in choices],
    )


def _new_stage_menu(campaign: Campaign) -> Json:
    options = [
        {
            "text": {"type": "plain_text", "text": label, "emoji": False},
            "value": encode(campaign.id, campaign.version, kind),
        }
        for kind, label in KINDS.items()
    ]
    return {
        "type": "static_select",
        "action_id": action_ids.STAGE_NEW,
        "placeholder": {"type": "plain_text", "text": "Add a stage …", "emoji": False},
        "options": options,
    }


def preview_window(preview: StagePreview) -> Form:
    """A stage as somebody would get it, and when (R151, R152)."""
    campaign, stage = preview.campaign, preview.stage
    whom = f"{preview.person} (invented: nobody is in it yet)" if preview.is_sample else preview.person
    blocks = [
        kit.paragraph(
            [
                kit.bold(f"{KINDS[stage.kind]} {stage.position}"),
                kit.glue(" as "),
                kit.words(whom, 200),
                kit.glue(" gets it"),
            ]
        ),
        *([kit.paragraph([kit.glue("Subject: "), kit.bold(preview.subject, 300)])] if preview.subject else []),
        kit.quote(preview.text or "(no text)", 2_500),
        *_missing(preview.missing),
        kit.markup(f"*Would go:* {local_time(iso(preview.goes_at))}, if the campaign started now and nobody answered."),
        kit.context(*_timing(campaign, stage, preview)),
        kit.actions(
            kit.button(
                "Back to the campaign", action_ids.CAMPAIGN_OPEN, encode(campaign.id, campaign.version, IN_WINDOW)
            ),
        ),
    ]
    return Form(_WINDOW, "Preview", blocks, submit="", close="Close", kept={"campaign": campaign.id})


def _missing(names: Sequence[str]) -> list[Json]:
    if not names:
        return []
    words = ", ".join(names[:10])
    fix = "Fill it in their profile, or write {{field|fallback}}."
    return [kit.told(f":warning: No value and no fallback for: {words}. The mail would wait. {fix}")]


def _timing(campaign: Campaign, stage: Stage, preview: StagePreview) -> list[str]:
    """Which calendar that is."""
    delay = delay_words(stage.delay)
    if stage.delay.business_days:
        days = "the campaign's sending days" if campaign.definition.get("window") else "Monday to Friday"
        delay += f" (counted on {days}, never on a holiday)"
    elif delay != "at once":
        delay += " by the calendar"
    whose = f"{preview.zone}, the person's own time zone" if preview.own_zone else f"{preview.zone}, the campaign's"
    hours = hours_words(campaign.definition, campaign.timezone).rpartition(" (")[0]
    after = "after the start" if stage.position == campaign.first_position else "after the stage before"
    begin = delay if delay == "at once" else f"{delay} {after}"
    return [escaped(begin, 200), escaped(f"sent {hours}", 150), escaped(f"hours of {whose}", 150)]
