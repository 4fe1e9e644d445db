"""The workspace page in a real browser: Block Kit as Slack draws it, clicks, modals, the composer.

The peer below speaks the page's JSON and remembers what the page asked for, so each test can say both
what a person sees and what went over the wire.
"""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.integration.sandbox.page_browser import browser, page, peer
from tests.integration.sandbox.page_peer import SAMPLES, PagePeer

__all__ = ["browser", "page", "peer"]

HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_message_with_every_kind_of_block_is_drawn(peer: PagePeer, page: Page) -> None:
    """Each block kind turns into the element a reader of Slack expects, and marks into their formats."""
    message = peer.add("C0ALERTS", blocks=SAMPLES["every_block"])
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    row = page.get_by_test_id(f"message-{message['ts']}")
    await expect(row.locator(".header")).to_contain_text("Every kind of block")
    await expect(row.locator(".header svg[aria-label='white check mark']")).to_be_visible()
    section = row.locator("[data-block-id=b_section]")
    for tag, text in (("strong", "Bold"), ("em", "italic"), ("s", "struck"), ("code", "code"), ("a", "a link")):
        await expect(section.locator(tag).first).to_have_text(text)
    await expect(section).to_contain_text("@Omar Odell #outreach @here & <entities>")
    await expect(section).to_contain_text(":no_such_emoji:")
    await expect(section).to_contain_text("snake_case_name and 2*3*4 stay, 2026-01-01 came")
    await expect(section.locator("blockquote")).to_have_text("a quoted line")
    await expect(section.locator("pre")).to_have_text("pre *not bold*")
    await expect(section.locator(".list-row")).to_have_count(2)
    await expect(section.locator(".field-cell").nth(1)).to_have_text("Plain *stars* stay")
    await expect(row.locator("hr.divider")).to_be_attached()
    await expect(row.locator(".context")).to_contain_text("Waiting since 9:04")
    await expect(row.locator("[data-block-id=b_image] [aria-label='A chart of replies']")).to_be_visible()
    rich = row.locator("[data-block-id=b_rich]")
    await expect(rich.locator("strong")).to_have_text("rich bold")
    await expect(rich.locator("ol li")).to_have_count(2)
    await expect(rich).to_contain_text("@Ada Stone#mailbox-alerts")
    await expect(row.locator("table th").first).to_have_text("Stage")
    await expect(row.locator("table td strong")).to_have_text("42")
    await expect(row.locator(".markdown h4")).to_have_text("A heading")
    await expect(row.get_by_role("link", name="Open guide")).to_have_count(0)
    await expect(row.locator("a[data-action-id=docs]")).to_have_attribute("href", "https://agency.test/guide")
    await expect(row.locator("[data-action-id=day]")).to_have_value("2026-01-05")
    await expect(row.get_by_label("A note (optional)")).to_be_visible()


