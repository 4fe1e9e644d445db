"""Cards: what they say, and that nothing from outside can break or bend them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from bot.slack.action_ids import decode
from bot.slack.blocks.cards import present
from bot.slack.blocks.kit import Card
from core.domain import cards
from core.errors import InputError
from sandbox.slack.block_kit import check_attachments, check_blocks
from tests.unit.bot.facts import (
    AT,
    BY_KIND,
    EXCERPT,
    HEAP,
    REPLY,
    STAGE,
    STATES,
    SYNC,
    TASK,
    TASK_REMINDER,
    UNCERTAIN,
    hostile_facts,
)


def assert_slack_takes(card: Card) -> None:
    message = card.message()
    assert check_blocks(message["blocks"]) == []
    assert check_attachments(message["attachments"]) == []
    assert 1 <= len(message["text"]) <= 4_000
    assert all(len(part["blocks"]) <= 10 for part in message["attachments"])
    assert len(json.dumps(card.blocks, ensure_ascii=False)) < 13_000


def markup_of(node: Any) -> list[str]:
    """Every text of a message that Slack reads as markup."""
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" else []
        return own + [found for value in node.values() for found in markup_of(value)]
    if isinstance(node, list):
        return [found for value in node for found in markup_of(value)]
    return []


def all_text(node: Any) -> str:
    if isinstance(node, dict):
        return " ".join(all_text(value) for key, value in node.items() if key not in ("type", "value"))
    if isinstance(node, list):
        return " ".join(all_text(value) for value in node)
    return str(node)


def buttons(card: Card) -> dict[str, dict[str, Any]]:
    rows = [block["elements"] for block in card.blocks if block["type"] == "actions"]
    return {button["text"]["text"]: button for row in rows for button in row if button["type"] == "button"}


def menus(card: Card) -> dict[str, dict[str, Any]]:
    """Action id to menu."""
    rows = [block["elements"] for block in card.blocks if block["type"] == "actions"]
    return {menu["action_id"]: menu for row in rows for menu in row if menu["type"] != "button"}


@settings(max_examples=300, deadline=None)
@given(hostile_facts())
def test_hostile_facts_make_cards_that_slack_takes_and_that_ring_no_bell(case: tuple[str, dict[str, Any]]) -> None:
    kind, facts = case
    card = present(kind, facts)
    assert_slack_takes(card)
    for text in [card.text, *markup_of(card.blocks)]:
        for command in ("<!channel", "<!here", "<!everyone", "<http", "<!subteam", "<!date^1^"):
            assert command not in text
        without_ours = text.replace("<@U0ADA>", "").replace("<!date^", "").replace("UTC>", "")
        assert "<" not in without_ours


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind, states in STATES.items() for state in states])
def test_every_state_of_every_card_has_words_for_those_who_see_no_blocks(kind: str, state: str) -> None:
    facts = BY_KIND[kind] | ({"state": state} if state else {})
    card = present(kind, facts)
    assert_slack_takes(card)
    assert card.text.strip()
    assert card.blocks[0]["type"] == "header"


SHAPES = {
    "sync": cards.SyncCard,
    "storm": cards.StormCard,
    "recovery": cards.RecoveryCard,
    "expiry": cards.ExpiryCard,
    "sync_reminder": cards.SyncReminder,
    "seat": cards.SeatCard,
    "reply": cards.ReplyCard,
    "reply_excerpt": cards.ReplyExcerpt,
    "stage_failed": cards.StageCard,
    "stages_failed": cards.StageHeap,
    "uncertain": cards.UncertainCard,
    "limit": cards.LimitCard,
    "brake": cards.BrakeCard,
    "task": cards.TaskCard,
    "task_reminder": cards.TaskReminder,
}


@pytest.mark.parametrize("kind", BY_KIND)
def test_the_facts_of_these_tests_are_those_that_the_engine_hands_out(kind: str) -> None:
    assert set(BY_KIND[kind]) == set(SHAPES[kind].__annotations__)


def test_many_stages_that_failed_alike_are_one_card_with_one_button_for_all_of_them() -> None:
    card = present("stages_failed", HEAP)
    said = all_text(card.blocks)
    assert "500 stages failed: Backend engineers, autumn" in said
    assert "The day's limit is reached." in said
    value = decode(buttons(card)["Retry all"]["value"])
    assert (value.id, value.choice) == ("campaign-1", "daily_limit")
    assert buttons(present("stages_failed", HEAP | {"state": "retrying", "actor": "U0RITA", "actor_at": AT})) == {}


def test_a_broken_sync_says_what_why_who_and_what_to_press() -> None:
    card = present("sync", SYNC)
    said = all_text(card.blocks)
    assert "Sync broken: rita@agency.test" in said
    assert "Password was changed or is wrong" in said
    assert "[AUTHENTICATIONFAILED] Invalid credentials (Failure)" in said
    assert "Press Reconnect and type the new password." in said
    assert set(buttons(card)) == {"Resync", "Reconnect", "Acknowledge"}
    assert decode(buttons(card)["Resync"]["value"]).id == "mailbox-1"


@pytest.mark.parametrize(
    ("fix", "green"),
    [
        ("Press Reconnect and type the new password.", "Reconnect"),
        ("Unlock the account, then press Resync; if it comes back, press Reconnect.", "Resync"),
        ("Nothing to do: Rethread keeps trying.", "Resync"),
    ],
)
def test_the_button_that_the_fix_names_stands_out(fix: str, green: str) -> None:
    offered = buttons(present("sync", SYNC | {"fix": fix}))
    assert [label for label, button in offered.items() if button.get("style") == "primary"] == [green]


def test_a_recovered_sync_is_the_same_card_without_buttons() -> None:
    facts = SYNC | {"state": "recovered", "recovered_at": AT, "down_minutes": 4, "caught_up": 3, "actor": "U0RITA"}
    card = present("sync", facts)
    said = all_text(card.blocks)
    assert "Sync recovered: rita@agency.test" in said
    assert "It was broken for 4 min; 3 messages caught up." in said
    assert "resync by <@U0RITA>" in said
    assert buttons(card) == {}


def test_a_resync_names_who_pressed_and_takes_the_button_away() -> None:
    card = present("sync", SYNC | {"state": "resyncing", "actor": "U0OMAR", "actor_at": AT})
    assert "Resync started by <@U0OMAR>" in all_text(card.blocks)
    assert "Resync" not in buttons(card)


def test_the_channel_hears_that_somebody_replied_but_not_what_they_wrote() -> None:
    card = present("reply", REPLY | {"excerpt": "my salary is 1", "subject": "private"})
    said = all_text(card.blocks) + card.text
    assert "Ben Carter" in said
    assert "Backend engineers, autumn" in said
    assert "salary" not in said
    assert "private" not in said


def test_the_recruiter_sees_the_words_line_by_line() -> None:
    quoted = [block for block in present("reply_excerpt", EXCERPT).blocks if "rich_text_quote" in json.dumps(block)]
    assert "Yes, I am interested.\nTuesday?" in all_text(quoted)


def test_a_failed_stage_offers_what_the_state_allows() -> None:
    assert set(buttons(present("stage_failed", STAGE))) == {"Retry", "Fix address …", "Skip", "Mark finished"}
    assert set(buttons(present("stage_failed", STAGE | {"status": "Bounced"}))) == {
        "Retry",
        "Fix address …",
        "Mark finished",
    }
    assert buttons(present("stage_failed", STAGE | {"state": "retrying", "actor": "U0RITA"})) == {}


def test_marking_finished_and_sending_again_ask_first() -> None:
    assert "confirm" in buttons(present("stage_failed", STAGE))["Mark finished"]
    held = buttons(present("uncertain", UNCERTAIN))
    assert set(held) == {"It was sent", "Send again", "Drop"}
    assert "confirm" not in held["It was sent"]
    assert "twice" in held["Send again"]["confirm"]["text"]["text"]


def test_a_button_carries_the_version_that_was_seen() -> None:
    assert decode(buttons(present("stage_failed", STAGE))["Retry"]["value"]).version == 4


@pytest.mark.parametrize(
    ("kind", "facts"),
    [("digest", SYNC), ("storm", SYNC), ("sync", {}), ("sync", SYNC | {"state": "odd"}), ("reply", {})],
)
def test_facts_that_make_no_card_are_refused_not_shown(kind: str, facts: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        present(kind, facts)


def test_a_call_says_whom_why_and_at_which_number() -> None:
    """With what is known of them, and everything that may come of it."""
    card = present("task", TASK)
    said = all_text(card.blocks)
    for words in ("Call Ben Carter", "+44 20 7946 0103", "Ask about the notice period", "company: Initech"):
        assert words in said
    assert "the campaign waits for it" in str(card.blocks)
    assert {"Done", "Skip"} <= set(buttons(card))
    (menu,) = [one for one in card.blocks[-1]["elements"] if one["type"] == "overflow"]
    assert [decode(one["value"]).choice for one in menu["options"]] == ["called", "texted", "booked", "history"]


def test_a_task_that_holds_nobody_up_has_nothing_to_skip() -> None:
    card = present("task", TASK | {"kind": "task", "required": False})
    assert "Task for Ben Carter" in all_text(card.blocks)
    assert "Skip" not in buttons(card)


@pytest.mark.parametrize("state", ["done", "skipped", "closed", "paused", "heard", "removed"])
def test_a_settled_call_says_by_whom_and_offers_nothing(state: str) -> None:
    card = present("task", TASK | {"state": state, "actor": "U0RITA", "actor_at": AT})
    assert "<@U0RITA>" in str(card.blocks)
    assert buttons(card) == {}


def test_a_reminder_of_a_call_can_be_answered_at_once() -> None:
    assert set(buttons(present("task_reminder", TASK_REMINDER))) == {"Done", "Skip"}


def test_a_text_of_unknown_outcome_is_not_looked_for_in_a_mailbox() -> None:
    said = all_text(present("uncertain", UNCERTAIN | {"kind": "sms", "email": "+46701740605"}).blocks)
    assert "the text message provider's log" in said
    assert "mail" not in said.replace("candidates.example", "")
