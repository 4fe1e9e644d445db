"""The facts for whoever can help: whole in the window, as much as fits in a message, whatever servers wrote."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks.home import modal
from bot.slack.blocks.mailbox_reports import escalated, escalation
from sandbox.slack.block_kit import check_view
from tests.fakes.services import Pack
from tests.unit.bot.facts import TEXTS
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_answers import no_bell
from tests.unit.bot.test_cards import assert_slack_takes

LINES = "\n".join(f"  21 Nov 2026 09:{number % 60:02d} UTC refused: NO [AUTHENTICATIONFAILED]" for number in range(150))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 400))
def test_any_facts_fit_into_window_and_message(text: str, times: int) -> None:
    pack = Pack("\n".join([text] * times))
    window, message = escalation(pack, "alert-1", "mark", version=1), escalated(pack, "U0RITA")
    assert check_view(modal(window)) == []
    assert_slack_takes(message)
    for card in (window, message):
        no_bell(card)


def test_lines_stay_whole_and_in_order() -> None:
    said = aloud(escalation(Pack(LINES), "alert-1", "mark"))
    assert LINES.strip() in said


def test_quotes_that_double_in_the_message_do_not_lose_it() -> None:
    card = escalated(Pack('"' * 11_000), "U0RITA")
    assert len(json.dumps(card.blocks)) < 13_000
    assert "There is more: ask for the whole text" in aloud(card)
