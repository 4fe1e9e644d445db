"""People into campaigns: the windows in which they are named, and what became of them (R146, R155, R161). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.slack.action_ids import CAMPAIGN_OPEN, CAMPAIGN_PREFLIGHT, encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form, Option
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import count
from core.domain.campaign import CLOSED_STATUSES, Campaign, CampaignStatus
from core.domain.campaign_query import CampaignLine
from core.domain.enrollment import ProspectStatus
from core.domain.people_file import Rejected
from core.services.outcomes import AlsoIn, Skipped

ADD: Final = "campaign.add"
MOVE: Final = "campaign.move"
IMPORT: Final = "campaign.import"
CAMPAIGN_FILE: Final = "campaign"
PEOPLE_FILE: Final = "people"

_NAMED: Final = 20


def options_of(lines: Iterable[CampaignLine], *, closed: bool = False) -> list[Option]:
    """Campaigns to choose from, running and new ones first; ``closed`` ones too where people may leave them."""
    fit = [line.campaign for line in lines if closed or line.campaign.status not in CLOSED_STATUSES]
    fit.sort(key=lambda one: (one.status is not CampaignStatus.ACTIVE, -one.created_at.timestamp()))
    return [(one.name, one.id) for one in fit]


def add_form(campaigns: Sequence[Option], chosen: str = "", *, files: bool = True) -> Form:
    """Addresses, typed or pasted, and a list of people as a file."""
    blocks = [
        forms.choice("campaign", "Campaign", campaigns, chosen),
        forms.text(
            "emails", "E-mail addresses", lines=True, optional=True,
            hint="Of people whom Rethread knows: one on a line, or with commas between.",
            placeholder="ben@candidates.example, cleo@candidates.example",
        ),
    ]  # fmt: skip
    if files:
        hint = "With a heading: email, first_name, last_name, phone, timezone, and what your texts name."
        blocks.append(forms.files("file", "Or a list of people (CSV)", kinds=["csv", "txt"], hint=hint))
    return Form(ADD, "Add people", blocks, submit="Add them")


def move_form(sources: Sequence[Option], targets: Sequence[Option], chosen: str = "") -> Form:
    """By status: in the old campaign they are finished, and keep what they did there."""
    statuses = [(status.value, status.value) for status in ProspectStatus]
    return Form(
        MOVE,
        "Move people",
        [
            forms.choice("from", "From", sources, chosen),
            forms.choice("to", "To", targets),
            forms.ticks(
                "statuses", "Only those who are", statuses, hint="None ticked: everybody. Complete: a follow-up."
            ),
            kit.context("In the old campaign they are finished; nothing more goes to them from there"),
        ],
        submit="Move them",
    )  # fmt: skip


def import_form(campaigns: Sequence[Option], *, files: bool = True) -> Form:
    """A campaign file or a list of people, as a file or pasted."""
    kinds = [("A campaign (YAML)", CAMPAIGN_FILE), ("A list of people (CSV)", PEOPLE_FILE)]
    blocks: list[Json] = [forms.radio("kind", "What is it?", kinds, CAMPAIGN_FILE)]
    if files:
        hint = "For a campaign also the files that it attaches."
        blocks.append(forms.files("file", "File", kinds=[], most=10, hint=hint))
    blocks.append(forms.text("text", "Or its text", lines=True, optional=True, hint="3,000 characters at most."))
    if campaigns:
        blocks.append(forms.choice("campaign", "Add these people to", campaigns, optional=True))
    return Form(IMPORT, "Import", blocks, submit="Import")


def enrolled(campaign: Campaign, number: int, skipped: Sequence[Skipped], also_in: Sequence[AlsoIn]) -> Card:
    """How many are in, who was left out and why, who gets mail from elsewhere as well."""
    text = f"{count(number, 'person was', 'people were')} added to {campaign.name}."
    stack = Stack(kit.paragraph([kit.bold(text, 300)]))
    _add_skipped(stack, skipped, "left out")
    _add_also_in(stack, also_in)
    if campaign.status is CampaignStatus.DRAFT:
        stack.add(kit.told("It is a draft: nothing goes out until it is started."))
    stack.add(_next(campaign))
    return Card(kit.fallback(text, *_in_short(skipped)), stack.blocks)


def moved(source: str, target: Campaign, number: int, skipped: Sequence[Skipped], also_in: Sequence[AlsoIn]) -> Card:
    text = f"{count(number, 'person', 'people')} moved from {source} to {target.name}."
    stack = Stack(kit.paragraph([kit.bold(text, 400)]))
    _add_skipped(stack, skipped, "stayed as they are")
    _add_also_in(stack, also_in)
    stack.add(_next(target))
    return Card(kit.fallback(text, *_in_short(skipped)), stack.blocks)


def people_imported(created: int, updated: int, rejected: Sequence[Rejected], added: Card | None = None) -> Card:
    """What became of a list; faults by line, and what was done with the others in a campaign."""
    text = f"{count(created, 'person is', 'people are')} new, {updated:,} known already."
    stack = Stack(kit.paragraph([kit.bold(text)]))
    if rejected:
        stack.add(kit.told(f"{count(len(rejected), 'line was', 'lines were')} left out:"))
        stack.add(kit.bullets([f"Line {one.line}: {one.reason}" for one in rejected[:_NAMED]]))
        _add_more(stack, len(rejected))
    if added is not None:
        stack.add(*added.blocks)
    return Card(kit.fallback(text, added.text if added else ""), stack.blocks)


def campaign_imported(campaign: Campaign, warnings: Sequence[str]) -> Card:
    """A draft, and what is not there yet."""
    stages = count(len(campaign.live_stages), "stage")
    text = f"{campaign.name} is there as a draft with {stages}."
    stack = Stack(kit.paragraph([kit.bold(text, 300)]))
    for warning in warnings[:_NAMED]:
        stack.add(kit.told(f":warning: {warning}"))
    stack.add(_next(campaign))
    return Card(kit.fallback(text), stack.blocks)


def _add_skipped(stack: Stack, skipped: Sequence[Skipped], what: str) -> None:
    if not skipped:
        return
    stack.add(
        kit.told(f"{count(len(skipped), 'person')} {what}:" if len(skipped) == 1 else f"{len(skipped):,} {what}:")
    )
    stack.add(kit.bullets([f"{one.email}: {one.reason}" for one in skipped[:_NAMED]]))
    _add_more(stack, len(skipped))
    if any("nobody here has this address" in one.reason for one in skipped):
        stack.add(
            kit.paragraph([kit.glue("Whom Rethread does not know yet comes with "), kit.typed("/outreach import")])
        )


def _add_also_in(stack: Stack, also_in: Sequence[AlsoIn]) -> None:
    """The same person in two running campaigns is worth a look."""
    if not also_in:
        return
    stack.add(
        kit.told(f":warning: {count(len(also_in), 'person gets', 'people get')} mail from another running campaign:")
    )
    stack.add(kit.bullets([f"{one.email}: {', '.join(one.campaigns[:3])}" for one in also_in[:_NAMED]]))
    _add_more(stack, len(also_in))


def _add_more(stack: Stack, number: int) -> None:
    if number > _NAMED:
        stack.add(kit.context(f"and {number - _NAMED:,} more"))


def _next(campaign: Campaign) -> Json:
    value = encode(campaign.id, campaign.version)
    opens = kit.button("Open the campaign", CAMPAIGN_OPEN, value)
    if campaign.status in CLOSED_STATUSES:
        return kit.actions(opens)
    return kit.actions(opens, kit.button("Preflight", CAMPAIGN_PREFLIGHT, value))


def _in_short(skipped: Sequence[Skipped]) -> list[str]:
    return [f"{len(skipped):,} left out: {skipped[0].email}, {skipped[0].reason}."] if skipped else []
