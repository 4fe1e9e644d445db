"""When a campaign's mails will go at today's limits: how many each day, who waits, who fails (X4, X5, R216). Pure.

Reckoned in days of the workspace: each day follow-ups go before first mails, as the engine does; a mailbox sends what
its cap, its window and its spacing allow; over the workspace's limit mails fail and wait for a person (R123). Nobody is
assumed to answer, so the forecast is the most that can go, never less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from core.domain.campaign import Stage
from core.domain.schedule import Calendar, due_after, next_open

MOST_DAYS = 400
"""A campaign that takes longer than a year is told as one that does not end."""


@dataclass(frozen=True, slots=True)
class Group:
    """Prospects who will be treated alike. ``stage`` is the next one (from 1), due at ``due``; ``mailbox`` sends.

    ``waits`` and ``fails``: a person has to do something first, or it will fail when it is due.
    """

    count: int
    stage: int
    due: datetime
    mailbox: str
    calendar: Calendar
    waits: bool = False
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How a mailbox may send. ``caps`` are the mails of the first days, the last one holding from then on;
    ``spacing_s`` the mean rest between two."""

    caps: tuple[int, ...]
    spacing_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known: ``daily_left`` is what is left of the workspace's limit on the first day, ``daily`` its whole."""

    now: datetime
    stages: tuple[Stage, ...]
    groups: tuple[Group, ...]
    paces: Mapping[str, Pace]
    daily: int
    daily_left: int
    zone: Calendar


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of one stage, as the contract shows it. Waiting are those due by then that there was no room for."""

    date: date
    stage: int
    will_send: int
    will_wait: int
    will_fail: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """``stage_ends``: when the last person of a stage is reached; stages that nobody reaches are left out. ``by_hand``:
    how many people will come to a required call or task; they go no further until somebody has done it."""

    lines: tuple[DayLine, ...]
    stage_ends: Mapping[int, datetime]
    waiting: int
    failing: int
    unfinished: int
    by_hand: Mapping[int, int] = field(default_factory=dict)

    @property
    def ends(self) -> datetime | None:
        """When the last mail goes."""
        return max(self.stage_ends.values(), default=None)


class _Tally:
    """What happened on the days so far."""

    def __init__(self) -> None:
        self.sent = Counter[tuple[date, int]]()
        self.waiting = Counter[tuple[date, int]]()
        self.failed = Counter[tuple[date, int]]()
        self.ends: dict[int, datetime] = {}
        self.by_hand = Counter[int]()

    def lines(self) -> tuple[DayLine, ...]:
        keys = sorted(set(self.sent) | set(self.waiting) | set(self.failed))
        return tuple(DayLine(*key, self.sent[key], self.waiting[key], self.failed[key]) for key in keys)

    def reach(self, stage: int, at: datetime) -> None:
        self.ends[stage] = max(self.ends.get(stage, at), at)


def forecast(plan: Plan) -> Forecast:
    """The days of a campaign from now on."""
    tally = _Tally()
    queue = [group for group in plan.groups if group.count and not group.waits]
    waiting = sum(group.count for group in plan.groups if group.waits)
    day, number = plan.now.astimezone(plan.zone.zone).date(), 0
    while queue and number < MOST_DAYS:
        queue = _Day(plan, day, number, tally).run(queue)
        day, number = _next_day(queue, day, number, plan)
    return Forecast(
        lines=tally.lines(),
        stage_ends=tally.ends,
        waiting=waiting,
        failing=sum(tally.failed.values()),
        unfinished=sum(group.count for group in queue),
        by_hand=dict(tally.by_hand),
    )


def _next_day(queue: Sequence[Group], day: date, number: int, plan: Plan) -> tuple[date, int]:
    """The next day on which anything is due: a delay of weeks is not walked through day by day."""
    if not queue:
        return day, number + 1
    first = min(group.due for group in queue).astimezone(plan.zone.zone).date()
    ahead = max(1, (first - day).days)
    return day + timedelta(days=ahead), number + ahead


class _Day:
    """One day: the room that its mailboxes and the workspace have left."""

    def __init__(self, plan: Plan, day: date, number: int, tally: _Tally) -> None:
        zone = plan.zone.zone
        self._plan, self._day, self._tally = plan, day, tally
        self.end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        begin = max(plan.now, datetime.combine(day, time(), zone).astimezone(UTC))
        self._room = {name: _cap(pace, number) for name, pace in plan.paces.items()}
        self._clock = dict.fromkeys(plan.paces, begin)
        self._begin = begin
        self._left = plan.daily_left if number == 0 else plan.daily

    def run(self, queue: Sequence[Group]) -> list[Group]:
        """Sends what there is room for; returns what is left, and what comes of what went. A stage with a short delay
        may follow on the same day."""
        later: list[Group] = []
        work = list(queue)
        while work:
            due = [group for group in work if group.due < self.end]
            later.extend(group for group in work if group.due >= self.end)
            work = []
            for group in sorted(due, key=lambda one: (one.stage == 1, one.due, one.mailbox)):
                work.extend(self._one(group))
        return later

    def _one(self, group: Group) -> list[Group]:
        stage = self._plan.stages[group.stage - 1]
        opening = next_open(max(group.due, self._clock.get(group.mailbox, self._begin)), group.calendar)
        if opening >= self.end:
            return [replace(group, due=opening)]
        if group.fails:
            self._tally.failed[self._day, group.stage] += group.count
            return []
        if stage.required and stage.kind in ("call", "task"):
            self._tally.by_hand[group.stage] += group.count
            self._tally.waiting[self._day, group.stage] += group.count
            return []  # what follows is counted from when somebody has done it
        if stage.kind != "email":
            return self._gone(group, group.count, opening)
        return self._mailed(group, opening)

    def _mailed(self, group: Group, opening: datetime) -> list[Group]:
        pace = self._plan.paces.get(group.mailbox) or Pace((0,), 0)
        fits = self._fits(group, pace, opening)
        sent = min(fits, self._left)
        self._left -= sent
        self._room[group.mailbox] = self._room.get(group.mailbox, 0) - sent
        if sent:
            self._clock[group.mailbox] = opening + timedelta(seconds=pace.spacing_s * sent)
        if fits > sent:
            self._tally.failed[self._day, group.stage] += fits - sent
        waits = group.count - fits
        if waits:
            self._tally.waiting[self._day, group.stage] += waits
        left = [replace(group, due=self.end, count=waits)] if waits else []
        last = opening + timedelta(seconds=pace.spacing_s * max(0, sent - 1))
        return left + (self._gone(group, sent, last) if sent else [])

    def _fits(self, group: Group, pace: Pace, opening: datetime) -> int:
        """How many of a group the rest of the day has time and room for."""
        closing = min(self.end, _closing(opening, self.end, group.calendar))
        by_time = group.count
        if pace.spacing_s:
            by_time = int((closing - opening).total_seconds() / pace.spacing_s) + 1
        return max(0, min(group.count, self._room.get(group.mailbox, 0), by_time))

    def _gone(self, group: Group, count: int, last: datetime) -> list[Group]:
        self._tally.sent[self._day, group.stage] += count
        self._tally.reach(group.stage, last)
        if group.stage >= len(self._plan.stages):
            return []
        due = due_after(last, self._plan.stages[group.stage].delay, group.calendar)
        return [replace(group, count=count, stage=group.stage + 1, due=due)]


def _cap(pace: Pace, number: int) -> int:
    return pace.caps[min(number, len(pace.caps) - 1)] if pace.caps else 0


def _closing(opening: datetime, end: datetime, calendar: Calendar) -> datetime:
    window = calendar.window
    if window is None:
        return end
    local = opening.astimezone(calendar.zone)
    closing = datetime.combine(local.date(), window.end, calendar.zone).astimezone(UTC)
    return closing if closing > opening else end
