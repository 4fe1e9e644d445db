"""What a person does and sees in the browser on the page of ``make demo``: clicks, passwords and commands typed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page, expect

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
READY_WITHIN = 120.0
SOON = 60_000
"""Milliseconds in which anything that a person waits for has to be on the page."""

_NO_TOASTS = "[data-testid=toast] { visibility: hidden }"

ALERTS, OUTREACH, GENERAL, RETHREAD = "C0ALERTS", "C0REPLIES", "C0GENERAL", "Rethread"


@asynccontextmanager
async def running_demo() -> AsyncIterator[str]:
    """``make demo`` without the installation: yields what it prints once it is ready, ends it with Ctrl-C."""
    command = (sys.executable, "-m", "sandbox", "demo")
    piped = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=piped, stderr=piped)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(READY_WITHIN):
            words = (await process.stdout.readuntil(b"Ctrl-C")).decode()
    except (asyncio.IncompleteReadError, TimeoutError):
        process.kill()
        raise AssertionError(f"the demo did not start: {(await process.stderr.read()).decode()}") from None
    try:
        yield words
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(READY_WITHIN):
            code = await process.wait()
        assert code == 0, (await process.stderr.read()).decode()


def printed_address(words: str) -> str:
    """The page's address in what the demo prints."""
    found = re.search(r"http://[\w.:]+", words)
    assert found, words
    return found[0]


async def posted_at(card: Locator) -> float:
    """When Slack took the message, in seconds of the epoch."""
    return float(str(await card.get_attribute("data-testid")).removeprefix("message-"))


@dataclass
class Screen:
    """One browser tab on the workspace page."""

    page: Page
    url: str

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def enter(self, user: str = "U0RITA", channel: str = OUTREACH) -> None:
        """Opens the page, as this person, in this channel."""
        await self.page.goto(f"{self.url}/?user={user}&channel={channel}")
        await expect(self.page.get_by_test_id("composer")).to_be_visible(timeout=SOON)

    async def become(self, user: str) -> None:
        """Switches to another person of the workspace."""
        await self.page.get_by_test_id("user-switcher").click()
        await self.page.get_by_test_id(f"user-{user}").click()
        await expect(self.page.get_by_test_id("user-switcher")).to_have_attribute("data-user", user, timeout=SOON)

    async def go(self, channel: str) -> None:
        await self.page.get_by_test_id(f"channel-{channel}").click()

    async def go_to_messages(self) -> None:
        """The person's own conversation with Rethread."""
        await self._app_row.click()
        await self.page.get_by_test_id("messages-tab").click()

    async def go_home(self) -> Locator:
        """The Home tab of Rethread, drawn."""
        await self._app_row.click()
        await self.page.get_by_test_id("home-tab").click()
        home = self.page.get_by_test_id("home")
        await expect(home).to_contain_text("My mailboxes", timeout=SOON)
        return home

    @property
    def _app_row(self) -> Locator:
        return self.page.locator("#sidebar").get_by_role("button", name=re.compile(f"^{RETHREAD}"))

    async def command(self, text: str) -> None:
        """Types a slash command and sends it."""
        await self.page.get_by_test_id("composer").fill(text)
        await self.page.get_by_test_id("send").click()

    def card(self, *words: str) -> Locator:
        """The newest message that holds all of these words."""
        found = self.page.get_by_test_id("messages").get_by_role("article")
        for one in words:
            found = found.filter(has_text=one)
        return found.last

    async def sees(self, *words: str, within: float = SOON) -> Locator:
        """The newest message with these words, once it is there."""
        card = self.card(*words)
        await expect(card).to_be_visible(timeout=within)
        return card

    async def pinned(self, *words: str, within: float = SOON) -> Locator:
        """The same message for good, whatever it will say later: the newest that holds these words now."""
        card = await self.sees(*words, within=within)
        return self.page.get_by_test_id(str(await card.get_attribute("data-testid")))

    async def keep(self, name: str, part: Locator | None = None) -> None:
        """Keeps a picture for the documents, where ``RETHREAD_SCREENSHOTS=1`` asks for it."""
        if os.environ.get("RETHREAD_SCREENSHOTS") != "1":
            return
        path = IMAGES / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.mouse.move(0, 0)
        await (part or self.page).screenshot(path=path, animations="disabled", style=_NO_TOASTS)

    async def ask(self, path: str, **body: bool | str) -> None:
        """What a click on the page would ask of the sandbox, without the click."""
        answer = await self.page.request.post(f"{self.url}/{path}", data=body)
        assert answer.ok, await answer.text()


