"""A campaign built by clicking: what a person sees, types and chooses in the windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from bot.slack.slack_app import SlackFace
from core.clock import SystemClock
from core.domain.campaign import CampaignStatus
from sandbox.slack import SlackSandbox
from storage.sql_store import SqlStore
from tests.browser import running_browser
from tests.fakes.services import FirstTimes
from tests.integration.slack.conftest import access
from tests.integration.slack.real_engine import RITA, RealEngine, real_engine
from tests.journeys.workspace_page import ALERTS, SOON, Screen

pytestmark = pytest.mark.browser


@pytest.fixture
async def engine(sqlite_store: SqlStore) -> RealEngine:
    return await real_engine(sqlite_store)


@pytest.fixture
async def face(slack: SlackSandbox, engine: RealEngine) -> AsyncIterator[SlackFace]:
    made = SlackFace(access(slack), engine.services, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    await made.start()
    await slack.wait_connected()
    yield made
    await made.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest.fixture
async def screen(browser: Browser, slack: SlackSandbox) -> AsyncIterator[Screen]:
    page = await browser.new_page(viewport={"width": 1280, "height": 1000}, locale="en-GB", timezone_id="Europe/London")
    page.set_default_timeout(SOON)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    rita = Screen(page, slack.page_url.rstrip("/"))
    await rita.enter(channel=ALERTS)
    yield rita
    await page.close()
    assert faults == []


def field(window: Locator, name: str) -> Locator:
    return window.locator(f"[data-block-id='{name}'] .field")


async def test_a_campaign_is_built_checked_and_started_by_clicking(
    screen: Screen, slack: SlackSandbox, face: SlackFace, engine: RealEngine, tmp_path: Path
) -> None:
    """R149, R151, R152, X4, X5: from nothing to a running campaign, without leaving the window."""
    window = screen.page.get_by_role("dialog")
    await screen.command("/outreach new")
    await expect(window).to_contain_text("New campaign")
    await field(window, "name").fill("Backend engineers, autumn")
    await field(window, "subject").fill("{{first_name}}, a role for you?")
    await field(window, "body").fill("Hi {{first_name}},\n\nmay I tell you about a role at a company you know?\n\nRita")
    await screen.keep("campaign-new", window)
    await window.get_by_test_id("modal-submit").click()
    await expect(window).to_contain_text("The draft is saved")

    await window.get_by_text("Add a stage …").click()
    await screen.page.get_by_role("option", name="Email").click()
    await expect(window).to_contain_text("New: Email")
    await field(window, "amount").fill("3")
    await field(window, "body").fill("Hi {{first_name}}, did you see my note?")
    await screen.keep("campaign-stage", window)
    await window.get_by_test_id("modal-submit").click()
    await expect(window).to_contain_text("3 business days later")

    people = tmp_path / "people.csv"
    people.write_text("first_name,personal_email\nBen,ben@candidates.example\nCleo,cleo@candidates.example\n")
    await window.get_by_role("button", name="Add people").click()
    await window.locator("input[type=file]").set_input_files(people)
    await expect(window).to_contain_text("people.csv (1 KB)")
    await field(window, "emails").fill("ghost@elsewhere.example")
    await window.get_by_test_id("modal-submit").click()
    await expect(window).to_contain_text("2 people were added")
    await expect(window).to_contain_text("ghost@elsewhere.example: nobody here has this address")
    await screen.keep("campaign-people", window)
    await window.get_by_role("button", name="Open the campaign").click()
    await expect(window).to_contain_text("2 people stand here")
    await screen.keep("campaign-window", window)

    await window.locator("[data-action-id='campaign.stage_more']").first.click()
    await screen.page.get_by_role("menuitem", name="Preview").click()
    await expect(window).to_contain_text("Ben, a role for you?")
    await expect(window).to_contain_text("Would go")
    await screen.keep("campaign-preview", window)
    await window.get_by_role("button", name="Back to the campaign").click()
    await window.get_by_role("button", name="Check and start").click()
    await expect(window).to_contain_text("Preflight: Backend engineers, autumn")
    await expect(window).to_contain_text("0 will fail")
    await screen.keep("campaign-preflight", window)
    await window.get_by_role("button", name="Start now").click()
    await screen.page.get_by_test_id("confirm-yes").click()
    await expect(window).to_contain_text("is running")
    campaign = (await engine.uses.campaigns.status(RITA, "Backend engineers, autumn")).campaign
    assert campaign.status is CampaignStatus.ACTIVE


async def test_settings_and_the_list_are_used_by_choosing(
    screen: Screen, slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R157, R158, R160."""
    await engine.campaign(people=2)
    await screen.command("/outreach list")
    card = await screen.sees("Backend engineers, autumn", "2 people in it")
    await screen.keep("campaign-list", card)
    await card.get_by_role("button", name="Open Backend engineers").click()
    window = screen.page.get_by_role("dialog")
    await window.get_by_role("button", name="Settings").click()
    await expect(window).to_contain_text("Tell replies and failures in")
    await screen.keep("campaign-settings", window)
    await field(window, "end").fill("12:30")
    await window.get_by_label("Every recruiter may add people").check()
    await window.get_by_test_id("modal-submit").click()
    await expect(window).to_contain_text("09:00 to 12:30")
    await expect(window).to_contain_text("shared")
