"""Campaigns in a list, with filters and a page at a time (R157, R158, R160). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.slack.action_ids import CAMPAIGN_NEW, CAMPAIGN_OPEN, LIST_BY, LIST_SHOW, encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Option
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.outreach_status import in_words, state_in_words
from bot.slack.blocks.text import count, escaped, is_person, mention
from bot.slack.campaign_filter import CampaignFilter, carried
from core.domain.campaign import CampaignStatus
from core.domain.campaign_query import CampaignLine

_A_PAGE: Final = 8
ANY: Final = "any"
"""The choice of a menu that takes its filter away."""

_STATUSES: Final = (
    ("Running", "active"),
    ("Paused", "paused"),
    ("Draft", "draft"),
    ("Stopped", "stopped"),
    ("Archived", "archived"),
)
_SHARED: Final = (("Shared", "yes"), ("Not shared", "no"))
_SORTS: Final = (
    ("Newest first", "created"),
    ("By status", "status"),
    ("By name", "name"),
    ("Most people", "prospects"),
    ("Most stages", "stages"),
)


def campaign_list(
    found: Sequence[CampaignLine], chosen: CampaignFilter, everything: Sequence[CampaignLine], *, again: bool = False
) -> Card:
    """``found`` by ``chosen`` of ``everything``, which says what the menus offer. ``again``: in place of the list in
    which something was chosen."""
    if not everything:
        empty = kit.told("There is none yet. Build one here, or read one from a file with /outreach import.")
        new = kit.actions(kit.button("New campaign", CAMPAIGN_NEW, encode("new"), style="primary"))
        return Card("There is no campaign yet.", [kit.header("Campaigns"), empty, new], replaces=again)
    pages = max(1, -(-len(found) // _A_PAGE))
    page = min(chosen.page, pages)
    stack = Stack(kit.header("Campaigns"), _menus(chosen, everything))
    for line in found[(page - 1) * _A_PAGE : page * _A_PAGE]:
        stack.add(_line(line))
    if not found:
        stack.add(kit.told("None is like that. Choose otherwise, or show all."))
    stack.add(_foot(replace(chosen, page=page), pages, len(everything)))
    return Card(kit.fallback(f"{count(len(found), 'campaign')} of {len(everything)}."), stack.blocks, replaces=again)


def _line(line: CampaignLine) -> Json:
    """Name, state, who is where, whose it is; the button opens it."""
    campaign = line.campaign
    people = in_words(line.counts)
    if campaign.status is CampaignStatus.DRAFT and line.people:
        people = f"{count(line.people, 'person', 'people')} in it"
    marks = [count(len(campaign.live_stages), "stage"), mention(campaign.owner) if campaign.owner else "the team's"]
    marks += ["shared"] if campaign.shared else []
    marks += [escaped(text, 60) for text in (campaign.job, campaign.job_stage) if text]
    words = f"*{escaped(campaign.name, 200)}*: {state_in_words(campaign)}\n{people}\n{' · '.join(marks)}"
    opens = kit.button("Open", CAMPAIGN_OPEN, encode(campaign.id, campaign.version), spoken=f"Open {campaign.name}")
    return kit.markup(words) | {"accessory": opens}


def _menus(chosen: CampaignFilter, everything: Sequence[CampaignLine]) -> Json:
    """Filters; those for jobs only where some campaign has one."""
    owner: Json = kit.people_menu("Owner", LIST_BY[0])
    made = [
        owner | ({"initial_user": chosen.owner} if is_person(chosen.owner) else {}),
        _menu(LIST_BY[1], "Status", [("Any status", ANY), *_STATUSES], chosen.status),
        _menu(LIST_BY[2], "Shared", [("Shared or not", ANY), *_SHARED], chosen.shared),
        _menu(LIST_BY[5], "Order", _SORTS, chosen.sort),
    ]
    for place, name, label in ((3, "job", "Job"), (4, "job_stage", "Job stage")):
        values = sorted({getattr(line.campaign, name)[:40] for line in everything} - {""})
        if values:
            options = [(f"Any {label.lower()}", ANY), *((value, value) for value in values)]
            made.append(_menu(LIST_BY[place], label, options, getattr(chosen, name)))
    return kit.actions(*made, block_id=carried(chosen, "by"))


def _menu(action_id: str, label: str, options: Sequence[Option], chosen: str) -> Json:
    made = forms.made_options(options)
    begin = next((one for one in made if one["value"] == chosen), None)
    menu: Json = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": {"type": "plain_text", "text": label, "emoji": False},
        "options": made,
    }
    return menu | {"initial_option": begin} if begin else menu


def _foot(chosen: CampaignFilter, pages: int, total: int) -> Json:
    """Other pages, all of them, a new one. What a button shows stands in its value."""
    made = []
    if chosen.page > 1:
        made.append(_show("Back", replace(chosen, page=chosen.page - 1), "back"))
    if chosen.page < pages:
        made.append(_show(f"Next ({chosen.page} of {pages})", replace(chosen, page=chosen.page + 1), "next"))
    if not chosen.is_any:
        made.append(_show(f"Show all {total}", CampaignFilter(sort=chosen.sort), "all"))
    new = kit.button("New campaign", CAMPAIGN_NEW, encode("new"), style="primary")
    return kit.actions(new, *made)


def _show(label: str, chosen: CampaignFilter, mark: str) -> Json:
    """Each needs a name of its own: one row holds no two alike."""
    return kit.button(label, LIST_SHOW[_MARKS.index(mark)], carried(chosen, mark))


_MARKS: Final = ("back", "next", "all")
