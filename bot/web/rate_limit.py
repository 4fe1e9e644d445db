"""Token buckets by key, in memory: floods get a clear answer, people never notice (threat T26)."""

from __future__ import annotations

import math
from collections import OrderedDict

from core.ports.clock import Clock


class RateLimit:
    """Lets ``burst`` calls of one key pass at once and ``per_second`` from then on; remembers ``most_keys`` keys."""

    def __init__(self, clock: Clock, *, burst: int, per_second: float, most_keys: int = 10_000) -> None:
        self._clock = clock
        self._burst, self._per_second, self._most_keys = burst, per_second, most_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_for(self, key: str) -> int:
        """0 where the call may pass, and it counts; else the whole seconds after which one may."""
        now = self._clock.monotonic()
        left, at = self._buckets.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_second)
        passes = left >= 1.0
        self._buckets[key] = (left - 1.0 if passes else left, now)
        if len(self._buckets) > self._most_keys:
            self._buckets.popitem(last=False)
        return 0 if passes else math.ceil((1.0 - left) / self._per_second)
