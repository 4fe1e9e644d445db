"""What happened on the host, for tests and the page to wait on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.mail.message import ReadableMail

Found = TypeVar("Found")


@dataclass(frozen=True)
class Accepted(ReadableMail):
    """One SMTP transaction the host took responsibility for (RFC 5321 section 4.2.5).

    ``at`` is seconds since the epoch; ``answered`` is false where the connection was cut before the 250.
    """

    raw: bytes
    mail_from: str
    rcpts: tuple[str, ...]
    answered: bool = True
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One refusal during an SMTP transaction: at which command, of whom, with which reply."""

    stage: str
    mail_from: str
    rcpt: str
    reply: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One attempt to sign in; ``refused`` is the server's reply without its tag, empty when it let the client in."""

    protocol: str
    address: str
    refused: str
    at: float = field(default_factory=time.time)


class Ledger:
    """Keeps the records and wakes whoever waits for something to become true."""

    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.rejected: list[Rejected] = []
        self.logins: list[LoginAttempt] = []
        self._changed = asyncio.Event()

    def add(self, record: Accepted | Rejected | LoginAttempt) -> None:
        if isinstance(record, Accepted):
            self.accepted.append(record)
        elif isinstance(record, Rejected):
            self.rejected.append(record)
        else:
            self.logins.append(record)
        self.wake()

    def wake(self) -> None:
        """Makes every waiter look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, find: Callable[[], Found | None], timeout: float | None) -> Found:
        """Waits until ``find`` gives something, looking only when something changed.

        Raises:
            TimeoutError: nothing was found within ``timeout`` seconds (None: no limit).
        """
        async with asyncio.timeout(timeout):
            while (found := find()) is None:
                await self._changed.wait()
        return found
