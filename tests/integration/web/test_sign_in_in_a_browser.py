"""Connecting by Google and Microsoft in a real Chromium: what people click and what they are told (R50, R54..R62)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser import running_browser
from tests.integration.signin.conftest import ADDRESSES, Agency, agency
from tests.integration.web.sign_in_desk import SOON, Desk, open_desk

__all__ = ["agency"]

GOOGLE, MICROSOFT = ADDRESSES["google"], ADDRESSES["microsoft"]

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as started:
        yield started


@pytest.fixture
async def desk(agency: Agency, browser: Browser) -> AsyncIterator[Desk]:
    async with open_desk(agency, browser) as opened:
        yield opened


async def leave_for(desk: Desk, address: str, label: str) -> str:
    """From the link to the provider's own page; returns the link's token."""
    token = await desk.open(address)
    await desk.go_on()
    await desk.sees_heading(f"Connect {address}")
    await desk.press(f"Sign in with {label}")
    return token


@pytest.mark.parametrize(("provider", "label"), [("google", "Google"), ("microsoft", "Microsoft")])
async def test_a_mailbox_is_connected_by_signing_in(
    desk: Desk, provider: str, label: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Address, what was found, one button, the provider's page, connected; no code is logged or linked to."""
    address = ADDRESSES[provider]
    with caplog.at_level(logging.DEBUG):
        await desk.open(address)
        await desk.keep(f"{provider}-1-address")
        await desk.go_on()
        await desk.sees(f"MX says {label}", f"SPF names {label} too")
        await desk.keep(f"{provider}-2-found")
        await desk.page.get_by_label("Your name").fill("Rita Reed")
        await desk.press(f"Sign in with {label}")
        await desk.choose(address)
        await desk.sees_heading(f"{address} is connected")
    await desk.keep(f"{provider}-3-connected")
    (mailbox,) = await desk.agency.mailboxes()
    assert (mailbox.address, mailbox.sign_in, mailbox.owner) == (address, provider, "U0RITA")
    assert mailbox.display_name == "Rita Reed"
    code = desk.page.url.partition("code=")[2].partition("&")[0]
    assert code
    assert code not in await desk.page.content()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("playwright", "asyncio"))]
    assert not any(code in line for line in ours)


async def test_coming_back_twice_is_told_and_changes_nothing(desk: Desk) -> None:
    """The same address of the callback again: the sign-in is over, the mailbox stays as it is."""
    await leave_for(desk, GOOGLE, "Google")
    await desk.choose(GOOGLE)
    await desk.sees_heading(f"{GOOGLE} is connected")
    await desk.page.reload()
    await desk.sees("This sign-in was finished already")
    assert len(await desk.agency.mailboxes()) == 1


async def test_the_wrong_account_is_named_and_the_link_stays_good(desk: Desk) -> None:
    """Omar's account for Rita's mailbox: both are named; Try again and the right one connect by the same link."""
    await leave_for(desk, GOOGLE, "Google")
    await desk.choose("omar@sprout.test")
    await desk.sees("You signed in to Google as omar@sprout.test", f"the mailbox to connect is {GOOGLE}")
    await desk.keep("wrong-account")
    assert await desk.agency.mailboxes() == []
    await desk.page.get_by_role("link", name="Try again").click()
    await desk.press("Sign in with Google")
    await desk.choose(GOOGLE)
    await desk.sees_heading(f"{GOOGLE} is connected")


@pytest.mark.parametrize(("provider", "label"), [("google", "Google"), ("microsoft", "Microsoft")])
async def test_a_declined_consent_is_told_in_the_providers_words(desk: Desk, provider: str, label: str) -> None:
    """Cancel on the provider's page: the cause, its own words, the fix, and a way to try again."""
    await leave_for(desk, ADDRESSES[provider], label)
    await desk.press("Cancel")
    await desk.sees("Permission was declined", f"{label} said:", "access_denied", "What to do:")
    await desk.keep(f"{provider}-declined")
    await expect(desk.page.get_by_role("link", name="Try again")).to_be_visible()
    assert await desk.agency.mailboxes() == []


