"""A running Slack stand-in, the real SDK as its client, and a real Bolt app on either transport."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackSandbox

MANIFEST = Path(__file__).parent / "manifest.yml"

Connect = Callable[[AsyncApp], AbstractAsyncContextManager[AsyncApp]]


class MovableClock:
    """Seconds since 1970 that a test moves by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    """The SDK would send even loopback calls through a proxy of the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manifest():
    return MANIFEST


@pytest.fixture
async def slack():
    async with SlackSandbox(MANIFEST, event_retry_delays=(0.0, 0.01, 0.02)) as running:
        yield running


@pytest.fixture
async def hasty_slack():
    """A workspace whose three seconds for an ack are a fifth of one."""
    async with SlackSandbox(MANIFEST, ack_seconds=0.2, event_retry_delays=(0.0, 0.01, 0.02)) as running:
        yield running


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
async def aging_slack(clock):
    """A workspace whose clock stands still until the test moves it."""
    async with SlackSandbox(MANIFEST, clock=clock) as running:
        yield running


def client_of(slack: SlackSandbox, token: str | None = None) -> AsyncWebClient:
    """The SDK's client without its own repetition of calls."""
    return AsyncWebClient(token=slack.bot_token if token is None else token, base_url=slack.api_url, retry_handlers=[])


def bolt_app(slack: SlackSandbox) -> AsyncApp:
    """A Bolt app that knows nothing but where the Web API is."""
    return AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)


@contextlib.asynccontextmanager
async def by_socket(slack: SlackSandbox, app: AsyncApp) -> AsyncIterator[AsyncApp]:
    """The app connected by Socket Mode."""
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=1)
    await handler.connect_async()
    try:
        await slack.wait_connected()
        yield app
    finally:
        await handler.close_async()


@contextlib.asynccontextmanager
async def by_http(slack: SlackSandbox, app: AsyncApp) -> AsyncIterator[AsyncApp]:
    """The app behind a request URL."""
    server = TestServer(app.web_app(path="/slack/events"))
    await server.start_server()
    try:
        slack.set_request_url(str(server.make_url("/slack/events")))
        yield app
    finally:
        slack.set_request_url(None)
        await server.close()


@pytest.fixture
def client(slack):
    return client_of(slack)


@pytest.fixture
def make_client():
    return client_of


@pytest.fixture
def make_app():
    return bolt_app


@pytest.fixture
def connect_socket():
    return by_socket


@pytest.fixture
def connect_http():
    return by_http


@pytest.fixture(params=["socket", "http"])
def connect(request):
    """Connect an app by either transport; a test that takes this runs on both."""
    return by_socket if request.param == "socket" else by_http
