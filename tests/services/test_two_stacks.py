"""Two processes of the product on one PostgreSQL, both sending from the same queue: never twice, and never above any
limit together. One of them dies with mails in hand, and the other finds them."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import Message
from email.parser import BytesHeaderParser

import pytest

from core.ports.mail import Credentials, Endpoint, SendReceipt
from core.workers.supervisor import LEASE
from tests.fakes.mail import FakeTransport
from tests.fakes.turns import one_turn
from tests.services.rig import CAMPAIGN, RITA, Rig, email_of
from tests.stores import open_with_workspaces

pytestmark = pytest.mark.postgres

PEOPLE = 45
QUIET = 10
SENDERS = ("rita@agency.test", "omar@agency.test", "ines@agency.test")
FILE = f"""\
name: Autumn
from: [{", ".join(SENDERS)}]
owner: U0RITA
stages:
  - subject: "{{{{first_name}}}}, a role"
    body: Hi {{{{first_name}}}}
  - delay: 1h
    body: Last try
"""


class Slow(FakeTransport):
    """Lets the other process have its turn while a mail is on the wire."""

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        await one_turn()
        receipt = await super().send(endpoint, credentials, sender=sender, recipients=recipients, raw=raw)
        await one_turn()
        return receipt


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[tuple[Rig, Rig]]:
    """One world, two stores, two of each service."""
    async with await open_with_workspaces(url) as one, await open_with_workspaces(url) as other:
        first, second = Rig.on(one), Rig.on(other)
        second.clock, second.provider, second.connector = first.clock, first.provider, first.connector
        first.transport = second.transport = Slow(first.provider)
        for name, rig in (("first", first), ("second", second)):
            numbers = itertools.count()
            ids = lambda name=name, numbers=numbers: f"{name}{next(numbers):05}"  # noqa: E731
            rig.tools = replace(rig.tools, clock=first.clock, new_id=ids)
            rig.restarted()
        yield first, second


def headers(rig: Rig) -> list[Message]:
    return [BytesHeaderParser().parsebytes(raw) for raw in rig.provider.accepted]


async def turn(rig: Rig) -> int:
    """A small claim, so that the two of them meet often."""
    outgoing = await rig.outreach.claim("T1", limit=7)
    await asyncio.gather(*(rig.outreach.deliver(one) for one in outgoing))
    return len(outgoing)


async def together(*rigs: Rig) -> int:
    """Until neither has found anything to send for some turns: a claim may also only find what must wait."""
    went = quiet = 0
    while quiet < QUIET:
        found = sum(await asyncio.gather(*map(turn, rigs)))
        went, quiet = went + found, 0 if found else quiet + 1
    return went


def nothing_twice(rig: Rig) -> None:
    mails = headers(rig)
    assert max(Counter(one["Message-ID"] for one in mails).values(), default=0) <= 1
    stages = Counter((one["To"], one["In-Reply-To"] is not None) for one in mails)
    assert max(stages.values(), default=0) <= 1


async def begin(rig: Rig, **limits: int) -> None:
    await rig.open(brake_mailbox_percent=0, brake_campaign_percent=0, **limits)
    for address in SENDERS[1:]:
        await rig.connect(address)
        await rig.read_mail(address)
    await rig.launch(PEOPLE, FILE)


async def test_together_they_stay_below_a_mailboxs_limit(postgres_url: str) -> None:
    """R112: what is above waits, and goes a day later."""
    async with two_processes(postgres_url) as (first, second):
        await begin(first, mailbox_daily=11)
        await together(first, second)
        counted = Counter(one["From"] for one in headers(first))
        assert sorted(counted.values()) == [11] * len(SENDERS)
        report = await first.campaigns.status(RITA, CAMPAIGN)
        waiting = Counter(one.reason_code for one in report.prospects if one.reason_code)
        assert waiting == {"mailbox_limit": PEOPLE - 11 * len(SENDERS)}
        first.clock.pass_time(hours=25)
        await together(first, second)
        assert len(headers(first)) - sum(counted.values()) == PEOPLE - 11 * len(SENDERS)
        nothing_twice(first)


async def test_together_they_stay_below_the_workspaces_limit(postgres_url: str) -> None:
    """R121..R124: what is above fails with Email Limit, and only a person's retry sends it."""
    async with two_processes(postgres_url) as (first, second):
        await begin(first, daily_email_limit=17)
        await together(first, second)
        assert len(headers(first)) == 17
        first.clock.pass_time(hours=25)
        await asyncio.gather(*map(first.read_mail, SENDERS))
        assert await together(first, second) == 17  # follow-ups alone: nobody has asked for the others yet
        nothing_twice(first)
        retried = await second.prospects.retry_all(RITA, CAMPAIGN, why="email_limit")
        assert retried.retried == PEOPLE - 17


async def test_one_dies_with_mails_in_hand_and_the_other_finds_them(postgres_url: str) -> None:
    """Whatever the dead one had claimed is looked up once its lease is over; nobody gets anything twice."""
    async with two_processes(postgres_url) as (first, second):
        await begin(first)
        dead = await first.outreach.claim("T1", limit=7)
        for number, one in enumerate(dead):
            if number % 2:
                first.provider.take(one.raw)  # type: ignore[union-attr]
        assert dead
        await together(second)
        assert await second.outreach.recover("T1", claimed_before=second.clock.now() - LEASE) == 0
        second.clock.at += LEASE + timedelta(seconds=1)
        assert await second.outreach.recover("T1", claimed_before=second.clock.now() - LEASE) == len(dead)
        for _ in range(4):
            second.clock.pass_time(minutes=16)
            await second.undecided.settle_due("T1")
        await asyncio.gather(*map(second.read_mail, SENDERS))
        await together(second)
        reached = {one["To"] for one in headers(second) if one["In-Reply-To"] is None}
        assert len(reached) == PEOPLE
        assert all(any(email_of(n) in to for to in reached) for n in range(1, PEOPLE + 1))
        nothing_twice(second)
