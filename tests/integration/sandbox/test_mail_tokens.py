"""XOAUTH2 on IMAP and SMTP, and passwords where a provider no longer takes them."""

import base64
import json

import pytest

from sandbox.mail import MailHost
from sandbox.mail.accounts import APP_PASSWORD, Provider
from tests.integration.sandbox.mail_wire import plain, wire, xoauth2

GOOGLE = "rita@sprout.test"
MICROSOFT = "rita@meridian.test"
PROVIDERS = pytest.mark.parametrize(("provider", "address"), [("google", GOOGLE), ("microsoft", MICROSOFT)])
BAD_TOKENS = pytest.mark.parametrize("fault", ["expired", "revoked", "wrong_user", "unknown", "no_mail_scope"])


def token(host: MailHost, address: str, fault: str = "") -> str:
    """A good token of this mailbox, or one that is wrong in the named way."""
    provider = host.account(address).seed.provider
    assert provider != "password"
    owner = "somebody@else.test" if fault == "wrong_user" else address
    lifetime = -1.0 if fault == "expired" else 60.0
    issued = host.tokens.issue(owner, provider=provider, lifetime_s=lifetime, reads_mail=fault != "no_mail_scope")
    if fault == "revoked":
        host.tokens.revoke(address)
    return "never-issued" if fault == "unknown" else issued


@PROVIDERS
async def test_a_good_token_opens_imap_with_the_response_on_the_same_line(
    mail_host: MailHost, provider: Provider, address: str
) -> None:
    """SASL-IR (RFC 4959), on the provider's own TLS port under its own name."""
    site = mail_host.sites[provider]
    async with wire(site.imaps_address, mail_host, site.imap_host) as imap:
        assert "SASL-IR" in imap.greeting
        assert "AUTH=XOAUTH2" in imap.greeting
        told = await imap.command(f"AUTHENTICATE XOAUTH2 {xoauth2(address, token(mail_host, address))}")
        assert told[-1].startswith("a1 OK")
        assert (await imap.command("SELECT INBOX"))[-1].startswith("a1 OK")
    assert [(one.address, one.refused) for one in mail_host.logins] == [(address, "")]


async def test_a_good_token_opens_imap_after_a_continuation(mail_host: MailHost) -> None:
    """The older way: an empty challenge first."""
    async with wire(mail_host.sites["google"].imaps_address, mail_host, "imap.gmail.com") as imap:
        imap.send("a1 AUTHENTICATE XOAUTH2")
        assert (await imap.line()).startswith("+")
        imap.send(xoauth2(GOOGLE, token(mail_host, GOOGLE)))
        assert (await imap.line()).startswith("a1 OK")


@BAD_TOKENS
async def test_google_explains_a_refused_token_before_it_refuses_it(mail_host: MailHost, fault: str) -> None:
    """A challenge with status and scope, the client's empty line, then NO; the connection goes on."""
    async with wire(mail_host.sites["google"].imaps_address, mail_host, "imap.gmail.com") as imap:
        imap.send(f"a1 AUTHENTICATE XOAUTH2 {xoauth2(GOOGLE, token(mail_host, GOOGLE, fault))}")
        sign, _, challenge = (await imap.line()).partition(" ")
        assert sign == "+"
        assert json.loads(base64.b64decode(challenge)) == {
            "status": "400",
            "schemes": "Bearer",
            "scope": "https://mail.google.com/",
        }
        imap.send("")
        assert await imap.line() == "a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        told = await imap.command(f"AUTHENTICATE XOAUTH2 {xoauth2(GOOGLE, token(mail_host, GOOGLE))}")
        assert told[-1].startswith("a1 OK")


@BAD_TOKENS
async def test_microsoft_refuses_a_token_at_once(mail_host: MailHost, fault: str) -> None:
    """No challenge, and words that do not say why."""
    async with wire(mail_host.sites["microsoft"].imaps_address, mail_host, "outlook.office365.com") as imap:
        told = await imap.command(f"AUTHENTICATE XOAUTH2 {xoauth2(MICROSOFT, token(mail_host, MICROSOFT, fault))}")
        assert told == ["a1 NO AUTHENTICATE failed."]


@pytest.mark.parametrize("response", ["bm90IHhvYXV0aDI=", "!!!", "="])
async def test_a_malformed_response_is_refused_and_the_connection_goes_on(mail_host: MailHost, response: str) -> None:
    """BAD, and the next command is answered."""
    async with wire(mail_host.imap_address) as imap:
        assert (await imap.command(f"AUTHENTICATE XOAUTH2 {response}"))[-1].startswith("a1 BAD")
        assert (await imap.command("NOOP"))[-1].startswith("a1 OK")