@dataclass
class Drawer:
    """The drawer in which a person plays the owner of a mailbox."""

    screen: Screen

    @property
    def page(self) -> Page:
        return self.screen.page

    async def open(self, address: str, tab: str = "inbox") -> None:
        """This mailbox, on this tab."""
        await self._open_list()
        await self.page.get_by_test_id(f"mail-account-{address}").click()
        await self.page.get_by_test_id(f"mail-tab-{tab}").click()

    async def _open_list(self) -> None:
        """All mailboxes."""
        if not await self.page.locator("#mail").is_visible():
            await self.page.get_by_test_id("mail-panel-toggle").click()
        row, back = self.page.locator("#mail .mail-account").first, self.page.get_by_test_id("mail-back")
        await expect(row.or_(back)).to_be_visible(timeout=SOON)
        if await back.is_visible():
            await back.click()

    async def close(self) -> None:
        await self.page.get_by_role("button", name="Close the mail panel").click()

    async def read(self, subject: str) -> Locator:
        """Opens the mail with this subject; returns its text."""
        await self.page.get_by_role("button", name=re.compile(re.escape(subject))).first.click(timeout=SOON)
        return self.page.get_by_test_id("mail-text")

    async def answer(self) -> str:
        """Sends the answer that is proposed; returns its words."""
        words = await self.page.get_by_test_id("mail-reply-text").input_value()
        await self.page.get_by_test_id("mail-reply-send").click()
        await self._told("Your answer is on its way")
        return words

    async def refuse(self, address: str, way: str) -> None:
        """Mail to this candidate comes to grief in one of the ways of the list."""
        await self.open(address, "break")
        await self.page.get_by_test_id("switch-refuse").select_option(way)
        await self._told(f"done for {address}")

    async def change_password(self, address: str) -> str:
        """Changes the password to the one proposed; returns it."""
        await self.open(address, "break")
        password = await self.page.get_by_test_id("switch-password").input_value()
        await self.page.get_by_test_id("switch-password-apply").click()
        await self._told(f"done for {address}")
        return password

    async def turn(self, address: str, switch: str) -> None:
        await self.open(address, "break")
        await self.page.get_by_test_id(f"switch-{switch}").click()
        await self._told(f"done for {address}")

    async def mend(self, address: str) -> None:
        await self.open(address, "break")
        await self.page.get_by_test_id("switch-mend").click()
        await self._told(f"{address} is in order again")

    async def choose(self, address: str, switch: str, value: str) -> None:
        """One of a switch's options."""
        await self.open(address, "break")
        await self.page.get_by_test_id(f"switch-{switch}").select_option(value)
        await self._told(f"done for {address}")

    async def turn_sign_in(self, provider: str, address: str, switch: str) -> None:
        """A switch of the account at its provider, in the mailbox's own panel."""
        await self.open(address, "break")
        await self._flip(f"switch-{provider}-{address}-{switch}")

    async def turn_app(self, provider: str, switch: str) -> None:
        """A switch of the product's app at a provider."""
        await self._open_sign_in_hosts()
        await self._flip(f"switch-{provider}-app-{switch}")

    async def set_token_life(self, provider: str, seconds: str) -> None:
        """How long access tokens live that are issued from now on."""
        await self._open_sign_in_hosts()
        name = f"switch-{provider}-app-token_lifetime_s"
        await self.page.get_by_test_id(name).fill(seconds)
        await self._flip(f"{name}-apply")

    async def _open_sign_in_hosts(self) -> None:
        await self._open_list()
        await self.page.get_by_test_id("signin-hosts").click()

    async def _flip(self, test_id: str) -> None:
        """Says so once the sandbox has done it."""
        async with self.page.expect_response("**/sandbox/signin/**") as answered:
            await self.page.get_by_test_id(test_id).click()
        assert (await answered.value).ok

    async def _told(self, words: str) -> None:
        await expect(self.page.get_by_test_id("toast").filter(has_text=words).last).to_be_visible(timeout=SOON)
