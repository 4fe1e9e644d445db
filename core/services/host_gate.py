"""How fast connections to one mail host are opened: logins are what providers count, so many mailboxes take turns."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PER_SECOND = 20.0
AT_ONCE = 20


@dataclass(slots=True)
class _Host:
    """``next_turn``: when the next connection may be opened, on the event loop's clock, which waiting goes by too."""

    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_turn: float = 0.0


class HostGate:
    """At most 20 connections a second to one host, and at most 20 logins under way there."""

    def __init__(self) -> None:
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Waits for its turn; the block is the login."""
        place = self._hosts[host.lower()]
        async with place.room:
            async with place.door:
                now = asyncio.get_running_loop().time
                await asyncio.sleep(max(0.0, place.next_turn - now()))
                place.next_turn = now() + 1 / PER_SECOND
            yield
