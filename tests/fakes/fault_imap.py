"""An IMAP server with a mailbox of its own that behaves like a provider and breaks as told.

    async with FaultImap(GMAIL, faults=[Fault("FETCH:literal", Deed.DROP)]) as server:
        server.box["INBOX"].add(raw)
        ... connect to server.endpoint as server.credentials ...

Other than ``scripted_imap``, which plays one conversation, it answers whatever a client asks, as often as it comes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from core.ports.mail import Credentials, Endpoint, Tls
from tests.fakes.fault_imap_faults import Deed, Fault, Lies, Wire
from tests.fakes.fault_imap_model import HeldMailbox
from tests.fakes.fault_imap_profiles import DOVECOT, Profile
from tests.fakes.fault_imap_session import Session, SessionOverError


class FaultImap:
    """Listens on a free loopback port. ``passed`` counts how often each point was passed, ``heard`` keeps every line
    of every client but its secrets, ``struck`` the faults that came to pass."""

    def __init__(
        self,
        profile: Profile = DOVECOT,
        *,
        faults: Sequence[Fault] = (),
        lies: Lies | None = None,
        wire: Wire | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.profile, self.lies, self.wire = profile, lies or Lies(), wire or Wire()
        self.faults = list(faults)
        self.box = HeldMailbox(profile.folders)
        self.release = asyncio.Event()
        self.passed: Counter[str] = Counter()
        self.struck: list[Fault] = []
        self.heard: list[str] = []
        self.logged_in = 0
        self.connections = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.box.username, self.box.password)

    async def __aenter__(self) -> FaultImap:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls, limit=2**20)
        port = self._server.sockets[0].getsockname()[1]
        self.endpoint = Endpoint("localhost", port, Tls.SSL if self._tls else Tls.NONE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failures and error is None:
            raise self._failures[0]

    def pass_by(self, point: str) -> list[Fault]:
        """Counts one passing of a point; the faults that are due at it."""
        self.passed[point] += 1
        due = [fault for fault in self.faults if fault.at == point and fault.due(self.passed[point])]
        self.struck += due
        return due

    def owns(self, task: asyncio.Task[object]) -> bool:
        """Whether a task belongs to the server and not to the client under test."""
        return task in self._tasks

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        session = Session(self, reader, writer)
        try:
            await session.run()
        except (SessionOverError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client or the server has gone: that is for the test to judge
        except Exception as failure:  # a mistake of this server's own: the test fails with it
            self._failures.append(failure)
        finally:
            session.leave()
            writer.close()
            self._tasks.discard(task)


__all__ = ["Deed", "Fault", "FaultImap", "Lies", "Profile", "Wire"]
