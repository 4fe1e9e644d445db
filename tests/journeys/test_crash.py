"""Killed at any moment of a running campaign, again and again: nobody is mailed twice, nobody is left out, no reply
is overlooked, every card stands once. Judged by ``campaign_checker``, which knows nothing of the product's inside.

``RETHREAD_CRASH_SEED`` repeats a run; the seed of each run is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.mail.accounts import MailHostConfig
from sandbox.mail.ledger import Accepted
from tests.journeys.campaign_checker import Card, Evidence, Reply, faults, stage_of
from tests.journeys.process import HISTORY_SCOPES, QUICK, Stage, key_of, pause, stage, until, words_of

pytestmark = pytest.mark.crash

CAMPAIGN = "Platform engineers"
RITA = "rita@agency.test"
AWAY = "maya.lind@candidates.example"
# From the server's acceptance back to its arrival in the inbox and to the worker: what was claimed by then may cross.
LIVE_GRACE = 4.0
DOWN_GRACE = 1.0
SETTLED_WITHIN = 300.0


def campaign_file(stages: int, delay: str) -> str:
    first = '  - kind: email\n    subject: "{{first_name}}, a role"\n    body: "[stage 1] Hi {{first_name}}"\n'
    later = f'  - kind: email\n    delay: {delay}\n    body: "[stage %d] Did you see my note?"\n'
    more = "".join(later % number for number in range(2, stages + 1))
    return f"name: {CAMPAIGN}\nfrom: {RITA}\nowner: U0RITA\nstages:\n{first}{more}"


def people_file(addresses: Sequence[str]) -> str:
    rows = [f"Person{number},Last{number},{address}" for number, address in enumerate(addresses)]
    return "\n".join(["first_name,last_name,personal_email", *rows, ""])


@dataclass
class Driver:
    """Plays the candidates and pulls the plug. ``answering`` still have to answer: while the product lives or while it
    is dead, and which stage."""

    around: Stage
    chance: random.Random
    addresses: list[str]
    stages: int
    answering: dict[str, tuple[str, int]]
    cutting: set[str]
    replies: list[Reply] = field(default_factory=list)
    kills: int = 0

    @property
    def accepted(self) -> list[Accepted]:
        return self.around.host.accepted

    def latest(self, address: str) -> Accepted | None:
        return next((one for one in reversed(self.accepted) if address in one.rcpts), None)

    async def answer(self, when: str, grace: float) -> None:
        """Lets those answer whose turn it is and who have got the mail they wait for."""
        for address, (turn, wanted) in list(self.answering.items()):
            mail = self.latest(address)
            if when in (turn, "end") and mail is not None and stage_of(mail) >= wanted:
                del self.answering[address]
                await self.around.host.reply(address, mail, "Yes, tell me more.")
                self.replies.append(Reply(address, time.time(), stage_of(mail), grace))

    def mend_cut_lines(self) -> None:
        """Who lost a mail once gets the next one: the line is cut for the first try only."""
        for one in self.around.host.rejected:
            if one.reply == "connection cut" and one.rcpt in self.cutting:
                self.cutting.discard(one.rcpt)
                self.around.host.refuse(one.rcpt, "none")

    async def more_mails(self, number: int, *, within: float) -> None:
        """Waits until so many more mails were accepted, or until the seconds are over."""
        goal = len(self.accepted) + number
        with contextlib.suppress(TimeoutError):
            await self.around.host.wait_until(lambda: len(self.accepted) >= goal, timeout=within)

    async def live_until_killed(self) -> None:
        """One life: from the start until SIGKILL, in the middle of sending or at any other moment."""
        product, burst = self.around.product, self.chance.randint(1, 25)
        if self.chance.random() < 0.3:  # blindly: while starting, recovering, waiting or sending
            await product.launch()
            await pause(self.chance.uniform(0.1, 3.0))
        else:
            await product.start()
            await self.more_mails(burst, within=2)
            await self.answer("live", LIVE_GRACE)
            await pause(self.chance.uniform(0, 0.2))
        await product.kill()
        self.kills += 1
        await pause(0.2)  # what the dead process left in the socket is taken now
        self.mend_cut_lines()
        await self.answer("dead", DOWN_GRACE)

    async def settle(self) -> dict[str, dict[str, Any]]:
        """The last life: until nobody waits for anything and every reply has its cards."""
        product = self.around.product
        self.mend_cut_lines()
        await product.start()
        await self.answer("end", LIVE_GRACE)

        async def settled() -> Any:
            self.mend_cut_lines()
            await self.answer("end", LIVE_GRACE)
            if self.untold() or self.answering or self.unwritten():
                return None
            prospects = await product.prospects(CAMPAIGN)
            open_ones.update({address: row["status"] for address, row in prospects.items() if not _ended(row)})
            return prospects if all(map(_ended, prospects.values())) else None

        open_ones: dict[str, str] = {}
        try:
            found: dict[str, dict[str, Any]] = await until(settled, "everybody has ended", within=SETTLED_WITHIN)
        except AssertionError as error:
            error.add_note(f"without card: {self.untold()}; still to answer: {self.answering}")
            error.add_note(f"without the last mail: {self.unwritten()}; were open: {open_ones}")
            raise
        code, seconds = await product.terminate()
        assert code == 0, f"serve ended with {code}"
        assert seconds < 25
        return found

    def untold(self) -> list[str]:
        """Who answered and has not both cards yet."""
        cards = self.cards()
        return [one.address for one in self.replies if sum(one.address in card.words for card in cards) < 2]

    def unwritten(self) -> list[str]:
        """Who neither answered nor has the last stage: asking the product whether they have ended can wait."""
        reached = {address: stage_of(mail) for mail in self.accepted for address in mail.rcpts}
        answered = {one.address for one in self.replies}
        return [one for one in self.addresses if one not in answered and reached.get(one, 0) < self.stages]

    def cards(self) -> list[Card]:
        slack = self.around.slack
        return [
            Card(channel, key_of(one), words_of(one))
            for channel in list(slack.workspace.channels)
            for one in slack.messages(channel)
            if key_of(one)
        ]

    def evidence(self, prospects: dict[str, dict[str, Any]]) -> Evidence:
        host, files = self.around.host, self.around.host.account(RITA).files_sent
        return Evidence(
            stages=self.stages,
            enrolled=self.addresses,
            accepted=self.accepted,
            filed=[one.message_id for one in host.messages(RITA, "Sent")] if files else None,
            prospects=prospects,
            replies=self.replies,
            cards=self.cards(),
            reply_channels=["C0REPLIES", self.around.slack.direct_message("U0RITA")],
        )

    def told(self) -> str:
        """The figures of a run."""
        found = sum(int(line["count"]) for line in log_lines(self.around.product.log, "undecided_found"))
        starts = self.around.product.startups
        return (
            f"{self.kills} kills survived, {len(self.accepted)} mails, {found} sends found undecided, "
            f"{len(self.replies)} replies, start to ready {min(starts):.2f} to {max(starts):.2f} s"
        )


def _ended(row: dict[str, Any]) -> bool:
    return row["status"] in ("Complete", "Replied")


def log_lines(log: str, action: str) -> list[dict[str, Any]]:
    """The JSON lines of a log that tell of an action."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{") and action in line]
    return [line for line in lines if line.get("action") == action]


