"""When a stage may go: delays, windows, holidays, in IANA zones (R151; rules of scheduling). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays as holiday_library

from core.domain.campaign import Delay

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """Days (0 Monday) and local times between which mail may go."""

    days: frozenset[int]
    start: time
    end: time


_ANY_TIME = Window(frozenset(range(7)), time(), time())
"""Days off without a window: closed is only the whole day off."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """One prospect's calendar: zone, optional window, days off (dates and an optional country code)."""

    zone: ZoneInfo
    window: Window | None = None
    days_off: frozenset[date] = frozenset()
    country: str | None = None

    def is_off(self, day: date) -> bool:
        return day in self.days_off or (self.country is not None and day in _country_days(self.country, day.year))

    def is_business_day(self, day: date) -> bool:
        sending_days = self.window.days if self.window else frozenset(range(5))
        return day.weekday() in sending_days and not self.is_off(day)


def calendar_of(definition: Mapping[str, Any], *, prospect_zone: str, campaign_zone: str | None) -> Calendar:
    """The calendar that a campaign's definition gives one prospect: own zone first, then the campaign's, else UTC."""
    zone = ZoneInfo(prospect_zone or campaign_zone or "UTC")
    window, off = definition.get("window"), definition.get("holidays")
    return Calendar(
        zone=zone,
        window=_window(window) if window else None,
        days_off=frozenset(date.fromisoformat(str(day)) for day in off) if isinstance(off, list) else frozenset(),
        country=off if isinstance(off, str) else None,
    )


def due_after(completed: datetime, delay: Delay, calendar: Calendar) -> datetime:
    """When the next stage is due after the previous one's actual completion (UTC): never catching up, only later."""
    if delay.business_days:
        return next_open(_add_business_days(completed, delay.business_days, calendar), calendar)
    return next_open(completed + delay.elapsed, calendar)


def next_open(moment: datetime, calendar: Calendar) -> datetime:
    """The moment itself where mail may go then, else the start of the next open block (UTC)."""
    window = calendar.window
    if window is None and not calendar.days_off and calendar.country is None:
        return moment
    window = window or _ANY_TIME
    local = moment.astimezone(calendar.zone)
    for days_ahead in range(400):
        day = local.date() + timedelta(days=days_ahead)
        if day.weekday() not in window.days or calendar.is_off(day):
            continue
        start, end = _at(day, window.start, calendar.zone), _end_of(day, window, calendar.zone)
        if moment < end and start < end:
            return max(moment, start)
    return moment + timedelta(days=400)  # a calendar without one open day: far away, and visible as such


def _end_of(day: date, window: Window, zone: ZoneInfo) -> datetime:
    return _at(day + timedelta(days=1), time(), zone) if window is _ANY_TIME else _at(day, window.end, zone)


def _add_business_days(moment: datetime, count: int, calendar: Calendar) -> datetime:
    local = moment.astimezone(calendar.zone)
    day, left, looked = local.date(), count, 0
    while left and looked < 2_000:
        day += timedelta(days=1)
        looked += 1
        left -= calendar.is_business_day(day)
    return _at(day, local.time(), calendar.zone)


def _at(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    """Local time to UTC: in a gap the clock moves forward, a doubled hour uses the first (fold 0)."""
    return datetime.combine(day, clock_time.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def _window(value: Mapping[str, Any]) -> Window:
    days = frozenset(_DAYS.index(day) for day in value.get("days") or _DAYS)
    return Window(days, time.fromisoformat(str(value["start"])), time.fromisoformat(str(value["end"])))


@lru_cache(maxsize=256)
def knows_holidays(code: str) -> bool:
    """Whether the holidays of a country ("GB") or a part of it ("GB-SCT") are known."""
    country, _, subdivision = code.partition("-")
    try:
        holiday_library.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=256)
def _country_days(code: str, year: int) -> frozenset[date]:
    country, _, subdivision = code.partition("-")
    try:
        return frozenset(holiday_library.country_holidays(country, subdiv=subdivision or None, years=year))
    except NotImplementedError:
        return frozenset()