@pytest.mark.parametrize(("provider", "label"), [("google", "Google"), ("microsoft", "Microsoft")])
async def test_an_expired_secret_is_the_operators_to_mend(desk: Desk, provider: str, label: str) -> None:
    """The person learns that nothing they type can mend it."""
    desk.agency.turn(provider, "secret_expired", target="app")
    await leave_for(desk, ADDRESSES[provider], label)
    await desk.choose(ADDRESSES[provider])
    await desk.sees(f"Signing in to {ADDRESSES[provider]} did not work", "secret", "Nothing was saved")
    await desk.keep(f"{provider}-secret")


async def test_another_browser_cannot_finish_a_sign_in(desk: Desk, browser: Browser) -> None:
    """A code is taken only where the sign-in began, and there it still works afterwards."""
    await leave_for(desk, GOOGLE, "Google")
    await desk.sees_heading("Choose an account")
    others = await browser.new_context(ignore_https_errors=True)
    stranger = await others.new_page()
    await stranger.goto(desk.page.url)
    await stranger.locator(f'button[value="{GOOGLE}"]').click()
    await expect(stranger.locator("main")).to_contain_text("This browser did not begin the sign-in", timeout=SOON)
    await others.close()
    assert await desk.agency.mailboxes() == []
    await desk.choose(GOOGLE)
    await desk.sees_heading(f"{GOOGLE} is connected")


async def test_a_password_typed_for_microsoft_is_named_as_the_wrong_choice(desk: Desk) -> None:
    """Before it is tried, and after the server's refusal; the sign-in is one click away (R54)."""
    await desk.open(MICROSOFT)
    await desk.go_on()
    await desk.page.get_by_text("Use other servers").click()
    await desk.page.get_by_role("link", name="Type a password and servers").click()
    await desk.sees("Wrong choice:", "Microsoft takes neither passwords nor app passwords")
    await desk.page.get_by_role("textbox", name="Password").fill("her usual password")
    await desk.keep("microsoft-password-before")
    await desk.press("Connect mailbox")
    await desk.sees("The mail server said:", "this form is the wrong choice", "Sign in with Microsoft instead")
    await desk.keep("microsoft-password-after")
    await desk.page.get_by_role("link", name="Sign in with Microsoft").click()
    await desk.press("Sign in with Microsoft")
    await desk.choose(MICROSOFT)
    await desk.sees_heading(f"{MICROSOFT} is connected")


async def test_a_reconnect_goes_straight_to_the_right_sign_in(desk: Desk) -> None:
    """No address is asked for, the switches stay, history stays."""
    mailbox = await desk.agency.sign_in("google")
    await desk.open(mailbox_id=mailbox.id)
    await desk.sees_heading(f"Reconnect {GOOGLE}")
    await desk.keep("reconnect-google")
    await desk.press("Sign in with Google")
    await desk.choose(GOOGLE)
    await desk.sees_heading(f"{GOOGLE} is connected")
    (again,) = await desk.agency.mailboxes()
    assert (again.id, again.send, again.capture) == (mailbox.id, mailbox.send, mailbox.capture)


async def test_a_password_mailbox_is_found_by_srv_and_connected(desk: Desk) -> None:
    """The servers stand there as the domain publishes them; only the password is typed."""
    await desk.open("rita@agency.test")
    await desk.go_on()
    await desk.sees("agency.test publishes these servers in DNS (SRV)", "with TLS")
    await desk.keep("password-form")
    await desk.page.get_by_role("textbox", name="Password").fill("not the password")
    await desk.press("Connect mailbox")
    await desk.sees("The mail server said:", "Nothing was saved")
    await desk.keep("password-refused")
    await desk.page.get_by_role("textbox", name="Password").fill("rita-mail-pass")
    await desk.press("Connect mailbox")
    await desk.sees_heading("rita@agency.test is connected")


async def test_a_domain_whose_dns_is_silent_is_not_called_unknown(desk: Desk) -> None:
    """The page says that DNS gave no answer, and both sign-ins stay within reach (R55)."""
    desk.agency.mail.zones.break_domain("sprout.test", "servfail")
    await desk.open(GOOGLE)
    await desk.go_on()
    await desk.sees("DNS gave no answer about sprout.test")
    await desk.keep("dns-trouble")
    await desk.page.get_by_role("link", name="My mailbox is at Google").click()
    await desk.press("Sign in with Google")
    await desk.choose(GOOGLE)
    await desk.sees_heading(f"{GOOGLE} is connected")
