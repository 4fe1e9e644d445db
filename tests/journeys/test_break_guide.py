"""The guide's table of breaks is the one that the walk in the browser goes through."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.breaks import BREAKS, ROUNDS, guide

GUIDE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_guide_lists_the_breaks_that_the_walk_makes() -> None:
    """Row by row, in the walk's order."""
    _, _, rest = GUIDE.read_text(encoding="utf-8").partition("## Breaks to try")
    listed = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| rita@")]
    assert listed == guide()


def test_each_break_of_a_round_has_a_mailbox_of_its_own() -> None:
    """So that the mailboxes can break at the same time."""
    for together in ROUNDS:
        assert len({one.mailbox for one in together}) == len(together)
    assert len({one.name for one in BREAKS}) == len(BREAKS)
