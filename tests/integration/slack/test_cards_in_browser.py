"""Alerts in a browser: what a person sees, opens and chooses on the cards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from bot.slack.slack_app import SlackFace
from sandbox.slack import SlackSandbox
from tests.browser import running_browser
from tests.fakes.services import FakeServices
from tests.integration.slack.test_buttons import a_card
from tests.journeys.workspace_page import ALERTS, SOON, Screen
from tests.unit.bot.facts import RECOVERY, STORM, SYNC

pytestmark = pytest.mark.browser

MANY = [
    {
        "mailbox_id": f"mailbox-{number}",
        "address": f"recruiter{number}@agency.test",
        "owner": "U0RITA",
        "state": "recovered" if number > 9 else "broken",
    }
    for number in range(1, 13)
]
TEN_BROKEN: dict[str, Any] = STORM | {"mailboxes": MANY, "total": 12, "recovered": 3}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest.fixture
async def screen(browser: Browser, slack: SlackSandbox) -> AsyncIterator[Screen]:
    """Rita's browser, in the alert channel."""
    page = await browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/London")
    page.set_default_timeout(SOON)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    rita = Screen(page, slack.page_url.rstrip("/"))
    await rita.enter(channel=ALERTS)
    yield rita
    await page.close()
    assert faults == []


def element(card: Locator, action_id: str) -> Locator:
    return card.locator(f"[data-action-id='{action_id}']")


async def test_a_storm_is_one_card_and_resync_all_asks_first(
    screen: Screen, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """X10, R26."""
    await a_card(slack, face, "storm", TEN_BROKEN)
    card = await screen.sees("Connection interrupted: 12 mailboxes at Microsoft")
    await expect(card).to_contain_text("3 of 12 back.")
    await screen.keep("storm", card)
    await element(card, "storm.resync").click()
    await screen.page.get_by_test_id("confirm-yes").click()
    assert services.alerts is not None
    alerts = services.alerts
    await slack.wait_for(lambda: alerts.asked or None)
    assert alerts.asked == [("resync_storm", "U0RITA", "alert-2", 5, "")]


async def test_escalate_shows_the_facts_and_posts_them(
    screen: Screen, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R17, R25."""
    services.settings.values = {"alert_channel": ALERTS}
    await a_card(slack, face, "sync", SYNC)
    card = await screen.pinned("Sync broken: rita@agency.test")
    await element(card, "alert.more").click()
    await screen.page.get_by_text("Escalate …").click()
    window = screen.page.get_by_role("dialog")
    await expect(window).to_contain_text("Server said: AUTHENTICATIONFAILED")
    await screen.keep("escalate", window)
    await window.get_by_role("button", name="Post it to the alert channel").click()
    await expect(window).to_contain_text("Posted to #mailbox-alerts")
    await window.get_by_role("button", name="Close").last.click()
    await screen.sees("Help is needed", "@Rita Reed asks for help")


async def test_a_card_is_assigned_by_choosing_a_person(
    screen: Screen, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    await a_card(slack, face, "sync", SYNC)
    card = await screen.pinned("Sync broken: rita@agency.test")
    await element(card, "alert.assign").click()
    await screen.page.get_by_role("option", name="Omar Odell").click()
    assert services.alerts is not None
    alerts = services.alerts
    await slack.wait_for(lambda: alerts.asked or None)
    assert alerts.asked == [("assign", "U0RITA", "alert-1", 2, "U0OMAR")]


async def test_what_failed_meanwhile_is_reviewed_in_a_window(
    screen: Screen, slack: SlackSandbox, face: SlackFace
) -> None:
    """X3."""
    await a_card(slack, face, "recovery", RECOVERY)
    card = await screen.sees("3 stages failed while rita@agency.test was down")
    await element(card, "recovery.review").click()
    window = screen.page.get_by_role("dialog")
    await expect(window).to_contain_text("Ben Carter, ben@candidates.example")
    await screen.keep("recovery", card)
