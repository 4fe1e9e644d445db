"""Limits through random histories: several mailboxes and processes, clock steps, mails given back, hosts that complain.

Everything that went is remembered with its true moment and judged anew, by rules written down here a second time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.domain.account import Mailbox
from core.domain.delivery import Delivery
from core.domain.limits import utc_day
from core.domain.preflight import Refuse, Throttle
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import LearnedCap
from core.services.limits import LimitKeeper, give_back
from tests.fakes.limits import Desk, due_mail
from tests.stores import make_campaign, make_mailbox

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CAMPAIGNS = {name: make_campaign(name, name=name) for name in ("c1", "c2")}
BOXES = (
    make_mailbox("mb1", address="rita@agency.test"),
    make_mailbox("mb2", address="omar@agency.test", provider="microsoft"),
    make_mailbox("mb3", address="ola@partner.test", provider="google"),
)
COMPANIES = ("initech.example", "hooli.example", "gmail.com")
BEGINS = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # the night before Europe's clocks go forward
    datetime(2026, 10, 24, 20, tzinfo=UTC),  # and back
    datetime(2026, 9, 1, 9, tzinfo=UTC),
)
STEPS = st.one_of(
    st.timedeltas(timedelta(), timedelta(seconds=20)),
    st.timedeltas(timedelta(), timedelta(hours=3)),
    st.sampled_from([DAY, DAY - timedelta(minutes=15), timedelta(days=2), timedelta(days=16), timedelta(minutes=-40)]),
)


@dataclass(frozen=True)
class Went:
    """A mail that was allowed, and the caps that stood at that moment."""

    at: datetime
    mailbox: Mailbox
    campaign: str
    company: str
    stage: int
    learned: int | None
    delivery: Delivery


class LimitHistories(RuleBasedStateMachine):
    """Each rule is something that happens to a workspace; the invariant judges the newest mails."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(BOXES)
        self.went: list[Went] = []
        self.fresh: list[Went] = []
        self.processes = [LimitKeeper(), LimitKeeper()]

    @initialize(
        begins=st.sampled_from(BEGINS),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu"]),
        daily=st.integers(3, 30),
        mailbox=st.integers(2, 14),
        first=st.integers(1, 6),
        first_days=st.sampled_from([0, 2, 7]),
        minute=st.integers(1, 6),
        narrow=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    )
    def a_workspace_begins(
        self,
        begins: datetime,
        zone: str,
        daily: int,
        mailbox: int,
        first: int,
        first_days: int,
        minute: int,
        narrow: tuple[int, int],
    ) -> None:
        self.now = begins
        self.values: dict[str, Any] = {
            "workspace_zone": zone,
            "daily_email_limit": daily,
            "mailbox_daily": mailbox,
            "mailbox_first_daily": first,
            "mailbox_first_days": first_days,
            "provider_per_minute": [f"microsoft={minute}"],
            "provider_caps": ["google=4"],
            "company_daily": narrow[0],
            "first_mails_daily": narrow[1],
        }

    @rule(step=STEPS)
    def time_passes(self, step: timedelta) -> None:
        self.now += step

    @rule(off=st.sampled_from([timedelta(microseconds=-1), timedelta(), timedelta(seconds=1)]))
    def midnight_comes(self, off: timedelta) -> None:
        day = self.now
        while self._local(day) == self._local(self.now):
            day += timedelta(minutes=15) - (day - BEGINS[0]) % timedelta(minutes=15)
        self.now = max(self.now, day + off)

    @rule(box=st.sampled_from(BOXES), days=st.integers(1, 9), process=st.integers(0, 1))
    def a_mailbox_has_a_long_queue(self, box: Mailbox, days: int, process: int) -> None:
        """As many as may go, day after day, and a minute later again."""
        for _ in range(days):
            for step in (DAY, MINUTE):
                self.now += step
                queue = [(box, "c1", "gmail.com", 2)] * 12
                asyncio.run(self._claim(self.processes[process], queue))
                self.nothing_ever_was_above_a_limit()

    @rule(
        process=st.integers(0, 1),
        mails=st.lists(
            st.tuples(
                st.sampled_from(BOXES),
                st.sampled_from(sorted(CAMPAIGNS)),
                st.sampled_from(COMPANIES),
                st.integers(1, 2),
            ),
            min_size=1,
            max_size=12,
        ),
    )
    def a_process_claims(self, process: int, mails: list[tuple[Mailbox, str, str, int]]) -> None:
        asyncio.run(self._claim(self.processes[process], mails))

    async def _claim(self, keeper: LimitKeeper, mails: list[tuple[Mailbox, str, str, int]]) -> None:
        due = [
            due_mail(box, f"p{n}@{company}", campaign_id=campaign, stage=stage, claimed_at=self.now)
            for n, (box, campaign, company, stage) in enumerate(mails)
        ]
        lowered = await self.desk.holds.caps(self.now)
        allowance = await keeper.open(self.desk.uow, WorkspaceSettings(self.values), self.now, due, CAMPAIGNS)
        for one, (box, campaign, company, stage) in zip(due, mails, strict=True):
            recipient = one.delivery.recipient or ""
            verdict = allowance.ask(one, CAMPAIGNS[campaign], "email", recipient)
            if verdict is None:
                allowance.take(one, CAMPAIGNS[campaign], "email", recipient)
                cap = lowered[box.id].cap if box.id in lowered else None
                self.fresh.append(Went(self.now, box, campaign, company, stage, cap, one.delivery))
            elif isinstance(verdict, Throttle):
                assert verdict.until > self.now
            else:
                assert isinstance(verdict, Refuse)
        before = dict(self.desk.mailboxes.rests)
        await allowance.close(self.desk.uow)
        # An earlier rest may end at this very moment; one that was set now lasts.
        new = [until for box, until in self.desk.mailboxes.rests.items() if before.get(box) != until]
        assert all(until > self.now for until in new)

    @rule(which=st.integers(min_value=0))
    def a_mail_did_not_go_out(self, which: int) -> None:
        if self.went:
            back = self.went.pop(which % len(self.went))
            asyncio.run(give_back(self.desk.uow, [(back.delivery, back.mailbox)]))

    @rule(box=st.sampled_from(BOXES), cap=st.integers(1, 5), hours=st.integers(1, 30))
    def a_host_complains(self, box: Mailbox, cap: int, hours: int) -> None:
        until = self.now + timedelta(hours=hours)
        self.desk.holds.lowered[box.id] = LearnedCap(box.id, cap, self.now, until, "own_limit", "550 5.4.5")

    @invariant()
    def nothing_ever_was_above_a_limit(self) -> None:
        fresh, self.fresh = self.fresh, []
        self.went += fresh
        for one in fresh:
            self._judge(one)

    def _judge(self, one: Went) -> None:
        values, box = self.values, one.mailbox
        day = [other for other in self.went if one.at - DAY <= other.at <= one.at]
        own = [other for other in day if other.mailbox == box]
        assert len(own) <= values["mailbox_daily"]
        assert one.learned is None or len(own) <= one.learned
        assert box.provider != "google" or len(own) <= 4
        if box.provider == "microsoft":
            minute = [other for other in own if other.at >= one.at - MINUTE]
            assert len(minute) <= int(values["provider_per_minute"][0].partition("=")[2])
        colleagues = [other for other in day if _domain(other.mailbox) == _domain(box)]
        senders = sum(_domain(other) == _domain(box) for other in BOXES)
        if values["mailbox_first_days"]:
            floor = values["mailbox_first_daily"]
            assert len(own) <= self._may_grow_to(floor, lambda other: other.mailbox == box, one.at)
            everybody = self._may_grow_to(floor * senders, lambda other: _domain(other.mailbox) == _domain(box), one.at)
            assert len(colleagues) <= everybody
        if values["company_daily"] and one.company != "gmail.com":
            assert sum(other.company == one.company for other in day) <= values["company_daily"]
        if values["first_mails_daily"] and one.stage == 1:
            firsts = [other for other in day if other.campaign == one.campaign and other.stage == 1]
            assert len(firsts) <= values["first_mails_daily"]
        today = [other for other in self.went if self._local(other.at) == self._local(one.at)]
        assert len(today) <= values["daily_email_limit"]

    def _local(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.values["workspace_zone"])).date()

    def _may_grow_to(self, floor: int, of: Any, at: datetime) -> float:
        """A tenth more than the best of the seven sending days before, or what a new one may."""
        volumes: dict[datetime, int] = {}
        for other in self.went:
            if of(other) and utc_day(other.at) < utc_day(at):
                volumes[utc_day(other.at)] = volumes.get(utc_day(other.at), 0) + 1
        last = sorted(volumes)[-7:]
        return max(floor, 1.1 * max((volumes[day] for day in last), default=0))


def _domain(mailbox: Mailbox) -> str:
    return mailbox.address.partition("@")[2]


TestLimitHistories = LimitHistories.TestCase
TestLimitHistories.settings = how(max_examples=40, stateful_step_count=30, deadline=None)
