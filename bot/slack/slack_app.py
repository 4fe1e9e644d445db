"""Slack put together: Bolt with every listener, over Socket Mode or signed HTTP, and the notifier beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.parse import urlsplit

from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import listeners
from bot.slack.desk import FrontDesk
from bot.slack.error_handler import explain
from bot.slack.handed_files import READ_SCOPE
from bot.slack.middleware import RoleBook, Rush
from bot.slack.notifier import SlackNotifier
from bot.slack.pacing import ChannelPace
from bot.slack.sharing import FILES_SCOPE
from bot.slack.signature import MOST_BYTES, is_genuine
from bot.slack.slack_errors import translate
from bot.slack.uses import Connect, Seen, Services
from core.errors import RefusedError, SlackError, SlackRefusedError
from core.ports.clock import Clock

log = logging.getLogger("rethread.slack")

REQUIRED_SCOPES: Final = frozenset(
    (
        "chat:write",
        "commands",
        "channels:read",
        "groups:read",
        "im:write",
        "users:read",
        "users:read.email",
        FILES_SCOPE,
        READ_SCOPE,
    )
)
"""What manifest.yml asks for."""

PING_SECONDS: Final = 5.0
_BODY_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 30
_SETTLE_SECONDS: Final = 5.0
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace that the token belongs to; ``scopes`` as Slack states them."""

    workspace: str
    name: str
    bot_user: str
    bot: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """Tokens and addresses. With ``app_token`` Socket Mode, else HTTP signed with ``signing_secret``."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api/"
    admins: tuple[str, ...] = ()


def web_client(access: SlackAccess, token: str | None = None) -> AsyncWebClient:
    """A client that asks once: the SDK's own retries would post a message twice when an answer is lost. It opens a
    connection per call, because a kept one that has gone stale looks just like a lost answer."""
    return AsyncWebClient(token=token, base_url=access.api_url, timeout=_CALL_SECONDS, retry_handlers=[])


async def identify(client: AsyncWebClient) -> Identity:
    """Who the client's token belongs to (auth.test). Raises SlackError kinds."""
    try:
        answer = await client.auth_test()
    except Exception as error:
        raise _about_the_token(translate(error)) from error
    scopes = answer.headers.get("x-oauth-scopes") or ""
    return Identity(
        workspace=str(answer["team_id"]),
        name=str(answer.get("team") or ""),
        bot_user=str(answer["user_id"]),
        bot=str(answer.get("bot_id") or ""),
        scopes=tuple(scope.strip() for scope in scopes.split(",") if scope.strip()),
    )


def _about_the_token(error: SlackError) -> SlackError:
    """Slack's code alone ("invalid_auth") tells an operator neither what was refused nor what to do."""
    if isinstance(error, SlackRefusedError):
        error.message = f"Slack refused the bot token: {error.slack_code}."
        error.fix = "Copy the Bot User OAuth Token again from the Slack app's Install page (SLACK_BOT_TOKEN)."
    return error


def require_scopes(identity: Identity) -> None:
    """Raises RefusedError naming the scopes that the installed app lacks."""
    missing = sorted(REQUIRED_SCOPES - set(identity.scopes))
    if missing:
        raise RefusedError(
            f"{identity.name}: the app lacks the scopes {', '.join(missing)}.",
            reason="missing_scope",
            fix="Reinstall the app from manifest.yml.",
        )


