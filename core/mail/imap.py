"""Reads mailboxes over IMAP: implements ``ports.MailboxConnector`` and ``ports.MailboxClient``.

Every command has a deadline. A deadline that passes means a dead connection: it is cut, and the next call fails at
once with ConnectionLostError. Nothing here retries; whoever holds the client throws it away and connects anew.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

from core.domain.message import FetchedMessage
from core.errors import ConnectionLostError, MailError, ServerRefusedError, UnreachableError
from core.mail.dialler import Dialler
from core.mail.imap_answers import read_list, read_search, read_select, read_status, read_statuses
from core.mail.imap_fetch import FetchRecord
from core.mail.imap_headers import BATCH, MAX_UID, HeaderFetcher, UidRange
from core.mail.imap_login import log_in
from core.mail.imap_names import assign_roles, encode_name, quote
from core.mail.imap_protocol import ImapCommand, ImapProtocol, ProtocolLimits
from core.mail.imap_texts import TextFetcher
from core.mail.tls import shrink_tls_buffer
from core.ports.mail import Credentials, Endpoint, FolderInfo, FolderSnapshot, MailboxEvent, Tls

_SEARCH_WINDOW = 50_000
_STATUS_AT_ONCE = 100
_MOST_MESSAGES = 5_000_000  # more than any folder holds: a server that claims more is not believed
_KEPT_IDS = ("X-GOOGLE-ORIGINAL-MESSAGE-ID", "X-MICROSOFT-ORIGINAL-MESSAGE-ID")


@dataclass(frozen=True, slots=True)
class ImapTimeouts:
    """Deadlines in seconds. ``poll`` is the pace of asking where a server offers no IDLE."""

    connect: float = 20.0
    login: float = 30.0
    command: float = 60.0
    fetch: float = 120.0
    close: float = 2.0
    poll: float = 60.0


class ImapConnector:
    """Opens IMAP connections through the dialler; all share one TLS context."""

    def __init__(
        self,
        dialler: Dialler,
        tls_context: ssl.SSLContext,
        *,
        timeouts: ImapTimeouts | None = None,
        limits: ProtocolLimits | None = None,
    ) -> None:
        self._dialler = dialler
        self._tls = tls_context
        self._timeouts = timeouts or ImapTimeouts()
        self._limits = limits or ProtocolLimits()

    async def connect(self, endpoint: Endpoint, credentials: Credentials) -> ImapClient:
        """A logged-in client. Raises UnreachableError, LoginRefusedError, ServerRefusedError, ConnectionLostError."""
        if endpoint.tls is Tls.STARTTLS:
            raise UnreachableError(
                "STARTTLS is not offered for reading mail: use port 993 (RFC 8314)", layer="tls", host=endpoint.host
            )
        sock = await self._dialler.dial(endpoint)
        client = ImapClient(await self._open(endpoint, sock), self._timeouts)
        try:
            await client.log_in(credentials)
        except BaseException:
            client.abort()
            raise
        return client

    async def _open(self, endpoint: Endpoint, sock: socket.socket) -> ImapProtocol:
        loop = asyncio.get_running_loop()
        protocol = ImapProtocol(endpoint.host, self._limits, loop)
        context = self._tls if endpoint.tls is Tls.SSL else None
        try:
            async with asyncio.timeout(self._timeouts.connect):
                transport, _ = await loop.create_connection(
                    lambda: protocol, sock=sock, ssl=context, server_hostname=endpoint.host if context else None
                )
                if context is not None:
                    shrink_tls_buffer(transport)
                await protocol.greeting
        except TimeoutError:
            protocol.break_off("TimeoutError: no greeting")
            raise UnreachableError("[Errno 110] Connection timed out", layer="socket", host=endpoint.host) from None
        except OSError as error:  # ssl.SSLError is one
            layer = "tls" if endpoint.tls is Tls.SSL else "socket"
            raise UnreachableError(str(error), layer=layer, host=endpoint.host) from error
        except asyncio.CancelledError:
            protocol.break_off("cancelled")
            raise
        finally:
            if protocol.transport is None:
                sock.close()
        return protocol


class ImapClient:
    """One logged-in connection, used by one task at a time; but while ``fetch`` is iterated, another may call
    ``fetch_texts`` and ``fetch_raw``."""

    def __init__(self, protocol: ImapProtocol, timeouts: ImapTimeouts) -> None:
        self._protocol = protocol
        self._timeouts = timeouts
        self._wire_names: dict[str, str] = {}
        self._uidnext = 0
        self._headers = HeaderFetcher(protocol, self._start_fetch, self._finish_fetch)
        self._texts = TextFetcher(self._start_fetch, self._finish_fetch)

    async def log_in(self, credentials: Credentials) -> None:
        """Logs in, reads the capabilities again (RFC 3501 6.1.1) and switches CONDSTORE on where it is offered."""
        async with self._deadline(self._timeouts.login, "the login"):
            await log_in(self._protocol, credentials)
            await self._protocol.read_capabilities()
            if self._protocol.has("ENABLE") and self._protocol.has("CONDSTORE"):
                await self._protocol.attempt("ENABLE", "CONDSTORE")

    # Folders

    async def list_folders(self) -> list[FolderInfo]:
        """All folders, their roles by the server's word or by name. Raises ServerRefusedError, ConnectionLostError."""
        extended = self._protocol.has("SPECIAL-USE") and self._protocol.has("LIST-EXTENDED")
        args = ('""', '"*"', "RETURN (SPECIAL-USE)") if extended else ('""', '"*"')
        command = await self._run("LIST", *args)
        listed = [entry for raw in command.responses if (entry := read_list(raw)) is not None]
        self._wire_names = {name: wire for wire, name, _, _ in listed}
        return assign_roles((name, delimiter, attributes) for _, name, delimiter, attributes in listed)

    async def select(self, folder: str) -> FolderSnapshot:
        protocol = self._protocol
        async with self._deadline(self._timeouts.command, "SELECT"):
            await protocol.drain()
            protocol.forget_folder()
            command = await protocol.run("SELECT", self._quoted(folder))
        numbers = read_select(command.responses)
        self._uidnext = numbers.get("UIDNEXT") or await self._last_uid() + 1
        protocol.arrived = 0
        protocol.changed.clear()
        return self._snapshot(numbers, self._uidnext, protocol.exists)

    async def status(self, folder: str) -> FolderSnapshot:
        command = await self._run("STATUS", self._quoted(folder), self._status_items())
        return self._status_snapshot(read_status(command.responses))

    async def glance(self, folders: Sequence[str]) -> dict[str, FolderSnapshot]:
        """One question about all folders where the server takes it (RFC 5819) and half of them are wanted, else STATUS
        for each, pipelined. Raises ConnectionLostError."""
        if self._protocol.has("LIST-STATUS") and 2 * len(folders) >= len(self._wire_names):
            command = await self._run("LIST", '""', '"*"', f"RETURN (STATUS {self._status_items()})")
            lines = command.responses
        else:
            lines = await self._ask_each(folders)
        told = read_statuses(lines)
        return {name: self._status_snapshot(told[name]) for name in folders if name in told}

    async def _ask_each(self, folders: Sequence[str]) -> list[bytes]:
        """Nothing else is under way meanwhile, so that STATUS commands cannot be taken for one another's answers."""
        lines: list[bytes] = []
        async with self._deadline(self._timeouts.command, "the command before"):
            await self._protocol.drain()
        for start in range(0, len(folders), _STATUS_AT_ONCE):
            commands = [
                self._protocol.start("STATUS", wire, self._status_items())
                for wire in map(self._quoted, folders[start : start + _STATUS_AT_ONCE])
            ]
            async with self._deadline(self._timeouts.command, "STATUS"):
                for command in commands:
                    lines += (await self._protocol.finish(command)).responses
        return lines

    def _status_items(self) -> str:
        return f"(MESSAGES UIDNEXT UIDVALIDITY{' HIGHESTMODSEQ' if self._protocol.has('CONDSTORE') else ''})"

    def _status_snapshot(self, numbers: dict[str, int]) -> FolderSnapshot:
        return self._snapshot(numbers, numbers.get("UIDNEXT", 0), numbers.get("MESSAGES", 0))

    def _snapshot(self, numbers: dict[str, int], uidnext: int, exists: int) -> FolderSnapshot:
        # Yahoo prints HIGHESTMODSEQ without supporting CONDSTORE: only the capability says that it means something.
        modseq = numbers.get("HIGHESTMODSEQ") if self._protocol.has("CONDSTORE") else None
        return FolderSnapshot(numbers.get("UIDVALIDITY", 0), uidnext, exists, modseq or None)

    async def _last_uid(self) -> int:
        if not self._protocol.exists:
            return 0
        command = await self._run("UID SEARCH", "UID", "*")
        return max(read_search(command.responses, 1, MAX_UID), default=0)

    def _quoted(self, folder: str) -> str:
        try:
            return quote(self._wire_names.get(folder) or encode_name(folder))
        except ValueError as error:
            raise ServerRefusedError(f"no folder can have this name: {error}", layer="imap") from None

    # Messages

    async def fetch(
        self, first_uid: int, last_uid: int | None = None, *, newest_first: bool = False
    ) -> AsyncIterator[list[FetchedMessage]]:
        """Batches of at most 500 messages; the next command is on their way while a batch is handed over."""
        arrived, highest = self._protocol.arrived, 0
        ranges = await self._plan(first_uid, last_uid, newest_first=newest_first)
        async with aclosing(self._headers.fetch(ranges, newest_first=newest_first)) as batches:
            async for batch in batches:
                highest = max(highest, batch[0].uid, batch[-1].uid)
                yield batch
        if last_uid is None:
            self._uidnext = max(self._uidnext, highest + 1)
            self._protocol.arrived -= arrived

    async def _plan(self, first_uid: int, last_uid: int | None, *, newest_first: bool) -> list[UidRange]:
        """UID ranges that hold at most 500 messages each: one range where that is certain, else by one UID SEARCH."""
        exists = self._protocol.exists
        if last_uid is not None and last_uid < first_uid:
            return []
        if exists == 0:  # where UIDNEXT says otherwise it is believed: a wrong count must hide no mail
            return [UidRange(max(first_uid, 1), None)] if last_uid is None and first_uid < self._uidnext else []
        span = self._uidnext + self._protocol.arrived if last_uid is None else last_uid + 1
        if min(span - first_uid, exists) <= BATCH:
            return [UidRange(max(first_uid, 1), last_uid)]
        uids = await self._search_range(first_uid, MAX_UID if last_uid is None else last_uid)
        chunks = [uids[start : start + BATCH] for start in range(0, len(uids), BATCH)]
        ranges = [UidRange(chunk[0], chunk[-1]) for chunk in chunks]
        return ranges[::-1] if newest_first else ranges

    async def _search_range(self, first_uid: int, last_uid: int) -> list[int]:
        """The UIDs that exist between the bounds; windows of sequence numbers keep each answer's line short."""
        found: list[bytes] = []
        low, bounds = 1, f"{max(first_uid, 1)}:{'*' if last_uid == MAX_UID else last_uid}"
        while low <= min(self._protocol.exists, _MOST_MESSAGES):
            expunged, high = self._protocol.expunged, low + _SEARCH_WINDOW - 1
            window = (
                () if low == 1 and high >= self._protocol.exists else (f"{low}:{min(high, self._protocol.exists)}",)
            )
            command = await self._run("UID SEARCH", *window, "UID", bounds)
            found += command.responses
            # What was expunged meanwhile shifts the numbers down; looking at some twice does no harm.
            low = max(1, high + 1 - (self._protocol.expunged - expunged))
        return read_search(found, first_uid, last_uid)

    async def fetch_texts(self, messages: Sequence[FetchedMessage], *, limit: int = 262_144) -> dict[int, bytes]:
        """UID to readable text in UTF-8; no text in a message gives no bytes, a vanished message no entry."""
        return await self._texts.fetch(messages, limit)

    async def fetch_raw(self, uid: int, *, limit: int = 262_144) -> bytes:
        """Raises ServerRefusedError where no message has this UID."""
        command = await self._start_fetch(
            str(uid), f"(UID BODY.PEEK[]<0.{limit}>)", lambda record: record.uid == uid and "" in record.sections
        )
        await self._finish_fetch(command)
        if not command.records:
            raise ServerRefusedError(f"{command.words}: no message {uid}", layer="imap", host=self._protocol.host)
        return command.records[0].sections[""][:limit]

    async def search_message_id(self, message_id: str) -> list[int]:
        try:
            wanted = quote(f"<{message_id}>")
        except ValueError:
            return []
        if not wanted.isascii():
            return []  # would need a CHARSET, which Exchange refuses; no Message-ID of ours looks like that
        keys = " ".join(
            ("OR HEADER MESSAGE-ID", wanted, "OR HEADER", _KEPT_IDS[0], wanted, "HEADER", _KEPT_IDS[1], wanted)
        )
        command = await self._run("UID SEARCH", keys)
        return read_search(command.responses, 1, MAX_UID)

    async def search_address(self, address: str) -> list[int]:
        try:
            wanted = quote(address)
        except ValueError:
            return []
        if not wanted.isascii():
            return []  # would need a CHARSET, which Exchange refuses
        command = await self._run("UID SEARCH", f"OR FROM {wanted} OR TO {wanted} CC {wanted}")
        return read_search(command.responses, 1, MAX_UID)

    # News

    async def idle(self, *, renew_after: float) -> MailboxEvent:
        """CHANGED at the first push, also one that came before the call; RENEW when DONE and NOOP were answered."""
        protocol = self._protocol
        if protocol.changed.is_set():
            return await self._noticed()
        if not protocol.has("IDLE"):
            return await self._poll(renew_after)
        command = await self._start_idle()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(renew_after):
                    await protocol.changed.wait()
        finally:
            protocol.end_idle(command)  # when cancelled, the next command waits for the server's answer
        async with self._deadline(self._timeouts.command, "DONE"):
            await protocol.finish(command)
        return await self._noticed()

    async def _start_idle(self) -> ImapCommand:
        async with self._deadline(self._timeouts.command, "IDLE"):
            await self._protocol.drain()
            command = self._protocol.start("IDLE")
            await command.ready.wait()
        if command.done:
            await self._protocol.finish(command)
            raise ServerRefusedError(command.words, layer="imap", host=self._protocol.host)
        return command

    async def _noticed(self) -> MailboxEvent:
        if not self._protocol.changed.is_set():
            await self.noop()
        changed = self._protocol.changed.is_set()
        self._protocol.changed.clear()
        return MailboxEvent.CHANGED if changed else MailboxEvent.RENEW

    async def _poll(self, renew_after: float) -> MailboxEvent:
        waited = 0.0
        while waited < renew_after:
            pause = min(self._timeouts.poll, renew_after - waited)
            await asyncio.sleep(pause)
            waited += pause
            await self.noop()
            if self._protocol.changed.is_set():
                break
        return await self._noticed()

    def has_news(self) -> bool:
        return self._protocol.changed.is_set()

    async def noop(self) -> None:
        await self._run("NOOP")

    async def append(self, folder: str, raw: bytes) -> None:
        """Files a mail as seen. Raises ServerRefusedError, ConnectionLostError."""
        await self._run("APPEND", self._quoted(folder), f"(\\Seen) {{{len(raw)}}}", continuations=[raw + b"\r\n"])

    # The end

    async def close(self) -> None:
        try:
            with suppress(MailError, TimeoutError):
                async with asyncio.timeout(self._timeouts.close * 0.75):
                    await self._protocol.drain()
                    await self._protocol.attempt("LOGOUT")
            self._protocol.transport.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timeouts.close * 0.25):
                    await self._protocol.closed.wait()
        finally:
            self.abort()  # also when cancelled: servers count connections that nobody closed

    def abort(self) -> None:
        """Cuts the connection without a word."""
        self._protocol.break_off("closed")

    # Commands

    async def _run(self, name: str, *args: str, continuations: Sequence[bytes] = ()) -> ImapCommand:
        async with self._deadline(self._timeouts.command, name):
            return await self._protocol.run(name, *args, continuations=continuations)

    async def _start_fetch(self, uid_set: str, items: str, claims: Callable[[FetchRecord], bool] | None) -> ImapCommand:
        """Sends a UID FETCH; others may be under way, but nothing else (only UID commands may be pipelined)."""
        async with self._deadline(self._timeouts.command, "the command before"):
            await self._protocol.drain(except_for="UID FETCH")
        return self._protocol.start("UID FETCH", uid_set, items, claims=claims)

    async def _finish_fetch(self, command: ImapCommand) -> ImapCommand:
        async with self._deadline(self._timeouts.fetch, "UID FETCH"):
            return await self._protocol.finish(command)

    @asynccontextmanager
    async def _deadline(self, seconds: float, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            reason = f"TimeoutError: no answer to {what} within {seconds:g} s"
            self._protocol.break_off(reason)
            raise ConnectionLostError(reason, layer="imap", host=self._protocol.host) from None
