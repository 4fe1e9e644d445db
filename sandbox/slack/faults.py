"""What can go wrong between an app and Slack, on request: errors, lost answers, limits, delays."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Literal

from sandbox.slack.ids import Clock

Failure = str | int


@dataclass(frozen=True)
class Fault:
    """One failure to come.

    ``failure`` is Slack's error name, ``"lost"`` (no answer), or an HTTP status: 429 with
    Retry-After, 500 and others. ``performed`` tells whether the call does its work all the same.
    """

    failure: Failure
    performed: bool
    retry_after: int = 1


@dataclass
class Hold:
    """Calls of one method that wait: ``arrived`` is set by the first, ``release()`` lets them on."""

    method: str
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the waiting calls and all later ones go on."""
        self._released.set()

    async def wait(self) -> None:
        """Tell that a call is here and wait for its release."""
        self.arrived.set()
        await self._released.wait()


class Faults:
    """Failures asked for, by method."""

    def __init__(self) -> None:
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._holds: dict[str, Hold] = {}

    def add(
        self,
        method: str,
        failure: Failure,
        times: int = 1,
        *,
        performed: bool | None = None,
        retry_after: int = 1,
    ) -> None:
        """Let the next ``times`` calls of a method fail; a lost answer's call did its work."""
        done = failure == "lost" if performed is None else performed
        self._next[method].extend([Fault(failure, done, retry_after)] * times)

    def take(self, method: str) -> Fault | None:
        """Return the fault this call meets, or None."""
        waiting = self._next.get(method)
        return waiting.popleft() if waiting else None

    def hold(self, method: str) -> Hold:
        """Let calls of a method wait until the hold is released."""
        self._holds[method] = Hold(method)
        return self._holds[method]

    async def wait_if_held(self, method: str) -> None:
        """Wait while a hold on the method is not released."""
        hold = self._holds.get(method)
        if hold is not None:
            await hold.wait()

    def clear(self) -> None:
        """Forget failures to come and release every hold."""
        self._next.clear()
        for hold in self._holds.values():
            hold.release()
        self._holds.clear()


@dataclass
class _Bucket:
    tokens: float
    at: float


class RateLimits:
    """Slack's published limits: one message a second and channel, a tier for each method.

    Off until ``enabled``; a bucket holds what may be sent at once.
    """

    MESSAGE_BURST: Literal[1] = 1

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self.enabled = False

    def wait_for(self, method: str, per_minute: int, channel: str) -> int:
        """Return 0 if the call may go, else the whole seconds after which it may be repeated."""
        if not self.enabled:
            return 0
        if method == "chat.postMessage":
            return self._take((method, channel), self.MESSAGE_BURST, 1.0)
        return self._take((method, ""), per_minute, per_minute / 60)

    def _take(self, key: tuple[str, str], size: int, per_second: float) -> int:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(size, now))
        bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, round((1 - bucket.tokens) / per_second))
