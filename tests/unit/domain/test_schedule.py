"""When a stage may go: never earlier than asked, never outside the open hours, in the prospect's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.campaign import Delay
from core.domain.schedule import Calendar, Window, calendar_of, due_after, knows_holidays, next_open

WEEK = frozenset(range(5))
OFFICE = Window(WEEK, time(9), time(17, 30))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def office(zone: str = "Europe/London", **changes: Any) -> Calendar:
    return Calendar(ZoneInfo(zone), changes.pop("window", OFFICE), **changes)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-09-01 12:00", "2026-09-01 12:00"),  # a Tuesday, open
        ("2026-09-01 08:59", "2026-09-01 09:00"),
        ("2026-09-01 09:00", "2026-09-01 09:00"),
        ("2026-09-01 17:29", "2026-09-01 17:29"),
        ("2026-09-01 17:30", "2026-09-02 09:00"),
        ("2026-09-04 18:00", "2026-09-07 09:00"),  # Friday evening to Monday
        ("2026-09-06 03:00", "2026-09-07 09:00"),  # Sunday
    ],
)
@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_next_open_moment(asked: str, opens: str, zone: str) -> None:
    """Read on the prospect's own clock, wherever that is."""
    assert next_open(at(asked, zone), office(zone)) == at(opens, zone)


@pytest.mark.parametrize(
    ("zone", "asked", "start", "opens_utc"),
    [
        # Clocks spring forward: 01:30 does not exist in London, 02:30 not in New York; both move on by the hour.
        ("Europe/London", "2026-03-29 00:10", time(1, 30), "2026-03-29 01:30"),
        ("America/New_York", "2026-03-08 00:10", time(2, 30), "2026-03-08 07:30"),
        # Clocks fall back: 01:30 comes twice, the first counts.
        ("Europe/London", "2026-10-25 00:10", time(1, 30), "2026-10-25 00:30"),
        ("America/New_York", "2026-11-01 00:10", time(1, 30), "2026-11-01 05:30"),
    ],
)
def test_a_window_that_begins_when_the_clocks_change(zone: str, asked: str, start: time, opens_utc: str) -> None:
    """A time in the gap moves forward; of a doubled hour the first is meant."""
    window = Window(frozenset(range(7)), start, time(20))
    assert next_open(at(asked, zone), office(zone, window=window)) == at(opens_utc)


def test_elapsed_days_are_counted_on_the_clock_that_never_changes() -> None:
    """Two days are 48 hours also across a change of clocks; the window is the local one."""
    friday = at("2026-03-27 16:00", "Europe/London")
    assert due_after(friday, Delay(timedelta(days=3)), office()) == at("2026-03-30 17:00", "Europe/London")


@pytest.mark.parametrize(
    ("completed", "days", "due"),
    [
        ("2026-09-01 10:00", 1, "2026-09-02 10:00"),
        ("2026-09-03 10:00", 2, "2026-09-07 10:00"),  # over a weekend
        ("2026-09-05 10:00", 1, "2026-09-07 10:00"),  # from a Saturday
        ("2026-10-23 10:00", 1, "2026-10-26 10:00"),  # the same local hour after the clocks went back
        ("2026-12-24 10:00", 1, "2026-12-29 10:00"),  # Christmas, Boxing Day observed on the 28th
    ],
)
def test_business_days(completed: str, days: int, due: str) -> None:
    """Sending days only, at the same local hour."""
    calendar = office(country="GB")
    assert due_after(at(completed, "Europe/London"), Delay(business_days=days), calendar) == at(due, "Europe/London")


def test_business_days_without_a_window_are_monday_to_friday() -> None:
    """Mail may go at any time, but a weekend does not count."""
    calendar = Calendar(ZoneInfo("UTC"))
    assert due_after(at("2026-09-04 23:30"), Delay(business_days=1), calendar) == at("2026-09-07 23:30")


def test_a_window_on_saturdays_makes_them_business_days() -> None:
    """Sending days are what the window says."""
    calendar = office("UTC", window=Window(frozenset({4, 5}), time(9), time(17)))
    assert due_after(at("2026-09-04 10:00"), Delay(business_days=1), calendar) == at("2026-09-05 10:00")


