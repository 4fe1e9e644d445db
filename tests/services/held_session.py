"""A session that waits for news, with the news in the test's hands; and what people see of its mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.domain.account import Mailbox
from core.domain.folder_sync import FolderState
from core.ports.mail import MailboxEvent
from tests.services.rig import ADA, Rig, email_of

RITAS = "rita@agency.test"
DEADLINE = 30.0


@dataclass
class HeldSession:
    """``looked`` comes back when the session waits again."""

    rig: Rig
    task: asyncio.Task[None]
    _seen: int = 0

    async def looked(self) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.rig.provider.paces) <= self._seen:
                if self.task.done():
                    self.task.result()
                    raise AssertionError("the session ended by itself")
                await self.rig.store.wait("test", 0.01)
        self._seen = len(self.rig.provider.paces)

    async def push(self, event: MailboxEvent = MailboxEvent.CHANGED, *, after_s: float = 0) -> None:
        """The server pushes, or with RENEW the wait ends; comes back when all was read that followed."""
        self.let_go(event, after_s=after_s)
        await self.looked()

    async def renew(self, after_s: float = 120) -> None:
        await self.push(MailboxEvent.RENEW, after_s=after_s)

    def let_go(self, event: MailboxEvent = MailboxEvent.RENEW, *, after_s: float = 0) -> None:
        self.rig.clock.pass_time(seconds=after_s)
        assert self.rig.provider.pushes is not None
        self.rig.provider.pushes.put_nowait(event)

    async def ended(self) -> None:
        """Raises what the session raised."""
        await asyncio.wait_for(self.task, DEADLINE)


@asynccontextmanager
async def held(rig: Rig, address: str = RITAS) -> AsyncIterator[HeldSession]:
    """A session that has read all and waits."""
    mailbox = await rig.mailboxes.find(ADA, address)
    rig.provider.pushes = asyncio.Queue()
    await rig.store.wait(f"sync:{mailbox.id}", 0)  # as the worker does: what woke it is answered by its beginning
    session = HeldSession(rig, asyncio.create_task(rig.sync.run("T1", mailbox.id)), len(rig.provider.paces))
    try:
        await session.looked()
        yield session
    finally:
        session.task.cancel()
        await asyncio.gather(session.task, return_exceptions=True)
        rig.provider.pushes = None


async def passes(seconds: float) -> None:
    """Time on the event loop's clock, for tests in which that is not the real one."""
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=seconds)


def written(number: int, sender: str = email_of(1), to: str = RITAS) -> bytes:
    """A mail that somebody wrote unasked."""
    lines = [
        *(f"From: {sender}", f"To: {to}", f"Subject: Hello {number}", f"Message-ID: <w{number}@candidates.example>"),
        *("Date: Tue, 01 Sep 2026 09:30:00 +0000", "", "Hi there.", ""),
    ]
    return "\r\n".join(lines).encode()


async def ritas(rig: Rig) -> Mailbox:
    return await rig.mailboxes.find(ADA, RITAS)


async def folder(rig: Rig, name: str) -> FolderState:
    async with rig.store.read("T1") as uow:
        return next(one for one in await uow.folders.list((await ritas(rig)).id) if one.name == name)


async def logged(rig: Rig, number: int = 1) -> list[str]:
    """Message-IDs on a person's stream, as often as they stand there."""
    return sorted(one.message_id or "" for one in (await rig.people.show(ADA, email_of(number))).activities)


async def log_lines(rig: Rig) -> list[str]:
    """The causes in the mailbox's log, oldest first."""
    return [one.cause for one in await rig.mailboxes.log(ADA, (await ritas(rig)).id, 100)][::-1]
