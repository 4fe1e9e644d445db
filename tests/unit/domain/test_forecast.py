"""When a campaign's mails will go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.domain.campaign import Delay, Stage
from core.domain.forecast import Forecast, Group, Pace, Plan, forecast
from core.domain.schedule import Calendar, Window

MONDAY_NINE = datetime(2026, 9, 7, 9, 0, tzinfo=UTC)
ALWAYS = Calendar(ZoneInfo("UTC"))
OFFICE = Calendar(ZoneInfo("UTC"), Window(frozenset(range(5)), time(9), time(17)))


def stages(*kinds: str, delay: timedelta = timedelta(days=2)) -> tuple[Stage, ...]:
    return tuple(
        Stage(number, kind, Delay(delay if number > 1 else timedelta(0))) for number, kind in enumerate(kinds, 1)
    )


def plan(
    count: int,
    *kinds: str,
    caps: tuple[int, ...] = (100,),
    spacing_s: float = 60,
    calendar: Calendar = ALWAYS,
    daily: int = 5_000,
    **marks: bool,
) -> Plan:
    group = Group(count, 1, MONDAY_NINE, "rita", calendar, **marks)
    return Plan(
        MONDAY_NINE, stages(*(kinds or ("email",))), (group,), {"rita": Pace(caps, spacing_s)}, daily, daily, ALWAYS
    )


def days(result: Forecast, stage: int) -> list[int]:
    return [line.will_send for line in result.lines if line.stage == stage and line.will_send]


def test_a_cap_spreads_a_stage_over_days() -> None:
    result = forecast(plan(250))
    assert days(result, 1) == [100, 100, 50]
    assert [line.will_wait for line in result.lines] == [150, 50, 0]
    assert result.stage_ends[1].date().isoformat() == "2026-09-09"
    assert (result.failing, result.unfinished, result.waiting) == (0, 0, 0)


def test_the_ramp_grows_from_day_to_day() -> None:
    assert days(forecast(plan(400, caps=(50, 55, 60, 200))), 1) == [50, 55, 60, 200, 35]


def test_follow_ups_go_before_first_mails() -> None:
    """On the third day the follow-ups of the first take all the room."""
    result = forecast(plan(300, "email", "email"))
    by_day = {(line.date.day, line.stage): line.will_send for line in result.lines}
    assert by_day[9, 2] == 100
    assert by_day.get((9, 1), 0) == 0
    assert sum(days(result, 1)) == sum(days(result, 2)) == 300


def test_the_window_and_the_spacing_bound_a_day() -> None:
    """Eight hours at ten minutes are 49 mails, and nothing goes at the week-end."""
    result = forecast(plan(300, caps=(1_000,), spacing_s=600, calendar=OFFICE))
    assert days(result, 1) == [49, 49, 49, 49, 49, 49, 6]
    assert {line.date.weekday() for line in result.lines if line.will_send} <= {0, 1, 2, 3, 4}


def test_over_the_workspaces_limit_mails_fail_and_are_not_sent_by_themselves() -> None:
    result = forecast(plan(700, caps=(10_000,), spacing_s=0, daily=500))
    assert days(result, 1) == [500]
    assert (result.failing, result.unfinished) == (200, 0)


def test_who_has_no_address_fails_and_who_waits_is_only_counted() -> None:
    assert forecast(plan(30, fails=True)).failing == 30
    waits = forecast(plan(30, waits=True))
    assert (waits.waiting, waits.lines) == (30, ())


def test_calls_and_tasks_take_no_room() -> None:
    result = forecast(plan(300, "call", "email"))
    assert days(result, 1) == [300]
    assert days(result, 2) == [100, 100, 100]


def test_a_required_call_holds_everybody_until_somebody_has_made_it() -> None:
    """What comes after it is not forecast: it is counted from then."""
    call = replace(stages("email", "call")[1], required=True)
    mail = stages("email", "email", "email")[2]
    result = forecast(replace(plan(30, "email"), stages=(stages("email")[0], call, mail)))
    assert result.by_hand == {2: 30}
    assert set(result.stage_ends) == {1}


def test_a_mailbox_that_may_send_nothing_never_ends() -> None:
    assert forecast(plan(3, caps=(0,))).unfinished == 3


@given(
    st.integers(0, 400),
    st.lists(st.integers(1, 120), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(10, 500),
    st.sampled_from([ALWAYS, OFFICE]),
)
def test_nobody_is_lost_and_no_day_is_over_its_cap(
    count: int, caps: list[int], depth: int, daily: int, calendar: Calendar
) -> None:
    result = forecast(plan(count, *["email"] * depth, caps=tuple(caps), calendar=calendar, daily=daily))
    last = sum(line.will_send for line in result.lines if line.stage == depth)
    assert last + result.failing + result.unfinished == count
    for day in {line.date for line in result.lines}:
        sent = sum(line.will_send for line in result.lines if line.date == day)
        assert sent <= min(max(caps), daily)
