"""Forty-five days of two campaigns: the clock is turned from one thing that is due to the next, and people, candidates
and servers do what they do, drawn by a seed."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from core.domain.enrollment import ProspectEvent
from core.errors import RefusedError
from core.services.last_look import Departing, Outgoing
from tests.services.rig import answer, complaint, report
from tests.simulation.offices import ADA, BEGINS, CAMPAIGNS, ZONES, Office, Person, Went

DAYS = 45
_TURN = timedelta(seconds=45)
_RUNNING = ("Active", "Pending")
_QUEUED = "d.state = 'queued' AND d.waiting_for IS NULL"
_NEXT_DUE = (
    "SELECT min(max(d.due_at, coalesce(m.next_send_at, d.due_at))) FROM deliveries d "
    f"LEFT JOIN mailboxes m ON m.workspace = d.workspace AND m.id = d.mailbox_id WHERE {_QUEUED}"
)
_NEXT_LOOK = "SELECT min(next_check_at) FROM deliveries WHERE state = 'unknown'"
_DUE_MAILBOXES = (
    "SELECT DISTINCT m.address FROM deliveries d JOIN mailboxes m ON m.workspace = d.workspace AND m.id = d.mailbox_id "
    f"WHERE {_QUEUED} AND d.first_touch = 0 AND d.due_at <= ?"
)
_CALLS = (
    "SELECT d.id, a.address FROM deliveries d JOIN enrollments e ON e.workspace = d.workspace AND e.id = "
    "d.enrollment_id JOIN person_addresses a ON a.workspace = e.workspace AND a.person_id = e.person_id "
    "WHERE d.kind = 'call' AND d.state = 'queued' AND d.waiting_for = 'manual_stage'"
)

_STANDS_AT = (
    "SELECT e.stage FROM person_addresses a JOIN enrollments e ON e.workspace = a.workspace AND e.person_id = "
    "a.person_id WHERE a.address = ?"
)


def candidates(number: int) -> list[Person]:
    return [Person(n, CAMPAIGNS[n % 2], ZONES[n % len(ZONES)]) for n in range(1, number + 1)]


@dataclass
class Season:
    """``done`` holds when a call was settled by a person, ``came_back`` how often a stage was reported undelivered
    after it had gone, ``happened`` how often each thing happened, ``limits`` from when on the workspace's
    limit was what."""

    office: Office
    days: int = DAYS
    done: dict[str, datetime] = field(default_factory=dict)
    came_back: Counter[tuple[str, int]] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    limits: list[tuple[datetime, int]] = field(default_factory=lambda: [(BEGINS, 1_000)])
    skipped: set[tuple[str, int]] = field(default_factory=set)
    turns: int = 0
    _agenda: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _seen: int = 0
    _dying: bool = False

    def at(self, moment: datetime, what: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), what))

    async def run(self) -> None:
        """From the first mail to the last day."""
        await self.office.open()
        self._plan()
        await self.play_until(BEGINS + timedelta(days=self.days))

    async def play_until(self, end: datetime) -> None:
        """Everything that is due until then."""
        office = self.office
        while (moment := self._next()) is not None and moment < end:
            office.clock.at = max(moment, office.clock.at + _TURN)
            await self._turn()

    def _plan(self) -> None:
        """What people do, and when."""
        for hours in range(4, 24 * self.days, 8):
            self.at(BEGINS + timedelta(hours=hours), self._desk)
        for day, what in (
            *((3.3, self.crash), (8.2, self.crash), (17.3, self.crash), (24.25, self.crash)),
            *((4.1, self._pause_campaign), (4.6, self._start_campaign), (11.0, self._away), (12.5, self._back)),
            *((9.1, self._lower_limit), (10.2, self._raise_limit), (15.0, self._stop), (15.3, self._resume)),
            *((7.9, self._retry), (13.9, self._retry), (20.9, self._retry), (27.9, self._retry), (33.9, self._retry)),
        ):
            self.at(BEGINS + timedelta(days=day), what)

    def _next(self) -> datetime | None:
        rows = self.office.rows
        moments = [rows.moment(_NEXT_DUE), rows.moment(_NEXT_LOOK)]
        if self._agenda:
            moments.append(self._agenda[0][0])
        return min((moment for moment in moments if moment is not None), default=None)

    async def _turn(self) -> None:
        self.turns += 1
        office, now = self.office, self.office.clock.now()
        while self._agenda and self._agenda[0][0] <= now:
            await heapq.heappop(self._agenda)[2]()
        stale = now - timedelta(minutes=45)
        for (address,) in office.rows.ask(_DUE_MAILBOXES, now.strftime("%Y-%m-%d %H:%M:%S.%f")):
            if office.read_at[str(address)] < stale or str(address) not in office.read_at:
                await office.read(str(address))
        await office.undecided.settle_due("T1")
        outgoing = await office.outreach.claim("T1", limit=200)
        if self._dying and outgoing:
            await self._die(outgoing)
        else:
            await asyncio.gather(*(office.outreach.deliver(one) for one in outgoing))
        self._candidates_act()

    # -- candidates and servers

    def _candidates_act(self) -> None:
        """Whoever has just got a mail may answer it, be away, complain, or not exist any more."""
        went, self._seen = self.office.hosts.journal[self._seen :], len(self.office.hosts.journal)
        for one in went:
            if one.arrived and one.raw:
                self._react(one)

    def _react(self, one: Went) -> None:
        chance = self.office.chance
        draw, minutes = chance.random(), chance.uniform(5, 4_000)
        if draw < 0.06:
            self._arrives(one, minutes, "reply", answer(one.raw, sender=one.email, number=self._number()))
        elif draw < 0.11:
            away = answer(
                one.raw,
                sender=one.email,
                text=f"I am back on {(one.at + timedelta(days=6)).strftime('%-d %B')}.",
                headers=["Auto-Submitted: auto-replied"],
                number=self._number(),
            )
            self._arrives(one, 3, "out of office", away)
        elif draw < 0.125:
            self._arrives(one, min(minutes, 60), "bounce", report(one.raw, number=self._number()))
        elif draw < 0.14:
            full = report(one.raw, status="5.2.2", number=self._number())
            self._arrives(one, min(minutes, 60), "mailbox full", full)
        elif draw < 0.15:
            self._arrives(one, minutes, "complaint", complaint(one.raw))

    def _number(self) -> int:
        return next(self._order)

    def _arrives(self, one: Went, minutes: float, what: str, raw: bytes) -> None:
        async def arrive() -> None:
            now = self.office.clock.now()
            dated = raw.replace(b"Date: Tue, 01 Sep 2026 09:30:00 +0000", f"Date: {format_datetime(now)}".encode())
            own = dated.replace(b"To: rita@agency.test", f"To: {one.mailbox}".encode(), 1)
            own = own.replace(b"person1@candidates.example", one.email.encode())
            self.office.hosts.of(one.mailbox).arrive(
                own.replace(b"complaint-1@", f"complaint-{self._number()}@".encode())
            )
            self.happened[what] += 1
            if what in ("bounce", "mailbox full"):
                self.came_back[one.email, one.stage] += 1
            if self.office.chance.random() < 0.8:  # the rest is found by the next reading, before anything follows
                await self.office.read(one.mailbox)
            self._note([one.email])

        self.at(one.at + timedelta(minutes=minutes), arrive)

    def _note(self, emails: list[str]) -> None:
        """Whoever has stopped, as it is committed, must get nothing more."""
        for email, (status, why) in self.office.statuses(emails).items():
            if status in _RUNNING:
                self.office.hosts.stopped.pop(email, None)
            else:
                self.office.hosts.stopped[email] = f"{status} {why}"

    # -- people

    def _some(self, number: int) -> list[str]:
        people = self.office.people
        return [one.email for one in self.office.chance.sample(people, min(number, len(people)))]

    async def act(self, event: ProspectEvent, email: str, what: str) -> None:
        """Where it is legal."""
        campaign = next(one.campaign for one in self.office.people if one.email == email)
        ((stage,),) = self.office.rows.ask(_STANDS_AT, email)
        try:
            await self.office.prospects.act(ADA, event, campaign, email, confirmed=True)
        except RefusedError:
            return
        if event is ProspectEvent.SKIP:
            self.skipped.add((email, int(str(stage))))
        self.happened[what] += 1
        self._note([email])

    async def _desk(self) -> None:
        """What a recruiter does every few hours: calls, cards, pauses, the do-not-contact list."""
        share = max(1, len(self.office.people) // 250)
        await self.calls()
        await self.settle_cards()
        for email in self._some(share):
            await self.act(ProspectEvent.PAUSE, email, "pause")
        for email in [one for one, why in self.office.hosts.stopped.items() if why.startswith("Paused")][:share]:
            await self.act(ProspectEvent.UNPAUSE, email, "unpause")
        if self.office.chance.random() < 0.02 * share:
            (email,) = self._some(1)
            await self.office.blocks.add(ADA, [email])
            self.happened["blocked"] += 1
            self._note([email])
        if self.office.chance.random() < 0.03 * share:
            (email,) = self._some(1)
            await self.act(ProspectEvent.FINISH, email, "finish")
        for hold in await self.office.holds.list(ADA):
            if hold.code.endswith("_brake"):
                await self.office.holds.lift_brake(ADA, hold.kind, hold.key)
                self.happened["brake lifted"] += 1

    async def calls(self) -> None:
        """Calls are made, left out, or answered from the other side."""
        for delivery_id, email in self.office.rows.ask(_CALLS):
            draw = self.office.chance.random()
            if draw < 0.5:
                await self.office.tasks.done(ADA, str(delivery_id))
            elif draw < 0.56:
                await self.office.tasks.skip(ADA, str(delivery_id))
            elif draw < 0.58:
                await self.office.tasks.they(ADA, "called", str(delivery_id))
            else:
                continue
            self.done[str(email)] = self.office.clock.now()
            self.happened["call"] += 1
            self._note([str(email)])
        await self.office.manual.close_over("T1")
        await self.office.manual.remind_due("T1")
        await self.office.texts.ask_due("T1")

    async def settle_cards(self) -> None:
        """Rita looks whether the person has it, and says so."""
        async with self.office.store.read("T1") as uow:
            cards = await uow.outbox.keys_with_prefix("uncertain:")
            held = [card for card in cards if card.facts["state"] == "held"]
            deliveries = [await uow.deliveries.get(card.facts["delivery_id"]) for card in held]
        for card, delivery in zip(held, deliveries, strict=True):
            assert delivery is not None
            wanted = f"<{delivery.message_id}>".encode()
            is_out = any(one.arrived and wanted in one.raw for one in self.office.hosts.journal)
            decision, facts = "sent" if is_out else "resend", card.facts
            try:
                await self.office.prospects.settle(ADA, decision, facts["delivery_id"], facts["version"])
            except RefusedError:
                continue
            self.happened[f"settled: {decision}"] += 1

    async def crash(self) -> None:
        """As soon as mails are on the wire."""
        self._dying = True

    async def _die(self, outgoing: Sequence[Departing]) -> None:
        """The process dies with mails on the wire, some of which arrived."""
        office = self.office
        for one in outgoing:
            if isinstance(one, Outgoing):
                arrives = office.chance.random() < 0.5
                mailbox, stage = one.mailbox.address, one.delivery.stage
                office.hosts.hand_over(mailbox, one.recipient, stage, one.raw, arrives=arrives)
        self._dying = False
        self.happened["crash"] += 1
        office.begin_process()
        self.happened["found undecided"] += await office.outreach.recover("T1")

    async def _pause_campaign(self) -> None:
        await self.office.campaigns.pause(ADA, CAMPAIGNS[0])

    async def _start_campaign(self) -> None:
        await self.office.campaigns.start(ADA, CAMPAIGNS[0])

    async def _away(self) -> None:
        await self.office.holds.away(ADA, None)

    async def _back(self) -> None:
        await self.office.holds.back(ADA)

    async def _stop(self) -> None:
        await self.office.holds.stop_everything(ADA)

    async def _resume(self) -> None:
        await self.office.holds.resume_everything(ADA)

    async def _lower_limit(self) -> None:
        await self.limit(max(2, len(self.office.people) // 20))

    async def _raise_limit(self) -> None:
        await self.limit(1_000)
        await self._retry()

    async def limit(self, number: int) -> None:
        """The workspace's Daily Email Limit from now on."""
        await self.office.settings.set(ADA, "daily_email_limit", str(number))
        self.limits.append((self.office.clock.now(), number))

    async def _retry(self) -> None:
        """Everything that failed, confirmed where it was spam or bounced."""
        for name in CAMPAIGNS:
            retried = await self.office.prospects.retry_all(ADA, name, why="email_limit")
            self.happened["retried: limit"] += retried.retried
            full = await self.office.prospects.retry_all(ADA, name, why="mailbox_full")
            self.happened["retried: full"] += full.retried
        self._note([one.email for one in self.office.people if one.email in self.office.hosts.stopped][:900])