async def test_a_good_token_sends(mail_host: MailHost) -> None:
    """Google's port with TLS from the first byte."""
    site = mail_host.sites["google"]
    async with wire(site.smtps_address, mail_host, site.smtp_host) as smtp:
        assert "gsmtp" in smtp.greeting
        assert "XOAUTH2" in await smtp.reply("EHLO client")
        assert (await smtp.reply(f"AUTH XOAUTH2 {xoauth2(GOOGLE, token(mail_host, GOOGLE))}")).startswith("235")
        assert (await smtp.reply(f"MAIL FROM:<{GOOGLE}>")).startswith("250")


async def test_a_refused_token_is_explained_by_google_s_smtp_too(mail_host: MailHost) -> None:
    """334 with the challenge, the client's empty line, then 535."""
    site = mail_host.sites["google"]
    async with wire(site.smtps_address, mail_host, site.smtp_host) as smtp:
        await smtp.reply("EHLO client")
        told = await smtp.reply(f"AUTH XOAUTH2 {xoauth2(GOOGLE, token(mail_host, GOOGLE, 'expired'))}")
        assert json.loads(base64.b64decode(told.removeprefix("334 ")))["status"] == "400"
        assert (await smtp.reply("")).startswith("535-5.7.8 Username and Password not accepted.")


async def test_a_refused_token_gets_microsoft_s_words_for_sending(mail_host: MailHost) -> None:
    """No challenge; asked on the host's own port, which knows every account."""
    async with wire(mail_host.smtp_address) as smtp:
        await smtp.reply("EHLO client")
        told = await smtp.reply(f"AUTH XOAUTH2 {xoauth2(MICROSOFT, 'never-issued')}")
        assert told.startswith("535 5.7.3 Authentication unsuccessful")
        assert (await smtp.reply("AUTH XOAUTH2 bm9uc2Vuc2U=")).startswith("501")


async def test_google_wants_an_app_password(mail_host: MailHost) -> None:
    """The account's own password is answered with where to make one; an app password opens, once there is one."""
    password = mail_host.account(GOOGLE).password
    async with wire(mail_host.imap_address) as imap:
        told = await imap.command(f"LOGIN {GOOGLE} {password}")
        assert told[-1].startswith("a1 NO [ALERT] Application-specific password required: https://support.google.com/")
        told = await imap.command(f'LOGIN {GOOGLE} "{APP_PASSWORD}"')
        assert told == ["a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"]
        await mail_host.switch(GOOGLE, "app_password", True)
        assert (await imap.command(f'LOGIN {GOOGLE} "{APP_PASSWORD}"'))[-1].startswith("a1 OK")
    async with wire(mail_host.smtp_address) as smtp:
        await smtp.reply("EHLO client")
        assert (await smtp.reply(f"AUTH PLAIN {plain(GOOGLE, password)}")).startswith("534-5.7.9 Application-specific")
        assert (await smtp.reply(f"AUTH PLAIN {plain(GOOGLE, APP_PASSWORD)}")).startswith("235")


async def test_microsoft_takes_no_passwords(mail_host: MailHost) -> None:
    """Not the right one either."""
    password = mail_host.account(MICROSOFT).password
    async with wire(mail_host.imap_address) as imap:
        assert await imap.command(f"LOGIN {MICROSOFT} {password}") == ["a1 NO Basic authentication is disabled."]
    async with wire(mail_host.smtp_address) as smtp:
        await smtp.reply("EHLO client")
        told = await smtp.reply(f"AUTH PLAIN {plain(MICROSOFT, password)}")
        assert told.startswith("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.")


async def test_a_provider_s_server_knows_its_own_accounts_only(mail_host: MailHost) -> None:
    """Whoever chose the wrong provider is refused there."""
    async with wire(mail_host.sites["google"].imaps_address, mail_host, "imap.gmail.com") as imap:
        assert imap.greeting.endswith("Gimap ready for requests from 127.0.0.1 a1b2c3mb")
        told = await imap.command("LOGIN rita@agency.test rita-mail-pass")
        assert told == ["a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"]


async def test_a_changed_password_ends_the_tokens_in_use(mail_host: MailHost) -> None:
    """As both providers do it; the sessions end too."""
    given = token(mail_host, GOOGLE)
    async with wire(mail_host.imap_address) as imap:
        assert (await imap.command(f"AUTHENTICATE XOAUTH2 {xoauth2(GOOGLE, given)}"))[-1].startswith("a1 OK")
        await mail_host.switch(GOOGLE, "password", "another")
        assert (await imap.line()).startswith("* BYE Session expired")
    assert mail_host.tokens.verdict(given, GOOGLE) == "revoked"