def forget_proxies(environment: MutableMapping[str, str], api_url: str) -> None:
    """slack_sdk uses a proxy from the environment even for this machine, and reads it in several places."""
    if _is_loopback(urlsplit(api_url).hostname or ""):
        for name in _PROXIES:
            environment.pop(name, None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_secure(public_url: str) -> bool:
    """Whether a password may be typed on pages of this address without a warning: HTTPS, or this machine."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" or _is_loopback(parts.hostname or "")


class SlackConnection:
    """The Socket Mode connection: reconnects by itself; ``healthy`` says whether it stands."""

    def __init__(self, app: AsyncApp, client: AsyncWebClient, app_token: str) -> None:
        self._app, self._client, self._app_token = app, client, app_token
        self._handler: AsyncSocketModeHandler | None = None

    async def start(self) -> None:
        """Connects. Raises SlackError kinds where Slack refuses the app-level token or cannot be reached."""
        try:
            opened = await self._client.apps_connections_open(app_token=self._app_token)
        except Exception as error:
            raise translate(error) from error
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, web_client=self._client, ping_interval=PING_SECONDS
        )
        handler.client.wss_uri = str(opened["url"])
        self._handler = handler
        await handler.connect_async()  # type: ignore[no-untyped-call]

    async def healthy(self) -> bool:
        """Whether the socket stands and answers its pings."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def stop(self) -> None:
        """Closes; leaves no task behind."""
        if self._handler is not None:
            await self._handler.close_async()  # type: ignore[no-untyped-call]
            self._handler = None


class SlackFace:
    """Everything of Rethread that Slack sees. Built by app.py; nothing runs before ``start``."""

    def __init__(self, access: SlackAccess, services: Services, seen: Seen, clock: Clock, *, public_url: str) -> None:
        forget_proxies(os.environ, access.api_url)
        self._access, self._clock = access, clock
        self._client = web_client(access, access.bot_token)
        self._identity: Identity | None = None
        self._desk = FrontDesk(self._client, RoleBook(self._client, access.admins, clock), Rush(clock), seen)
        self.app = self._build_app(services, Connect(public_url, is_secure(public_url)))
        self.notifier = SlackNotifier(lambda _: self._client, ChannelPace(clock))
        self._connection: SlackConnection | None = None

    async def identify(self) -> Identity:
        """Asks Slack who we are; needed before the first request. Raises SlackError kinds."""
        self._identity = await identify(self._client)
        return self._identity

    async def start(self) -> Identity:
        """Identifies and, with an app-level token, connects the socket. Raises SlackError kinds."""
        identity = await self.identify()
        if self._access.app_token and self._connection is None:
            connection = SlackConnection(self.app, web_client(self._access), self._access.app_token)
            try:
                await connection.start()
            except BaseException:
                await connection.stop()
                raise
            self._connection = connection
        log.info("action=slack_started workspace=%s socket=%s", identity.workspace, bool(self._connection))
        return identity

    async def stop(self) -> None:
        """Takes no new requests over the socket and lets those under way finish."""
        if self._connection is not None:
            await self._connection.stop()
            self._connection = None
        await self.settle()

    async def settle(self, timeout: float = _SETTLE_SECONDS) -> None:
        """Waits, at most so many seconds, until every acknowledged request has been served."""
        await self._desk.settle(timeout)

    async def healthy(self) -> bool:
        """Over the socket: it stands. Over HTTP: Slack told us who we are."""
        if self._access.app_token:
            return self._connection is not None and await self._connection.healthy()
        return self._identity is not None

    async def handle_http(self, request: web.Request) -> web.StreamResponse:
        """``POST /slack/events``: commands, interactions and events. Everything not signed by Slack is 401."""
        body = await _read(request)
        genuine = body is not None and is_genuine(
            self._access.signing_secret,
            timestamps=request.headers.getall("X-Slack-Request-Timestamp", []),
            signatures=request.headers.getall("X-Slack-Signature", []),
            body=body,
            now=self._clock.now().timestamp(),
        )
        if body is None or not genuine:
            return web.Response(status=401, text="")
        try:
            # As to_bolt_request does, but from the bytes that were checked.
            bolt_request = AsyncBoltRequest(
                body=body.decode("utf-8"), query=request.query_string, headers=dict(request.headers)
            )
        except (ValueError, TypeError, AttributeError):  # signed, and yet no payload: Bolt reads it in its constructor
            return web.Response(status=401, text="")
        return await to_aiohttp_response(await self.app.async_dispatch(bolt_request))

    def _build_app(self, services: Services, connect: Connect) -> AsyncApp:
        async def authorize(team_id: str | None) -> AuthorizeResult | None:  # Bolt wants a function, not a method
            return self._authorized(team_id)

        # Bolt's own check of signatures is off: ours runs first, on the raw bytes (see signature.py).
        app = AsyncApp(
            client=web_client(self._access),
            authorize=cast(Callable[..., Awaitable[AuthorizeResult]], authorize),
            request_verification_enabled=False,
            ssl_check_enabled=False,
            user_facing_authorize_error_message="Rethread is not installed in this workspace.",
        )
        listeners.register(app, self._desk, services, connect)
        app.error(_before_ack)
        return app

    def _authorized(self, team_id: str | None) -> AuthorizeResult | None:
        """Only the workspace that the token belongs to, and without a call to Slack before each ack."""
        us = self._identity
        if us is None or team_id != us.workspace:
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=us.workspace,
            bot_id=us.bot,
            bot_user_id=us.bot_user,
            bot_token=self._access.bot_token,
        )


async def _before_ack(error: Exception) -> BoltResponse:
    """What fails before its ack is still answered in time, with a sentence."""
    card = explain(error, asked="request")
    answer: dict[str, Any] = {"response_type": "ephemeral", "text": card.text, "blocks": card.blocks}
    return BoltResponse(status=200, body=json.dumps(answer), headers={"content-type": ["application/json"]})


async def _read(request: web.Request) -> bytes | None:
    """The raw body, or None where it is too large or too slow."""
    if (request.content_length or 0) > MOST_BYTES:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    return None
    except (TimeoutError, web.HTTPException):
        return None
    return bytes(body)