async def test_hostile_text_stays_text_wherever_it_stands(peer: PagePeer, page: Page) -> None:
    """Markup in messages, blocks, names, links and mail is shown letter by letter and never runs."""
    peer.bootstrap["users"][1]["real_name"] = HOSTILE
    plain = {"type": "plain_text", "text": HOSTILE}
    marked = {"type": "mrkdwn", "text": f"{HOSTILE} <javascript:window.hacked=1|click> <@U0OMAR>"}
    peer.add("C0ALERTS", text=HOSTILE, app_name=HOSTILE)
    message = peer.add(
        "C0ALERTS",
        blocks=[
            {"type": "header", "block_id": "1", "text": plain},
            {"type": "section", "block_id": "2", "text": marked, "fields": [plain]},
            {"type": "image", "block_id": "3", "image_url": "javascript:window.hacked=1", "alt_text": HOSTILE},
            {"type": "table", "block_id": "4", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
            {"type": "markdown", "block_id": "5", "text": f"[x](javascript:alert) {HOSTILE}"},
            {"type": "actions", "block_id": "6", "elements": [
                {"type": "button", "action_id": "u", "text": plain, "url": "javascript:window.hacked=1"}]},
        ],
        attachments=[{"color": "red;background:url(x)", "text": HOSTILE, "blocks": []}],
    )  # fmt: skip
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS&mail=maya.lind@candidates.example")
    row = page.get_by_test_id(f"message-{message['ts']}")
    await expect(row.locator(".header")).to_have_text(HOSTILE)
    await expect(row.locator("[data-block-id='2']")).to_contain_text("<javascript:window.hacked=1|click>")
    await row.locator("[data-action-id=u]").click()
    await page.get_by_test_id("mail-message-7").click()
    await expect(page.get_by_test_id("mail-text")).to_contain_text("<img src=x onerror=")
    assert await page.locator("#main script, #main img[src=x], #mail img").count() == 0
    assert await page.locator("a[href^='javascript']").count() == 0
    assert await page.evaluate("window.hacked === undefined")


async def test_a_clicked_button_turns_until_the_app_has_acknowledged(peer: PagePeer, page: Page) -> None:
    """The click reaches the server with block, action and value; the spinner goes with the answer."""
    message = peer.add("C0ALERTS", blocks=SAMPLES["card"])
    peer.gate = asyncio.Event()
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    button = page.get_by_role("button", name="Resync")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    peer.gate.set()
    await expect(button).not_to_have_attribute("aria-busy", "true")
    sent = peer.last("/page/action")
    assert sent["container"] == {"type": "message", "channel": "C0ALERTS", "ts": message["ts"]}
    assert sent["user"] == "U0RITA"
    assert {k: sent["action"][k] for k in ("block_id", "action_id", "type", "value")} == {
        "block_id": "a", "action_id": "resync", "type": "button", "value": "1",
    }  # fmt: skip


async def test_a_click_that_was_not_acknowledged_leaves_a_warning_beside_the_button(peer: PagePeer, page: Page) -> None:
    """The reason is on the sign and in a toast, and the sign stays while other messages arrive."""
    peer.add("C0ALERTS", blocks=SAMPLES["card"])
    peer.answers["/page/action"] = {"ok": False, "error": "operation_timeout", "message": "The app was too slow."}
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await page.get_by_role("button", name="Resync").click()
    await expect(page.get_by_role("img", name="Not done: The app was too slow.")).to_be_visible()
    await expect(page.get_by_test_id("toast")).to_contain_text("The app was too slow.")
    later = peer.add("C0ALERTS", text="another message")
    async with page.expect_response("**/page/messages*"):
        await peer.tell(type="message", channel="C0ALERTS", message=later)
    await expect(page.get_by_test_id(f"message-{later['ts']}")).to_be_visible()
    await expect(page.get_by_role("img", name="Not done: The app was too slow.")).to_be_visible()


async def test_a_confirm_dialog_stands_between_the_click_and_the_action(peer: PagePeer, page: Page) -> None:
    """Denying sends nothing and gives the focus back; agreeing sends the action."""
    peer.add("C0ALERTS", blocks=SAMPLES["every_block"])
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    button = page.locator("[data-action-id=drop]")
    await button.click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("confirm")).to_have_count(0)
    await expect(button).to_be_focused()
    assert peer.asked == []
    await button.click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("confirm")).to_have_count(0)
    assert peer.last("/page/action")["action"]["action_id"] == "drop"


async def test_selects_and_overflow_menus_send_the_chosen_option(peer: PagePeer, page: Page) -> None:
    """By mouse and by keyboard alike."""
    peer.add("C0ALERTS", blocks=SAMPLES["every_block"])
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await page.locator("[data-action-id=pick]").click()
    async with page.expect_response("**/page/action"):
        await page.get_by_role("option", name="Follow-up").click()
    assert peer.last("/page/action")["action"]["selected_option"]["value"] == "s2"
    await page.locator("[data-action-id=who]").press("ArrowDown")
    await page.keyboard.type("ada")
    await expect(page.get_by_role("option")).to_have_count(1)
    async with page.expect_response("**/page/action"):
        await page.keyboard.press("Enter")
    assert peer.last("/page/action")["action"]["selected_user"] == "U0ADA"
    await page.locator("[data-action-id=more]").click()
    await page.keyboard.press("ArrowDown")
    async with page.expect_response("**/page/action"):
        await page.keyboard.press("Enter")
    assert peer.last("/page/action")["action"]["selected_option"]["value"] == "assign"


