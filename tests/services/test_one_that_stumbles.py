"""Nobody waits for somebody else's trouble: check mails and searches for old mail go on in all other workspaces,
mailboxes and rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.account import Mailbox
from core.errors import UnreachableError
from core.ports.backfill import Backfill
from core.ports.mail import Credentials, SendReceipt
from core.ports.storage import Canary
from core.services.backfill import BackfillService
from core.services.canaries import CanaryService
from core.services.credentials import CredentialService
from core.services.submission import Submission
from core.workers.backfill import BackfillWorker
from core.workers.canaries import CanaryWorker
from tests.services.rig import SETTINGS, Rig
from tests.services.test_backfill import StoredCredentials
from tests.stores import NOW, make_mailbox

DEADLINE_S = 30.0
EVERY, PATIENCE = 3_600, 1_200
AWAY = UnreachableError("Connection timed out", layer="socket", host="dead.example")


class BugError(Exception):
    """What nobody thought of."""


class Post(Submission):
    """Notes what it sends; ``does`` says by the sender's id what happens instead."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.transport, CredentialService(rig.tools, {}))
        self.does: dict[str, Callable[[], Awaitable[None]]] = {}
        self.tried: list[str] = []
        self.sent: asyncio.Queue[str] = asyncio.Queue()

    async def credentials(self, mailbox: Mailbox, *, anew: bool = False) -> Credentials:
        return Credentials(mailbox.username, "secret")

    async def send(self, mailbox: Mailbox, credentials: Credentials, recipient: str, raw: bytes) -> SendReceipt:
        self.tried.append(mailbox.id)
        if mailbox.id in self.does:
            await self.does[mailbox.id]()
        self.sent.put_nowait(mailbox.id)
        return SendReceipt("250 2.0.0 Ok")

    def all_sent(self) -> list[str]:
        return sorted(self.sent.get_nowait() for _ in range(self.sent.qsize()))


async def stumbles() -> None:
    raise BugError


async def is_away() -> None:
    raise AWAY


@pytest.fixture
def post(rig: Rig) -> Post:
    return Post(rig)


def canaries(rig: Rig, post: Post) -> CanaryService:
    return CanaryService(rig.tools, post, rig.sync)


async def add(rig: Rig, *names: str, workspace: str = "T1", smtp_host: str = "smtp.agency.test") -> None:
    await rig.settings.seed(workspace, {**SETTINGS, "canary_every_s": EVERY, "canary_patience_s": PATIENCE})
    async with rig.store.write(workspace) as uow:
        for name in names:
            made = make_mailbox(name, workspace=workspace, address=f"{name}@agency.test", smtp_host=smtp_host)
            await uow.mailboxes.add(made)


