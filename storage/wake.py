"""Who says that there is work. A wake-up carries no facts: the rows do, so a lost one is only late.

Whoever waits also sweeps from time to time, because on PostgreSQL the work may have been made by another process.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class LocalWake:
    """Wake-ups inside this process, one flag per topic. A topic has one waiter at a time."""

    def __init__(self) -> None:
        self._flags: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, topics: Collection[str]) -> None:
        for topic in topics:
            self._flags[topic].set()

    async def wait(self, topic: str, timeout: float) -> bool:
        """True where a wake-up came since the last wait; ``timeout`` in seconds."""
        flag = self._flags[topic]
        try:
            async with asyncio.timeout(timeout):
                await flag.wait()
        except TimeoutError:
            pass  # it may have come together with the time-out
        woken = flag.is_set()
        flag.clear()
        return woken


class Dispatcher(Protocol):
    """Carries wake-ups to other processes."""

    async def announce(self, connection: AsyncConnection, topics: Collection[str]) -> None:
        """Inside the transaction that made the work; it takes effect with the commit."""
        ...

    async def close(self) -> None: ...


class NoDispatcher:
    """One process, or several that sweep: nobody else is told."""

    async def announce(self, connection: AsyncConnection, topics: Collection[str]) -> None:
        del connection, topics

    async def close(self) -> None:
        return None
