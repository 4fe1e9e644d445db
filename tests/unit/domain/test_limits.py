"""Windows, the ramp, the workspace's day, providers' numbers, brakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.limits import (
    DAILY,
    DAY,
    MINUTE,
    PAUSE,
    Ramp,
    Window,
    bounces_too_much,
    company_of,
    day_begins,
    next_day_begins,
    sending_domain,
    used_today,
    utc_day,
)
from core.domain.provider_caps import DAILY as DAILY_CAPS
from core.domain.provider_caps import NAMES, PER_MINUTE, label_of, parse_provider_limits, provider_key
from core.domain.workspace_settings import parse_value
from core.errors import InputError

NOW = datetime(2026, 9, 1, 9, 7, 12, tzinfo=UTC)
TODAY = utc_day(NOW)
RAMP = Ramp(floor=50, target=200, percent=10, first_days=7)


def days_ago(*volumes: int) -> dict[datetime, int]:
    """Volumes of the days before today, yesterday's first."""
    return {TODAY - DAY * (n + 1): volume for n, volume in enumerate(volumes)}


def test_a_span_counts_as_long_as_any_of_its_moments_lies_in_the_window() -> None:
    spans = {DAILY.span(NOW): 3}
    last = max(spans) + DAILY.width
    assert DAILY.used(spans, NOW) == 3
    assert DAILY.used(spans, last + DAY - timedelta(microseconds=1)) == 3
    assert DAILY.used(spans, last + DAY) == 0


def test_a_place_is_free_once_enough_old_spans_have_left_the_window() -> None:
    early, late = DAILY.span(NOW) - timedelta(hours=3), DAILY.span(NOW) - timedelta(hours=1)
    spans = {early: 2, late: 3}
    assert DAILY.next_free(spans, NOW, 6) == NOW
    assert DAILY.next_free(spans, NOW, 5) == early + DAILY.width + DAY
    assert DAILY.next_free(spans, NOW, 3) == late + DAILY.width + DAY
    assert DAILY.used(spans, DAILY.next_free(spans, NOW, 3)) < 3


def test_mails_counted_ahead_of_a_clock_that_was_set_back_still_count() -> None:
    assert MINUTE.used({MINUTE.span(NOW) + timedelta(hours=1): 4}, NOW) == 4


@given(
    window=st.sampled_from([DAILY, MINUTE]),
    sends=st.lists(st.floats(min_value=0, max_value=3), max_size=60),
    cap=st.integers(min_value=1, max_value=6),
)
def test_no_window_of_any_beginning_holds_more_than_the_cap(window: Window, sends: list[float], cap: int) -> None:
    """Mails go only while the count has room; then every true window is looked at."""
    spans: dict[datetime, int] = {}
    went: list[datetime] = []
    for share in sorted(sends):
        moment = NOW + window.length * share
        if window.used(spans, moment) < cap:
            spans[window.span(moment)] = spans.get(window.span(moment), 0) + 1
            went.append(moment)
        else:
            free = window.next_free(spans, moment, cap)
            assert free > moment
            assert window.used(spans, free) < cap
            assert window.used(spans, free - timedelta(microseconds=1)) >= cap
    for end in went:
        assert sum(end - window.length <= moment <= end for moment in went) <= cap


def test_a_new_mailbox_sends_its_first_number_for_its_first_days() -> None:
    assert RAMP.cap({}, NOW) == 50
    assert RAMP.cap({TODAY: 50}, NOW) == 50
    assert RAMP.cap(days_ago(50, 50, 50, 50, 50, 50), NOW) == 50
    assert RAMP.cap(days_ago(50, 50, 50, 50, 50, 50, 50), NOW) == 55


def test_it_grows_by_a_tenth_of_the_highest_of_seven_sending_days_up_to_its_target() -> None:
    assert RAMP.cap(days_ago(10, 90, 0, 0, 20, 30, 40, 50, 60, 100), NOW) == 99
    assert RAMP.cap(days_ago(*[199] * 10), NOW) == 200
    assert RAMP.cap(days_ago(*[5] * 10), NOW) == 50
    assert Ramp(300, 200, 10, 7).cap({}, NOW) == 200


def test_after_a_long_pause_it_begins_anew() -> None:
    at_work = {TODAY - PAUSE - DAY * n: 180 for n in range(10)}
    assert RAMP.cap(at_work, NOW) == 198
    assert RAMP.cap({day - DAY: volume for day, volume in at_work.items()}, NOW) == 50
    back = {TODAY - DAY: 50} | {day - DAY * 2: volume for day, volume in at_work.items()}
    assert RAMP.cap(back, NOW) == 50


