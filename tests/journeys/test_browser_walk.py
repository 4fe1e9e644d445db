"""The whole job in a browser, by clicking: what a newcomer does after ``make demo``.

The tests share one demo and one story, in the order of this file.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser import running_browser
from tests.journeys.process import until
from tests.journeys.workspace_page import (
    ALERTS,
    GENERAL,
    OUTREACH,
    SOON,
    Drawer,
    Screen,
    posted_at,
    printed_address,
    running_demo,
)

CAMPAIGN = "Backend engineers, autumn"
RITA = "rita@agency.test"
MERIDIAN = "rita@meridian.test"
RITAS_PASSWORD = "rita-mail-pass"
MAYA = "maya.lind@candidates.example"
JONAS = "jonas.berg@candidates.example"
PRIYA = "priya.raman@candidates.example"
ALERT_WITHIN = 10.0

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def words(browser: Browser) -> AsyncIterator[str]:
    """What the demo printed."""
    del browser  # without one nothing needs to be started
    async with running_demo() as printed:
        yield printed


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def screen(browser: Browser, words: str) -> AsyncIterator[Screen]:
    """Rita's browser."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/London"
    )
    page = await context.new_page()
    page.set_default_timeout(SOON)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    rita = Screen(page, printed_address(words))
    await rita.enter()
    yield rita
    await context.close()
    assert faults == []


@pytest.fixture(scope="module")
def drawer(screen: Screen) -> Drawer:
    return Drawer(screen)


async def opened(screen: Screen, link: Locator) -> Page:
    """The private page, from its button."""
    async with screen.context.expect_page() as opening:
        await link.click()
    return await opening.value


async def fill_in_password(page: Page, password: str) -> None:
    await page.get_by_role("textbox", name="Password").fill(password)


async def send_form(page: Page, button: str) -> None:
    """Sends the form of the private page, which says that the mailbox is connected, and closes the tab."""
    await page.get_by_role("button", name=button).click()
    await expect(page.get_by_role("heading", name=f"{RITA} is connected")).to_be_visible(timeout=SOON)
    await page.close()


def press(card: Locator, label: str) -> Locator:
    """A card's button by what stands on it."""
    return card.locator("[data-action-id]").filter(has_text=re.compile(f"^{label}$"))


async def no_buttons(card: Locator) -> None:
    await expect(card.locator("[data-action-id]")).to_have_count(0, timeout=SOON)


async def test_a_mailbox_is_connected_on_the_private_page(screen: Screen, words: str) -> None:
    """/mailbox connect → Open the page → Continue → the password → connected; Slack never sees the password."""
    assert RITAS_PASSWORD in words
    await screen.go(GENERAL)
    await screen.command("/mailbox connect")
    answer = await screen.sees("Connect a mailbox", "Only visible to you")
    page = await opened(screen, press(answer, "Open the page"))
    await expect(page.get_by_label("E-mail address")).to_have_value(RITA)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator("main")).to_contain_text("agency.test publishes these servers")
    await fill_in_password(page, RITAS_PASSWORD)
    await Screen(page, "").keep("connect-page")
    await send_form(page, "Connect mailbox")


async def test_the_mailbox_turns_green(screen: Screen) -> None:
    """/mailbox status says in words that it syncs, sends and reads."""

    async def green() -> bool:
        await screen.command("/mailbox status")
        status = await screen.sees("Your mailboxes", RITA)
        return "Syncing (green)" in await status.inner_text()

    await until(green, f"{RITA} is green")
    await expect(screen.card("Your mailboxes")).to_contain_text("Sends outreach ✓, reads replies ✓")


async def test_a_campaign_is_launched_and_its_reply_reaches_slack(screen: Screen, drawer: Drawer) -> None:
    """/outreach start → Start → the candidate reads and answers → a card in #outreach, the words for Rita alone."""
    await drawer.refuse(JONAS, "reject")
    await drawer.refuse(PRIYA, "drop")
    await drawer.turn(RITA, "files_sent")
    await drawer.close()
    await screen.command("/outreach start")
    offer = await screen.sees("Start a campaign", CAMPAIGN)
    await press(offer, "Start").click()
    await screen.page.get_by_test_id("confirm-yes").click()
    await screen.sees(f"{CAMPAIGN} is running")
    await drawer.open(MAYA)
    text = await drawer.read("Maya, a backend role that fits payments")
    await expect(text).to_contain_text("your work on payments at Northwind caught my eye")
    answer = await drawer.answer()
    await drawer.close()
    await screen.go(OUTREACH)
    card = await screen.sees("Reply: Maya Lind", CAMPAIGN)
    await expect(card).not_to_contain_text(answer)
    await screen.go_to_messages()
    excerpt = await screen.sees("Reply: Maya Lind", answer)
    await screen.keep("reply", excerpt)
    await expect(screen.page.get_by_test_id("composer")).to_have_count(0)  # the manifest makes this tab read-only


async def test_a_second_click_is_told_what_stands(screen: Screen) -> None:
    """The offer to start is still in the channel: pressed again it says that the campaign runs."""
    await screen.go(GENERAL)
    offer = await screen.sees("Start a campaign", CAMPAIGN)
    await press(offer, "Start").click()
    await screen.page.get_by_test_id("confirm-yes").click()
    await screen.sees("Only visible to you", "Only a draft or a paused campaign can be started.")


