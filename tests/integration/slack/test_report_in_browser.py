"""A campaign's report in a browser: the figures, and the pictures as the conversation shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from bot.slack.slack_app import SlackFace
from sandbox.slack import SlackSandbox
from tests.browser import running_browser
from tests.fakes.reports import FIGURES
from tests.journeys.workspace_page import OUTREACH, SOON, Screen

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


async def a_page(browser: Browser, faults: list[str], *, width: int) -> Page:
    page = await browser.new_page(
        viewport={"width": width, "height": 1400}, locale="en-GB", timezone_id="Europe/London"
    )
    page.set_default_timeout(SOON)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return page


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_report_shows_its_figures_and_both_pictures(
    browser: Browser, slack: SlackSandbox, face: SlackFace, width: int
) -> None:
    """The pictures are loaded, have titles, fit the page and can be told by their words."""
    faults: list[str] = []
    page = await a_page(browser, faults, width=width)
    rita = Screen(page, slack.page_url.rstrip("/"))
    await rita.enter(channel=OUTREACH)
    await rita.command(f'/outreach report "{FIGURES.campaign}"')
    await rita.sees(f"Report: {FIGURES.campaign}", "By stage", "some replies did not sync")
    pictures = await rita.sees("Funnel", "Timeline")
    for words in ("Funnel of", "Timeline of"):
        picture = pictures.get_by_role("img", name=words)
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("complete", True)
        await expect(picture).to_have_js_property("naturalWidth", 1_640)
        box = await picture.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    if width == 1280:
        await rita.keep("report", pictures)
    await page.close()
    assert faults == []
