"""Socket Mode: one-time tickets, the app's WebSockets, envelopes and their acks."""

import asyncio
import contextlib
import itertools
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.slack.config import Json
from sandbox.slack.delivery import Attempt, EnvelopeType
from sandbox.slack.ids import Clock
from sandbox.slack.journal import Journal

TICKET_SECONDS = 30.0
MAX_CONNECTIONS = 10
GRACE_SECONDS = 10.0
CLOSE_SECONDS = 1.0
CONNECTION_SECONDS = 18_060
_HOST = "applink-sandbox"


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport | None
    pending: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)
    end: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Break the connection without a closing handshake."""
        if self.transport is not None:
            self.transport.abort()


class SocketHub:
    """The app's open sockets. Any one of them may get a payload, as at Slack."""

    def __init__(self, journal: Journal, clock: Clock, app_id: str) -> None:
        self._journal = journal
        self._clock = clock
        self._app_id = app_id
        self._tickets: dict[str, float] = {}
        self._connections: list[_Connection] = []
        self._turns = itertools.count()
        self.on_change: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        """Whether at least one socket is open."""
        return bool(self._connections)

    @property
    def count(self) -> int:
        """How many sockets are open."""
        return len(self._connections)

    def new_ticket(self) -> str:
        """Return a ticket good for one connection within half a minute."""
        ticket = str(uuid.UUID(bytes=secrets.token_bytes(16)))
        self._tickets[ticket] = self._clock() + TICKET_SECONDS
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket of the app until it closes."""
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if self._clock() > expires:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=404)
        socket = web.WebSocketResponse(autoping=True, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        if len(self._connections) >= MAX_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket, _writable(request))
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            self._changed("connected")
            await self._read(connection)
        finally:
            self._forget(connection)
        return socket

    async def _read(self, connection: _Connection) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            with contextlib.suppress(ValueError):
                self._settle(connection, json.loads(message.data))

    def _settle(self, connection: _Connection, ack: Any) -> None:
        if not isinstance(ack, dict):
            return
        waiting = connection.pending.pop(str(ack.get("envelope_id")), None)
        if waiting is not None and not waiting.done():
            payload = ack.get("payload")
            waiting.set_result(payload if isinstance(payload, dict) else None)

    def _forget(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        if connection.end is not None:
            connection.end.cancel()
        for waiting in connection.pending.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the app's socket closed before its ack"))
        self._changed("disconnected")

    async def request(self, kind: EnvelopeType, payload: Json, attempt: Attempt, timeout: float) -> Json | None:
        """Send an envelope on one socket and return its ack's payload.

        Raises TimeoutError without an ack in ``timeout`` seconds and ConnectionError if the socket
        closes first.
        """
        connection = self._next_connection()
        envelope = _envelope(kind, payload, attempt)
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        connection.pending[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(timeout):
                await connection.socket.send_json(envelope)
                return await waiting
        finally:
            connection.pending.pop(envelope["envelope_id"], None)

    def _next_connection(self) -> _Connection:
        staying = [connection for connection in self._connections if connection.end is None]
        usable = staying or self._connections
        if not usable:
            raise ConnectionError("no socket is open")
        return usable[next(self._turns) % len(usable)]

    async def disconnect(self, reason: str = "refresh_requested", grace: float = GRACE_SECONDS) -> None:
        """Ask the app to connect anew, as Slack does when it recycles a connection.

        Those told so get no more payloads if there are others, and are cut off after ``grace`` s.
        A ``warning`` announces it and changes nothing yet.
        """
        loop = asyncio.get_running_loop()
        for connection in tuple(self._connections):
            with contextlib.suppress(ConnectionError):
                await connection.socket.send_json(_disconnect(reason))
            if reason != "warning" and connection.end is None:
                connection.end = loop.call_later(grace, connection.abort)

    def cut(self) -> None:
        """Break every socket, as a failing network does."""
        for connection in tuple(self._connections):
            connection.abort()

    async def close(self) -> None:
        """Close every socket; the app sees the server go away."""
        for connection in tuple(self._connections):
            await connection.socket.close()

    def _changed(self, what: str) -> None:
        self._journal.add("socket", what, via="socket")
        self.on_change()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {
                "host": _HOST,
                "build_number": 1,
                "approximate_connection_time": CONNECTION_SECONDS,
            },
            "connection_info": {"app_id": self._app_id},
        }


def _writable(request: web.Request) -> asyncio.WriteTransport | None:
    transport = request.transport
    return transport if isinstance(transport, asyncio.WriteTransport) else None


def _envelope(kind: EnvelopeType, payload: Json, attempt: Attempt) -> Json:
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": kind,
        "accepts_response_payload": kind != "events_api",
        "payload": payload,
    }
    if kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}
