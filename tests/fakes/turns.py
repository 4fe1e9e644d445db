"""A single turn of the event loop: others run, and no time passes."""

from __future__ import annotations

from collections.abc import Generator
from types import coroutine


@coroutine
def one_turn() -> Generator[None, None, None]:
    """Gives way once."""
    yield
