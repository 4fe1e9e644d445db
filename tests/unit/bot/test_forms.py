"""Windows that are filled in: Slack's limits, what travels with them, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.blocks import answers, forms
from bot.slack.blocks.forms import Form, again, kept_in
from bot.slack.form_values import SentFile, Values
from core.errors import RefusedError
from sandbox.slack.block_kit import check_view

LONG = "x" * 5_000


def everything() -> list[dict[str, Any]]:
    """One of each input, each with more than it may hold."""
    options = [(f"{LONG}{number}", f"value-{number}") for number in range(300)]
    return [
        forms.text("text", LONG, LONG, hint=LONG, placeholder=LONG, focus=True),
        forms.text("area", "Area", lines=True, optional=True),
        forms.number("number", "Number", 2),
        forms.choice("choice", "Choice", options, "value-1"),
        forms.choices("choices", "Choices", options, ["value-1", "value-2"]),
        forms.radio("radio", "Radio", options, "value-1"),
        forms.ticks("ticks", "Ticks", options, ["value-1"]),
        forms.person("person", "Person", "U0RITA"),
        forms.conversation("conversation", "Channel", "C0ALERTS"),
        forms.day("day", "Day", "2026-11-22"),
        forms.hour("hour", "Hour", "09:00"),
        forms.files("files", "Files", kinds=["csv"], most=2),
    ]


def test_whatever_is_put_in_slack_takes_the_window() -> None:
    form = Form("a.form", LONG, everything(), submit=LONG, close=LONG, kept={"campaign": "campaign-1"})
    assert check_view(form.view("C0ALERTS")) == []


def test_a_window_never_has_more_than_a_hundred_blocks() -> None:
    form = Form("a.form", "Title", [{"type": "divider"} for _ in range(300)], submit="")
    assert len(form.view()["blocks"]) == 100
    assert check_view(form.view()) == []


def test_what_travels_with_a_window_comes_back_with_where_it_was_asked() -> None:
    view = Form("a.form", "Title", [], kept={"campaign": "Backend, autumn"}).view("C0ALERTS")
    assert kept_in(view) == ({"campaign": "Backend, autumn"}, "C0ALERTS")
    assert kept_in(Form("a.form", "Title", []).view()) == ({}, None)


def test_a_window_that_would_carry_too_much_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        Form("a.form", "Title", [], kept={"name": LONG}).view()


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "{",
        "[]",
        "null",
        '{"v":0,"channel":"","kept":{}}',
        '{"v":1,"channel":1,"kept":{}}',
        "[" * 3000,
        '{"v":1,"channel":"","kept":{"a":1}}',
        '{"v":1,"channel":"","kept":5}',
    ],
)
def test_what_is_none_of_ours_is_refused_with_a_sentence(metadata: str) -> None:
    with pytest.raises(RefusedError, match="older version"):
        kept_in({"private_metadata": metadata})


def test_values_are_read_by_name() -> None:
    values = Values(
        {
            "state": {
                "values": {
                    "text": {"field": {"value": "  Hello  "}},
                    "number": {"field": {"value": "12"}},
                    "choice": {"field": {"selected_option": {"value": "a"}}},
                    "ticks": {"field": {"selected_options": [{"value": "a"}, {"value": "b"}]}},
                    "day": {"field": {"selected_date": "2026-11-22"}},
                    "files": {
                        "field": {"files": [{"id": "F1", "name": "a.csv", "size": 3, "url_private": "http://x"}]}
                    },
                }
            }
        }
    )
    assert values.text("text") == "Hello"
    assert values.number("number") == 12
    assert values.choice("choice") == "a"
    assert values.choices("ticks") == ("a", "b")
    assert values.day("day") == "2026-11-22"
    assert values.files("files") == (SentFile("F1", "a.csv", 3, "http://x"),)


@pytest.mark.parametrize(
    "view", [{}, {"state": 1}, {"state": {"values": []}}, {"state": {"values": {"a": {"field": 1}}}}]
)
def test_what_is_not_there_is_empty(view: dict[str, Any]) -> None:
    values = Values(view)
    found = (values.text("a"), values.number("a"), values.choice("a"), values.choices("a"), values.files("a"))
    assert found == ("", None, "", (), ())


def test_a_window_that_could_not_be_saved_comes_back_with_everything_in_it() -> None:
    view = Form("a.form", "Title", everything(), kept={"campaign": "one"}).view("C0ALERTS")
    option = {"text": {"type": "plain_text", "text": "B", "emoji": False}, "value": "value-7"}
    option["text"] = view["blocks"][3]["element"]["options"][7]["text"]
    view["state"] = {
        "values": {"text": {"field": {"value": "typed"}}, "choice": {"field": {"selected_option": option}}}
    }
    back = again(view, answers.error("The name is taken.", "Choose another.")).view("C0ALERTS")
    assert check_view(back) == []
    assert "Not done" in back["blocks"][0]["text"]["text"]
    assert [block["text"]["text"] for block in back["blocks"][1:3]] == ["The name is taken.", "Choose another."]
    inputs = {block["block_id"]: block["element"] for block in back["blocks"] if block["type"] == "input"}
    assert inputs["text"]["initial_value"] == "typed"
    assert inputs["choice"]["initial_option"]["value"] == "value-7"
    assert kept_in(back) == ({"campaign": "one"}, "C0ALERTS")
    twice = again(back | {"state": view["state"]}, answers.error("Again.", "Once more.")).view()
    assert len(twice["blocks"]) == len(back["blocks"])
