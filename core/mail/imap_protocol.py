"""The IMAP wire: a layer over aioimaplib's protocol that keeps its commands, tags and transport.

What is replaced, and why (tests/integration/mail/test_imap_wire.py shows each case): lines are cut by a loop instead of
recursion; answers go to commands by tag and by what they are about instead of by order; a BYE or a lost connection
ends every waiting command at once; the XOAUTH2 challenge is answered and kept; nothing is formatted for a debug log
(tokens would stand in it); a hostile server meets limits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aioimaplib

from core.errors import ConnectionLostError, MailError, ServerRefusedError
from core.mail.imap_fetch import FetchRecord, is_fetch, read_fetch
from core.mail.imap_reader import CRLF, LimitExceededError, ReaderLimits, ResponseReader, ServerResponse

_TAGGED = re.compile(rb"([A-Z0-9]{1,20}) (OK|NO|BAD)(?: (.*))?\Z", re.DOTALL)
_COUNTED = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE|RECENT)\Z")
_CAPABILITY_CODE = re.compile(r"\[CAPABILITY ([^\]]*)\]", re.IGNORECASE)
_LONGEST_RAW = 1_000


@dataclass(frozen=True, slots=True)
class ProtocolLimits:
    """What a server may send before it counts as hostile: bytes, lines and bytes per command."""

    reader: ReaderLimits = field(default_factory=ReaderLimits)
    lines_per_command: int = 50_000
    bytes_per_command: int = 128 * 1024 * 1024


class ImapCommand(aioimaplib.Command):
    """A command with everything the server said while it ran."""

    def __init__(
        self,
        name: str,
        tag: str,
        *args: str,
        prefix: str | None = None,
        continuations: Sequence[bytes] = (),
        claims: Callable[[FetchRecord], bool] | None = None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(name, tag, *args, prefix=prefix, loop=loop)
        self.responses: list[bytes] = []
        self.records: list[FetchRecord] = []
        self.challenge = ""
        self.result = ""
        self.text = ""
        self.ready = asyncio.Event()  # the server asked for more, or the command ended
        self.claims = claims
        self.continuations = list(continuations)
        self.ending = False
        self.lines = 0
        self.bytes = 0

    def count(self, size: int, limits: ProtocolLimits) -> None:
        self.lines += 1
        self.bytes += size
        if self.lines > limits.lines_per_command:
            raise LimitExceededError(f"more than {limits.lines_per_command} lines to one command")
        if self.bytes > limits.bytes_per_command:
            raise LimitExceededError(f"more than {limits.bytes_per_command} bytes to one command")

    def finish(self, result: str, text: str) -> None:
        self.result, self.text = result, text
        self._event.set()
        self.ready.set()

    def fail(self, error: MailError) -> None:
        if not self._event.is_set():
            self._exception = error
            self._event.set()
            self.ready.set()

    @property
    def done(self) -> bool:
        return bool(self._event.is_set())

    @property
    def words(self) -> str:
        """The server's answer as it stood, without the tag."""
        return f"{self.result} {self.text}".strip()[:_LONGEST_RAW]


