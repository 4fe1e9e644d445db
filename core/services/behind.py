"""Work that goes on while its caller prepares the next piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self


class OneBehind:
    """Runs one piece of work in the background, never two: handing over the next waits for the one before.

    So pieces end in the order in which they came, and what waits in memory is bounded. The block ends when the last
    piece has; what a piece raises comes out at the next hand-over or at the end of the block.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._finished()
        except Exception:
            if error is None:  # otherwise the caller's own error is the one to tell
                raise

    async def hand_over(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        ahead: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """``ahead`` is the part of the work that need not wait for its turn: it begins at once, beside the piece
        before."""
        begun = asyncio.create_task(ahead()) if ahead else None
        try:
            await self._finished()
        except BaseException:
            await _given_up(begun)
            raise
        self._task = asyncio.create_task(_in_turn(begun, work))

    async def _finished(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await task


async def _in_turn(begun: asyncio.Task[None] | None, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        if begun is not None:
            await begun
        await work()
    except BaseException:
        await _given_up(begun)
        raise


async def _given_up(begun: asyncio.Task[None] | None) -> None:
    """Nobody waits for it any more."""
    if begun is not None:
        begun.cancel()
        await asyncio.gather(begun, return_exceptions=True)
