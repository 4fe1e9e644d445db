"""Breaks by hand: each switch of the sandbox brings the card with the right cause and fix, and mends on it.

The tests share one demo and three mailboxes, in the order of this file; the breaks of a round happen at the same time.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser import running_browser
from tests.journeys.breaks import AGENCY, BREAKS, MERIDIAN, PICTURED, ROUNDS, SPROUT, Break
from tests.journeys.connect_pages import connect_by_password, connect_by_sign_in, reconnect
from tests.journeys.process import until
from tests.journeys.workspace_page import (
    ALERTS,
    GENERAL,
    SOON,
    Drawer,
    Screen,
    posted_at,
    printed_address,
    running_demo,
)

PROVIDERS = {SPROUT: "google", MERIDIAN: "microsoft"}
TOLD_WITHIN = 45.0

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def screen(browser: Browser) -> AsyncIterator[Screen]:
    """Rita's browser, in which she trusts the stand-ins' certificates."""
    async with running_demo() as printed:
        context = await browser.new_context(
            viewport={"width": 1280, "height": 900},
            locale="en-GB",
            timezone_id="Europe/London",
            ignore_https_errors=True,
        )
        page = await context.new_page()
        page.set_default_timeout(SOON)
        rita = Screen(page, printed_address(printed))
        await rita.enter()
        yield rita
        await context.close()


@pytest.fixture(scope="module")
def drawer(screen: Screen) -> Drawer:
    return Drawer(screen)


@pytest.fixture(scope="module")
def told_after() -> dict[str, float]:
    """Seconds from each break to its card."""
    return {}


async def test_three_mailboxes_are_connected(screen: Screen, drawer: Drawer) -> None:
    """By password, at Google and at Microsoft; tokens live for seconds, so that what ends them shows at once."""
    for provider in PROVIDERS.values():
        await drawer.set_token_life(provider, "21")
    await drawer.close()
    await screen.go(GENERAL)
    await connect_by_password(screen, AGENCY, "rita-mail-pass")
    await connect_by_sign_in(screen, SPROUT, "Google")
    await connect_by_sign_in(screen, MERIDIAN, "Microsoft")
    await all_green(screen)


async def all_green(screen: Screen) -> None:
    async def green() -> bool:
        await screen.command("/mailbox status")
        status = await screen.sees("Your mailboxes", AGENCY, SPROUT, MERIDIAN)
        return (await status.inner_text()).count("Syncing (green)") == 3

    await until(green, "three mailboxes are green")


def press(card: Locator, label: str) -> Locator:
    return card.locator("[data-action-id]").filter(has_text=re.compile(f"^{label}$"))


async def break_it(screen: Screen, drawer: Drawer, one: Break) -> None:
    turn = one.turn
    provider = PROVIDERS.get(one.mailbox, "")
    if not turn.by_hand and turn.target:
        await screen.ask(f"sandbox/signin/{provider}/{turn.target}/{turn.switch}", value=turn.value)
    elif not turn.by_hand:
        await screen.ask("mail/switch", address=one.mailbox, name=turn.switch, value=turn.value)
    elif turn.target == "app":
        await drawer.turn_app(provider, turn.switch)
    elif turn.target:
        await drawer.turn_sign_in(provider, one.mailbox, turn.switch)
    elif turn.switch == "password":
        await drawer.change_password(one.mailbox)
    elif isinstance(turn.value, str):
        await drawer.choose(one.mailbox, turn.switch, turn.value)
    else:
        await drawer.turn(one.mailbox, turn.switch)


async def mend_it(drawer: Drawer, one: Break) -> None:
    if one.turn.target == "app":
        await drawer.turn_app(PROVIDERS[one.mailbox], one.turn.switch)
    else:
        await drawer.mend(one.mailbox)


async def press_it(screen: Screen, card: Locator, one: Break) -> None:
    if one.press == "Reconnect":
        await reconnect(screen, press(card, "Reconnect"), one.mailbox)
    elif one.press == "Resync all":
        await screen.become("U0ADA")  # what concerns everybody is for admins
        await press(card, one.press).click()
        await screen.page.get_by_test_id("confirm-yes").click()
        await screen.become("U0RITA")
        await screen.go(ALERTS)
    elif one.press:
        await press(card, one.press).click()


async def assert_names_what_is_wrong(card: Locator, one: Break) -> None:
    """Cause, who must act, the fix, and the server's own words; never a password where it is none."""
    for words in (one.cause, one.who, one.says, one.server):
        await expect(card).to_contain_text(words, timeout=SOON)
    text = (await card.inner_text()).lower().replace("your password is fine", "")
    assert one.password or "password" not in text


@pytest.mark.parametrize("together", ROUNDS, ids=lambda together: ", ".join(one.name for one in together))
async def test_breaks_are_named_and_mended(
    screen: Screen, drawer: Drawer, told_after: dict[str, float], together: tuple[Break, ...]
) -> None:
    """Switch, card in the channel and to the owner, switch back, the button that the card names: the same card says
    that all is well."""
    await screen.go(ALERTS)
    began = {}
    for one in together:
        await break_it(screen, drawer, one)
        began[one.name] = time.time()
    await drawer.close()
    cards = {}
    for one in together:
        cards[one.name] = card = await screen.pinned(one.title, one.cause, within=TOLD_WITHIN * 1_000)
        told_after[one.name] = await posted_at(card) - began[one.name]
        await assert_names_what_is_wrong(card, one)
        if one.name in PICTURED:
            await screen.keep(f"breaks/{one.name}", card)
    await screen.go_to_messages()
    for one in together:
        await screen.sees(one.mailbox, one.cause)
    await screen.go(ALERTS)
    for one in together:
        await mend_it(drawer, one)
    await drawer.close()
    for one in together:
        await press_it(screen, cards[one.name], one)
    for card in cards.values():
        await expect(card).to_contain_text("recovered", timeout=SOON)
        await expect(card.locator("[data-action-id]")).to_have_count(0, timeout=SOON)


async def test_what_mends_itself_is_told_nobody(screen: Screen, drawer: Drawer) -> None:
    """A renumbered INBOX, a goodbye, a cut connection and a side folder that does not open: no card, a line in the
    log."""
    await drawer.choose(AGENCY, "folder", "junk")
    for switch in ("uidvalidity", "bye", "drop"):
        await drawer.turn(SPROUT, switch)
    await drawer.close()

    async def noted() -> bool:
        await screen.go(GENERAL)
        await screen.command(f"/mailbox log {AGENCY}")
        newest = await screen.sees("Newest first")
        return "Junk: NO [SERVERBUG]" in await newest.inner_text()

    await until(noted, "Junk's failure in the log", within=TOLD_WITHIN)
    await all_green(screen)
    await screen.go(ALERTS)
    await screen.sees("Sending recovered", MERIDIAN)
    await expect(screen.card("Sync broken")).to_have_count(0)


async def test_the_walk_is_long_enough(told_after: dict[str, float]) -> None:
    """At least ten breaks, each told within seconds."""
    assert len(told_after) == len(BREAKS) >= 10
    assert max(told_after.values()) < TOLD_WITHIN, told_after
    print("\n".join(f"{name:24}{seconds:6.1f}" for name, seconds in told_after.items()))
