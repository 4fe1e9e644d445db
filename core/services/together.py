"""One unit of work for all that asked for it while the one before was under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.errors import StorageError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Together(Generic[_Item, _Result]):
    """Whoever asks while nothing is under way is served at once, alone or with those who ask in the same moment; who
    asks later is served together with the others that wait by then. ``work`` gets a key and the items of that key,
    and returns one result for each, in order; what it raises is raised for all of them. Only what the database does
    not take from all of them is asked for each alone: one bad row must not fail the others."""

    def __init__(self, work: Callable[[str, Sequence[_Item]], Awaitable[Sequence[_Result]]]) -> None:
        self._work = work
        self._waiting: dict[str, list[tuple[_Item, asyncio.Future[_Result]]]] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def ask(self, key: str, item: _Item) -> _Result:
        """Raises what ``work`` raises. A caller that goes away takes nothing from the others."""
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((item, future))
        if key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._serve(key))
        return await future

    async def _serve(self, key: str) -> None:
        try:
            while waiting := self._waiting.pop(key, []):
                await self._serve_these(key, waiting)
        finally:
            del self._under_way[key]

    async def _serve_these(self, key: str, waiting: Sequence[tuple[_Item, asyncio.Future[_Result]]]) -> None:
        try:
            results = await self._results(key, [item for item, _ in waiting])
        except BaseException as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error) if isinstance(error, Exception) else future.cancel()
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), result in zip(waiting, results, strict=True):
                if not future.done():
                    future.set_exception(result) if isinstance(result, StorageError) else future.set_result(result)

    async def _results(self, key: str, items: Sequence[_Item]) -> Sequence[_Result | StorageError]:
        try:
            return await self._work(key, items)
        except StorageError as error:
            if len(items) == 1:
                return [error]
        return [(await self._results(key, [item]))[0] for item in items]
