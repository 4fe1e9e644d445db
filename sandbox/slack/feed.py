"""Tells listeners what changed in the workspace, and lets tests wait for it without polling."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.slack.config import Json

T = TypeVar("T")


@dataclass(frozen=True)
class Change:
    """One thing a person at the page would see.

    ``users`` are the ids that may see it, None for everybody. ``render`` makes the page's event
    for one of them.
    """

    type: str
    render: Callable[[str], Json]
    users: frozenset[str] | None = None


@dataclass
class Feed:
    """Spreads changes to listeners and wakes those who wait for a state."""

    _listeners: list[Callable[[Change], None]] = field(default_factory=list)
    _waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` on every change; the answer ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: Change) -> None:
        """Hand a change to every listener."""
        for listener in tuple(self._listeners):
            listener(change)
        self.touch()

    def tell(self, event: Json, users: frozenset[str] | None = None) -> None:
        """Publish an event that looks the same to everybody who sees it."""
        self.publish(Change(event["type"], lambda _user: event, users))

    def touch(self) -> None:
        """Let those who wait look again, without an event for the page."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_until(self, check: Callable[[], T | None], timeout: float) -> T:
        """Return the first value of ``check`` that is not None; TimeoutError after ``timeout`` s."""
        async with asyncio.timeout(timeout):
            while (found := check()) is None:
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter
            return found
