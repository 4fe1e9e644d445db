"""Killed, or cancelled, at every await of the send path: each stage reaches its person once, or somebody is asked.

The path is walked once to count its steps. Then, for every step, a process of its own walks it anew and ends there as
SIGKILL ends it: nothing is closed, no ``finally`` runs, what was not committed is gone. A new process recovers.

A usual run takes some of the steps, others each time, and prints the first; RETHREAD_EVERY_AWAIT=1 takes them all.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import random
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.ports.mail import Credentials, Endpoint, SendReceipt
from core.ports.sms import SmsReceipt
from core.workers.supervisor import LEASE
from tests.fakes.mail import FakeProvider, FakeTransport
from tests.fakes.sms import FakeSms
from tests.fakes.turns import one_turn
from tests.services.rig import CAMPAIGN, RITA, Rig, email_of
from tests.stores import NOW, open_with_workspaces

PEOPLE = 1
CONTROL = 2
DIED = 9
EVERY = 9
MAILS = """\
name: Autumn
from: rita@agency.test
owner: U0RITA
stages:
  - subject: "{{first_name}}, a role"
    body: Hi {{first_name}}
  - delay: 90d
    body: Last try
"""
TEXTS = MAILS.replace('subject: "{{first_name}}, a role"', "kind: sms").replace("delay:", "kind: sms\n    delay:")
FILES = {"mail": MAILS, "text": TEXTS}
# What stands for sure after some hours: Sent tells of mails where the server files them, the provider's list of texts.
CERTAIN = [("mail", True), ("text", True)]
# A server that files nothing cannot be asked: what may have gone out waits for a person.
ASKED = [("mail", False)]


def number_of(person: int) -> str:
    return f"+44207946000{person}"


class Answering(FakeTransport):
    """A server that takes the mail, and whose answer is on its way for a moment."""

    def __init__(self, provider: FakeProvider, saves: Callable[[], None]) -> None:
        super().__init__(provider)
        self._saves = saves

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        await one_turn()
        receipt = await super().send(endpoint, credentials, sender=sender, recipients=recipients, raw=raw)
        self._saves()
        await one_turn()
        return receipt


class AnsweringSms(FakeSms):
    """The same for texts."""

    def __init__(self, now: Callable[[], datetime], saves: Callable[[], None]) -> None:
        super().__init__(now)
        self._saves = saves

    async def send(self, *, to: str, text: str, key: str) -> SmsReceipt:
        await one_turn()
        receipt = await super().send(to=to, text=text, key=key)
        self._saves()
        await one_turn()
        return receipt


@dataclass
class Steps:
    """Counts every suspension of every task; at the ``last`` one it calls ``end``."""

    last: int = sys.maxsize
    end: Callable[[], object] = lambda: None
    taken: int = 0

    def factory(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(self.walk(work), loop=loop, **options)
        task.add_done_callback(lambda _: work.close())  # where the task was cancelled before it began
        return task

    async def walk(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await _Walk(self, work)

    def step(self) -> None:
        self.taken += 1
        if self.taken == self.last:
            self.end()


@dataclass
class _Walk:
    """Runs a coroutine by hand, one suspension after the other."""

    steps: Steps
    work: Coroutine[Any, Any, Any]

    def __await__(self) -> Generator[Any, Any, Any]:
        thrown: BaseException | None = None
        while True:
            try:
                waits_for = self.work.send(None) if thrown is None else self.work.throw(thrown)
            except StopIteration as done:
                return done.value
            thrown = None
            self.steps.step()
            try:
                yield waits_for
            except BaseException as error:
                thrown = error


@dataclass
class World:
    """A campaign that is due; each walk begins at the same file. What the servers took survives whoever dies."""

    folder: Path
    kind: str
    files_sent: bool
    lives: Any = field(default_factory=itertools.count)

    @property
    def begun(self) -> Path:
        return self.folder / "begun.db"

    async def prepare(self, template: Path) -> None:
        shutil.copy(template, self.begun)
        async with await open_with_workspaces(_url(self.begun)) as store:
            rig = Rig.on(store)
            rig.provider.files_sent = self.files_sent
            await rig.open(undecided_policy="hold")
            lines = "".join(f"P{n},{email_of(n)},{number_of(n)}\n" for n in range(1, CONTROL + 1))
            await rig.people.import_csv(RITA, f"first_name,personal_email,phone\n{lines}".encode())
            await rig.campaigns.import_file(RITA, FILES[self.kind])
            await rig.campaigns.start(RITA, CAMPAIGN)
            await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(CONTROL)])
            await rig.send_due()  # what the server acknowledged and filed proves later that others are missing there
            await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(n) for n in range(1, PEOPLE + 1)])
            self._save(self.begun, rig)

    def fresh(self, name: str) -> Path:
        """The file and the servers as they were when the campaign was due."""
        path = self.folder / f"{name}.db"
        shutil.copy(self.begun, path)
        shutil.copy(self._taken(self.begun), self._taken(path))
        return path

    @asynccontextmanager
    async def process(self, path: Path, *, later: timedelta = timedelta()) -> AsyncIterator[Rig]:
        """A new process on the file, and the servers as they stand."""
        async with await open_with_workspaces(_url(path)) as store:
            rig = Rig.on(store)
            rig.clock.at = NOW + later
            rig.provider.files_sent = self.files_sent
            rig.sms = AnsweringSms(rig.clock.now, saves=lambda: self._save(path, rig))
            held = pickle.loads(self._taken(path).read_bytes())
            rig.provider.accepted, rig.provider.folders, rig.sms.taken = held
            rig.transport = Answering(rig.provider, saves=lambda: self._save(path, rig))
            life = next(self.lives)
            numbers = itertools.count()
            rig.tools = replace(rig.tools, new_id=lambda: f"life{life}-{os.getpid()}-{next(numbers)}")
            rig.restarted()
            yield rig

    def _taken(self, path: Path) -> Path:
        return path.with_suffix(".taken")

    def _save(self, path: Path, rig: Rig) -> None:
        part = path.with_suffix(".part")
        part.write_bytes(pickle.dumps((rig.provider.accepted, rig.provider.folders, rig.sms.taken)))
        part.rename(self._taken(path))

    def copies(self, rig: Rig, person: int) -> int:
        if self.kind == "text":
            return len(rig.sms.texts_to(number_of(person)))
        return sum(email_of(person).encode() in raw for raw in rig.provider.accepted)


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=[*CERTAIN, *ASKED], ids=["mail", "text", "mail-not-filed"])
def world(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> World:
    made = World(tmp_path, *request.param)
    asyncio.run(made.prepare(sqlite_template))
    return made


async def send_once(rig: Rig) -> None:
    """One turn of the sending worker."""
    outgoing = await rig.outreach.claim("T1", limit=50)
    await asyncio.gather(*(rig.outreach.deliver(one) for one in outgoing))


async def until_quiet(rig: Rig) -> None:
    """Hours later: what waited was looked up, and what was queued again has gone."""
    for _ in range(12):
        first = [(await rig.deliveries(person))[0].state.value for person in range(1, PEOPLE + 1)]
        if not {"queued", "sending", "unknown"} & set(first):
            return
        rig.clock.pass_time(minutes=20)
        await rig.undecided.settle_due("T1")
        if "queued" in first:
            await rig.read_mail()
            await send_once(rig)


async def judge(world: World, rig: Rig) -> None:
    """Once, or asked about; never twice, never forgotten."""
    asked = {card.facts["delivery_id"] for card in await rig.cards("uncertain:") if card.facts["state"] == "held"}
    for person in range(1, PEOPLE + 1):
        copies, (first, *later) = world.copies(rig, person), await rig.deliveries(person)
        assert copies <= 1
        if first.state.value == "held":
            assert first.id in asked
            assert (world.kind, world.files_sent) in ASKED
            assert not later
        else:
            assert (copies, first.state.value) == (1, "sent")
            assert [one.state.value for one in later] == ["queued"]


def chosen(reached: int) -> range:
    """The steps to end at."""
    if os.environ.get("RETHREAD_EVERY_AWAIT"):
        return range(1, reached + 1)
    first = random.SystemRandom().randint(1, EVERY)
    print(f"every {EVERY}th of {reached} awaits from the {first}th on")
    return range(first, reached + 1, EVERY)


def steps_of(world: World, turn: Callable[[Rig], Coroutine[Any, Any, None]]) -> int:
    """How often the path waits for something."""
    steps = Steps()

    async def walk() -> None:
        async with world.process(world.fresh("counted")) as rig:
            await counted(rig, steps, turn)

    asyncio.run(walk())
    return steps.taken


async def counted(rig: Rig, steps: Steps, turn: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
    asyncio.get_running_loop().set_task_factory(steps.factory)  # type: ignore[arg-type]
    try:
        await asyncio.create_task(turn(rig))
    finally:
        asyncio.get_running_loop().set_task_factory(None)


def test_killed_at_any_await_of_the_send_path(world: World) -> None:
    """I1, I2, I12: no stage twice, none lost, and what nobody can know is asked."""
    reached = steps_of(world, send_once)
    assert reached > 20
    for step in chosen(reached):
        path = world.fresh(f"killed{step}")
        assert _dies(world, path, step) == DIED, f"step {step}"
        asyncio.run(_next_life(world, path))


def _dies(world: World, path: Path, step: int) -> int:
    """The exit code of a process that ends at this step."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    with suppress(BaseException):
        asyncio.run(_life(world, path, step))
        code = 0
    os._exit(code)