def test_holidays_count_without_a_window_too() -> None:
    """Any time of day, but not on a day off: the next morning at midnight, local."""
    calendar = Calendar(ZoneInfo("America/New_York"), days_off=frozenset({date(2026, 12, 25)}))
    christmas = at("2026-12-25 15:00", "America/New_York")
    assert next_open(christmas, calendar) == at("2026-12-26 00:00", "America/New_York")
    assert next_open(christmas - timedelta(days=1), calendar) == christmas - timedelta(days=1)


def test_no_delay_in_open_hours_is_now() -> None:
    """Nothing is added where nothing need be."""
    assert due_after(at("2026-09-01 12:00"), Delay(), Calendar(ZoneInfo("UTC"))) == at("2026-09-01 12:00")


def test_a_calendar_without_one_open_day_is_far_away() -> None:
    """It neither loops nor sends."""
    closed = office("UTC", window=Window(frozenset(), time(9), time(17)))
    assert next_open(at("2026-09-01 12:00"), closed) > at("2027-09-01 12:00")


def test_the_prospects_zone_wins_over_the_campaigns() -> None:
    """Own zone, else the campaign's, else UTC."""
    for prospect, campaign, wanted in (
        ("Asia/Tokyo", "Europe/London", "Asia/Tokyo"),
        ("", "Europe/London", "Europe/London"),
        ("", None, "UTC"),
    ):
        assert calendar_of({}, prospect_zone=prospect, campaign_zone=campaign).zone.key == wanted


def test_a_definition_becomes_a_calendar() -> None:
    """Days, times, dates off and a country, as the file writes them."""
    definition = {"window": {"days": ["mon", "sun"], "start": "09:00", "end": "17:30"}, "holidays": ["2026-12-24"]}
    calendar = calendar_of(definition, prospect_zone="", campaign_zone=None)
    assert calendar.window == Window(frozenset({0, 6}), time(9), time(17, 30))
    assert calendar.is_off(date(2026, 12, 24))
    by_country = calendar_of({"holidays": "DE-BY"}, prospect_zone="", campaign_zone=None)
    assert by_country.is_off(date(2026, 1, 6))


@pytest.mark.parametrize(
    ("code", "known"), [("GB", True), ("GB-SCT", True), ("US-CA", True), ("XX", False), ("GB-QQ", False)]
)
def test_known_holidays(code: str, known: bool) -> None:
    """A country nobody knows is told at import, not taken for one without holidays."""
    assert knows_holidays(code) is known


ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "UTC"]
moments = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
delays = st.builds(Delay, st.timedeltas(timedelta(), timedelta(days=10))) | st.builds(
    lambda days: Delay(business_days=days), st.integers(1, 15)
)
windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.times(time(0), time(11, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
    st.times(time(12), time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
)


@given(
    moment=moments,
    delay=delays,
    window=windows,
    zone=st.sampled_from(ZONES),
    off=st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=5),
)
def test_the_result_is_always_inside_an_open_block_and_never_early(
    moment: datetime, delay: Delay, window: Window, zone: str, off: frozenset[date]
) -> None:
    """For any clock change, window and days off."""
    calendar = Calendar(ZoneInfo(zone), window, off)
    due = due_after(moment, delay, calendar)
    local = due.astimezone(calendar.zone)
    assert due >= moment + delay.elapsed
    assert local.weekday() in window.days
    assert local.date() not in off
    # One hour of tolerance where the window's own edge falls into a gap and moves forward.
    assert window.start <= local.time() < window.end or local.utcoffset() != (local - timedelta(hours=3)).utcoffset()
    if delay.business_days:
        assert (local.date() - moment.astimezone(calendar.zone).date()).days >= delay.business_days


@pytest.mark.parametrize("minute", range(0, 60, 10))
@pytest.mark.parametrize("length", [5, 20, 40])
def test_a_short_window_in_the_gap_never_opens_after_it_has_closed(minute: int, length: int) -> None:
    """A window that the clocks swallow is taken on the next day."""
    end = (datetime(2026, 1, 1, 1, minute, tzinfo=UTC) + timedelta(minutes=length)).time()
    calendar = office("Europe/London", window=Window(frozenset(range(7)), time(1, minute), end))
    opens = next_open(at("2026-03-29 00:00", "Europe/London"), calendar).astimezone(calendar.zone)
    shifted = (datetime.combine(date(2026, 1, 1), end) + timedelta(hours=1)).time()
    assert opens.time() < shifted
    assert opens.date() in (date(2026, 3, 29), date(2026, 3, 30))
