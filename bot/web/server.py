"""One aiohttp application: Slack's endpoint, connect pages, the links in mails, health, metrics; and what serves it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.connect import ConnectPage, ConnectUses, DiscoveryUses
from bot.web.connect_views import ConnectViews, SeatUses
from bot.web.guard import Guard
from bot.web.health import Health
from bot.web.links import EngagementUses, LinkPages
from bot.web.metrics import Metrics
from bot.web.middleware import errors_as_pages, safe_headers
from bot.web.pages import STYLE, Pages
from bot.web.sign_in import SignInPages, SignInUses
from core.errors import SettingsError
from core.ports.clock import Clock

_MOST_BODY_BYTES: Final = 1_048_576
_GRACE_SECONDS: Final = 5.0
_KEEP_ALIVE_SECONDS: Final = 30.0


def connect_pages(
    connecting: ConnectUses,
    discovery: DiscoveryUses,
    sign_in: SignInUses,
    seats: SeatUses,
    clock: Clock,
    *,
    public_url: str,
    allow_plain: bool = False,
) -> tuple[ConnectPage, SignInPages]:
    """The pages on which mailboxes are connected. ``public_url`` is how the world reaches them; ``allow_plain`` offers
    connections without TLS (only where private mail hosts are allowed)."""
    guard = Guard(clock, https=public_url.startswith("https:"))
    views = ConnectViews(Pages(), guard, seats, allow_plain=allow_plain, offered=discovery.offered)
    return (
        ConnectPage(connecting, discovery, guard, views),
        SignInPages(sign_in, connecting, discovery, guard, views, public_url=public_url.rstrip("/")),
    )


def link_pages(engagement: EngagementUses, clock: Clock, *, public_url: str) -> LinkPages:
    """The pages behind the links in our mails."""
    return LinkPages(engagement, Guard(clock, https=public_url.startswith("https:")), clock)


def build_application(
    *,
    connect: ConnectPage,
    sign_in: SignInPages,
    links: LinkPages,
    health: Health,
    metrics: Metrics,
    slack: Handler | None,
    https: bool,
) -> web.Application:
    """``slack`` answers POST /slack/events (None with Socket Mode); ``https`` says how the world reaches us."""
    pages = Pages()
    application = web.Application(client_max_size=_MOST_BODY_BYTES, middlewares=[errors_as_pages(pages)])
    application.on_response_prepare.append(safe_headers(https=https))
    application.add_routes(
        [
            web.get("/connect/{token}", connect.show),
            web.post("/connect/{token}", connect.submit),
            web.post("/connect/{token}/signin", sign_in.start),
            web.get("/oauth/{provider:google|microsoft}/callback", sign_in.callback, allow_head=False),
            web.get("/o/{token}", links.open),
            web.get("/c/{token}", links.click),
            web.get("/f/{token}", links.file),
            web.get("/u/{token}", links.ask),
            web.post("/u/{token}", links.unsubscribe),
            web.get(STYLE, pages.style),
            web.get("/healthz", health.alive),
            web.get("/readyz", health.ready),
            web.get("/metrics", metrics.show),
        ]
    )
    if slack is not None:
        application.router.add_post("/slack/events", slack)
    return application


@asynccontextmanager
async def serve_web(application: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serves until the block ends, which lets requests under way finish; yields the port (for port 0, the one given).

    There is no access log: paths hold one-time tokens, query strings codes. Raises SettingsError where the address
    cannot be had.
    """
    runner = web.AppRunner(
        application, access_log=None, keepalive_timeout=_KEEP_ALIVE_SECONDS, shutdown_timeout=_GRACE_SECONDS
    )
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)
        raise SettingsError(
            [f"RETHREAD_HOST and RETHREAD_PORT: nothing can listen on {host}:{port} ({words}); choose another."]
        ) from None
