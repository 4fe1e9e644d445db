"""What a person does on the pages where a mailbox is connected, at Rethread and at Google or Microsoft."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, Page, expect

from tests.journeys.workspace_page import SOON, Screen


async def connect_by_password(screen: Screen, address: str, password: str) -> None:
    page = await _offered(screen, lambda: screen.command(f"/mailbox connect {address}"))
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("textbox", name="Password").fill(password)
    await page.get_by_role("button", name="Connect mailbox").click()
    await _connected(page, address)


async def connect_by_sign_in(screen: Screen, address: str, provider: str) -> None:
    page = await _offered(screen, lambda: screen.command(f"/mailbox connect {address}"))
    await page.get_by_role("button", name="Continue").click()
    await _sign_in(page, address, provider)


async def reconnect(screen: Screen, button: Locator, address: str) -> None:
    """From the card's button; by the password that the mailbox had at first, or by signing in again."""
    page = await _offered(screen, button.click)
    password = page.get_by_role("textbox", name="Password")
    signing_in = page.get_by_role("button", name="Sign in with")
    await expect(password.or_(signing_in)).to_be_visible(timeout=SOON)
    if await signing_in.is_visible():
        await _sign_in(page, address, "")
        return
    await password.fill("rita-mail-pass")
    await page.get_by_role("button", name="Reconnect mailbox").click()
    await _connected(page, address)


async def _offered(screen: Screen, ask: Callable[[], Awaitable[None]]) -> Page:
    """Asks for a link, and opens the one that comes."""
    links = screen.page.get_by_test_id("messages").get_by_role("article").get_by_text("Open the page", exact=True)
    before = await links.count()
    await ask()
    await expect(links).to_have_count(before + 1, timeout=SOON)
    async with screen.context.expect_page() as opening:
        await links.last.click()
    return await opening.value


async def _sign_in(page: Page, address: str, provider: str) -> None:
    await page.get_by_role("button", name=f"Sign in with {provider}").click()
    await expect(page.get_by_role("heading", name="Choose an account")).to_be_visible(timeout=SOON)
    await page.locator(f'button[value="{address}"]').click()
    await _connected(page, address)


async def _connected(page: Page, address: str) -> None:
    await expect(page.get_by_role("heading", name=f"{address} is connected")).to_be_visible(timeout=SOON)
    await page.close()
