"""The connect pages on the product's own services, against the sandbox's mail, DNS and sign-in, in a browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from bot.web.health import Health
from bot.web.metrics import Metrics, Snapshot
from bot.web.server import build_application, connect_pages, link_pages, serve_web
from core.clock import SystemClock
from tests.integration.signin.conftest import RITA, Agency
from tests.ports import held_port

SOON = 60_000
"""Milliseconds in which a page has to show what is waited for."""


@dataclass
class Desk:
    """One tab of a browser, at pages that are served for real."""

    agency: Agency
    page: Page
    url: str

    async def open(self, address: str = "", *, mailbox_id: str | None = None) -> str:
        """A new link, looked at; returns its token."""
        token = await self.agency.uses.connecting.issue_ticket(RITA, mailbox_id)
        await self.page.goto(f"{self.url}/connect/{token}" + (f"?address={address}" if address else ""))
        return token

    async def go_on(self) -> None:
        await self.press("Continue")

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def choose(self, address: str) -> None:
        """On the provider's page: signs in as this account."""
        await expect(self.page.get_by_role("heading", name="Choose an account")).to_be_visible(timeout=SOON)
        await self.page.locator(f'button[value="{address}"]').click()

    async def sees_heading(self, name: str) -> None:
        await expect(self.page.get_by_role("heading", name=name)).to_be_visible(timeout=SOON)

    async def sees(self, *words: str) -> None:
        for one in words:
            await expect(self.page.locator("main")).to_contain_text(one, timeout=SOON)

    async def keep(self, name: str) -> None:
        """A picture to look at, in the folder that ``RETHREAD_LOOK`` names."""
        folder = os.environ.get("RETHREAD_LOOK")
        if folder:
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, animations="disabled")


@asynccontextmanager
async def open_desk(agency: Agency, browser: Browser) -> AsyncIterator[Desk]:
    """The stand-ins' certificates are of the sandbox's own authority, which the browser does not know."""
    with held_port() as port:
        async with _served(agency, browser, port) as desk:
            yield desk


@asynccontextmanager
async def _served(agency: Agency, browser: Browser, port: int) -> AsyncIterator[Desk]:
    url = f"http://127.0.0.1:{port}"
    uses, clock = agency.uses, SystemClock()
    connect, sign_in = connect_pages(
        uses.connecting, uses.discovery, uses.sign_in, uses.seats, clock, public_url=url, allow_plain=True
    )

    async def numbers() -> Snapshot:
        return Snapshot()

    async def parts() -> dict[str, object]:
        return {}

    application = build_application(
        connect=connect,
        sign_in=sign_in,
        links=link_pages(uses.engagement, clock, public_url=url),
        health=Health(loop_lag=lambda: 0.0, parts=parts),  # type: ignore[arg-type]
        metrics=Metrics(numbers),
        slack=None,
        https=False,
    )
    context = await browser.new_context(ignore_https_errors=True, viewport={"width": 900, "height": 900})
    try:
        async with serve_web(application, "127.0.0.1", port):
            page = await context.new_page()
            page.set_default_timeout(SOON)
            yield Desk(agency, page, url)
    finally:
        await context.close()
