"""The mail panel of the workspace page in a real browser: playing the candidate, breaking mailboxes, sign-in hosts.

Whatever makes the panel draw itself anew, what a person is at is not taken from their hands.
"""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.integration.sandbox.page_browser import browser, page, peer
from tests.integration.sandbox.page_peer import PagePeer

__all__ = ["browser", "page", "peer"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

EXPIRED = "switch-google-app-secret_expired"
LIFETIME = "switch-google-app-token_lifetime_s"


async def test_a_person_plays_the_candidate_and_breaks_a_mailbox(peer: PagePeer, page: Page) -> None:
    """By clicking only: open the mail, send the ready answer, change a recruiter's password, mend it."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await page.get_by_test_id("mail-panel-toggle").click()
    await page.get_by_test_id("mail-account-maya.lind@candidates.example").click()
    await page.get_by_test_id("mail-message-7").click()
    await expect(page.get_by_test_id("mail-reply-text")).not_to_have_value("")
    async with page.expect_response("**/mail/reply"):
        await page.get_by_test_id("mail-reply-send").click()
    assert peer.last("/mail/reply")["uid"] == 7
    await page.get_by_test_id("mail-tab-break").click()
    async with page.expect_response("**/mail/switch"):
        await page.get_by_test_id("switch-refuse").select_option("bounce")
    assert peer.last("/mail/switch")["value"] == "bounce"
    await page.get_by_test_id("mail-back").click()
    await page.get_by_test_id("mail-account-rita@agency.test").click()
    await page.get_by_test_id("mail-tab-break").click()
    async with page.expect_response("**/mail/switch"):
        await page.get_by_test_id("switch-password-apply").click()
    changed = peer.last("/mail/switch")
    assert changed["name"] == "password"
    assert changed["value"] not in ("", "rita-mail-pass")
    async with page.expect_response("**/mail/mend"):
        await page.get_by_test_id("switch-mend").click()


async def test_switches_stand_in_groups_and_what_is_broken_is_named(peer: PagePeer, page: Page) -> None:
    """A card for each group, the sign-in's too; the head says what hurts; mending puts the sign-in right as well."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS&mail=rita@agency.test")
    await page.get_by_test_id("mail-tab-break").click()
    titles = page.locator("#mail .switch-group h3")
    await expect(titles).to_have_text(["Sign-in", "Server", "Silence", "Sending", "Sign in with Google"])
    await expect(page.locator("#mail .facts")).to_contain_text("imap.gmail.com:1993")
    await expect(page.locator("#mail .mend")).to_contain_text("Nothing is broken")
    await page.get_by_test_id("switch-google-rita@agency.test-revoked").click()
    await expect(page.locator("#mail .mend")).to_contain_text("Broken: Access taken back")
    assert peer.last("/sandbox/signin/google/rita@agency.test/revoked") == {"value": True}
    async with page.expect_response("**/mail/mend"):
        await page.get_by_test_id("switch-mend").click()
    await expect(page.locator("#mail .mend")).to_contain_text("Nothing is broken")
    assert peer.last("/sandbox/signin/google/rita@agency.test/revoked") == {"value": False}


async def open_sign_in_hosts(peer: PagePeer, page: Page) -> None:
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await page.get_by_test_id("mail-panel-toggle").click()
    await page.get_by_test_id("signin-hosts").click()


async def test_the_sign_in_hosts_have_a_place_of_their_own(peer: PagePeer, page: Page) -> None:
    """The app's switches and each account's; a lifetime is typed."""
    await open_sign_in_hosts(peer, page)
    await page.get_by_test_id(EXPIRED).click()
    await expect(page.get_by_text("Client secret expired: done.")).to_be_visible()
    await expect(page.get_by_test_id(EXPIRED)).to_be_checked()
    assert peer.last("/sandbox/signin/google/app/secret_expired") == {"value": True}
    await page.get_by_test_id(LIFETIME).fill("20")
    async with page.expect_response("**/token_lifetime_s"):
        await page.get_by_test_id(f"{LIFETIME}-apply").click()
    assert peer.last("/sandbox/signin/google/app/token_lifetime_s") == {"value": "20"}


async def test_what_is_being_typed_outlives_the_answer_to_an_earlier_click(peer: PagePeer, page: Page) -> None:
    """The switch answers late and the panel is drawn anew: text, focus and caret are where they were."""
    await open_sign_in_hosts(peer, page)
    peer.gate = asyncio.Event()
    await page.get_by_test_id(EXPIRED).click()
    await page.get_by_test_id(LIFETIME).fill("20")
    await page.get_by_test_id(LIFETIME).press("ArrowLeft")
    peer.gate.set()
    await expect(page.locator(".switch-broken")).to_contain_text("Client secret expired")
    await expect(page.get_by_test_id(LIFETIME)).to_be_focused()
    await page.keyboard.type("5")
    async with page.expect_response("**/token_lifetime_s"):
        await page.keyboard.press("Enter")
    assert peer.last("/sandbox/signin/google/app/token_lifetime_s") == {"value": "250"}


async def test_what_was_typed_outlives_a_change_from_elsewhere(peer: PagePeer, page: Page) -> None:
    """The person looks away from the field, somebody turns another switch, and the change applied is the typed one."""
    await open_sign_in_hosts(peer, page)
    await page.get_by_test_id(LIFETIME).fill("20")
    await page.get_by_test_id("mail-back").focus()
    peer.turn("google", "app", "secret_expired", True)
    await peer.tell(type="signin_changed")
    await expect(page.get_by_test_id(EXPIRED)).to_be_checked()
    async with page.expect_response("**/token_lifetime_s"):
        await page.get_by_test_id(f"{LIFETIME}-apply").click()
    assert peer.last("/sandbox/signin/google/app/token_lifetime_s") == {"value": "20"}


async def test_a_draft_belongs_to_its_mailbox(peer: PagePeer, page: Page) -> None:
    """The password typed for one mailbox is not offered for the next, nor after it was taken."""
    box = page.get_by_test_id("switch-password")
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS&mail=rita@agency.test")
    await page.get_by_test_id("mail-tab-break").click()
    await box.fill("for Rita only")
    await page.get_by_test_id("mail-back").click()
    await page.get_by_test_id("mail-account-rita@agency.test").click()
    await page.get_by_test_id("mail-tab-break").click()
    await expect(box).not_to_have_value("for Rita only")
    await box.fill("taken")
    await page.get_by_test_id("switch-password-apply").click()
    await expect(box).not_to_have_value("taken")
    assert peer.last("/mail/switch")["value"] == "taken"


async def test_a_click_that_has_begun_comes_to_its_end(peer: PagePeer, page: Page) -> None:
    """A change from elsewhere, between pressing and releasing, does not take the button away; it is shown after."""
    await open_sign_in_hosts(peer, page)
    await page.get_by_test_id(LIFETIME).fill("20")
    await page.get_by_test_id(f"{LIFETIME}-apply").hover()
    await page.mouse.down()
    peer.turn("google", "app", "secret_expired", True)
    async with page.expect_response(lambda answer: "/sandbox/signin?" in answer.url):
        await peer.tell(type="signin_changed")
    await peer.tell(type="toast", text="Seen after the change.", level="info")
    await expect(page.get_by_test_id("toast")).to_contain_text("Seen after the change.")
    async with page.expect_response("**/token_lifetime_s"):
        await page.mouse.up()
    assert peer.last("/sandbox/signin/google/app/token_lifetime_s") == {"value": "20"}
    await expect(page.get_by_test_id(EXPIRED)).to_be_checked()
