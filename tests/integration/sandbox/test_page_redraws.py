"""A conversation that changes while a person is at it: menus, begun clicks and typed words come to their end.

Each test forces the change at the moment that hurts, and goes on once the page has seen it.
"""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.integration.sandbox.page_browser import browser, page, peer
from tests.integration.sandbox.page_peer import PagePeer

__all__ = ["browser", "page", "peer"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def card_blocks(title: str) -> list[Json]:
    mute = [{"text": plain("Mute"), "value": "mute"}, {"text": plain("Escalate"), "value": "escalate"}]
    elements: list[Json] = [
        {"type": "users_select", "action_id": "who", "placeholder": plain("Assign to")},
        {"type": "button", "action_id": "resync", "text": plain("Resync")},
        {"type": "overflow", "action_id": "more", "options": mute},
    ]
    note = {"type": "plain_text_input", "action_id": "note"}
    return [
        {"type": "header", "block_id": "title", "text": plain(title)},
        {"type": "input", "block_id": "words", "label": plain("A note"), "element": note},
        {"type": "actions", "block_id": "does", "elements": elements},
    ]


class Card:
    """One card in a full channel, which somebody else changes."""

    def __init__(self, peer: PagePeer, page: Page) -> None:
        self.peer, self.page = peer, page
        for number in range(20):
            peer.add("C0ALERTS", text=f"Line {number}")
        self.message = peer.add("C0ALERTS", blocks=card_blocks("Sync broken"))

    @property
    def row(self) -> Locator:
        return self.page.get_by_test_id(f"message-{self.message['ts']}")

    def part(self, action_id: str) -> Locator:
        return self.row.locator(f"[data-action-id={action_id}]")

    async def open(self) -> None:
        await self.page.goto(self.peer.url + "?user=U0RITA&channel=C0ALERTS")
        await expect(self.row).to_be_in_viewport()

    async def change(self, title: str) -> None:
        """The card says something else and more messages come below it; returns once the page has taken all of it."""
        self.message["blocks"] = card_blocks(title)
        async with self.page.expect_response("**/page/messages?*"):
            await self.peer.tell(type="message_changed", message=self.message)
            for number in range(20):
                await self.peer.tell(type="message", message=self.peer.add("C0ALERTS", text=f"News {number}"))
        await self.peer.tell(type="toast", text=f"{title}: told.", level="info")
        await expect(self.page.get_by_test_id("toast").filter(has_text=f"{title}: told.")).to_be_visible()

    async def acted(self) -> Json:
        """What the app was told of."""
        await expect(self.row).to_contain_text("Still broken")
        action: Json = self.peer.last("/page/action")["action"]
        return action


@pytest.fixture
def card(peer: PagePeer, page: Page) -> Card:
    return Card(peer, page)


async def test_a_person_is_chosen_from_a_menu_though_its_card_changes_meanwhile(card: Card, page: Page) -> None:
    """Between opening the menu and pressing, and again between pressing and releasing; then the change is seen."""
    await card.open()
    await card.part("who").click()
    await card.change("Still out")
    await page.get_by_role("option", name="Omar Odell").hover()
    await page.mouse.down()
    await card.change("Still broken")
    async with page.expect_response("**/page/action"):
        await page.mouse.up()
    assert (await card.acted())["selected_user"] == "U0OMAR"
    await expect(card.part("who")).to_contain_text("Omar Odell")


async def test_a_menu_of_more_stays_open_under_the_keyboard(card: Card, page: Page) -> None:
    """Arrow and Enter reach the item that had the focus; the focus is then on the card's own new button."""
    await card.open()
    await card.part("more").click()
    await page.keyboard.press("ArrowDown")
    await card.change("Still broken")
    async with page.expect_response("**/page/action"):
        await page.keyboard.press("Enter")
    assert (await card.acted())["selected_option"]["value"] == "escalate"
    await expect(card.part("more")).to_be_focused()


async def test_a_begun_click_ends_on_its_button(card: Card, page: Page) -> None:
    """Neither a new drawing nor the scroll to newer messages takes the button from under the pointer."""
    await card.open()
    await card.part("resync").hover()
    await page.mouse.down()
    await card.change("Still broken")
    async with page.expect_response("**/page/action"):
        await page.mouse.up()
    assert (await card.acted())["action_id"] == "resync"


async def test_what_is_typed_stays_with_its_caret(card: Card, page: Page) -> None:
    await card.open()
    await card.part("note").fill("cal later")
    await card.part("note").press("Home")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await card.change("Still broken")
    await expect(card.row).to_contain_text("Still broken")
    await page.keyboard.type("l")
    await expect(card.part("note")).to_have_value("call later")


async def test_what_came_meanwhile_is_seen_once_the_menu_is_closed(card: Card, page: Page) -> None:
    await card.open()
    await card.part("who").click()
    await card.change("Still broken")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("News 19")).to_be_in_viewport()
    await expect(card.row).to_contain_text("Still broken")
