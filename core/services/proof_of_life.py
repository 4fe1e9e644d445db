"""Whether a session gets anywhere: a connection may stand for hours while nothing comes of it (R4)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ServerSilentError
from core.ports.clock import Clock

_LOOK_AGAIN = 0.05


class ProofOfLife:
    """When the server of one session last did anything that we asked for."""

    def __init__(self, clock: Clock, host: str) -> None:
        self._clock = clock
        self._host = host
        self._last = clock.monotonic()
        self._suspended = 0

    def given(self) -> None:
        self._last = self._clock.monotonic()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """While we wait for something of our own, silence says nothing about the server."""
        self._suspended += 1
        try:
            yield
        finally:
            self._suspended -= 1
            self.given()

    async def watch(self, session: asyncio.Task[None], patience: float) -> None:
        """Until the session ends; its errors come out. Raises ServerSilentError after ``patience`` seconds of
        silence."""
        while True:
            left = self._last + patience - self._clock.monotonic()
            done, _ = await asyncio.wait({session}, timeout=max(left, _LOOK_AGAIN))
            if done:
                return session.result()
            if not self._suspended and self._clock.monotonic() - self._last >= patience:
                words = f"TimeoutError: no sign of life for {patience:g} s"
                raise ServerSilentError(words, layer="imap", host=self._host)
