"""Watches the event loop: a loop that stands still serves nobody, and only a measurement tells."""

from __future__ import annotations

import asyncio

from core.ports.clock import Clock
from core.workers.supervisor import wait_for

_EVERY = 1.0


class LoopWatch:
    """Beats once a second; ``lag`` says by how many seconds the newest beat is overdue or was late."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat: float | None = None
        self._late = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Beats until stopped."""
        while not stop.is_set():
            now = self._clock.monotonic()
            self._late = max(0.0, now - self._beat - _EVERY) if self._beat is not None else 0.0
            self._beat = now
            await wait_for(stop, _EVERY)

    def lag(self) -> float:
        """Seconds; 0 before the first beat."""
        if self._beat is None:
            return 0.0
        return max(self._late, self._clock.monotonic() - self._beat - _EVERY, 0.0)
