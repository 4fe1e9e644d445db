"""Days as people type them: 2026-09-30, tomorrow, friday, 3 days. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import InputError

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNT: Final = re.compile(r"(\d{1,3})(?: ?(?:d|day|days))?", re.ASCII)
_WEEKS: Final = re.compile(r"(\d{1,2}) ?(?:w|week|weeks)", re.ASCII)
_FIX: Final = "Type a date such as 2026-09-30, a weekday, tomorrow, or a number of days."


def day_typed(text: str, now: datetime, zone: str) -> datetime:
    """The beginning of that day in the person's zone, in UTC. Raises InputError for anything else."""
    where = _zone(zone)
    today = now.astimezone(where).date()
    found = _day(" ".join(text.lower().split()), today)
    if found is None:
        raise InputError(f"{text[:60]!r} is no day that I understand", field="until", fix=_FIX)
    return datetime.combine(found, time(), where).astimezone(UTC)


def _day(text: str, today: date) -> date | None:
    if text == "tomorrow":
        return today + timedelta(days=1)
    weekdays = [number for number, name in enumerate(_DAYS) if len(text) >= 3 and name.startswith(text)]
    if weekdays:
        return today + timedelta(days=(weekdays[0] - today.weekday() - 1) % 7 + 1)
    if days := _COUNT.fullmatch(text):
        return today + timedelta(days=int(days[1]))
    if weeks := _WEEKS.fullmatch(text):
        return today + timedelta(weeks=int(weeks[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError):
        return ZoneInfo("UTC")
