"""A submission server that answers each step as a test wants: refuses, drops, falls silent, or is slow.

    async with ScriptedSmtp({"RCPT": "550 5.1.1 no such user"}) as server:
        ... send to server.endpoint; server.messages holds what it took ...

Steps: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT (the end of the message), RSET, QUIT. A step's answer is a
text, DROP, SILENCE, an ``asyncio.Event`` to wait for before the usual answer, or a list of these, one per time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from enum import Enum
from types import TracebackType

from core.ports.mail import Endpoint, Tls


class Fault(Enum):
    DROP = "drop"
    SILENCE = "silence"


DROP, SILENCE = Fault.DROP, Fault.SILENCE
Answer = str | Fault | asyncio.Event
USUAL = {
    "CONNECT": "220 ready",
    "EHLO": "250-mail.agency.test\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN",
    "STARTTLS": "220 go on",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "DOT": "250 2.0.0 queued as 42",
    "RSET": "250 2.0.0 flushed",
    "QUIT": "221 2.0.0 bye",
}


class _GoneError(Exception):
    """The script drops the connection here."""


class ScriptedSmtp:
    """On a free loopback port. ``tls`` serves from the first byte, ``starttls`` is the context for STARTTLS."""

    def __init__(
        self,
        answers: Mapping[str, Answer | list[Answer]] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self._answers = {step: [answer] * 99 if not isinstance(answer, list) else list(answer)
                         for step, answer in (answers or {}).items()}  # fmt: skip
        self._tls, self._starttls = tls, starttls
        self._tasks: set[asyncio.Task[None]] = set()
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0
        self.at_dot = asyncio.Event()
        self.said_quit = asyncio.Event()

    async def __aenter__(self) -> ScriptedSmtp:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        kind = Tls.SSL if self._tls else Tls.STARTTLS if self._starttls else Tls.NONE
        self.endpoint = Endpoint("localhost", port, kind)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def heard(self, verb: str) -> int:
        """How many commands began with this verb."""
        return sum(command.upper().startswith(verb) for command in self.commands)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (_GoneError, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._answer("CONNECT", writer)
        while True:
            line = (await reader.readuntil(b"\r\n"))[:-2].decode()
            self.commands.append(line)
            verb = line.split(" ", 1)[0].upper()
            reply = await self._answer(verb if verb in USUAL else "AUTH", writer)
            if verb == "QUIT":
                self.said_quit.set()
                return
            if verb == "STARTTLS" and reply.startswith("220") and self._starttls:
                await writer.start_tls(self._starttls)
            if verb == "DATA" and reply.startswith("354"):
                message = await reader.readuntil(b"\r\n.\r\n")
                self.at_dot.set()
                self.messages.append(message[:-3])
                await self._answer("DOT", writer)

    async def _answer(self, step: str, writer: asyncio.StreamWriter) -> str:
        scripted = self._answers.get(step)
        answer = scripted.pop(0) if scripted else USUAL[step]
        if step == "EHLO" and self._starttls and not scripted and answer == USUAL["EHLO"]:
            answer = answer.replace("250-SIZE", "250-STARTTLS\r\n250-SIZE")
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = USUAL[step]
        if answer is DROP:
            raise _GoneError
        if answer is SILENCE:
            await asyncio.Event().wait()
        assert isinstance(answer, str)
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        return answer