async def test_a_mail_that_may_have_gone_out_waits_for_a_person(screen: Screen) -> None:
    """The connection broke after the handover and nothing is filed: the card asks, Rita says that it was sent."""
    await screen.go(OUTREACH)
    card = await screen.pinned("Sent or not? Priya Raman")
    await screen.sees("Stage failed: Jonas Berg")
    await screen.keep("workspace")
    await screen.keep("uncertain", card)
    await press(card, "It was sent").click()
    await expect(card).to_contain_text("It was sent: Priya Raman", timeout=SOON)
    await expect(card).to_contain_text("Decided by @Rita Reed")
    await no_buttons(card)


async def test_home_shows_each_person_what_is_theirs(screen: Screen) -> None:
    """Rita: her mailbox, Jonas's failure, her campaign. Ada, who is an admin, has none of these."""
    home = await screen.go_home()
    for words in (RITA, "Syncing (green)", "Jonas Berg", "Bounced", CAMPAIGN, "1 Replied"):
        await expect(home).to_contain_text(words)
    await screen.keep("home")
    await screen.become("U0ADA")
    home = await screen.go_home()
    await expect(home).to_contain_text("Connect the mailbox you write to candidates from")
    await expect(home).not_to_contain_text(RITA)
    await screen.become("U0RITA")


async def test_a_failed_stage_is_mended_and_retried(screen: Screen, drawer: Drawer) -> None:
    """Reason and server's words; the address is the same, so Retry asks first; then the same card says that it was
    sent, and its buttons go."""
    await screen.go(OUTREACH)
    card = await screen.pinned("Stage failed: Jonas Berg")
    await expect(card).to_contain_text("Bounced: Invalid Recipient")
    await expect(card).to_contain_text("550 5.1.1 The email account that you tried to reach does not exist")
    await screen.keep("stage-failed", card)
    await drawer.mend(JONAS)
    await drawer.close()
    await press(card, "Retry").click()
    warning = await screen.sees("Only visible to you", "it is still the one to write to")
    await press(warning, "Retry all the same").click()
    await expect(card).to_contain_text("Sent after all: Jonas Berg", timeout=SOON)
    await no_buttons(card)


async def test_the_report_is_read_as_text_and_seen_as_pictures(screen: Screen) -> None:
    """R178, R180: /outreach report, in the channel: who was reached, who replied, and both pictures in full size."""
    await screen.go(OUTREACH)
    await screen.command(f'/outreach report "{CAMPAIGN}"')
    report = await screen.sees(f"Report: {CAMPAIGN}", "By stage")
    await expect(report).to_contain_text("Replied: 1 (")
    pictures = await screen.sees("Funnel", "Timeline")
    for name in ("Funnel of", "Timeline of"):
        picture = pictures.get_by_role("img", name=name)
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("naturalWidth", 1_640, timeout=SOON)
    await screen.keep("report", pictures)


async def test_a_changed_password_is_told_in_ten_seconds_and_mended_by_resync(screen: Screen, drawer: Drawer) -> None:
    """The alert names the cause; mended, Resync turns the same card to recovered."""
    await screen.go(ALERTS)
    await drawer.change_password(RITA)
    changed = time.time()
    card = await screen.pinned(f"Sync broken: {RITA}")
    assert await posted_at(card) - changed < ALERT_WITHIN
    await expect(card).to_contain_text("Password was changed or is wrong")
    await expect(card).to_contain_text("Invalid credentials")
    await drawer.close()
    await screen.keep("alert-broken", card)
    await screen.command("/mailbox status")
    earlier = await screen.pinned("Your mailboxes", "Sync broken (red)")
    await drawer.mend(RITA)
    await drawer.close()
    await press(card, "Resync").click()
    await expect(card).to_contain_text(f"Sync recovered: {RITA}", timeout=SOON)
    await expect(card).to_contain_text("resync by @Rita Reed")
    await no_buttons(card)
    await screen.keep("alert-recovered", card)
    await press(earlier, "Resync").click()
    await screen.sees("Only visible to you", f"Resync started: {RITA}")


async def test_a_changed_password_is_mended_by_reconnecting(screen: Screen, drawer: Drawer) -> None:
    """Reconnect → the private page → the new password → the same card says recovered; the link works once."""
    password = await drawer.change_password(RITA)
    await drawer.close()
    card = await screen.pinned(f"Sync broken: {RITA}")
    await press(card, "Reconnect").click()
    answer = await screen.sees(f"Reconnect {RITA}", "Only visible to you")
    link = press(answer, "Open the page")
    page = await opened(screen, link)
    await fill_in_password(page, password)
    await send_form(page, "Reconnect mailbox")
    await expect(card).to_contain_text(f"Sync recovered: {RITA}", timeout=SOON)
    await no_buttons(card)
    again = await opened(screen, link)
    await expect(again.get_by_role("heading", name="This link is no longer good")).to_be_visible(timeout=SOON)
    await again.close()


async def test_a_mailbox_at_microsoft_is_connected_by_signing_in(screen: Screen) -> None:
    """Slack names the provider; the page's one button leads to its sign-in and back; the mailbox turns green."""
    await screen.go(GENERAL)
    await screen.command(f"/mailbox connect {MERIDIAN}")
    answer = await screen.sees("Connect a mailbox", "you sign in with Microsoft")
    await expect(answer).to_contain_text("MX says Microsoft")
    page = await opened(screen, press(answer, "Open the page"))
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Sign in with Microsoft").click()
    await page.locator(f'button[value="{MERIDIAN}"]').click()
    await expect(page.get_by_role("heading", name=f"{MERIDIAN} is connected")).to_be_visible(timeout=SOON)
    await page.close()

    async def green() -> bool:
        await screen.command(f"/mailbox status {MERIDIAN}")
        return "Syncing (green)" in await (await screen.sees(MERIDIAN)).inner_text()

    await until(green, f"{MERIDIAN} is green")
