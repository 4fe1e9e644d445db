"""Until when a campaign waits for somebody who is away: the day after the return that their note names. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from core.domain.return_dates import return_date
from core.domain.schedule import Calendar, next_open

_MORNING: Final = time(9)
"""The first mail after a return comes in office hours also where the campaign may send at any time."""


def goes_on_at(
    note: str, sent_at: datetime, calendar: Calendar, *, most_days: int, default_days: int
) -> datetime | None:
    """When the next stage may go at the earliest (UTC); None: the note changes nothing.

    ``note`` is an out-of-office answer sent at ``sent_at``. A return more than ``most_days`` ahead is not believed; it
    counts like none, for which the wait is ``default_days`` from the note on (0: none).
    """
    back = return_date(note, sent_at)
    if back is not None and back <= sent_at.date() + timedelta(days=most_days):
        return _morning_of(back + timedelta(days=1), calendar)
    return next_open(sent_at + timedelta(days=default_days), calendar) if default_days else None


def _morning_of(day: date, calendar: Calendar) -> datetime:
    start = calendar.window.start if calendar.window else _MORNING
    return next_open(datetime.combine(day, start, calendar.zone).astimezone(UTC), calendar)
