"""The scheduler through random histories: zones whose clocks jump, windows, days off, business days, a process's clock
that is set forward and back. What is open, and what a business day is, is written down here a second time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.domain.campaign import Delay
from core.domain.schedule import calendar_of, due_after, next_open

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = (
    *("UTC", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Africa/Cairo", "America/Havana"),
)
BEGINS = (
    datetime(2026, 3, 7, 9, tzinfo=UTC),  # the day before America's clocks go forward, then Europe's
    datetime(2026, 4, 3, 9, tzinfo=UTC),  # Lord Howe and Auckland go back, by half an hour and by an hour
    datetime(2026, 10, 23, 9, tzinfo=UTC),  # Europe goes back, then America
    datetime(2026, 12, 22, 9, tzinfo=UTC),  # a year ends
)
quarters = st.integers(0, 95).map(lambda number: time(number // 4, number % 4 * 15))


class Schedules(RuleBasedStateMachine):
    """One prospect who goes from stage to stage. The queue keeps a due time; what claims it asks again whether the
    window is open, as the product's gates do."""

    @initialize(
        begins=st.sampled_from(BEGINS),
        zone=st.sampled_from(ZONES),
        days=st.sets(st.sampled_from(DAYS), min_size=1),
        times=st.tuples(quarters, quarters).filter(lambda pair: pair[0] < pair[1]),
        off=st.sets(st.integers(0, 40), max_size=6),
    )
    def a_prospect_begins(
        self, begins: datetime, zone: str, days: set[str], times: tuple[time, time], off: set[int]
    ) -> None:
        self.zone, self.days, self.times = ZoneInfo(zone), days, times
        self.off = {begins.date() + DAY * number for number in off}
        self.calendar = calendar_of(
            {
                "window": {"days": sorted(days), "start": f"{times[0]:%H:%M}", "end": f"{times[1]:%H:%M}"},
                "holidays": sorted(day.isoformat() for day in self.off),
            },
            prospect_zone=zone,
            campaign_zone="Asia/Tokyo",
        )
        self.now = begins
        self.completed: datetime | None = None
        self.delay = Delay()
        self.due = next_open(begins, self.calendar)
        self.sent: list[datetime] = []

    @rule(step=st.timedeltas(timedelta(), timedelta(days=4)))
    def time_passes(self, step: timedelta) -> None:
        self.now += step

    @rule(step=st.timedeltas(timedelta(), timedelta(days=2)))
    def the_clock_was_ahead(self, step: timedelta) -> None:
        """It is set back: what was due is not due any more, and nothing of it is caught up later."""
        self.now -= step

    @rule()
    def it_is_due(self) -> None:
        self.now = max(self.now, self.due)

    @rule(
        delay=st.one_of(
            st.timedeltas(timedelta(), timedelta(days=6)).map(Delay),
            st.integers(1, 6).map(lambda number: Delay(business_days=number)),
        )
    )
    def a_process_claims(self, delay: Delay) -> None:
        """Sends where the stage is due and the window open, else puts it off until it opens."""
        if self.now < self.due:
            return
        opening = next_open(self.now, self.calendar)
        if opening > self.now:
            self.due = opening
            return
        self._judge(self.now)
        self.sent.append(self.now)
        self.completed, self.delay = self.now, delay
        self.due = due_after(self.now, delay, self.calendar)

    def _judge(self, moment: datetime) -> None:
        """Inside the window, and no sooner after what really happened than the delay says."""
        assert self._is_open(moment)
        if self.completed is None:
            return
        assert moment >= self.completed + self.delay.elapsed
        if self.delay.business_days:
            first, last = self._local(self.completed).date(), self._local(moment).date()
            passed = sum(self._is_business_day(first + DAY * n) for n in range(1, (last - first).days + 1))
            assert passed >= self.delay.business_days

    @invariant()
    def what_is_due_is_open(self) -> None:
        if not hasattr(self, "due"):
            return
        assert self._is_open(self.due) or self.due - self.now > timedelta(days=300)
        if self.completed is not None:
            assert self.due >= self.completed

    @invariant()
    def a_later_moment_never_opens_earlier(self) -> None:
        """Monotone, and asking again changes nothing."""
        if not hasattr(self, "now"):
            return
        opens = [next_open(self.now + MINUTE * 37 * n, self.calendar) for n in range(8)]
        assert opens == sorted(opens)
        assert [next_open(one, self.calendar) for one in opens] == opens

    @invariant()
    def nothing_open_is_left_out(self) -> None:
        """The first open minute, not a later one: found by looking at every quarter of an hour for two days."""
        if not hasattr(self, "now"):
            return
        opening = next_open(self.now, self.calendar)
        quarter = self.now.replace(minute=self.now.minute // 15 * 15, second=0, microsecond=0) + MINUTE * 15
        for number in range(192):
            moment = quarter + MINUTE * 15 * number
            if moment >= opening:
                return
            assert not self._is_open(moment) or self._is_swallowed(moment), (moment, opening)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def _is_business_day(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days and day not in self.off

    def _is_open(self, moment: datetime) -> bool:
        """By the wall clock. Where the clocks jump within it, an edge of the window may lie in the jump."""
        local = self._local(moment)
        if not self._is_business_day(local.date()):
            return False
        return self.times[0] <= local.time().replace(fold=0) < self.times[1] or self._jumps(local)

    def _is_swallowed(self, moment: datetime) -> bool:
        return self._jumps(self._local(moment))

    def _jumps(self, local: datetime) -> bool:
        """Whether the clocks change within a few hours."""
        near = [(local.astimezone(UTC) + timedelta(hours=n)).astimezone(self.zone).utcoffset() for n in (-3, 3)]
        return near[0] != near[1]


TestSchedules = Schedules.TestCase
TestSchedules.settings = how(max_examples=60, stateful_step_count=25, deadline=None)
