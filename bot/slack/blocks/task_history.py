"""What happened to a prospect so far, for whoever is about to call (X9). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Stack
from bot.slack.blocks.text import count, local_time, sentence
from core.domain.ledger import LedgerLine
from core.domain.moment import iso

_MOST: Final = 20
_LONGEST: Final = 400


def task_history(lines: Sequence[LedgerLine]) -> Card:
    """The newest lines of the ledger, oldest first."""
    stack = Stack(kit.header("History"))
    earlier = len(lines) - _MOST
    if earlier > 0:
        stack.add(kit.context(f"{count(earlier, 'earlier line')} left out"))
    for one in lines[-_MOST:]:
        stack.add(kit.markup(f"{local_time(iso(one.at))}: {sentence(one.sentence, _LONGEST)}"))
    if not lines:
        stack.add(kit.note("Nothing has happened yet."))
    return Card(kit.fallback(f"History: {count(len(lines), 'line')}."), stack.blocks, window="History")
