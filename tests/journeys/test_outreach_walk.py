"""Outreach in a browser, by clicking and typing: a campaign from the empty window to its report.

Rita builds it, checks it, starts it, watches it, meets what goes wrong and mends it; Ada looks after her as an admin.
The tests share one demo and one story, in the order of this file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser import running_browser
from tests.journeys.process import pause, until
from tests.journeys.workspace_page import GENERAL, OUTREACH, SOON, Drawer, Screen, printed_address, running_demo

CAMPAIGN = "Platform engineers"
RITA, RITAS_PASSWORD = "rita@agency.test", "rita-mail-pass"
MAYA, JONAS, PRIYA, TOMAS, AISHA = (
    f"{name}@candidates.example" for name in ("maya.lind", "jonas.berg", "priya.raman", "tomas.novak", "aisha.bello")
)
MAYAS_PHONE = "+4685550101"

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
    await rita.enter(channel=GENERAL)
    yield rita
    await context.close()
    assert faults == []


@pytest.fixture(scope="module")
def drawer(screen: Screen) -> Drawer:
    return Drawer(screen)


@pytest.fixture(scope="module")
def window(screen: Screen) -> Locator:
    """The window on top."""
    return screen.page.get_by_test_id("modal")


async def shows(window: Locator, *words: str) -> None:
    for one in words:
        await expect(window).to_contain_text(one, timeout=SOON)


async def fill(window: Locator, **values: str) -> None:
    """Types into the fields of these names."""
    for name, value in values.items():
        await window.locator(f"[data-block-id='{name}'] .field").fill(value)


async def press(place: Locator, label: str) -> None:
    """A button by what stands on it."""
    await place.locator("[data-action-id]").filter(has_text=re.compile(f"^{label}$")).first.click()


async def send(window: Locator) -> None:
    await window.get_by_test_id("modal-submit").click()


async def close(window: Locator) -> None:
    await window.get_by_test_id("modal-close").click()
    await expect(window).to_have_count(0, timeout=SOON)


async def agree(screen: Screen) -> None:
    """Says yes to what is asked once more."""
    await screen.page.get_by_test_id("confirm-yes").click()


async def add_stage(screen: Screen, window: Locator, kind: str, told: str, **values: str) -> None:
    await window.get_by_text("Add a stage …").click()
    await screen.page.get_by_role("option", name=kind, exact=True).click()
    await shows(window, f"New: {kind}")
    await fill(window, amount="0", **values)
    if kind == "Call":
        await window.get_by_label("People wait here until it is done or skipped").check()
    await send(window)
    await shows(window, told)


async def test_a_mailbox_is_connected(screen: Screen) -> None:
    """/mailbox connect, the private page, green."""
    await screen.command("/mailbox connect")
    answer = await screen.sees("Connect a mailbox", "Only visible to you")
    async with screen.context.expect_page() as opening:
        await press(answer, "Open the page")
    page = await opening.value
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("textbox", name="Password").fill(RITAS_PASSWORD)
    await page.get_by_role("button", name="Connect mailbox").click()
    await expect(page.get_by_role("heading", name=f"{RITA} is connected")).to_be_visible(timeout=SOON)
    await page.close()

    async def green() -> bool:
        await screen.command(f"/mailbox status {RITA}")
        shown = await (await screen.sees(f"{RITA}:")).inner_text()
        await pause(0 if "Syncing (green)" in shown else 1)  # whoever asks faster than that is told to wait
        return "Syncing (green)" in shown

    await until(green, f"{RITA} is green")


async def test_a_campaign_is_built_in_a_window(screen: Screen, window: Locator) -> None:
    """R149, R151, R153: a mail, a required call, a text, a mail; any day and hour; five people by address."""
    await screen.command("/outreach new")
    await shows(window, "New campaign")
    await fill(
        window,
        name=CAMPAIGN,
        subject="{{first_name}}, a platform team",
        body="Hi {{first_name}},\n\na team I know builds what you have built at {{company|your company}}.\n\nRita",
    )
    await send(window)
    await shows(window, "The draft is saved")
    await press(window, "Settings")
    await shows(window, "Tell replies and failures in")
    for day in ("Sat", "Sun"):
        await window.get_by_label(day).check()
    await fill(window, start="", end="")
    await send(window)
    await shows(window, "at any hour")
    await add_stage(screen, window, "Call", "Stage 2 is added", note="Ask when they could start.")
    await add_stage(screen, window, "Text message", "Stage 3 is added", body="Hi {{first_name}}, good to talk to you!")
    await add_stage(screen, window, "Email", "Stage 4 is added", body="Hi {{first_name}}, here are the details.")
    await press(window, "Add people")
    await fill(window, emails=", ".join((MAYA, JONAS, PRIYA, TOMAS, AISHA)))
    await send(window)
    await shows(window, "5 people were added")
    await press(window, "Open the campaign")
    await shows(window, "5 people stand here")
    await screen.keep("outreach/built", window)
    await close(window)


async def status(screen: Screen, *words: str) -> Locator:
    """The answer to /outreach status, which says all of this."""
    answers = screen.page.get_by_test_id("messages").get_by_role("article").filter(has_text="5 people, ")
    before = await answers.count()
    await screen.command(f"/outreach status {CAMPAIGN}")
    card = answers.nth(before)
    for one in words:
        await expect(card).to_contain_text(one, timeout=SOON)
    return screen.page.get_by_test_id(str(await card.get_attribute("data-testid")))


async def test_preflight_says_what_will_happen(screen: Screen) -> None:
    """X5: asked before the start, and nothing stands in the way."""
    await screen.command(f"/outreach preflight {CAMPAIGN}")
    report = await screen.sees(f"Preflight: {CAMPAIGN}", "Forecast")
    await expect(report).to_contain_text("nothing is known that would make mails fail")
    await screen.keep("outreach/preflight", report)


async def test_it_is_started_and_fails_in_a_heap(screen: Screen, drawer: Drawer) -> None:
    """Three candidates' servers refuse: three cards with their words, two calls to make, the status in short."""
    for address in (JONAS, TOMAS, AISHA):
        await drawer.refuse(address, "reject")
    await drawer.close()
    await screen.command(f"/outreach start {CAMPAIGN}")
    await screen.sees(f"{CAMPAIGN} is running")
    await screen.go(OUTREACH)
    for title in ("Stage failed: Jonas Berg", "Stage failed: Tomas Novak", "Stage failed: Aisha Bello"):
        await screen.sees(title, "550 5.1.1")
    for title in ("Call Maya Lind", "Call Priya Raman"):
        await screen.sees(title, "the campaign waits for it")
    await screen.keep("outreach/heap")
    card = await status(screen, "Bounced: 3", "Pending: 2")
    await screen.keep("outreach/status", card)


