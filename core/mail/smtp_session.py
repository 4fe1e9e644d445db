"""The talk on a logged-in submission connection: commands in groups (RFC 2920), answers in order, message content.

aiosmtplib opens, secures and logs in; then this protocol takes its transport over. Its own reader holds one answer at
a time, so that each command costs a round trip and nobody can tell whether the content had been written when a
connection broke. Here a mail takes two round trips, and that moment is exact.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple, cast

import aiosmtplib

_LONGEST_ANSWER = 32_768
# The first digits that a client must tell apart (RFC 5321 4.2.1); anything else is no SMTP.
_ANSWER_LINE = re.compile(r"[2-5][0-9]{2}(?=[ -]|$)")


class Reply(NamedTuple):
    """One answer: its code, and its lines joined to one."""

    code: int
    text: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code <= 299

    @property
    def refused(self) -> bool:
        return self.code >= 400

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class SmtpSession(asyncio.Protocol):
    """One connection between login and QUIT, used by one task at a time.

    Silence past a deadline, nonsense and a cancellation close it: no answer could be told from another any more.
    ``begun`` says whether a transaction was begun that RSET must clear before the next. ``failure`` tells in words why
    the connection is gone.
    """

    def __init__(self, transport: asyncio.Transport, extensions: frozenset[str]) -> None:
        self.extensions = extensions
        self.begun = False
        self.failure = ""
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: list[Reply] = []
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None

    @classmethod
    def take_over(cls, client: aiosmtplib.SMTP) -> SmtpSession:
        """Continues what ``client`` opened; ``client`` is not to be used any more."""
        session = cls(cast(asyncio.Transport, client.transport), frozenset(client.esmtp_extensions))
        session._transport.set_protocol(session)
        if not client.is_connected:
            session._end("the server closed the connection")
        return session

    @property
    def is_usable(self) -> bool:
        """Whether it stands, and the server said nothing unasked: such text ("421 idle too long") announces an end."""
        return not self.failure and not self._transport.is_closing()

    async def ask(self, commands: Sequence[bytes], seconds: float) -> list[Reply]:
        """The answers in the commands' order, fewer where the connection ended or fell silent (see ``failure``).

        In one write where the server offers PIPELINING, else one by one up to the first refusal.
        """
        if "pipelining" in self.extensions:
            return await self._exchange(b"\r\n".join(commands) + b"\r\n", len(commands), seconds)
        replies: list[Reply] = []
        for command in commands:
            replies += await self._exchange(command + b"\r\n", 1, seconds)
            if self.failure or replies[-1].refused:
                break
        return replies

    async def hand_over(self, message: bytes, seconds: float) -> Reply | None:
        """Writes ``message`` (CRLF lines, the last one ended) and the final dot; None where no answer came."""
        replies = await self._exchange(_dots_stuffed(message) + b".\r\n", 1, seconds)
        return replies[0] if replies else None

    async def quit(self, seconds: float) -> None:
        """QUIT, and closes at the answer or after ``seconds``."""
        if self.is_usable:
            await self._exchange(b"QUIT\r\n", 1, seconds)
        self.close()

    def close(self) -> None:
        """At once: where DATA is under way, the server must drop what it has of the mail (RFC 5321 4.1.1.10)."""
        self._end("the connection was closed")
        self._transport.abort()

    async def _exchange(self, data: bytes, expected: int, seconds: float) -> list[Reply]:
        if not self.is_usable:
            self._end("the server closed the connection")
            return []
        self._replies, self._expected = [], expected
        self._transport.write(data)
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        deadline = loop.call_later(seconds, self._give_up, f"no answer within {seconds:g} s")
        try:
            await self._waiter
        except asyncio.CancelledError:
            self._give_up("the sending was cancelled")
            raise
        finally:
            deadline.cancel()
            self._waiter, self._expected = None, 0
        return self._replies[:expected]

    # Called by the event loop

    def data_received(self, data: bytes) -> None:
        if not self._expected:
            self._give_up("the server spoke unasked")
            return
        self._buffer += data
        try:
            self._read_lines()
        except ValueError as error:
            self._give_up(str(error))
        if len(self._replies) >= self._expected:
            self._wake()

    def eof_received(self) -> bool:
        self._end("the server closed the connection")
        return False  # closes the transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the server closed the connection")

    # Answers

    def _read_lines(self) -> None:
        whole, end, rest = self._buffer.rpartition(b"\n")
        if end:
            self._buffer = rest
            for line in whole.decode("utf-8", "replace").split("\n"):
                self._take(line.strip())
        if len(rest) + sum(map(len, self._lines)) > _LONGEST_ANSWER:
            raise ValueError("an answer without end")

    def _take(self, line: str) -> None:
        code = _ANSWER_LINE.match(line)
        if code is None:
            raise ValueError(f"not an SMTP answer: {line[:200]!r}")
        self._lines.append(line[4:])
        if line[3:4] != "-":
            self._replies.append(Reply(int(code[0]), " ".join(" ".join(self._lines).split())))
            self._lines.clear()
        if len(self._replies) > self._expected:
            raise ValueError("the server spoke unasked")

    def _give_up(self, why: str) -> None:
        """What comes next could be taken for the answer to something else."""
        self._end(why)
        self._transport.abort()

    def _end(self, why: str) -> None:
        self.failure = self.failure or why
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _dots_stuffed(message: bytes) -> bytes:
    """A dot is doubled where it begins a line (RFC 5321 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
