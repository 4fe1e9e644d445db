"""The real application on a port of its own, with links that live in memory, and a visitor's browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from bot.web.health import Health, PartState
from bot.web.metrics import Metrics, Snapshot
from bot.web.server import build_application, connect_pages, link_pages, serve_web
from tests.fakes.connect_tickets import FakeSeats, RememberedTickets
from tests.fakes.discovery import FakeDiscovery, FakeSignIns
from tests.fakes.links import FakeEngagement
from tests.stores import SteadyClock


@dataclass
class Site:
    """What the pages are built on, changeable while they are served."""

    url: str = ""
    clock: SteadyClock = field(default_factory=SteadyClock)
    tickets: RememberedTickets = field(default_factory=RememberedTickets)
    discovery: FakeDiscovery = field(default_factory=FakeDiscovery)
    sign_ins: FakeSignIns = field(default_factory=FakeSignIns)
    seats: FakeSeats = field(default_factory=FakeSeats)
    engagement: FakeEngagement = field(default_factory=FakeEngagement)
    lag: float = 0.01
    parts: Callable[[], dict[str, PartState]] = lambda: {"database": PartState(True, "written 1 s ago")}
    snapshot: Snapshot = field(default_factory=Snapshot)


@dataclass(frozen=True)
class Seen:
    """An answer as a browser has it."""

    status: int
    text: str
    headers: Any


class Visitor:
    """A browser without script: keeps cookies, sends the form of the page it is shown."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def look(self, token: str, method: str = "GET") -> Seen:
        return await self.ask(method, f"/connect/{token}")

    async def send(self, token: str, **fields: str) -> Seen:
        page = await self.look(by_password(token))
        return await self.ask("POST", f"/connect/{token}", data={"csrf": csrf_of(page.text), **fields})

    async def ask(self, method: str, path: str, **more: Any) -> Seen:
        async with self.session.request(method, self.url + path, **more) as response:
            return Seen(response.status, await response.text(), response.headers)


def by_password(token: str, address: str = "rita@agency.test") -> str:
    """The step with the form for a password."""
    return f"{token}?way=password&address={address}"


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found, "the page has no form"
    return found[1]


FILLED = {
    "address": "rita@agency.test",
    "password": "correct horse",
    "send": "1",
    "capture": "1",
}


@pytest.fixture
def allow_plain() -> bool:
    return False


@pytest.fixture
def offered() -> tuple[str, ...]:
    """The sign-in services that are set up."""
    return ("google", "microsoft")


@pytest.fixture
async def site(allow_plain: bool, offered: tuple[str, ...]) -> AsyncIterator[Site]:
    made = Site()
    made.discovery.offered = offered
    made.sign_ins.tickets = made.tickets

    async def collect() -> Snapshot:
        return made.snapshot

    async def parts() -> dict[str, PartState]:
        return made.parts()

    async def slack(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text="slack")

    connect, sign_in = connect_pages(
        made.tickets,
        made.discovery,
        made.sign_ins,
        made.seats,
        made.clock,
        public_url="http://127.0.0.1:3000",
        allow_plain=allow_plain,
    )
    application = build_application(
        connect=connect,
        sign_in=sign_in,
        links=link_pages(made.engagement, made.clock, public_url="http://127.0.0.1:3000"),
        health=Health(loop_lag=lambda: made.lag, parts=parts),
        metrics=Metrics(collect),
        slack=slack,
        https=False,
    )
    async with serve_web(application, "127.0.0.1", 0) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def visitor(site: Site) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Visitor(session, site.url)


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[Visitor]:
    """Another browser: it shares no cookie with the visitor."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Visitor(session, site.url)
