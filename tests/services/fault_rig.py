"""The sync engine on a real database and a real connection to the fault server, session by session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from core.clock import SystemClock
from core.domain.message import InboundKind
from core.errors import MailError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector, ImapTimeouts
from core.mail.tls import make_tls_context
from core.ports.storage import Activity
from core.services.cards import CardWriter
from core.services.ingest import IngestService
from core.services.progress import Progress
from storage.sql_store import SqlStore
from tests.fakes.fault_imap import FaultImap
from tests.fakes.mail import FakeConnector
from tests.services.rig import ADA, Rig, email_of, make_sync

# A silent server costs one of these; everything else answers at once.
SHORT = ImapTimeouts(connect=0.2, login=0.2, command=0.2, fetch=0.2, close=0.1, poll=0.02)
PATIENT = ImapTimeouts(connect=10, login=10, command=10, fetch=20, close=0.3, poll=0.02)
SESSION = 20.0
MOST_SESSIONS = 60


@dataclass
class FaultRig:
    """Rita's mailbox on a server that breaks as told. ``endings`` are the errors of her sessions."""

    rig: Rig
    server: FaultImap
    mailbox: str = ""
    endings: list[MailError] = field(default_factory=list)

    @classmethod
    async def on(cls, store: SqlStore, server: FaultImap, timeouts: ImapTimeouts = PATIENT) -> FaultRig:
        rig = Rig.on(store)
        rig.provider.password = server.box.password
        dialler = Dialler(Resolver(SystemClock()), allow_private=True)
        connector = ImapConnector(dialler, make_tls_context(), timeouts=timeouts)
        progress = Progress(rig.tools, CardWriter(rig.tools))
        ingest = IngestService(rig.tools, progress, rig.outreach)
        rig.sync = make_sync(rig.tools, cast(FakeConnector, connector), rig.transport, ingest, rig.alerts)
        made = cls(rig, server)
        await rig.settings.seed(
            "T1", {"spacing_min_s": 0, "spacing_max_s": 0, "poll_sent_s": 0.2, "idle_renew_s": 1, "freshness_s": 3_600}
        )
        made.mailbox = await rig.connect(password=server.box.password, imap=server.endpoint)
        return made

    async def sync(self) -> None:
        """Sessions one after the other, as the worker holds them, until no fault is left and one has read all."""
        for _ in range(MOST_SESSIONS):
            if await self._session():
                return
            self.rig.clock.pass_time(seconds=30)
        raise AssertionError(f"no session came through: {[error.raw for error in self.endings[-5:]]}")

    async def _session(self) -> bool:
        """Whether it came to wait for news twice after the last fault; an error ends it and is judged."""
        server = self.server
        struck, waits = len(server.struck), server.passed["IDLE:waiting"]

        def is_read() -> bool:
            nonlocal struck, waits
            if len(server.struck) > struck:
                struck, waits = len(server.struck), server.passed["IDLE:waiting"]
            return server.passed["IDLE:waiting"] >= waits + 2

        session = asyncio.create_task(self.rig.sync.run("T1", self.mailbox))
        try:
            await self._until(lambda: session.done() or is_read())
        finally:
            session.cancel()
            (ended,) = await asyncio.gather(session, return_exceptions=True)
        if isinstance(ended, MailError):
            self.endings.append(ended)
            await self.rig.sync.failed("T1", self.mailbox, ended)
            return False
        if isinstance(ended, Exception):
            raise ended
        return True

    async def _until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SESSION):
                while not condition():
                    await self.rig.store.wait("test", 0.01)
        except TimeoutError:
            raise AssertionError(f"a session hangs; struck: {self.server.struck[-3:]}") from None

    async def stream(self, number: int = 1) -> list[Activity]:
        """Everything logged on a person's stream, oldest first."""
        return sorted((await self.rig.people.show(ADA, email_of(number))).activities, key=lambda one: one.at)

    async def logged(self, number: int = 1) -> list[str]:
        """Message-IDs on a person's stream, as often as they stand there."""
        return sorted(one.message_id or "" for one in await self.stream(number))

    async def replies(self, number: int = 1) -> int:
        return sum(one.kind == InboundKind.REPLY.value for one in await self.stream(number))