@asynccontextmanager
async def running(loop: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.ensure_future(loop(stop))
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await task


# -- check mails


async def test_a_workspace_that_stumbles_stops_no_others_check_mails(rig: Rig) -> None:
    """Nor the loop itself."""
    looked = asyncio.Queue[str]()

    class Stumbling(CanaryService):
        async def run_once(self, workspace: str) -> float:
            looked.put_nowait(workspace)
            if workspace == "T1":
                raise BugError
            return 0.01

    worker = CanaryWorker(rig.store, Stumbling(rig.tools, Post(rig), rig.sync))
    async with running(worker.run):
        assert [await looked.get() for _ in range(4)] == ["T1", "T2"] * 2


async def test_a_check_mail_that_stumbles_stops_no_other(rig: Rig, post: Post) -> None:
    """It did not leave, so nobody waits for its echo."""
    await add(rig, "a", "b", "c")
    post.does["a"] = stumbles
    await canaries(rig, post).run_once("T1")
    assert post.all_sent() == ["b", "c"]
    async with rig.store.read("T1") as uow:
        overdue = await uow.canaries.overdue(NOW + timedelta(days=1))
    assert sorted(one.from_mailbox for one in overdue) == ["b", "c"]


async def test_a_server_that_does_not_answer_delays_nobody_elses_check_mails(rig: Rig, post: Post) -> None:
    """Of six mailboxes whose server only keeps the line, few are tried at a time."""
    slow, answers = [f"a{n}" for n in range(6)], asyncio.Event()
    await add(rig, *slow, smtp_host="dead.example")
    await add(rig, *(f"b{n}" for n in range(6)))

    async def waits() -> None:
        await answers.wait()

    post.does = dict.fromkeys(slow, waits)
    look = asyncio.create_task(canaries(rig, post).run_once("T1"))
    async with asyncio.timeout(DEADLINE_S):
        assert sorted([await post.sent.get() for _ in range(6)]) == [f"b{n}" for n in range(6)]
        answers.set()
        await look
    assert post.all_sent() == slow


async def test_a_server_that_is_away_is_not_asked_for_each_of_its_mailboxes(rig: Rig, post: Post) -> None:
    """The others stay due, and are sent once it is back."""
    names = [f"a{n}" for n in range(6)]
    await add(rig, *names)
    post.does = dict.fromkeys(names, is_away)
    service = canaries(rig, post)
    await service.run_once("T1")
    assert len(post.tried) == 2
    post.does = {}
    await service.run_once("T1")
    assert sorted(post.tried) == names


async def test_what_is_overdue_is_judged_before_anything_is_sent(rig: Rig, post: Post) -> None:
    """A verdict waits for no server."""
    await add(rig, "a", "b")
    async with rig.store.write("T1") as uow:
        await uow.canaries.add(Canary("c1", "a", "b", "1@agency.test", NOW - timedelta(seconds=2 * PATIENCE)))
    await rig.store.wait("sync:b", 0)
    judged = asyncio.Event()

    async def looks() -> None:
        if await rig.store.wait("sync:b", 0):
            judged.set()

    post.does["b"] = looks
    await canaries(rig, post).run_once("T1")
    assert judged.is_set()


async def test_a_verdict_that_stumbles_stops_no_other(rig: Rig, post: Post) -> None:
    await add(rig, "a", "b", "c")
    late = NOW - timedelta(seconds=3 * PATIENCE)
    async with rig.store.write("T1") as uow:
        for name, refreshed in (("b", NOW), ("c", None)):
            mailbox = await uow.mailboxes.get(name)
            assert mailbox is not None
            await uow.mailboxes.save(replace(mailbox, refreshed_at=refreshed))
        await uow.canaries.add(Canary("c1", "a", "b", "1@agency.test", late - timedelta(seconds=1)))
        await uow.canaries.add(Canary("c2", "b", "c", "2@agency.test", late))

    async def went_silent(workspace: str, mailbox_id: str, words: str) -> None:
        raise BugError

    rig.sync.went_silent = went_silent  # type: ignore[method-assign]
    await canaries(rig, post).run_once("T1")
    assert await rig.store.wait("sync:c", 0)
    assert post.all_sent() == ["a", "b", "c"]


# -- searches for old mail


class Searches(BackfillService):
    """Stumbles over one address."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.tools, rig.connector, StoredCredentials(rig.store), rig.sync.ingest)

    async def _look(self, mailbox: Mailbox, asked: Backfill) -> Backfill:
        if asked.key == "bad@work.example":
            raise BugError
        return asked


async def ask(rig: Rig, *addresses: str, workspace: str = "T1") -> None:
    async with rig.store.write(workspace) as uow:
        for address in addresses:
            await uow.backfills.ask(address, address, ["a"], rig.clock.now())


async def searched(rig: Rig, address: str) -> Backfill:
    async with rig.store.read("T1") as uow:
        (one,) = await uow.backfills.of([address])
    return one


async def test_a_search_that_stumbles_stops_no_other_and_counts_its_try(rig: Rig) -> None:
    """It comes later and later, and is given up in the end as any other."""
    await add(rig, "a")
    await ask(rig, "bad@work.example", "good@work.example")
    await Searches(rig).run_due("T1")
    assert (await searched(rig, "good@work.example")).done_at is not None
    bad = await searched(rig, "bad@work.example")
    assert (bad.tries, bad.not_before - rig.clock.now()) == (1, timedelta(minutes=2))
    for _ in range(47):
        rig.clock.pass_time(hours=1)
        await Searches(rig).run_due("T1")
    assert (await searched(rig, "bad@work.example")).done_at is not None
    async with rig.store.read("T1") as uow:
        assert "bad@work.example could not be looked for" in (await uow.sync_log.list("a"))[0].raw


async def test_a_workspace_that_stumbles_stops_no_others_searches(rig: Rig) -> None:
    looked = asyncio.Queue[str]()

    class Stumbling(Searches):
        async def run_due(self, workspace: str) -> int:
            looked.put_nowait(workspace)
            if workspace == "T1":
                raise BugError
            return 0

    async with running(BackfillWorker(rig.store, Stumbling(rig)).run):
        assert [await looked.get() for _ in range(2)] == ["T1", "T2"]
