"""The real application on a port of its own, with links that live in memory, and a visitor's browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from bot.web.connect import ConnectPage, Propose
from bot.web.health import Health, PartState
from bot.web.metrics import Metrics, Snapshot
from bot.web.server import build_application, serve_web
from core.ports.mail import Endpoint, Tls
from core.services.proposals import Proposal
from tests.fakes.connect_tickets import RememberedTickets
from tests.stores import SteadyClock


@dataclass
class Site:
    """What the pages are built on, changeable while they are served."""

    url: str = ""
    clock: SteadyClock = field(default_factory=SteadyClock)
    tickets: RememberedTickets = field(default_factory=RememberedTickets)
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
        page = await self.look(token)
        return await self.ask("POST", f"/connect/{token}", data={"csrf": csrf_of(page.text), **fields})

    async def ask(self, method: str, path: str, **more: Any) -> Seen:
        async with self.session.request(method, self.url + path, **more) as response:
            return Seen(response.status, await response.text(), response.headers)


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
def propose() -> Propose:
    """A domain that publishes nothing: the usual names are proposed."""

    async def usual(address: str) -> Proposal:
        domain = address.rpartition("@")[2]
        return Proposal(Endpoint(f"imap.{domain}", 993, Tls.SSL), Endpoint(f"smtp.{domain}", 465, Tls.SSL), False)

    return usual


@pytest.fixture
def allow_plain() -> bool:
    return False


@pytest.fixture
async def site(propose: Propose, allow_plain: bool) -> AsyncIterator[Site]:
    made = Site()

    async def collect() -> Snapshot:
        return made.snapshot

    async def parts() -> dict[str, PartState]:
        return made.parts()

    async def slack(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text="slack")

    application = build_application(
        connect=ConnectPage(made.tickets, made.clock, https=False, allow_plain=allow_plain, propose=propose),
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
