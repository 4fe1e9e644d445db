"""What an action on many people says of each who was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Progressed = Callable[[int, int], None]
"""Told after each part of a long action: how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Somebody who was left out, and why."""

    email: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlsoIn:
    """Somebody to whom other campaigns write as well."""

    email: str
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrollResult:
    """``also_in``: enrolled all the same, and worth a look."""

    enrolled: int
    skipped: list[Skipped]
    also_in: list[AlsoIn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MoveResult:
    """People taken over into another campaign. ``skipped`` stay as they are in both."""

    moved: int
    skipped: list[Skipped]
    also_in: list[AlsoIn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RetryResult:
    """How many were queued again, and who could not be."""

    retried: int
    refused: list[Skipped]


@dataclass(frozen=True, slots=True)
class BulkResult:
    """How many were changed, and who could not be."""

    done: int
    refused: list[Skipped]
