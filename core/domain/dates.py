"""Dates of mail headers (RFC 5322 3.3 with the obsolete zones). Pure, linear, never raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

# Outside these years a header date is a defect of the sender's clock, not information.
EARLIEST_YEAR: Final = 1985
LATEST_YEAR: Final = 2069

_MONTHS: Final = {
    name: number for number, name in enumerate(("jan feb mar apr may jun jul aug sep oct nov dec").split(), start=1)
}
_RFC_DATE: Final = re.compile(
    r"(\d{1,2})[ \t-]{1,4}([A-Za-z]{3})[a-z]{0,6}\.?[ \t,-]{1,4}(\d{4}|\d{2})[ \t,]{1,4}"
    r"(\d{1,2})[:.][ ]?(\d{2})(?:[:.][ ]?(\d{2})(?:\.\d{1,9})?)?[ \t]{0,4}([+-]\d{4}|[+-]\d{2}:\d{2}|[A-Za-z]{1,5})?"
)
_C_DATE: Final = re.compile(
    r"([A-Za-z]{3})[a-z]{0,6} {1,4}(\d{1,2}),? {1,4}(\d{1,2}):(\d{2}):(\d{2}) {1,4}"
    r"(?:([+-]\d{4}|[A-Za-z]{1,5}) {1,4})?(\d{4})"
)
_ZONES: Final = {"ut": 0, "utc": 0, "gmt": 0, "z": 0, "bst": 60, "cet": 60, "cest": 120, "jst": 540} | {
    "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360, "mst": -420, "pdt": -420, "pst": -480,
}  # fmt: skip


def parse_date(text: str) -> datetime | None:
    """The aware time that a Date field names, in the zone it names; None where there is none or its year is absurd.

    An unknown zone counts as UTC (RFC 5322 4.3).
    """
    match = _RFC_DATE.search(text[:200])
    if match:
        day, month, year, hour, minute, second, zone = match.groups()
        return _build(year, month, day, hour, minute, second or "0", zone or "")
    match = _C_DATE.search(text[:200])
    if match:
        month, day, hour, minute, second, zone, year = match.groups()
        return _build(year, month, day, hour, minute, second, zone or "")
    return _iso_date(text)


def _build(year: str, month: str, day: str, hour: str, minute: str, second: str, zone: str) -> datetime | None:
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    try:
        return _plausible(
            datetime(
                _full_year(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=_zone(zone)
            )
        )
    except ValueError:
        return None


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < 50 else 1900)


@lru_cache(maxsize=256)
def _zone(name: str) -> timezone:
    digits = name.replace(":", "")
    if digits[:1] in ("+", "-"):
        minutes = int(digits[1:3]) * 60 + int(digits[3:5])
        if minutes <= 14 * 60:
            return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))
        return UTC
    return timezone(timedelta(minutes=_ZONES.get(name.lower(), 0)))


def _iso_date(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
    return _plausible(found if found.tzinfo else found.replace(tzinfo=UTC))


def _plausible(moment: datetime) -> datetime | None:
    return moment if EARLIEST_YEAR <= moment.year <= LATEST_YEAR else None