class ImapProtocol(aioimaplib.IMAP4ClientProtocol):
    """One connection; after any error it is of no further use. Only UID FETCH may be under way more than once."""

    def __init__(self, host: str, limits: ProtocolLimits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.host = host
        self.capabilities: frozenset[str] = frozenset()
        self.exists = 0
        self.expunged = 0
        self.arrived = 0
        self.changed = asyncio.Event()
        self.closed = asyncio.Event()
        self.greeting: asyncio.Future[str] = loop.create_future()
        self._limits = limits
        self._reader = ResponseReader(limits.reader)
        self._running: dict[str, ImapCommand] = {}
        self._unasked_lines = 0
        self._lost_because: str | None = None

    # The wire

    def data_received(self, data: bytes) -> None:
        try:
            for response in self._reader.feed(data):
                self._take(response)
        except LimitExceededError as error:
            self.break_off(f"the server sent {error}")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(str(exc) if exc else "the server closed the connection")
        self.closed.set()
        super().connection_lost(exc)

    def break_off(self, reason: str) -> None:
        """Ends the connection at once; every waiting command fails with this reason."""
        self._fail(reason)
        if self.transport is not None:
            self.transport.abort()

    def _fail(self, reason: str) -> None:
        if self._lost_because is None:
            self._lost_because = reason[:_LONGEST_RAW]
        running, self._running = self._running, {}
        for command in running.values():
            command.fail(self._lost(self._lost_because))
        self.changed.set()
        if not self.greeting.done():
            self.greeting.set_exception(self._lost(self._lost_because))
            self.greeting.exception()  # marks it as seen: nobody may be waiting for it

    def _lost(self, reason: str) -> ConnectionLostError:
        return ConnectionLostError(reason, layer="imap", host=self.host)

    # Commands

    def start(self, name: str, *args: str, **options: Any) -> ImapCommand:
        """Sends a command and does not wait. Raises ConnectionLostError; ValueError for control characters."""
        if self._lost_because is not None:
            raise self._lost(self._lost_because)
        command = ImapCommand(name, self.new_tag(), *args, loop=self.loop, **options)
        self._running[command.tag] = command
        self.send(str(command))
        return command

    async def finish(self, command: ImapCommand) -> ImapCommand:
        """Waits for the tagged answer. Raises ConnectionLostError; NO and BAD are results, not errors."""
        await command.wait()
        return command

    async def drain(self, *, except_for: str = "") -> None:
        """Waits until every command has ended that is under way (left behind by a cancellation, or pipelined)."""
        for command in list(self._running.values()):
            if command.name != except_for:
                self.end_idle(command)
                await command.wait()

    def forget_folder(self) -> None:
        """What was known of the selected folder is void: another one is about to be selected."""
        self.exists = self.expunged = self.arrived = 0

    async def run(self, name: str, *args: str, **options: Any) -> ImapCommand:
        """A command by itself, answered OK. Raises ServerRefusedError for NO and BAD, and ConnectionLostError."""
        command = await self.attempt(name, *args, **options)
        if command.result != "OK":
            raise ServerRefusedError(command.words, layer="imap", host=self.host)
        return command

    async def attempt(self, name: str, *args: str, **options: Any) -> ImapCommand:
        """As ``run``, but NO and BAD come back as results."""
        await self.drain()
        return await self.finish(self.start(name, *args, **options))

    def send(self, line: str, scrub: str | None = None) -> None:  # noqa: ARG002 - the signature is aioimaplib's
        """Writes a line; never logs it."""
        self.transport.write(line.encode() + CRLF)

    def end_idle(self, command: ImapCommand) -> None:
        """Tells the server, once, that an IDLE is over (RFC 2177)."""
        if command.name == "IDLE" and not command.done and not command.ending:
            command.ending = True
            self.send("DONE")

    async def read_capabilities(self) -> None:
        command = await self.run("CAPABILITY")
        for raw in command.responses:
            if raw[:13].upper() == b"* CAPABILITY ":
                self._set_capabilities(raw[13:].decode("ascii", "replace"))

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    def _set_capabilities(self, text: str) -> None:
        self.capabilities = frozenset(text.upper().split())

    # Answers

    def _take(self, response: ServerResponse) -> None:
        raw = response.raw
        self._count(len(raw))
        if not self.greeting.done():
            self._greet(raw)
        elif raw.startswith(b"* "):
            self._untagged(response)
        elif raw.startswith(b"+"):
            self._continue(raw)
        elif (tagged := _TAGGED.match(raw)) is not None:
            self._tagged(tagged[1], tagged[2], tagged[3] or b"")

    def _count(self, size: int) -> None:
        oldest = self._oldest()
        if oldest is not None:
            oldest.count(size, self._limits)
            return
        self._unasked_lines += 1
        if self._unasked_lines > self._limits.lines_per_command:
            raise LimitExceededError(f"more than {self._limits.lines_per_command} lines to no command")

    def _oldest(self) -> ImapCommand | None:
        return next(iter(self._running.values()), None)

    def _greet(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace")[:_LONGEST_RAW]
        if raw.startswith((b"* OK", b"* PREAUTH")):
            if code := _CAPABILITY_CODE.search(text):
                self._set_capabilities(code[1])
            self.greeting.set_result(text)
            return
        self.greeting.set_exception(ServerRefusedError(text, layer="imap", host=self.host))
        self.transport.abort()

    def _tagged(self, tag: bytes, result: bytes, text: bytes) -> None:
        # An unknown tag belongs to no command of ours: a late or invented answer, which nobody waits for.
        command = self._running.pop(tag.decode("ascii"), None)
        self._unasked_lines = 0
        if command is not None:
            command.finish(result.decode("ascii"), text.decode("utf-8", "replace"))

    def _untagged(self, response: ServerResponse) -> None:
        raw = response.raw
        if is_fetch(raw):
            self._route_fetch(response)
            return
        if counted := _COUNTED.match(raw.upper()):
            self._set_count(counted[2], int(counted[1]))
        elif raw[:11].upper() == b"* VANISHED ":
            self.changed.set()
        elif raw[:5].upper() == b"* BYE":
            self._bye(raw)
            return
        if (oldest := self._oldest()) is not None:
            oldest.responses.append(raw)

    def _route_fetch(self, response: ServerResponse) -> None:
        record = read_fetch(response)
        if record is None:
            return
        for command in self._running.values():
            if command.claims is not None and command.claims(record):
                command.records.append(record)
                return
        self.changed.set()

    def _set_count(self, kind: bytes, number: int) -> None:
        if kind == b"EXISTS":
            if number != self.exists:
                self.arrived += max(0, number - self.exists)
                self.changed.set()
            self.exists = number
        elif kind == b"EXPUNGE":
            self.exists = max(0, self.exists - 1)
            self.expunged += 1
            self.changed.set()

    def _bye(self, raw: bytes) -> None:
        if any(command.name == "LOGOUT" for command in self._running.values()):
            return
        self._fail(raw.decode("utf-8", "replace"))
        self.transport.close()

    def _continue(self, raw: bytes) -> None:
        command = self._oldest()
        if command is None:
            return
        command.ready.set()
        if command.continuations:
            self.transport.write(command.continuations.pop(0))
        elif command.name == "AUTHENTICATE":
            command.challenge = _decoded_challenge(raw)
            self.transport.write(CRLF)


def _decoded_challenge(raw: bytes) -> str:
    """What the server says about a refused token: JSON with status and scope, no secret in it."""
    try:
        return base64.b64decode(raw[1:].strip(), validate=True).decode("utf-8", "replace")[:_LONGEST_RAW]
    except binascii.Error:
        return raw[1:].strip().decode("utf-8", "replace")[:_LONGEST_RAW]