async def test_a_modal_checks_submits_and_shows_refusals_under_their_fields(peer: PagePeer, page: Page) -> None:
    """Required answers are asked for first, the server's errors stand under their block, then it closes."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await peer.tell(type="view_open", view=SAMPLES["modal"])
    modal = page.get_by_test_id("modal")
    await expect(modal.get_by_label("New address")).to_be_focused()
    await page.get_by_test_id("modal-submit").click()
    await expect(modal.locator("[data-block-id=m_address] .input-error")).to_contain_text("required")
    assert peer.asked == []
    await modal.get_by_label("New address").fill("maya@new.example")
    await modal.get_by_label("Retry the stage at once").check()
    peer.answers["/page/view_submit"] = {
        "ok": True, "response_action": "errors", "errors": {"m_address": "No such domain."},
    }  # fmt: skip
    await page.get_by_test_id("modal-submit").click()
    await expect(modal.locator("[data-block-id=m_address] .input-error")).to_have_text("No such domain.")
    values = peer.last("/page/view_submit")["state"]["values"]
    assert values["m_address"]["address"] == {"type": "email_text_input", "value": "maya@new.example"}
    assert values["m_type"]["kind"]["selected_option"]["value"] == "personal"
    assert [one["value"] for one in values["m_flags"]["flags"]["selected_options"]] == ["retry"]
    peer.answers["/page/view_submit"] = {"ok": True}
    await page.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)


async def test_modals_stack_and_escape_goes_back_one(peer: PagePeer, page: Page) -> None:
    """What was typed below is still there when the one above closes, and Tab never leaves the modal."""
    pushed = SAMPLES["modal"] | {"id": "V0SECOND", "title": {"type": "plain_text", "text": "Second"}}
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await peer.tell(type="view_open", view=SAMPLES["modal"])
    await page.get_by_label("New address").fill("kept@example.test")
    await peer.tell(type="view_push", view=pushed)
    await expect(page.get_by_role("dialog", name="Second")).to_be_visible()
    for _ in range(15):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('[role=dialog]') !== null")
    async with page.expect_response("**/page/view_close"):
        await page.keyboard.press("Escape")
    assert peer.last("/page/view_close") == {"user": "U0RITA", "view_id": "V0SECOND"}
    await expect(page.get_by_role("dialog", name="Fix address")).to_be_visible()
    await expect(page.get_by_label("New address")).to_have_value("kept@example.test")
    await peer.tell(type="view_close", view=SAMPLES["modal"])
    await expect(page.get_by_test_id("modal")).to_have_count(0)


async def test_the_composer_knows_the_commands_and_sends_messages(peer: PagePeer, page: Page) -> None:
    """A slash offers the commands, Enter completes and sends; other text is a message."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    box = page.get_by_test_id("composer")
    await box.press_sequentially("/ma")
    await expect(page.get_by_role("option", name="/mailbox")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("/mailbox ")
    await box.press_sequentially("status all")
    async with page.expect_response("**/page/command"):
        await box.press("Enter")
    assert peer.last("/page/command") == {
        "user": "U0RITA", "channel": "C0ALERTS", "command": "/mailbox", "text": "status all",
    }  # fmt: skip
    await box.fill("hello there")
    async with page.expect_response("**/page/post"):
        await page.get_by_test_id("send").click()
    assert peer.last("/page/post")["text"] == "hello there"
    await expect(box).to_have_value("")


async def test_a_command_that_nobody_answered_says_so_in_the_channel(peer: PagePeer, page: Page) -> None:
    """As does one the workspace does not know."""
    peer.answers["/page/command"] = {
        "ok": False, "error": "operation_timeout", "message": "Rethread did not respond in time.",
    }  # fmt: skip
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    box = page.get_by_test_id("composer")
    await box.fill("/outreach status")
    await box.press("Enter")
    await expect(page.locator(".note")).to_contain_text("Rethread did not respond in time.")
    await box.fill("/nonsense")
    await box.press("Enter")
    await expect(page.locator(".note").last).to_contain_text("/nonsense is not a command")


async def test_live_events_change_what_is_on_screen(peer: PagePeer, page: Page) -> None:
    """A card changes in place, an ephemeral says who sees it, and other channels count what is unread."""
    message = peer.add("C0ALERTS", blocks=SAMPLES["card"])
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    row = page.get_by_test_id(f"message-{message['ts']}")
    await expect(row.get_by_role("button", name="Reconnect")).to_be_visible()
    message["blocks"] = [{"type": "section", "block_id": "n", "text": {"type": "mrkdwn", "text": "*Recovered*"}}]
    await peer.tell(type="message_changed", channel="C0ALERTS", message=message)
    await expect(row).to_contain_text("Recovered")
    await expect(row.get_by_role("button", name="Reconnect")).to_have_count(0)
    told = peer.add("C0ALERTS", text="Only for Rita", ephemeral=True)
    await peer.tell(type="ephemeral", channel="C0ALERTS", message=told)
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await peer.tell(type="message", channel="G0LEADS", message=peer.add("G0LEADS", text="psst"))
    await expect(page.get_by_test_id("channel-G0LEADS").locator(".badge")).to_have_text("1")
    await peer.tell(type="app", reachable=False)
    await expect(page.locator("#banner")).to_contain_text("Rethread is not connected")


async def test_the_live_socket_comes_back_by_itself(peer: PagePeer, page: Page) -> None:
    """After a break the page says so, connects again and takes up what it missed."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await peer.tell(type="toast", text="Connected.", level="info")
    await expect(page.get_by_test_id("toast")).to_contain_text("Connected.")
    missed = peer.add("C0ALERTS", text="missed while away")
    for socket in peer.sockets:
        await socket.close()
    await expect(page.get_by_test_id(f"message-{missed['ts']}")).to_contain_text("missed while away")
    await expect(page.locator("#banner")).to_be_hidden()


async def test_the_app_has_a_home_and_a_messages_tab(peer: PagePeer, page: Page) -> None:
    """Home tells the app that it was opened, acts with its own container, and redraws on publish."""
    peer.answers["/page/home_open"] = {"view": SAMPLES["home"]}
    await page.goto(peer.url + "?user=U0RITA&channel=D0APP&tab=home")
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text("My mailboxes")
    async with page.expect_response("**/page/action"):
        await home.get_by_role("button", name="Reconnect").click()
    assert peer.last("/page/action")["container"] == {"type": "home"}
    fresh = SAMPLES["home"] | {"blocks": SAMPLES["home"]["blocks"][3:]}
    await peer.tell(type="home", view=fresh)
    await expect(home).not_to_contain_text("My mailboxes")
    await page.get_by_test_id("messages-tab").click()
    await expect(page.get_by_test_id("composer")).to_be_visible()
    await page.reload()
    await expect(page.get_by_test_id("messages-tab")).to_have_attribute("aria-selected", "true")


async def test_switching_the_person_shows_the_workspace_through_their_eyes(peer: PagePeer, page: Page) -> None:
    """The address bar keeps who is looking."""
    await page.goto(peer.url + "?user=U0RITA&channel=C0ALERTS")
    await page.get_by_test_id("user-switcher").click()
    await page.get_by_test_id("user-U0ADA").click()
    await expect(page.get_by_test_id("user-switcher")).to_contain_text("Ada Stone")
    assert "user=U0ADA" in page.url
    await page.get_by_test_id("composer").fill("as ada")
    async with page.expect_response("**/page/post"):
        await page.get_by_test_id("send").click()
    assert peer.last("/page/post")["user"] == "U0ADA"
