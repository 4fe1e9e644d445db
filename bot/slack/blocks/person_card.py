"""One person: addresses, each campaign with what can be done in it just now, the newest mail (R133, R209). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.outreach_status import activity_line, addresses_in_words
from bot.slack.blocks.text import count
from core.domain.people import Person
from core.ports.storage import Activity

_CAMPAIGNS: Final = 8
_MAILS: Final = 6


def person_card(person: Person, activities: Sequence[Activity], places: Sequence[Sequence[Json]]) -> Card:
    """``places``: the blocks of each campaign; ``activities`` newest first."""
    addresses = [[kit.words(one, 300)] for one in addresses_in_words(person)]
    stack = Stack(kit.header(person.name), kit.paragraph(*addresses), kit.divider())
    for shown, place in enumerate(places):
        if shown >= _CAMPAIGNS or not stack.add(*place):
            stack.add(kit.context(f"{count(len(places) - shown, 'more campaign')}"))
            break
    if not places:
        stack.add(kit.note("In no campaign."))
    stack.add(kit.divider())
    for one in activities[:_MAILS]:
        if not stack.add(activity_line(one)):
            break
    if not activities:
        stack.add(kit.note("No mail with them yet."))
    summary = f"{person.name}: {count(len(activities), 'mail')}, {count(len(places), 'campaign')}."
    return Card(kit.fallback(summary), stack.blocks)