def test_without_first_days_there_is_no_warming_up() -> None:
    assert Ramp(50, 200, 10, 0).cap({}, NOW) == 200
    assert Ramp(50, 200, 10, 7).times(3).cap({}, NOW) == 150


@given(volumes=st.lists(st.integers(0, 400), max_size=30), percent=st.integers(1, 50))
def test_the_ramp_never_grows_faster_than_it_may(volumes: list[int], percent: int) -> None:
    cap = Ramp(50, 200, percent, 7).cap(days_ago(*volumes), NOW)
    assert cap <= max(50, max([*volumes, 0]) * (100 + percent) / 100)
    assert 50 <= cap <= 200


@pytest.mark.parametrize(
    ("zone", "now", "begins", "ends"),
    [
        ("UTC", "2026-09-01T09:00", "2026-09-01T00:00", "2026-09-02T00:00"),
        ("Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("America/Havana", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("Asia/Kathmandu", "2026-09-01T18:14", "2026-08-31T18:15", "2026-09-01T18:15"),
    ],
)
def test_a_day_of_the_workspace_begins_at_its_midnight(zone: str, now: str, begins: str, ends: str) -> None:
    """Days of 23 and of 25 hours, a midnight that is skipped, and one that comes twice."""
    moment, first, last = (datetime.fromisoformat(f"{text}:00+00:00") for text in (now, begins, ends))
    assert day_begins(moment, ZoneInfo(zone)) == first
    assert next_day_begins(moment, ZoneInfo(zone)) == last
    assert day_begins(last, ZoneInfo(zone)) == last
    assert day_begins(last - timedelta(microseconds=1), ZoneInfo(zone)) == first


def test_every_zone_begins_its_days_between_two_spans() -> None:
    for name in sorted(available_timezones()):
        for month in (1, 7):
            begins = day_begins(datetime(2026, month, 15, 12, tzinfo=UTC), ZoneInfo(name))
            assert DAILY.span(begins) == begins, name


def test_what_went_before_midnight_is_no_mail_of_today() -> None:
    midnight = datetime(2026, 9, 1, 22, 0, tzinfo=UTC)
    spans = {midnight - DAILY.width: 7, midnight: 2}
    berlin = ZoneInfo("Europe/Berlin")
    assert used_today(spans, midnight, berlin) == 2
    assert used_today(spans, midnight - timedelta(seconds=1), berlin) == 9


def test_free_mail_is_no_companys() -> None:
    assert company_of("cleo@Initech.example") == "initech.example"
    assert company_of("cleo@gmail.com") is None
    assert company_of("cleo@town.example", ("town.example",)) is None
    assert company_of("no address") is None
    assert sending_domain("rita@gmail.com") is None


def test_providers_go_by_their_numbers() -> None:
    assert {*DAILY_CAPS, *PER_MINUTE} <= NAMES
    assert provider_key("google", "rita@agency.test") == "google"
    assert provider_key("google", "rita@gmail.com") == "gmail"
    assert provider_key("something", "rita@agency.test") == "other"
    assert [label_of(name) for name in ("google", "gmail", "other")] == ["Google", "Gmail", "The mail server"]


def test_a_workspaces_own_numbers_are_read() -> None:
    assert parse_provider_limits(("google=1500", " Yahoo = 400 "), "provider_caps") == {"google": 1500, "yahoo": 400}
    assert parse_value("provider_caps", "google=1500, other=90") == ("google=1500", "other=90")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("google", "provider=number"),
        ("gogle=5", "gogle"),
        ("google=many", "many"),
        ("google=0", "'0'"),
        ("google=-5", "'-5'"),
        ("google=\u0665", "number"),
        ("google=99999999999", "number"),
        ("google=1, google=2", "twice"),
    ],
)
@pytest.mark.parametrize("key", ["provider_caps", "provider_per_minute"])
def test_a_slip_in_them_is_named_when_they_are_set(key: str, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as refused:
        parse_value(key, text)
    assert refused.value.field == key


def test_the_brake_needs_a_share_and_a_sample() -> None:
    def due(sent: int, bounced: int, percent: float = 2) -> bool:
        return bounces_too_much(sent, bounced, percent=percent, sample=50)

    assert not due(49, 49)
    assert due(50, 1)
    assert not due(51, 1)
    assert not due(100, 100, percent=0)
    assert due(1_000, 20)
    assert not due(1_000, 19)
