"""Alerts: one per cause, opened or refreshed, resolved once (X10). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class AlertState(StrEnum):
    OPEN = "open"
    RESYNCING = "resyncing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One row. ``key`` names the cause ("sync:<mailbox>"); at most one alert of a key is unresolved."""

    id: str
    workspace: str
    key: str
    state: AlertState
    version: int
    opened_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    resolved_at: datetime | None = None
