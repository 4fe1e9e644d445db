"""Were the promises kept? Judges a season by its journal, with every rule written down here a second time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.offices import AT_MICROSOFT, DAYS_OFF, DELAYS, KINDS, SETTINGS, WINDOWS, Person, Went
from tests.simulation.season import Season

_DAY = timedelta(days=1)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENDED = frozenset({"Complete", "Replied", "Bounced", "Spam", "Not Delivered", "Paused"})
_REASONED = frozenset({"Pending", "Bounced", "Spam", "Not Delivered"})


def faults(season: Season) -> list[str]:
    """Every broken promise in words; empty where all were kept."""
    journal = season.office.hosts.journal
    people = {one.email: one for one in season.office.people}
    mails = [one for one in journal if one.mailbox != "sms"]
    return [
        *_twice_or_left_out(season, people),
        *_outside_windows(journal, people),
        *_too_early(season, people),
        *_above_limits(mails, people),
        *_above_the_days_limit(mails, season.limits),
        *_above("texts in a day", [one for one in journal if one.mailbox == "sms"], _DAY, int(_setting("sms_daily"))),
    ]


def unexplained(season: Season) -> list[str]:
    """Who has not ended, or ended without a reason where one is due. What waits for a person says so."""
    emails = [one.email for one in season.office.people]
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(emails), 500):
        found |= season.office.statuses(emails[start : start + 500])
    assert len(found) == len(emails)
    return [
        f"{email} is {status} {why}".strip()
        for email, (status, why) in found.items()
        if status not in _ENDED or (status in _REASONED and not why)
    ]


def _setting(key: str) -> Any:
    return SETTINGS[key]


def _twice_or_left_out(season: Season, people: Mapping[str, Person]) -> Iterator[str]:
    arrived = [one for one in season.office.hosts.journal if one.arrived]
    ids = Counter(one.raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for one in arrived if one.raw)
    yield from (f"{one.decode()} arrived {count} times" for one, count in ids.items() if count > 1)
    stages: dict[str, list[int]] = defaultdict(list)
    for one in arrived:
        stages[one.email].append(one.stage)
    for email, order in stages.items():
        counted = Counter(order)
        for stage, count in counted.items():
            if count > 1 + season.came_back[email, stage]:
                yield f"{email} got stage {stage} {count} times"
        firsts = [stage for stage, kind in KINDS.items() if kind != "call" and stage <= max(order)]
        if [stage for stage in firsts if stage not in counted and (email, stage) not in season.skipped]:
            yield f"{email} got stages {order}"
        if not any(season.came_back[email, stage] for stage in counted) and order != sorted(order):
            yield f"{email} got stages in the order {order}"
        if max(order) == 6 and email not in season.done and (email, 5) not in season.skipped:
            yield f"{email} got stage 6 although nobody made the call"


def _outside_windows(journal: Iterable[Went], people: Mapping[str, Person]) -> Iterator[str]:
    for one in journal:
        person = people[one.email]
        local = one.at.astimezone(ZoneInfo(person.zone))
        days, start, end = WINDOWS[person.campaign]
        inside = time.fromisoformat(start) <= local.time() < time.fromisoformat(end)
        if not inside or not _is_open(local.date(), person) or _WEEK[local.weekday()] not in days:
            yield f"{one.email} got stage {one.stage} at {local}"


def _is_open(day: date, person: Person) -> bool:
    return _WEEK[day.weekday()] in WINDOWS[person.campaign][0] and day not in DAYS_OFF[person.campaign]


def _too_early(season: Season, people: Mapping[str, Person]) -> Iterator[str]:
    """The delay counts from what really happened, by the person's own clock."""
    reached: dict[tuple[str, int], list[datetime]] = defaultdict(list)
    for one in season.office.hosts.journal:
        if one.arrived:
            reached[one.email, one.stage].append(one.at)
    for email, moment in season.done.items():
        reached[email, 5].append(moment)
    for (email, stage), moments in reached.items():
        before = reached.get((email, stage - 1), [])
        if len(before) != 1 or len(moments) != 1 or (KINDS[stage] == "call"):
            continue
        earliest = _after(before[0], DELAYS[stage], people[email])
        if moments[0] < earliest:
            yield f"{email} got stage {stage} at {moments[0]}, not before {earliest}"


