"""Alerts: one per cause, opened or refreshed, resolved once (X10); when one is told again, and when it rests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from core.domain.cards import ExpiryCard, RecoveryCard, StormCard, SyncCard
from core.domain.moment import parse_iso


class AlertState(StrEnum):
    OPEN = "open"
    RESYNCING = "resyncing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One row. ``key`` names the cause ("sync:<mailbox>"); at most one alert of a key is unresolved.

    ``facts`` holds what the card shows and what the engine remembers beside it. ``facts["version"]`` is the row's
    version at the last change that matters to somebody who decides: the buttons carry it back, so that a mere count
    (a further mailbox of a storm, a reminder) makes no card stale.
    """

    id: str
    workspace: str
    key: str
    state: AlertState
    version: int
    opened_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    resolved_at: datetime | None = None

    @property
    def kind(self) -> str:
        """sync, storm, recovery or expiry: the kind of its card."""
        return self.key.partition(":")[0]

    @property
    def is_open(self) -> bool:
        return self.state is not AlertState.RESOLVED


_SHAPES: Final[Mapping[str, type]] = {
    "sync": SyncCard,
    "storm": StormCard,
    "recovery": RecoveryCard,
    "expiry": ExpiryCard,
}
# What alerts of the first release did not hold.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "side": "reading",
    "status": "error",
    "provider": "other",
    "sign_in": "password",
    "reminders": 0,
    "reader": "admins",
}


def card_of(alert: Alert) -> dict[str, Any]:
    """The facts that its card shows: the shape of ``cards.SyncCard`` and its like, without the engine's own notes."""
    shape = _SHAPES[alert.kind].__annotations__
    return {name: alert.facts.get(name, _DEFAULTS.get(name)) for name in shape}


def is_muted(alert: Alert, now: datetime) -> bool:
    """Whether somebody asked for silence that is not over yet."""
    until = parse_iso(alert.facts.get("muted_until"))
    return until is not None and now < until


def mute_is_over(alert: Alert, now: datetime) -> bool:
    return alert.facts.get("muted_until") is not None and not is_muted(alert, now)


def is_silenced(alert: Alert, now: datetime) -> bool:
    """Acknowledged, or muted: nobody needs to hear of it again until its cause changes."""
    return alert.facts.get("acknowledged_by") is not None or is_muted(alert, now)


def rests(alert: Alert, now: datetime) -> bool:
    """Whether no reminder is due however long it lasts: silenced, told of on another card, or over."""
    return not alert.is_open or is_silenced(alert, now) or alert.facts.get("folded") is not None


def days_of(since: datetime, now: datetime) -> int:
    """Which day of the trouble this is, from 1."""
    return max(0, (now - since) // timedelta(days=1)) + 1


def minutes_of(since: datetime, now: datetime) -> int:
    return max(0, round((now - since).total_seconds() / 60))
