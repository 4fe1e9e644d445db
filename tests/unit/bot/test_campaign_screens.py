"""Campaigns in Slack: limits, words, filters, and what is read from windows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.blocks.campaign_preflight import preflight_card
from bot.slack.blocks.campaign_words import amount_and_unit, day_words, delay_words
from bot.slack.campaign_filter import CampaignFilter, brought_back, carried, typed
from bot.slack.form_values import Faults, Values
from bot.slack.listeners.views.campaign_reading import (
    Move,
    StageChange,
    addresses_in,
    read_addition,
    read_move,
    read_settings,
    read_stage,
)
from core.domain.campaign import Delay
from core.domain.campaign_query import CampaignSort
from core.domain.enrollment import ProspectStatus
from sandbox.slack.block_kit import check_blocks, check_view
from tests.fakes.services import a_campaign
from tests.unit.bot.campaign_screens import cards, forms, launch


def test_slack_takes_every_window_whatever_stands_in_the_campaign() -> None:
    for form in forms():
        assert check_view(form.view("C0ALERTS")) == [], form.title


def test_slack_takes_every_card_whatever_stands_in_the_campaign() -> None:
    for card in cards():
        assert check_blocks(card.blocks) == [], card.text
        assert len(json.dumps(card.blocks, ensure_ascii=False)) < 13_000


def test_nobody_is_called_by_what_a_stranger_wrote() -> None:
    shown = json.dumps([card.blocks for card in cards()] + [form.blocks for form in forms()], ensure_ascii=False)
    markup = [part for part in _markup(json.loads(shown)) if "<!channel>" in part or "<@U0ADA>" in part]
    assert markup == []


def _markup(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for one in node for text in _markup(one)]
    if not isinstance(node, dict):
        return []
    own = [str(node["text"])] if node.get("type") == "mrkdwn" else []
    return own + [text for value in node.values() for text in _markup(value)]


@pytest.mark.parametrize(
    ("delay", "words", "asked"),
    [
        (Delay(), "at once", (0, "m")),
        (Delay(timedelta(days=2)), "2 days", (2, "d")),
        (Delay(timedelta(hours=1)), "1 hour", (1, "h")),
        (Delay(timedelta(minutes=90)), "90 minutes", (90, "m")),
        (Delay(business_days=3), "3 business days", (3, "bd")),
    ],
)
def test_a_delay_is_told_in_words(delay: Delay, words: str, asked: tuple[int, str]) -> None:
    """R151."""
    assert delay_words(delay) == words
    assert amount_and_unit(delay) == asked


def test_days_are_told_as_people_say_them() -> None:
    assert day_words(["mon", "tue", "wed", "thu", "fri"]) == "Mon to Fri"
    assert day_words(["mon", "wed"]) == "Mon, Wed"
    assert day_words(["sun", "mon", "tue", "wed", "thu", "fri", "sat"]) == "every day"


def test_the_forecast_says_when_stages_end_who_waits_and_who_fails() -> None:
    """X5."""
    words = json.dumps(preflight_card(launch(a_campaign(), "warn")).blocks)
    assert "stage 1 ends <!date^" in words
    assert "430 people wait now; 0 will fail" in words


def test_a_filter_is_typed_in_any_order() -> None:
    """R157, R158."""
    found = typed(["mine", "running", "Backend", "job:Java", "stage:Interview", "sort:people", "shared"], "U0RITA")
    query = found.query()
    assert (query.owners, query.shared, query.job, query.job_stage) == (("U0RITA",), True, "Java", "Interview")
    assert query.text == "Backend"
    assert query.sort is CampaignSort.PROSPECTS
    assert typed(["<@U0OMAR|omar>"], "U0RITA").owner == "U0OMAR"


def test_a_filter_travels_with_the_list_and_comes_back() -> None:
    chosen = CampaignFilter(owner="U0RITA", status="active", job="Java", sort="name", page=3)
    assert brought_back(carried(chosen, "by")) == chosen
    long = CampaignFilter(owner="U0RITA", job="j" * 40, job_stage="\U0001f600" * 40, text='"' * 40, sort="prospects")
    assert len(carried(long, "next")) <= 255


@pytest.mark.parametrize(
    "value", [None, 5, "by|", "by|[]", "by|{", 'by|{"page":"x"}', "by|" + "[" * 3000, 'by|{"a":1}']
)
def test_what_is_no_filter_of_ours_shows_everything(value: object) -> None:
    assert brought_back(value).is_any


def test_addresses_are_read_as_people_paste_them() -> None:
    text = "Ben Carter <ben@candidates.example>; cleo@candidates.example,\n<mailto:dan@x.example|dan@x.example>"
    text += " and ben@candidates.example"
    assert addresses_in(text) == ("ben@candidates.example", "cleo@candidates.example", "dan@x.example")


def values(**given: Any) -> Values:
    """Texts by name; lists are ticks and choices of several, dicts are wire forms."""

    def wire(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            return {"selected_options": [{"value": one} for one in value]}
        return value if isinstance(value, dict) else {"value": value, "selected_option": {"value": value}}

    return Values({"state": {"values": {name.rstrip("_"): {"field": wire(one)} for name, one in given.items()}}})


def test_a_stage_is_read_in_the_words_of_the_campaign_file() -> None:
    kept = {"campaign": "id1", "stage": "2", "kind": "email"}
    found = read_stage(values(amount="2", unit="bd", subject="", body="Hi", from_=""), kept)
    assert isinstance(found, StageChange)
    assert (found.campaign_id, found.position) == ("id1", 2)
    assert found.changes == {"delay": "2bd", "subject": None, "body": "Hi", "from": None}


def test_a_text_too_long_for_a_window_stays_as_it_is() -> None:
    """Its input is not there, so nothing is said of it."""
    found = read_stage(values(amount="0", unit="d"), {"campaign": "id1", "stage": "1", "kind": "email"})
    assert isinstance(found, StageChange)
    assert found.changes == {"delay": "0s"}


@pytest.mark.parametrize(
    ("given", "where"),
    [({"amount": "x", "unit": "d"}, "amount"), ({"amount": "1", "unit": "d", "body": "{{x y!}}"}, "body")],
)
def test_what_is_wrong_is_told_by_its_input(given: dict[str, str], where: str) -> None:
    found = read_stage(values(**given), {"kind": "email"})
    assert isinstance(found, Faults)
    assert set(found.by_input) == {where}


def test_a_window_without_hours_has_its_days_whole() -> None:
    times = {"start": {"selected_time": None}, "end": {"selected_time": None}}
    found = read_settings(values(days=["mon"], from_=["rita@agency.test"], **times), {"campaign": "id1"})
    assert not isinstance(found, Faults)
    assert found.changes["window"] == {"days": ["mon"], "start": "00:00", "end": "23:59"}
    assert found.changes["tracking"] is False


def test_an_address_that_is_none_is_named() -> None:
    found = read_addition(values(emails="ben@candidates.example, ben@@x"), {})
    assert isinstance(found, Faults)
    assert "ben@@x" in found.by_input["emails"]


def test_people_are_moved_by_status() -> None:
    """R161."""
    found = read_move(values(from_="id1", to="id2", statuses=["Complete", "Replied", "nonsense"]), {})
    assert found == Move("id1", "id2", (ProspectStatus.COMPLETE, ProspectStatus.REPLIED))
