"""Hands commands, interactions and events to the app, over a socket or by signed HTTP."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.config import Json
from sandbox.slack.feed import Feed
from sandbox.slack.ids import Clock
from sandbox.slack.journal import Journal

EnvelopeType = Literal["slash_commands", "interactive", "events_api"]

ACK_SECONDS = 3.0
# Slack repeats an event at once, after a minute and after five (docs.slack.dev, Events API).
EVENT_RETRY_DELAYS = (0.0, 60.0, 300.0)

UNREACHABLE = "dispatch_failed"
TIMED_OUT = "operation_timeout"


@dataclass(frozen=True)
class Ack:
    """The app's answer: ``error`` is None if it came in time, ``payload`` is what it carried."""

    payload: Json | None = None
    error: str | None = None
    reason: str | None = None
    no_retry: bool = False


@dataclass(frozen=True)
class Attempt:
    """Which repetition of an event this is, from 0, and why it is repeated."""

    number: int = 0
    reason: str = ""


class SocketSender(Protocol):
    """The app's open sockets, as far as delivery needs them."""

    on_change: Callable[[], None]

    @property
    def connected(self) -> bool:
        """Whether at least one socket is open."""
        ...

    async def request(self, kind: EnvelopeType, payload: Json, attempt: Attempt, timeout: float) -> Json | None:
        """Send an envelope and return the payload of its ack; TimeoutError, ConnectionError."""
        ...


class AppLink:
    """The way to the app: a socket if one is open, else the request URL if one is set."""

    def __init__(
        self,
        sockets: SocketSender,
        journal: Journal,
        feed: Feed,
        clock: Clock,
        signing_secret: str,
        *,
        ack_seconds: float = ACK_SECONDS,
        event_retry_delays: tuple[float, ...] = EVENT_RETRY_DELAYS,
    ) -> None:
        self._sockets = sockets
        sockets.on_change = self._tell_reachable
        self._journal = journal
        self._feed = feed
        self._clock = clock
        self._signing_secret = signing_secret
        self._ack_seconds = ack_seconds
        self._event_retry_delays = event_retry_delays
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.request_url: str | None = None

    @property
    def reachable(self) -> bool:
        """Whether there is any way to the app."""
        return self._sockets.connected or self.request_url is not None

    async def start(self) -> None:
        """Open the HTTP client; it ignores proxies of the environment."""
        self._session = aiohttp.ClientSession(trust_env=False)

    async def stop(self) -> None:
        """Drop deliveries under way and close the HTTP client."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def set_request_url(self, url: str | None) -> None:
        """Set where HTTP deliveries go; None takes it away."""
        self.request_url = url
        self._tell_reachable()

    def _tell_reachable(self) -> None:
        self._feed.tell({"type": "app", "reachable": self.reachable})

    async def deliver(self, kind: EnvelopeType, payload: Json, attempt: Attempt | None = None) -> Ack:
        """Hand one payload to the app and wait for its answer, three seconds at most."""
        attempt = attempt or Attempt()
        started = self._clock()
        via = "socket" if self._sockets.connected else "http"
        try:
            if via == "socket":
                answer = await self._sockets.request(kind, payload, attempt, self._ack_seconds)
                ack = Ack(payload=answer)
            elif self.request_url is not None:
                ack = await self._post(self.request_url, kind, payload, attempt)
            else:
                ack = Ack(error=UNREACHABLE, reason="connection_failed")
        except TimeoutError:
            ack = Ack(error=TIMED_OUT, reason="http_timeout" if via == "http" else "timeout")
        except (aiohttp.ClientError, ConnectionError, OSError):
            ack = Ack(error=UNREACHABLE, reason="connection_failed")
        self._journal.add(
            "delivery",
            delivery_name(payload),
            via=via,
            request=payload,
            answer=ack.payload,
            error=ack.error,
            started=started,
        )
        return ack

    async def _post(self, url: str, kind: EnvelopeType, payload: Json, attempt: Attempt) -> Ack:
        if self._session is None:
            raise ConnectionError("the stand-in is not running")
        body, content_type = _encoded(kind, payload)
        headers = self._signed_headers(body) | {"Content-Type": content_type}
        if attempt.number:
            headers |= {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        async with (
            asyncio.timeout(self._ack_seconds),
            self._session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            text = await response.text()
            no_retry = response.headers.get("X-Slack-No-Retry") == "1"
            if not 200 <= response.status < 300:
                return Ack(error=f"http_status_{response.status}", reason="http_error", no_retry=no_retry)
            return Ack(payload=_decoded(text))

    def _signed_headers(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock()))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }

    def send_event(self, envelope: Json) -> None:
        """Deliver an event in the background, repeating it as Slack does until it is acked."""
        self.spawn(self._deliver_event(envelope))

    async def _deliver_event(self, envelope: Json) -> None:
        ack = await self.deliver("events_api", envelope)
        for number, delay in enumerate(self._event_retry_delays, start=1):
            if ack.error is None or ack.no_retry:
                return
            await asyncio.sleep(delay)
            ack = await self.deliver("events_api", envelope, Attempt(number, ack.reason or "unknown_error"))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work in the background until it ends or the stand-in stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def verify_url(self) -> bool:
        """Send url_verification to the request URL, as Slack does when it is saved."""
        challenge = hashlib.sha256(str(self._clock()).encode()).hexdigest()
        payload = {"token": "sandbox", "challenge": challenge, "type": "url_verification"}
        if self.request_url is None:
            return False
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            ack = await self._post(self.request_url, "events_api", payload, Attempt())
            answer = ack.payload or {}
            return ack.error is None and challenge in (answer.get("challenge"), answer.get("text"))
        return False


def delivery_name(payload: Json) -> str:
    """Return the event's type, the interaction's type or the slash command."""
    if payload.get("type") == "event_callback":
        return str(payload["event"]["type"])
    return str(payload.get("type") or payload.get("command"))


def _encoded(kind: EnvelopeType, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _decoded(text: str) -> Json | None:
    if not text.strip():
        return None
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {"text": text}