async def test_the_email_log_has_the_servers_words(screen: Screen, window: Locator) -> None:
    """R163, R164: what failed in the server's words; a call is called one."""
    await screen.command(f"/outreach log {CAMPAIGN}")
    await shows(window, "Email Log", JONAS, "550 5.1.1", "stage 2 · a call to make")
    await close(window)


async def test_all_that_failed_are_retried_at_once(screen: Screen, drawer: Drawer, window: Locator) -> None:
    """R140..R142: Failed, select all, Retry, although it bounced: the servers have been mended meanwhile."""
    for address in (JONAS, TOMAS, AISHA):
        await drawer.mend(address)
    await drawer.close()
    card = await screen.pinned(CAMPAIGN, "Bounced: 3")
    await press(card, r"Failed \(3\)")
    await shows(window, "1 to 3 of 3")
    await window.get_by_label("Select all 3 that match").check()
    await press(window, "Retry stage")
    await shows(window, "Retry the stage of 3 prospects")
    await window.get_by_label("Retry all the same").check()
    await send(window)
    await shows(window, "3 prospects tried again")
    await close(window)
    for name in ("Jonas Berg", "Tomas Novak", "Aisha Bello"):
        await screen.sees(f"Sent after all: {name}")
        await screen.sees(f"Call {name}")
    await status(screen, "Pending: 5")


async def test_a_call_is_made_and_the_text_follows(screen: Screen) -> None:
    """R150: Done on the card of the call lets the text go, to the candidate's telephone."""
    card = await screen.pinned("Call Maya Lind", "the campaign waits for it")
    await press(card, "Done")
    await expect(card).to_contain_text("Done: Call Maya Lind", timeout=SOON)
    await screen.page.get_by_role("button", name="Phones").first.click()
    await screen.page.get_by_test_id(f"phone-{MAYAS_PHONE}").click()
    await expect(screen.page.get_by_test_id("phone-texts")).to_contain_text(
        "Hi Maya, good to talk to you!", timeout=SOON
    )
    await screen.page.get_by_test_id("phones-close").click()


async def test_a_reply_stops_the_rest(screen: Screen, drawer: Drawer) -> None:
    """The candidate answers: the call is no longer needed."""
    card = await screen.pinned("Call Priya Raman", "the campaign waits for it")
    await drawer.open(PRIYA)
    await drawer.read("Priya, a platform team")
    await drawer.answer()
    await drawer.close()
    await screen.sees("Reply: Priya Raman")
    await expect(card).to_contain_text("No longer needed: Call Priya Raman", timeout=SOON)


async def test_mark_finished_is_undone(screen: Screen, window: Locator) -> None:
    """R136: finished from the window, with Undo, which puts everything back."""
    await screen.go(GENERAL)
    card = await status(screen, "Replied: 1")
    await press(card, r"Prospects \(5\)")
    await shows(window, "1 to 5 of 5")
    await window.get_by_role("button", name="Open Jonas Berg").click()
    await shows(window, f"{JONAS} (personal)", "Pending")
    await press(window, "Mark finished")
    await agree(screen)
    await shows(window, "Marked finished")
    await screen.keep("outreach/finished", window)
    await press(window, "Undo")
    await shows(window, "Undone: everything is as it was before.")
    await close(window)


async def test_the_report(screen: Screen) -> None:
    """R178, R180: figures by stage, and both pictures."""
    await screen.go(OUTREACH)
    await screen.command(f"/outreach report {CAMPAIGN}")
    await screen.sees(f"Report: {CAMPAIGN}", "By stage")
    pictures = await screen.sees("Funnel", "Timeline")
    for name in ("Funnel of", "Timeline of"):
        picture = pictures.get_by_role("img", name=name)
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("naturalWidth", 1_640, timeout=SOON)
    await screen.keep("outreach/timeline", picture)


async def test_an_admin_stops_everything_and_lets_it_go_on(screen: Screen) -> None:
    """Ada's two words hold for everybody: while it is stopped, what is left of the limits begins with that."""
    await screen.become("U0ADA")
    await screen.go(GENERAL)
    await screen.command("/outreach stop everything")
    await press(await screen.sees("Stop everything?"), "Stop everything")
    await agree(screen)
    await screen.sees("Everything is stopped")
    await screen.command("/outreach left")
    await screen.sees("An admin has stopped everything", "Left of today's limits")
    await screen.command("/outreach resume everything")
    await press(await screen.sees("Let everything go on that was stopped?"), "Let it go on")
    await agree(screen)
    await screen.sees("Everything goes on")
    await status(screen, "The campaign is running", "Pending: 3")
