"""Which prospects have stopped a moment ago, known in this process before the database says so."""

from __future__ import annotations

from typing import Final

_MOST: Final = 50_000
_LONGEST_UNIT: Final = 5.0


class StopSet:
    """Shared by all that moves prospects and all that sends. A stop is told inside the transaction that makes it, so
    that no commit can come first; one that is undone again costs a mail at most a short wait.

    A stop concerns a mail whose claim may not have seen it: the prospect had an earlier version then, and the claim
    began no later than ``_LONGEST_UNIT`` seconds after the stop was told.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, float]] = {}

    def add(self, enrollment_id: str, version: int, at: float) -> None:
        """The prospect will have this version when it has stopped; ``at`` by the clock that only goes forward."""
        self._told.pop(enrollment_id, None)
        self._told[enrollment_id] = version, at
        if len(self._told) > _MOST:  # the oldest goes: the database was asked since
            del self._told[next(iter(self._told))]

    def concerns(self, enrollment_id: str, version: int, claimed_at: float) -> bool:
        """Whether the prospect may have stopped since a claim saw it with this version."""
        stopped, at = self._told.get(enrollment_id, (0, 0.0))
        return stopped > version and at >= claimed_at - _LONGEST_UNIT
