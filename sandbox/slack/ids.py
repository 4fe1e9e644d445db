"""Identifiers and timestamps in the shapes Slack gives them."""

import secrets
from collections.abc import Callable

Clock = Callable[[], float]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def random_id(prefix: str, length: int = 10) -> str:
    """Return an id such as ``V0K3J...``: an upper-case prefix and random capitals and digits."""
    return prefix + "0" + "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))


def short_id() -> str:
    """Return what Slack puts where an app left block_id or action_id out: five random characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(5))


class Timestamps:
    """Issues message timestamps: seconds with six decimals, each later than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_us = 0

    def next(self) -> str:
        """Return the next timestamp, such as ``1700000000.000100``."""
        now_us = int(self._clock() * 1_000_000)
        self._last_us = max(now_us, self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"
