"""The Prospects window in a browser: what a person sees, ticks and presses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from bot.slack import prospect_ids as ids
from bot.slack.slack_app import SlackFace
from core.clock import SystemClock
from core.domain.enrollment import ProspectStatus
from sandbox.slack import SlackSandbox
from storage.sql_store import SqlStore
from tests.browser import running_browser
from tests.fakes.services import FirstTimes
from tests.integration.slack.conftest import access
from tests.integration.slack.prospect_rig import NAME, ProspectRig, prospect_rig
from tests.journeys.workspace_page import ALERTS, SOON, Screen

pytestmark = pytest.mark.browser
P = ProspectStatus
PEOPLE = [P.NOT_DELIVERED, P.BOUNCED, P.ACTIVE, P.PENDING, P.REPLIED, P.PAUSED, P.NOT_DELIVERED, *([P.ACTIVE] * 5)]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest.fixture
async def rig(sqlite_store: SqlStore, slack: SlackSandbox) -> ProspectRig:
    made = await prospect_rig(sqlite_store, slack)
    await made.launch(PEOPLE)
    return made


@pytest.fixture
async def face(rig: ProspectRig, slack: SlackSandbox) -> AsyncIterator[SlackFace]:
    made = SlackFace(access(slack), rig.services, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    await made.start()
    await slack.wait_connected()
    yield made
    await made.stop()


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_failed_ones_are_retried_in_bulk(
    browser: Browser, slack: SlackSandbox, rig: ProspectRig, face: SlackFace, width: int
) -> None:
    """From the status card to the result, in five clicks (R140..R142, R217)."""
    page = await browser.new_page(viewport={"width": width, "height": 900}, locale="en-GB", timezone_id="Europe/London")
    page.set_default_timeout(SOON)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    rita = Screen(page, slack.page_url.rstrip("/"))
    await rita.enter(channel=ALERTS)
    await rita.command(f'/outreach status "{NAME}"')
    card = await rita.sees(NAME, "people need attention")
    await rita.keep(f"prospects-status-{width}", card)
    await card.get_by_role("button", name="Prospects (12)").click()
    window = page.get_by_role("dialog")
    await expect(window).to_contain_text("1 to 10 of 12")
    await rita.keep(f"prospects-{width}", window)
    await window.locator(f"[data-action-id='{ids.LIST_NEXT}']").click()
    await expect(window).to_contain_text("11 to 12 of 12")
    await window.locator(f"[data-action-id='{ids.LIST_PREVIOUS}']").click()
    await expect(window).to_contain_text("1 to 10 of 12")
    boxes = window.get_by_role("checkbox")
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await window.get_by_role("button", name="Retry stage").click()
    await expect(window).to_contain_text("Retry the stage of 2 prospects of")
    await rita.keep(f"prospects-ask-{width}", window)
    await window.get_by_role("button", name="Retry: 2").click()
    await expect(window).to_contain_text("1 prospect tried again")
    await expect(window).to_contain_text("it is still the one to write to")
    await rita.keep(f"prospects-result-{width}", window)
    await window.get_by_role("button", name="Back to the prospects").click()
    await expect(window).to_contain_text("1 to 10 of 12")
    await window.locator(f"[data-action-id='{ids.PERSON_OPEN}']").nth(1).click()
    await expect(window).to_contain_text("person2@candidates.example (personal)")
    await rita.keep(f"prospect-{width}", window)
    await page.close()
    assert faults == []
