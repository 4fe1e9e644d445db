"""Everything that can be pressed anywhere has somebody who listens, and carries what is understood there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue, encode, used
from bot.slack.blocks import answers, mailbox_reports, outreach_status, stage_card
from bot.slack.blocks.cards import present
from bot.slack.blocks.forms import FIELD
from bot.slack.blocks.home import home_view
from bot.slack.listeners.actions import buttons, menus
from bot.slack.uses import Connect
from core.domain.account import MailboxStatus
from core.domain.campaign import CampaignStatus
from core.domain.enrollment import ProspectStatus
from tests.fakes.services import FakeServices, Pack, a_campaign, a_mailbox
from tests.unit.bot import campaign_screens
from tests.unit.bot.facts import BRAKE
from tests.unit.bot.test_read_aloud import CARDS

COUNTS = {ProspectStatus.ACTIVE: 2}


def listened() -> set[str]:
    """Names of buttons and menus that are acted upon."""
    desk: Any = None
    building: Any = SimpleNamespace(campaigns=None)
    services = replace(FakeServices().uses, building=building)
    return {*buttons(desk, services, Connect("http://127.0.0.1:3000", secure=True)), *menus(desk, services)}


def shown() -> list[Any]:
    """Blocks of every card in each of its states, of every answer with something to press, and of the Home tab."""
    draft = replace(a_campaign(), status=CampaignStatus.DRAFT)
    offers = [
        answers.ask_disconnect(a_mailbox()),
        outreach_status.start_offer([(draft, COUNTS)]),
        mailbox_reports.escalation(Pack(), "mailbox-rita", "mark"),
        present("brake", BRAKE | {"scope": "campaign"}),
        stage_card.retry_warning("It bounced.", "Give another address.", ButtonValue("delivery-1", 2)),
    ]
    home = home_view([a_mailbox(status=one) for one in MailboxStatus], [], [(draft, COUNTS)])
    windows = [form.blocks for form in campaign_screens.forms()]
    answered = [card.blocks for card in (*CARDS.values(), *offers, *campaign_screens.cards())]
    return [*answered, *windows, home["blocks"]]


def pressable(node: Any, row: str = "") -> Iterator[dict[str, Any]]:
    """What Slack would tell of each button and of each choice of a menu, as it was used."""
    if isinstance(node, list):
        for one in node:
            yield from pressable(one, row)
    elif isinstance(node, dict):
        if "action_id" in node and node["action_id"] != FIELD:
            yield from _uses(node, row)
        for value in node.values():
            yield from pressable(value, node.get("block_id", row))


def _uses(element: dict[str, Any], row: str) -> list[dict[str, Any]]:
    match element["type"]:
        case "overflow" | "static_select":
            return [{**element, "selected_option": option} for option in element["options"]]
        case "users_select":
            return [{**element, "block_id": row, "selected_user": "U0OMAR"}]
        case _:
            return [element]


def test_every_button_has_a_listener_and_every_listener_a_button() -> None:
    """A link's button wants its acknowledgement only."""
    pressed = {one["action_id"] for one in pressable(shown())}
    assert pressed == listened() | {action_ids.OPEN_LINK}
    assert set(action_ids.ALL) == pressed


def test_what_a_button_carries_is_understood_where_it_is_pressed() -> None:
    """Also each choice of a menu, and the row of a menu of people."""
    for one in pressable(shown()):
        if one["action_id"] not in (action_ids.OPEN_LINK, *action_ids.LIST_BY, *action_ids.LIST_SHOW):
            value = used(one)
            assert encode(value.id, value.version)
            if not one["action_id"].startswith("campaign."):  # they say in which window they stand
                says_more = "post" in one["action_id"] or one["action_id"] == action_ids.RETRY_HEAP
                assert bool(value.choice) == (one["type"] != "button" or says_more)
