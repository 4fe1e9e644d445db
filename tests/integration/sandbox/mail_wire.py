"""Raw IMAP and SMTP for tests that look at what goes over the wire, word by word."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.mail import MailHost

WITHIN = 30.0


@dataclass
class Wire:
    """One connection, read and written line by line."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: str = ""

    async def line(self) -> str:
        """The next line without its end; empty once the server has closed."""
        async with asyncio.timeout(WITHIN):
            return (await self.reader.readline()).decode().rstrip("\r\n")

    def send(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())

    async def command(self, line: str) -> list[str]:
        """An IMAP command and every line of its answer, the tagged one last."""
        self.send(f"a1 {line}")
        told = [await self.line()]
        while not told[-1].startswith("a1 ") and told[-1]:
            told.append(await self.line())
        return told

    async def reply(self, line: str) -> str:
        """An SMTP command and its whole reply, lines parted by a line end."""
        self.send(line)
        told = [await self.line()]
        while told[-1][3:4] == "-":
            told.append(await self.line())
        return "\n".join(told)


@asynccontextmanager
async def wire(address: str, host: MailHost | None = None, name: str = "localhost") -> AsyncIterator[Wire]:
    """A connection with its greeting read; over TLS, checked for ``name``, where ``host`` is given."""
    at, _, port = address.rpartition(":")
    context = ssl.create_default_context(cafile=host.ca_file) if host else None
    reader, writer = await asyncio.open_connection(at, int(port), ssl=context, server_hostname=name if host else None)
    made = Wire(reader, writer)
    made.greeting = await made.line()
    yield made
    writer.transport.abort()


def xoauth2(address: str, token: str) -> str:
    """The client's XOAUTH2 response in base64."""
    return base64.b64encode(f"user={address}\1auth=Bearer {token}\1\1".encode()).decode()


def plain(address: str, password: str) -> str:
    """The client's PLAIN response in base64 (RFC 4616)."""
    return base64.b64encode(f"\0{address}\0{password}".encode()).decode()