def new_seed() -> int:
    return int(os.environ.get("RETHREAD_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))


@contextlib.asynccontextmanager
async def campaign(
    folder: Path, *, people: int, stages: int, delay: str, files_sent: bool = True, database_url: str | None = None
) -> AsyncIterator[Driver]:
    """A green mailbox and a campaign that was started a moment ago; the product is still running."""
    chance = random.Random(seed := new_seed())
    print(f"seed {seed}")
    addresses = [AWAY, *(f"p{number:03}@many.example" for number in range(1, people))]
    config = MailHostConfig(files_sent=files_sent)
    async with stage(folder, host=config, database_url=database_url, more_scopes=HISTORY_SCOPES) as around:
        product = around.product
        try:
            await product.start()
            await product.settings(**QUICK)
            await around.connect()
            await around.green()
            csv = product.file("people.csv", people_file(addresses))
            await product.ask("campaign", "import", product.file("campaign.yml", campaign_file(stages, delay)))
            enrolled = await product.ask("campaign", "enroll", CAMPAIGN, "--people", csv)
            assert enrolled == {"enrolled": people, "skipped": []}
            await around.host.switch(AWAY, "ooo", "I am away until Monday.")
            yield Driver(around, chance, addresses, stages, answering={}, cutting=set())
        except BaseException as error:
            error.add_note(f"RETHREAD_CRASH_SEED={seed} repeats this run")
            raise


async def survive(driver: Driver, *, kills: int, replies: int, cuts: int) -> None:
    """Kills, answers, cut lines; then the checker's judgement."""
    chance, host = driver.chance, driver.around.host
    chosen = chance.sample(driver.addresses[1:], replies + 2 * cuts)
    turns = (("dead", 1), ("live", 1), ("dead", 2), ("dead", 1), ("live", 2))  # most answer while the process is down
    driver.answering = {address: turns[number % len(turns)] for number, address in enumerate(chosen[:replies])}
    for address in chosen[replies : replies + cuts]:
        host.refuse(address, "drop")
    driver.cutting = set(chosen[replies + cuts :])
    for address in driver.cutting:
        host.refuse(address, "drop_before")
    await driver.around.product.ask("campaign", "start", CAMPAIGN)
    await host.wait_accepted(timeout=60)
    await driver.around.product.kill()
    driver.kills += 1
    while driver.kills < kills:
        await driver.live_until_killed()
    prospects = await driver.settle()
    print(driver.told())
    assert not faults(driver.evidence(prospects))
    assert len(driver.replies) == replies


async def test_twenty_kills_of_a_campaign_of_two_hundred(tmp_path: Path) -> None:
    """SIGKILL at random moments, answers that come while the process is dead, lost answers, an out-of-office."""
    async with campaign(tmp_path, people=200, stages=3, delay="3s") as driver:
        await survive(driver, kills=20, replies=12, cuts=3)


@pytest.mark.postgres
async def test_five_kills_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same promises where the database is a server that outlives the process."""
    async with campaign(tmp_path, people=40, stages=3, delay="3s", database_url=postgres_url) as driver:
        await survive(driver, kills=5, replies=5, cuts=2)


async def test_where_nothing_is_filed_a_person_settles_each_undecided_stage_once(tmp_path: Path) -> None:
    """Absence from Sent proves nothing then: every undecided stage stands held with one card, until its button."""
    async with campaign(tmp_path, people=12, stages=2, delay="2s", files_sent=False) as driver:
        around, product = driver.around, driver.around.product
        driver.around.host.refuse(driver.addresses[1], "drop")
        await product.ask("campaign", "start", CAMPAIGN)
        await around.host.wait_accepted(timeout=60)
        await product.kill()
        for _ in range(2):
            await product.start()
            await driver.more_mails(driver.chance.randint(2, 6), within=3)
            await product.kill()
        await product.start()
        pressed = await settle_by_hand(driver)
        code, _ = await product.terminate()
        assert code == 0
        uncertain = [one.key for one in driver.cards() if one.key.startswith("uncertain:")]
        print(f"{len(pressed)} undecided stages settled by hand")
        assert pressed
        assert sorted(uncertain) == sorted(pressed)
        assert not faults(driver.evidence({address: {"status": "Complete"} for address in driver.addresses}))


async def settle_by_hand(driver: Driver) -> set[str]:
    """Rita looks at each card as it comes and presses the truth, until everybody is Complete; the cards' keys."""
    around, seen, open_ones = driver.around, dict[str, str](), list[dict[str, Any]]()

    async def done() -> bool:
        nonlocal open_ones
        asked = [(key_of(one), words_of(one)) for one in around.slack.messages("C0REPLIES")]
        if driver.unwritten() and all("uncertain.was_sent" not in face or seen.get(key) == face for key, face in asked):
            return False
        held = await around.product.ask("email-log", "--campaign", CAMPAIGN, "--status", "Uncertain")
        ids = {f"uncertain:{row['id']}": row["message_id"] for row in held}
        for message in around.slack.messages("C0REPLIES"):
            key, face = key_of(message), words_of(message)
            if key not in ids or seen.get(key) == face or "uncertain.was_sent" not in face:
                continue
            went = any(one.message_id.strip("<>") == ids[key] for one in driver.accepted)
            action = "uncertain.was_sent" if went else "uncertain.send_again"
            await around.slack.click("U0RITA", "C0REPLIES", message.ts, action)
            seen[key] = face
        prospects = await around.product.prospects(CAMPAIGN)
        open_ones = [row for row in prospects.values() if row["status"] != "Complete"]
        return not open_ones

    try:
        await until(done, "everybody is Complete", within=SETTLED_WITHIN)
    except AssertionError as error:
        error.add_note(f"pressed {len(seen)}; still open: {open_ones}")
        raise
    return set(seen)


async def test_a_card_being_posted_when_the_process_dies_stands_once(tmp_path: Path) -> None:
    """Slack shows the message and nobody is left to hear of it: the next process finds it by its key."""
    async with campaign(tmp_path, people=2, stages=1, delay="1s") as driver:
        around = driver.around
        around.host.refuse(driver.addresses[1], "reject")
        held = around.slack.hold("chat.postMessage")
        await around.product.ask("campaign", "start", CAMPAIGN)
        async with asyncio.timeout(60):
            await held.arrived.wait()
        await around.product.kill()
        held.release()
        posted = await around.slack.wait_message("C0REPLIES", lambda one: bool(key_of(one)))
        await around.product.start()

        async def updated() -> bool:
            return any(one.error is None for one in around.slack.journal.calls("chat.update"))

        await until(updated, "the card is found and shown anew")
        assert [one.key for one in driver.cards() if one.channel == "C0REPLIES"] == [key_of(posted)]
        assert len(around.slack.journal.calls("chat.postMessage")) == 1


async def test_a_card_whose_answer_was_lost_stands_once(tmp_path: Path) -> None:
    """Slack took the message and its answer got lost: it is found by its key, not posted again."""
    async with campaign(tmp_path, people=2, stages=1, delay="1s") as driver:
        around = driver.around
        around.host.refuse(driver.addresses[1], "reject")
        around.slack.fail_next("chat.postMessage", "lost")
        await around.product.ask("campaign", "start", CAMPAIGN)

        async def found() -> bool:
            return any(one.error is None for one in around.slack.journal.calls("conversations.history"))

        await until(found, "the product looks for its card")
        await around.host.switch(AWAY, "ooo", None)
        around.host.refuse(driver.addresses[1], "none")
        await around.product.ask("prospect", "retry", CAMPAIGN, driver.addresses[1])
        await around.slack.wait_message("C0REPLIES", lambda one: "retry" in words_of(one).lower())
        standing = [one.key for one in driver.cards() if one.channel == "C0REPLIES"]
        assert len(standing) == 1
        assert len(around.slack.journal.calls("chat.postMessage")) == 1
