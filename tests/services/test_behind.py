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


async def test_what_may_begin_ahead_does_not_wait_for_the_piece_before() -> None:
    done, gate, begun = list[str](), asyncio.Event(), asyncio.Event()

    async def ahead() -> None:
        done.append("ahead of second")
        begun.set()

    async with OneBehind() as behind:
        await behind.hand_over(piece("first", done, gate))
        second = asyncio.create_task(behind.hand_over(piece("second", done), ahead=ahead))
        await begun.wait()
        gate.set()
        await second
    assert done == ["ahead of second", "first", "second"]


async def with_ahead(first: Work, second: Work, ahead: Work) -> None:
    async with OneBehind() as behind:
        await behind.hand_over(first)
        await behind.hand_over(second, ahead=ahead)


async def test_what_began_ahead_ends_with_the_piece_before() -> None:
    """Its turn will never come."""
    done, never = list[str](), asyncio.Event()
    with pytest.raises(ValueError, match="refused"):
        await with_ahead(refuse, piece("second", done), piece("ahead", done, never))
    assert done == []
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_what_fails_ahead_comes_out_in_its_turn() -> None:
    done = list[str]()
    with pytest.raises(ValueError, match="refused"):
        await with_ahead(piece("first", done), piece("second", done), refuse)
    assert done == ["first"]
