"""An error becomes a sentence: a refusal says why, a failure gives a reference that stands in the log."""

from __future__ import annotations

import json
import logging

import pytest

from bot.slack.error_handler import explain
from core.errors import LostRaceError, RefusedError, RethreadError, StorageBusyError


@pytest.mark.parametrize("refusal", [RefusedError("It is paused.", fix="Resume it."), LostRaceError()])
def test_a_refusal_says_why_and_needs_no_reference(refusal: RethreadError) -> None:
    """Nobody has to be asked: the sentence and its fix say it all."""
    card = explain(refusal, asked="/mailbox resync")
    shown = json.dumps(card.blocks)
    assert refusal.message in card.text
    assert refusal.fix in shown
    assert "eference" not in shown


@pytest.mark.parametrize("failure", [ZeroDivisionError("secret detail"), StorageBusyError("secret detail")])
def test_a_failure_gives_a_reference_that_stands_in_the_log(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The person reads no inner detail; whoever runs the server finds it under the reference."""
    with caplog.at_level(logging.INFO, logger="rethread.slack"):
        shown = json.dumps(explain(failure, asked="/outreach retry").blocks)
    reference = shown.partition("Reference ")[2][:8]
    assert reference.startswith("r-")
    assert "secret detail" not in shown
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)
