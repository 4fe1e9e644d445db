"""How many mails may go: rolling windows, the ramp of a new sender, the day of a workspace, brakes. Pure.

Mails are counted in spans of time. A window sees every span of which any moment lies within it, so that what is
allowed by the count is allowed for every window of that length, wherever it begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from core.domain.address import domain_of

Spans = Mapping[datetime, int]
"""Mails by the beginning of the span in which they went."""

DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)

RAMP_DAYS: Final = 7
"""Sending days whose highest volume today's may grow from."""
PAUSE: Final = timedelta(days=14)
"""After a longer pause a sender counts as new (a jump after silence looks like an account that was taken over)."""
LOOK_BACK: Final = timedelta(days=45)
"""How far back days of sending are looked at: more than the longest run of days off between seven of them."""

FREE_MAIL: Final = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com icloud.com me.com
    mac.com gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com
    rambler.ru proton.me protonmail.com tutanota.com fastmail.com zoho.com qq.com 163.com 126.com yahoo.co.uk
    yahoo.co.jp yahoo.co.in yahoo.fr yahoo.de hotmail.co.uk hotmail.fr outlook.de live.co.uk btinternet.com sky.com
    comcast.net verizon.net att.net sbcglobal.net cox.net orange.fr wanadoo.fr free.fr laposte.net libero.it virgilio.it
    telenet.be ziggo.nl kpnmail.nl bluewin.ch seznam.cz wp.pl o2.pl onet.pl interia.pl uol.com.br naver.com daum.net
    """.split()
)
"""Domains of many people who have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time, and the width of the spans by which mails in it are counted."""

    length: timedelta
    width: timedelta

    def span(self, moment: datetime) -> datetime:
        """The beginning of the span that a moment lies in."""
        return moment - (moment - _EPOCH) % self.width

    def since(self, now: datetime) -> datetime:
        """The beginning of the first span of which a moment lies in the window that ends now."""
        return self.span(now - self.length)

    def used(self, spans: Spans, now: datetime) -> int:
        """Mails of the window that ends now. Spans that begin later count too: the clock may have been set back."""
        first = self.since(now)
        return sum(count for begin, count in spans.items() if begin >= first)

    def next_free(self, spans: Spans, now: datetime, cap: int) -> datetime:
        """The first moment at which fewer than ``cap`` (from 1) mails lie in the window, if none go before."""
        left = self.used(spans, now)
        first = self.since(now)
        moment = now
        for begin in sorted(begin for begin, count in spans.items() if begin >= first and count):
            if left < cap:
                break
            left -= spans[begin]
            moment = max(now, begin + self.width + self.length)
        return moment


DAILY: Final = Window(DAY, timedelta(minutes=15))
MINUTE: Final = Window(timedelta(seconds=60), timedelta(seconds=5))


def day_begins(now: datetime, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) of the workspace's day. Where a change of clocks skips or repeats midnight, it is the
    moment of the change, or the first midnight."""
    return _midnight(now.astimezone(zone).date(), zone)


def next_day_begins(now: datetime, zone: ZoneInfo) -> datetime:
    """When the workspace's next day begins (UTC); 23 to 25 hours after this one."""
    return _midnight(now.astimezone(zone).date() + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def used_today(spans: Spans, now: datetime, zone: ZoneInfo) -> int:
    """Mails since the workspace's midnight. Every zone in use begins its days on a quarter of an hour of UTC, so that
    spans of that width never lie across midnight."""
    first = DAILY.span(day_begins(now, zone))
    return sum(count for begin, count in spans.items() if begin >= first)


def utc_day(moment: datetime) -> datetime:
    """The beginning of the day by which a sender's volume is counted: UTC, so that all days have 24 hours and a day
    never holds more than a window of 24 hours may."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a sender's volume grows (R184). ``floor`` a new one's mails in 24 hours, ``target`` the most of all,
    ``percent`` the growth from one day to the next, ``first_days`` days without growth (0: no warming up)."""

    floor: int
    target: int
    percent: int
    first_days: int

    def cap(self, days: Spans, now: datetime) -> int:
        """Mails in 24 hours today, from the volumes of days before (by ``utc_day``)."""
        if self.first_days == 0:
            return self.target
        floor, run = min(self.floor, self.target), _run_of(days, utc_day(now))
        if not run or utc_day(now) - run[0] < timedelta(days=self.first_days):
            return floor
        highest = max(days[day] for day in run[-RAMP_DAYS:])
        return min(self.target, max(floor, highest * (100 + self.percent) // 100))

    def times(self, senders: int) -> Ramp:
        """The same for so many senders together."""
        return Ramp(self.floor * senders, self.target * senders, self.percent, self.first_days)


def _run_of(days: Spans, today: datetime) -> list[datetime]:
    """Sending days before today without a long pause in between, oldest first; none where the last is too long ago."""
    run: list[datetime] = []
    next_day = today
    for day in sorted((day for day, count in days.items() if count > 0 and day < today), reverse=True):
        if next_day - day > PAUSE:
            break
        run.append(day)
        next_day = day
    return run[::-1]


def company_of(address: str, further_free: Collection[str] = ()) -> str | None:
    """The domain by which a recipient's company is known; None for free mail, which is no company's."""
    domain = domain_of(address)
    return None if not domain or domain in FREE_MAIL or domain in further_free else domain


@lru_cache(maxsize=4_096)
def sending_domain(address: str) -> str | None:
    """The domain whose reputation a mailbox shares with its colleagues; None for free mail."""
    return company_of(address)


def bounces_too_much(sent: int, bounced: int, *, percent: float, sample: int) -> bool:
    """Whether the brake is due: a share of bounces from ``percent`` (0: never) over at least ``sample`` mails."""
    return percent > 0 and sent >= sample and bounced * 100 >= percent * sent and bounced > 0


def total(spans: Spans) -> int:
    return sum(spans.values())
