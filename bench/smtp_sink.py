"""An SMTP server that takes every mail and keeps none: a process of its own on a free port of loopback.

    with swallowing() as port: ...

It offers what submission servers offer (PIPELINING, 8BITMIME, SIZE, AUTH PLAIN) and does as little as it can, so that a
bench measures who sends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

_HELLO = b"250-sink.agency.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 52428800\r\n250 AUTH PLAIN\r\n"
_ANSWERS = {
    b"EHLO": _HELLO,
    b"HELO": b"250 sink.agency.test\r\n",
    b"AUTH": b"235 2.7.0 welcome\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
_OK = b"250 2.1.0 Ok\r\n"
_TAKEN = b"250 2.0.0 Ok: queued as SINK\r\n"


class _Session(asyncio.Protocol):
    """One connection: lines until DATA, then content until the dot."""

    def __init__(self) -> None:
        self._left = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.agency.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._left += data
        answers: list[bytes] = []
        while self._step(answers):
            pass
        if answers:
            self._transport.write(b"".join(answers))

    def _step(self, answers: list[bytes]) -> bool:
        """One line, or the whole content; False where more must come first."""
        end = b"\r\n.\r\n" if self._in_data else b"\r\n"
        part, found, rest = self._left.partition(end)
        if not found:
            return False
        self._left = rest
        if self._in_data:
            self._in_data = False
            answers.append(_TAKEN)
            return True
        verb = part[:4].upper()
        self._in_data = verb == b"DATA"
        answers.append(_ANSWERS.get(verb, _OK))
        return True


def _serve(told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Session, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def swallowing() -> Iterator[int]:
    """Gives the port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield int(here.recv())
    finally:
        process.terminate()
        process.join()