def _after(completed: datetime, delay: str, person: Person) -> datetime:
    if delay == "1d":
        return completed + _DAY
    local = completed.astimezone(ZoneInfo(person.zone))
    day, left = local.date(), int(delay.removesuffix("bd"))
    while left:
        day += _DAY
        left -= _is_open(day, person)
    return datetime.combine(day, local.time(), ZoneInfo(person.zone))


def _above_limits(mails: Sequence[Went], people: Mapping[str, Person]) -> Iterator[str]:
    by_mailbox, by_domain, by_company = (
        _grouped(mails, lambda one: one.mailbox),
        _grouped(mails, _domain),
        _grouped(mails, lambda one: one.email.partition("@")[2]),
    )
    for mailbox, own in by_mailbox.items():
        yield from _above(f"mails of {mailbox} in a day", own, _DAY, int(_setting("mailbox_daily")))
        yield from _too_close(mailbox, own)
        yield from _grew_too_fast(mailbox, own, int(_setting("mailbox_first_daily")))
    yield from _above("mails in a minute", by_mailbox.get(AT_MICROSOFT, []), timedelta(minutes=1), 1)
    for domain, together in by_domain.items():
        senders = len({one.mailbox for one in together})
        yield from _grew_too_fast(domain, together, int(_setting("mailbox_first_daily")) * max(senders, 2))
    for company, theirs in by_company.items():
        yield from _above(f"mails to {company} in a day", theirs, _DAY, int(_setting("company_daily")))
    firsts = _grouped((one for one in mails if one.stage == 1), lambda one: people[one.email].campaign)
    for campaign, first in firsts.items():
        yield from _above(f"first mails of {campaign}", first, _DAY, int(_setting("first_mails_daily")))


def _above_the_days_limit(mails: Sequence[Went], limits: Sequence[tuple[datetime, int]]) -> Iterator[str]:
    """The workspace's day begins at its own midnight; ``limits`` tells from when on each was in force."""
    zone, today = ZoneInfo(str(_setting("workspace_zone"))), Counter[date]()
    for one in mails:
        day = one.at.astimezone(zone).date()
        today[day] += 1
        limit = next(limit for since, limit in reversed(limits) if since <= one.at)
        if today[day] > limit:
            yield f"{today[day]} mails on {day} by {one.at}, not {limit}"


def _domain(one: Went) -> str:
    return one.mailbox.partition("@")[2]


def _grouped(mails: Iterable[Went], key: Callable[[Went], str]) -> dict[str, list[Went]]:
    found: dict[str, list[Went]] = defaultdict(list)
    for one in mails:
        found[key(one)].append(one)
    return found


def _above(what: str, went: Sequence[Went], length: timedelta, cap: int) -> Iterator[str]:
    """Every window that ends with one of them."""
    moments = [one.at for one in went]
    for number, moment in enumerate(moments):
        inside = number + 1 - bisect_left(moments, moment - length)
        if inside > cap:
            yield f"{inside} {what}, by {moment}"


def _too_close(mailbox: str, own: Sequence[Went]) -> Iterator[str]:
    for before, after in pairwise(own):
        if after.at - before.at < timedelta(seconds=float(_setting("spacing_min_s"))):
            yield f"{mailbox} sent at {before.at} and at {after.at}"


def _grew_too_fast(who: str, own: Sequence[Went], floor: int) -> Iterator[str]:
    """On no day more than a tenth above the best of the seven sending days before, or what a new one may."""
    volumes = Counter(one.at.date() for one in own)
    days = sorted(volumes)
    for number, day in enumerate(days):
        best = max((volumes[one] for one in days[max(0, number - 7) : number]), default=0)
        if volumes[day] > max(floor, 1.1 * best):
            yield f"{who} sent {volumes[day]} on {day} after {best}"
