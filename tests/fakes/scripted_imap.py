"""An IMAP server that says exactly what a test tells it to say, also what no sane server would.

A script is an async function that gets a ``Peer``:

    async def script(peer):
        await peer.welcome()
        tag = await peer.expect("UID SEARCH")
        peer.send(f"* SEARCH 1 2\\r\\n{tag} OK done\\r\\n")

    async with ScriptedImap(script) as server:
        ... connect to server.endpoint ...

A script that fails, fails the test when the server closes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType

from core.ports.mail import Endpoint, Tls

CAPABILITIES = "IMAP4rev1 SASL-IR IDLE"


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.heard: list[str] = []

    def send(self, data: str | bytes) -> None:
        """Writes it as it is, in one piece."""
        self._writer.write(data.encode() if isinstance(data, str) else data)

    async def send_bytewise(self, data: str | bytes) -> None:
        """Writes byte by byte, letting the client read each."""
        for byte in data.encode() if isinstance(data, str) else data:
            self._writer.write(bytes([byte]))
            await self._writer.drain()
            await asyncio.sleep(0)

    async def line(self) -> str:
        """The client's next line, without its end. Raises EOFError when it has gone."""
        raw = await self._reader.readuntil(b"\r\n")
        text = raw[:-2].decode()
        self.heard.append(text)
        return text

    async def literal(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def expect(self, command: str) -> str:
        """Reads a command that must begin so; returns its tag."""
        tag, _, rest = (await self.line()).partition(" ")
        assert rest.startswith(command), f"expected {command}, heard {rest}"
        return tag

    async def answer(self, command: str, reply: str = "") -> str:
        """Expects a command and completes it with OK, after ``reply``."""
        tag = await self.expect(command)
        self.send(f"{reply}{tag} OK done\r\n")
        return tag

    async def welcome(self, capabilities: str = CAPABILITIES) -> None:
        """Greets, accepts the login and tells the capabilities before and after."""
        self.send(f"* OK [CAPABILITY {capabilities}] ready\r\n")
        await self.answer("LOGIN")
        await self.answer("CAPABILITY", f"* CAPABILITY {capabilities}\r\n")
        if "CONDSTORE" in capabilities and "ENABLE" in capabilities:
            await self.answer("ENABLE CONDSTORE")

    async def open_folder(self, exists: int = 3, uidnext: int = 4, uidvalidity: int = 9) -> None:
        await self.answer(
            "SELECT",
            f"* {exists} EXISTS\r\n* OK [UIDVALIDITY {uidvalidity}] valid\r\n* OK [UIDNEXT {uidnext}] next\r\n",
        )

    async def until_closed(self) -> None:
        """Stays silent until the client goes."""
        while await self._reader.read(65_536):
            pass

    def drop(self) -> None:
        """Cuts the connection without a word."""
        self._writer.transport.abort()

    def hang_up(self) -> None:
        """Closes after what was written has gone out."""
        self._writer.close()


Script = Callable[[Peer], Awaitable[None]]


class ScriptedImap:
    """Plays one script per connection on a free loopback port."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script, self._tls = script, tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self.peers: list[Peer] = []

    async def __aenter__(self) -> ScriptedImap:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
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

    @property
    def heard(self) -> list[str]:
        """Every line that any client sent."""
        return [line for peer in self.peers for line in peer.heard]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        try:
            await self._script(peer)
            await peer.until_closed()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over: that is for the test to judge
        except AssertionError as failure:
            self._failures.append(failure)
            peer.drop()
        finally:
            writer.close()