async def _life(world: World, path: Path, step: int) -> None:
    async with world.process(path) as rig:
        await counted(rig, Steps(step, lambda: os._exit(DIED)), send_once)


async def _next_life(world: World, path: Path) -> None:
    async with world.process(path, later=timedelta(minutes=2)) as rig:
        await rig.outreach.recover("T1")
        await until_quiet(rig)
        await judge(world, rig)


def test_cancelled_at_any_await_of_the_send_path(world: World) -> None:
    """The process lives on: what its worker lost is found by the next look at leases."""
    reached = steps_of(world, send_once)
    for step in chosen(reached):
        asyncio.run(_cancelled(world, world.fresh(f"cancelled{step}"), step))


async def _cancelled(world: World, path: Path, step: int) -> None:
    async with world.process(path) as rig:
        with suppress(asyncio.CancelledError):
            await counted(rig, steps := Steps(step), lambda one: _cancelled_turn(one, steps))
        rig.clock.pass_time(minutes=2)
        await rig.outreach.recover("T1", claimed_before=rig.clock.now() - LEASE)
        await until_quiet(rig)
        await judge(world, rig)


async def _cancelled_turn(rig: Rig, steps: Steps) -> None:
    turn = asyncio.create_task(send_once(rig))
    steps.end = turn.cancel
    await turn
