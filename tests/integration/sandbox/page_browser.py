"""The workspace page in a browser of the test module's own, in front of a peer of each test's own."""

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.browser import PATIENCE_MS, running_browser
from tests.integration.sandbox.page_peer import PagePeer


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def peer() -> AsyncIterator[PagePeer]:
    made = PagePeer()
    runner = web.AppRunner(made.app(), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    for socket in made.sockets:
        await socket.close()
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    opened = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    await opened.close()
    assert faults == []
