"""Work behind the caller's back ends in order, and its errors come out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.services.behind import OneBehind

Work = Callable[[], Coroutine[Any, Any, None]]


def piece(name: str, done: list[str], gate: asyncio.Event | None = None) -> Work:
    async def work() -> None:
        if gate is not None:
            await gate.wait()
        done.append(name)

    return work


async def refuse() -> None:
    raise ValueError("refused")


async def test_the_caller_goes_on_while_its_work_is_done() -> None:
    done, gate = list[str](), asyncio.Event()
    async with OneBehind() as behind:
        await behind.hand_over(piece("first", done, gate))
        assert done == []
        gate.set()
    assert done == ["first"]


async def test_pieces_end_in_the_order_in_which_they_came() -> None:
    done, gate = list[str](), asyncio.Event()
    async with OneBehind() as behind:
        await behind.hand_over(piece("first", done, gate))
        asyncio.get_running_loop().call_soon(gate.set)
        await behind.hand_over(piece("second", done))
        assert done == ["first"]
    assert done == ["first", "second"]


async def hand_over(*pieces: Work, error: Exception | None = None) -> None:
    """Hands over one piece after the other; then the caller itself fails, or does not."""
    async with OneBehind() as behind:
        for work in pieces:
            await behind.hand_over(work)
        if error is not None:
            raise error


async def test_an_error_comes_out_at_the_next_hand_over_which_then_does_nothing() -> None:
    done = list[str]()
    with pytest.raises(ValueError, match="refused"):
        await hand_over(refuse, piece("second", done))
    assert done == []


async def test_an_error_of_the_last_piece_comes_out_at_the_end() -> None:
    with pytest.raises(ValueError, match="refused"):
        await hand_over(refuse)


async def test_the_callers_own_error_wins_and_what_was_handed_over_is_finished() -> None:
    done = list[str]()
    with pytest.raises(KeyError):
        await hand_over(piece("first", done), error=KeyError())
    assert done == ["first"]


async def test_the_callers_own_error_hides_that_of_its_work() -> None:
    with pytest.raises(KeyError):
        await hand_over(refuse, error=KeyError())
