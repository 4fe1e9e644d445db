"""Two engines and a bot on one PostgreSQL, each a process of its own: every mailbox is read by one of them, and where
that one is gone the other takes over. Judged by ``campaign_checker`` and by the connections that the mail host sees."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.campaign_checker import faults
from tests.journeys.process import HISTORY_SCOPES, QUICK, Product, Stage, stage, until
from tests.journeys.test_crash import CAMPAIGN, RITA, Driver, campaign_file, people_file

pytestmark = pytest.mark.postgres

OMAR = "omar@agency.test"
MAILBOXES = (RITA, OMAR)
PEOPLE = [f"p{number:02}@many.example" for number in range(24)]
STAGES = 2
# While nobody reads a mailbox its follow-ups go on for so long, in the belief that no answer has come.
FRESHNESS_S = 5
GRACE = FRESHNESS_S + 2.0
# A lease of a minute, looked at every twenty seconds, and the time to connect.
TAKEN_OVER_WITHIN = 120.0
# Whoever stands by asks again every twenty seconds: sooner than that it was woken.
HANDED_OVER_WITHIN = 15.0


@dataclass
class Office:
    """The processes on one database, and the world around them."""

    around: Stage
    first: Product
    second: Product

    def logins(self, address: str) -> int:
        return sum(1 for one in self.around.host.logins if (one.protocol, one.address) == ("imap", address))

    async def read_by_one(self) -> None:
        """Each mailbox has one connection, and IDLE stands on it."""
        for address in MAILBOXES:
            await self.around.host.wait_idle(address, timeout=60)
            assert self.around.host.connection_count(address) == 1

    async def others_turn(self, before: dict[str, int], *, within: float) -> float:
        """Seconds until every mailbox was logged in to anew."""
        began, host = time.monotonic(), self.around.host

        def all_anew() -> bool:
            return all(self.logins(address) > before[address] for address in MAILBOXES)

        await host.wait_until(all_anew, timeout=within)
        return time.monotonic() - began

    def counted(self) -> dict[str, int]:
        return {address: self.logins(address) for address in MAILBOXES}


@asynccontextmanager
async def office(folder: Path, url: str) -> AsyncIterator[Office]:
    """``migrate`` was run; a bot and two engines serve; both mailboxes are green and read by the first engine, because
    the second came later."""
    async with stage(folder, database_url=url, more_scopes=HISTORY_SCOPES) as around, AsyncExitStack() as ends:
        product = around.product
        bot = ends.enter_context(product.beside("bot", "bot"))
        first, second = (ends.enter_context(product.beside(name, "engine")) for name in ("first", "second"))
        for one in (bot, first, second):
            ends.push_async_callback(one.kill)
        await product.ask("migrate")
        await bot.start()
        await product.settings(**QUICK, freshness_s=str(FRESHNESS_S))
        await first.start()
        await around.connect(RITA, "U0RITA")
        await around.connect(OMAR, "U0OMAR")
        for address in MAILBOXES:
            await around.green(address)
        await second.start()
        yield Office(around, first, second)


async def launch(around: Stage) -> Driver:
    """A campaign of two stages for everybody, a quarter of whom will answer."""
    product = around.product
    csv = product.file("people.csv", people_file(PEOPLE))
    await product.ask("campaign", "import", product.file("campaign.yml", campaign_file(STAGES, "8s")))
    await product.ask("campaign", "enroll", CAMPAIGN, "--people", csv)
    turns = ("live", "dead", "end")
    answering = {address: (turns[number % 3], 1) for number, address in enumerate(PEOPLE[:6])}
    driver = Driver(around, random.Random(7), PEOPLE, STAGES, answering=answering, cutting=set())
    await product.ask("campaign", "start", CAMPAIGN)
    return driver


async def settled(driver: Driver) -> None:
    """Everybody has ended, every answer has its two cards, and no promise was broken."""

    async def ended() -> bool:
        await driver.answer("end", GRACE)
        if driver.untold() or driver.answering or driver.unwritten():
            return False
        prospects = await driver.around.product.prospects(CAMPAIGN)
        return all(one["status"] in ("Complete", "Replied") for one in prospects.values())

    await until(ended, "everybody has ended", within=120)
    found = faults(driver.evidence(await driver.around.product.prospects(CAMPAIGN)))
    assert not found, found


async def test_where_one_engine_dies_the_other_reads_and_sends_on(tmp_path: Path, postgres_url: str) -> None:
    """Killed in the middle of a campaign: nothing goes twice, no answer is lost, every stage goes once. After a
    clean end nobody waits for a lease to run out."""
    async with office(tmp_path, postgres_url) as one:
        await one.read_by_one()
        assert [await engine.metric("imap_connected") for engine in (one.first, one.second)] == [2, 0]
        driver = await launch(one.around)
        await driver.more_mails(8, within=20)
        await driver.answer("live", GRACE)
        before = one.counted()
        await one.first.kill()
        await driver.answer("dead", GRACE)
        taken = await one.others_turn(before, within=TAKEN_OVER_WITHIN)
        await settled(driver)
        await one.read_by_one()

        await one.first.start()
        await one.read_by_one()
        before = one.counted()
        began = time.monotonic()
        ending = asyncio.create_task(one.second.terminate())
        await one.others_turn(before, within=60)
        handed = time.monotonic() - began
        code, _ = await ending
        await one.read_by_one()
        print(f"taken over after {taken:.1f} s, handed over after {handed:.1f} s, {len(driver.replies)} answers")
        assert code == 0, one.second.log
        assert handed < HANDED_OVER_WITHIN
