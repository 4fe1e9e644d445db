"""At most one message a second into one channel (docs.slack.dev, rate limits): beyond that Slack hides messages
without saying so, so the pace is kept here and not left to its refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from core.ports.clock import Clock

SECONDS_APART: Final = 1.0
_MOST_CHANNELS: Final = 1_000

Sleep = Callable[[float], Awaitable[None]]


class ChannelPace:
    """Gives out turns per channel, in order of asking. One per process and workspace."""

    def __init__(self, clock: Clock, *, apart: float = SECONDS_APART, sleep: Sleep = asyncio.sleep) -> None:
        self._clock, self._apart, self._sleep = clock, apart, sleep
        self._free_at: dict[str, float] = {}

    async def turn(self, channel: str, *, urgent: bool = False) -> None:
        """Waits until this channel's next turn. An urgent one (a person has just clicked) does not wait; whoever
        comes after it waits the longer."""
        now = self._clock.monotonic()
        starts = max(now, self._free_at.get(channel, now))
        if len(self._free_at) >= _MOST_CHANNELS:
            self._free_at = {name: free for name, free in self._free_at.items() if free > now}
        self._free_at[channel] = starts + self._apart
        if starts > now and not urgent:
            await self._sleep(starts - now)
