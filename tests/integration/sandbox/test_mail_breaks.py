"""Every way to break a mailbox: what goes over the wire, and which cause the product reads from it."""

import re
import ssl
import time

import dns.asyncresolver
import dns.resolver
import pytest

from core.domain.diagnosis import Failure, diagnose
from sandbox.mail import MailHost
from sandbox.mail.compose import compose
from sandbox.mail.switches import SWITCHES, switches_for
from tests.integration.sandbox.mail_wire import Wire, plain, wire, xoauth2

RITA = "rita@agency.test"
GOOGLE = "rita@sprout.test"
MICROSOFT = "rita@meridian.test"
ALL = (RITA, GOOGLE, MICROSOFT)
MAYA = "maya.lind@candidates.example"

# Switch, value, and what the product makes of it: by IMAP, by SMTP ("" where that side works on).
REFUSALS = [
    ("sign_in", "app_password_required", "app_password_required", "app_password_required"),
    ("sign_in", "web_login", "web_login_required", "web_login_required"),
    ("sign_in", "password_expired", "password_expired", "credentials_rejected"),
    ("sign_in", "disabled", "account_disabled", "account_disabled"),
    ("sign_in", "locked", "account_locked", "account_locked"),
    ("imap_off", True, "imap_disabled", ""),
    ("imap_off_admin", True, "imap_disabled_by_admin", ""),
    ("throttled", True, "too_many_connections", ""),
    ("server", "unavailable", "server_unavailable", "server_unavailable"),
    ("server", "rate_limited", "rate_limited", "auth_rate_limited"),
    ("server", "traffic_limit", "bandwidth_quota", ""),
    ("server", "system_error", "server_error", ""),
    ("sending", "refused", "", "credentials_rejected"),
    ("sending", "auth_disabled", "", "smtp_auth_disabled"),
    ("sending", "too_many_logins", "", "auth_rate_limited"),
]
# Where a provider says something else than the others do.
OTHERWISE = {
    (MICROSOFT, "app_password_required"): ("basic_auth_disabled", "basic_auth_disabled"),
    (MICROSOFT, "imap_off"): ("mailbox_not_reachable", ""),
    (MICROSOFT, "imap_off_admin"): ("credentials_rejected", ""),
    (MICROSOFT, "too_many_logins"): ("", "too_many_connections"),
}


def letter(number: int = 1) -> bytes:
    return compose(MAYA, [RITA], f"Letter {number}", "Hello", headers={"Message-ID": f"<{number}@candidates.example>"})


async def sign_in(host: MailHost, address: str, imap: Wire) -> str:
    """Signs in as this mailbox does; returns the tagged line."""
    provider = host.account(address).seed.provider
    if provider == "password":
        return (await imap.command(f"LOGIN {address} {host.account(address).password}"))[-1]
    given = xoauth2(address, host.tokens.issue(address, provider=provider, lifetime_s=60))
    return (await imap.command(f"AUTHENTICATE XOAUTH2 {given}"))[-1]


async def imap_words(host: MailHost, address: str) -> str:
    """The refusal of a sign-in without its tag; empty where it is let in."""
    async with wire(host.imap_address) as imap:
        line = (await sign_in(host, address, imap)).removeprefix("a1 ")
        return "" if line.startswith("OK") else line


async def smtp_words(host: MailHost, address: str) -> str:
    provider = host.account(address).seed.provider
    async with wire(host.smtp_address) as smtp:
        await smtp.reply("EHLO client")
        proof = f"PLAIN {plain(address, host.account(address).password)}"
        if provider != "password":
            proof = f"XOAUTH2 {xoauth2(address, host.tokens.issue(address, provider=provider, lifetime_s=60))}"
        reply = await smtp.reply(f"AUTH {proof}")
        return "" if reply.startswith("235") else reply


def cause(layer: str, words: str, server: str) -> str:
    return diagnose(Failure(layer, words, server)).cause if words else ""


@pytest.mark.parametrize("address", ALL)
@pytest.mark.parametrize(("switch", "value", "by_imap", "by_smtp"), REFUSALS)
async def test_a_refusal_is_read_as_what_it_is(
    mail_host: MailHost, address: str, switch: str, value: str | bool, by_imap: str, by_smtp: str
) -> None:
    """The right password or token, refused in words from which the product reads the cause; mending lets in again."""
    by_imap, by_smtp = OTHERWISE.get((address, value if isinstance(value, str) else switch), (by_imap, by_smtp))
    imap_host, smtp_host = mail_host.host_names(mail_host.account(address))
    await mail_host.switch(address, switch, value)
    assert cause("imap", await imap_words(mail_host, address), imap_host) == by_imap
    assert cause("smtp", await smtp_words(mail_host, address), smtp_host) == by_smtp
    mail_host.mend(address)
    assert (await imap_words(mail_host, address), await smtp_words(mail_host, address)) == ("", "")


async def test_a_throttled_account_is_told_how_long_to_wait(mail_host: MailHost) -> None:
    """In milliseconds, as Exchange writes it."""
    await mail_host.switch(RITA, "server", "rate_limited")
    words = await imap_words(mail_host, RITA)
    assert words == "BAD Request is throttled. Suggested Backoff Time: 20000 milliseconds"
    assert diagnose(Failure("imap", words, "imap.agency.test")).retry_after_s == 20


async def test_the_daily_sending_limit_lets_sign_in_but_not_send(mail_host: MailHost) -> None:
    """MAIL is refused in the provider's words."""
    await mail_host.switch(RITA, "sending", "daily_limit")
    async with wire(mail_host.smtp_address) as smtp:
        await smtp.reply("EHLO client")
        assert (await smtp.reply(f"AUTH PLAIN {plain(RITA, 'rita-mail-pass')}")).startswith("235")
        words = await smtp.reply(f"MAIL FROM:<{RITA}>")
    assert cause("smtp", words, "smtp.agency.test") == "sending_quota"


async def test_a_break_that_ends_sessions_says_goodbye(mail_host: MailHost) -> None:
    """BYE with a reason on the connection that stands."""
    for switch, value, words in (
        ("bye", None, "* BYE Server shutting down."),
        ("server", "unavailable", "* BYE Server shutting down."),
        ("sign_in", "locked", "* BYE Session expired, please login again."),
    ):
        mail_host.mend(RITA)
        async with wire(mail_host.imap_address) as imap:
            await sign_in(mail_host, RITA, imap)
            await mail_host.switch(RITA, switch, value)
            assert await imap.line() == words
            assert await imap.line() == ""


@pytest.mark.parametrize("folder", ["Sent", "Junk", "INBOX"])
async def test_one_folder_that_will_not_open_leaves_the_others_be(mail_host: MailHost, folder: str) -> None:
    """SELECT and STATUS of it answer NO with a server error."""
    await mail_host.switch(RITA, "folder", folder.lower())
    async with wire(mail_host.imap_address) as imap:
        await sign_in(mail_host, RITA, imap)
        refused = "a1 NO [SERVERBUG] Internal error occurred. Refer to server log for more information."
        assert (await imap.command(f"SELECT {folder}"))[-1] == refused
        assert (await imap.command(f"STATUS {folder} (UIDNEXT)"))[-1] == refused
        assert (await imap.command("SELECT Drafts"))[-1].startswith("a1 OK")
        mail_host.mend(RITA)
        assert (await imap.command(f"SELECT {folder}"))[-1].startswith("a1 OK")


async def test_a_full_mailbox_takes_nothing(mail_host: MailHost) -> None:
    """APPEND is refused, and mail to it comes back."""
    await mail_host.switch(RITA, "folder", "full")
    async with wire(mail_host.imap_address) as imap:
        await sign_in(mail_host, RITA, imap)
        assert (await imap.command("APPEND Sent {2+}\r\nhi"))[-1] == "a1 NO [OVERQUOTA] Not enough disk quota"
    await mail_host.send(MAYA, (RITA,), letter())
    assert mail_host.messages(RITA) == []
    assert "mailbox" in mail_host.messages(MAYA)[0].text.lower()


async def test_renumbering_is_an_action_of_its_own(mail_host: MailHost) -> None:
    """INBOX gets a new UIDVALIDITY."""
    before = mail_host.folder(RITA).uid_validity
    await mail_host.switch(RITA, "uidvalidity")
    assert mail_host.folder(RITA).uid_validity == before + 1


async def test_a_deaf_account_pushes_nothing_and_tells_the_truth_when_asked(mail_host: MailHost) -> None:
    """IDLE stays silent through a mail; STATUS knows it at once, NOOP after DONE tells of it."""
    await mail_host.switch(RITA, "deaf", True)
    async with wire(mail_host.imap_address) as idle, wire(mail_host.imap_address) as other:
        await sign_in(mail_host, RITA, idle)
        await idle.command("SELECT INBOX")
        idle.send("a1 IDLE")
        assert (await idle.line()).startswith("+")
        await mail_host.wait_idle(RITA)
        await mail_host.send(MAYA, (RITA,), letter())
        await sign_in(mail_host, RITA, other)
        assert "MESSAGES 1" in (await other.command("STATUS INBOX (MESSAGES)"))[0]
        idle.send("DONE")
        assert await idle.line() == "a1 OK IDLE completed."
        assert "* 1 EXISTS" in await idle.command("NOOP")


async def test_a_deaf_idle_hears_at_once_when_it_is_mended(mail_host: MailHost) -> None:
    """What was kept back is pushed into the IDLE that still stands."""
    await mail_host.switch(RITA, "deaf", True)
    async with wire(mail_host.imap_address) as idle:
        await sign_in(mail_host, RITA, idle)
        await idle.command("SELECT INBOX")
        idle.send("a1 IDLE")
        await idle.line()
        await mail_host.wait_idle(RITA)
        await mail_host.send(MAYA, (RITA,), letter())
        await mail_host.wait_until(lambda: mail_host.withheld(RITA) > 0)
        mail_host.mend(RITA)
        assert await idle.line() == "* 1 EXISTS"


async def test_a_frozen_account_answers_but_shows_no_new_mail(mail_host: MailHost) -> None:
    """Neither arriving mail nor copies of what was sent, until it thaws; then all of it, in order."""
    await mail_host.switch(RITA, "frozen", True)
    for number in (1, 2):
        await mail_host.send(MAYA, (RITA,), letter(number))
    await mail_host.send(RITA, (MAYA,), letter(3))
    async with wire(mail_host.imap_address) as imap:
        await sign_in(mail_host, RITA, imap)
        for folder in ("INBOX", "Sent"):
            assert "MESSAGES 0" in (await imap.command(f"STATUS {folder} (MESSAGES)"))[0]
        assert len(mail_host.messages(MAYA)) == 1
        await mail_host.switch(RITA, "frozen", False)
        assert "MESSAGES 2" in (await imap.command("STATUS INBOX (MESSAGES)"))[0]
    assert [mail.subject for mail in mail_host.messages(RITA)] == ["Letter 1", "Letter 2"]
    assert len(mail_host.messages(RITA, "Sent")) == 1


async def test_mending_thaws_too(mail_host: MailHost) -> None:
    """Nothing that came meanwhile is lost."""
    await mail_host.switch(RITA, "frozen", True)
    await mail_host.send(MAYA, (RITA,), letter())
    mail_host.mend(RITA)
    assert (await mail_host.wait_inbox(RITA)).subject == "Letter 1"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("expired", "tls_cert_expired"),
        ("wrong_name", "tls_hostname_mismatch"),
        ("untrusted", "tls_cert_untrusted"),
    ],
)
@pytest.mark.parametrize("address", ALL)
async def test_a_bad_certificate_is_seen_by_new_connections_only(
    mail_host: MailHost, address: str, fault: str, expected: str
) -> None:
    """By every mailbox of the same server, and by no other's."""
    account = mail_host.account(address)
    site, (name, _) = mail_host.site(account), mail_host.host_names(account)
    await mail_host.switch(address, "certificate", fault)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        async with wire(site.imaps_address, mail_host, name):
            pass
    assert diagnose(Failure("tls", str(refused.value), name)).cause == expected
    other = mail_host.sites["google" if account.seed.provider != "google" else "microsoft"]
    async with wire(other.imaps_address, mail_host, other.imap_host) as imap:
        assert imap.greeting.startswith("* OK")
    mail_host.mend(address)
    async with wire(site.imaps_address, mail_host, name) as imap:
        assert imap.greeting.startswith("* OK")


async def test_a_break_of_the_server_s_certificate_cuts_its_standing_connections(mail_host: MailHost) -> None:
    """So that every mailbox there meets it at once."""
    async with wire(mail_host.imap_address) as imap:
        await sign_in(mail_host, "omar@agency.test", imap)
        await mail_host.switch(RITA, "certificate", "expired")
        await mail_host.wait_until(lambda: mail_host.connection_count("omar@agency.test") == 0)


@pytest.mark.parametrize("address", ALL)
async def test_the_name_of_a_mail_server_can_be_lost_without_its_domain(mail_host: MailHost, address: str) -> None:
    """The servers' names do not resolve; MX and SPF of the mailbox's domain still do."""
    at, _, port = mail_host.dns_address.rpartition(":")
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [at], int(port)
    domain = address.partition("@")[2]
    for name in mail_host.host_names(mail_host.account(address)):
        await resolver.resolve(name, "A")
        await mail_host.switch(address, "host_name", "nxdomain")
        with pytest.raises(dns.resolver.NXDOMAIN) as unknown:
            await resolver.resolve(name, "A")
        assert diagnose(Failure("dns", str(unknown.value), name)).cause == "dns_name_unknown"
        assert len(await resolver.resolve(domain, "MX")) >= 1
        mail_host.mend(address)
        await resolver.resolve(name, "A")


async def test_a_google_account_s_folders_are_gmail_s(mail_host: MailHost) -> None:
    """All Mail has what arrives and what is sent; the folders are found by their special uses."""
    await mail_host.send(MAYA, (GOOGLE,), letter(1))
    await mail_host.send(GOOGLE, (MAYA,), letter(2))
    async with wire(mail_host.imap_address) as imap:
        await sign_in(mail_host, GOOGLE, imap)
        listed = "\n".join(await imap.command('LIST "" "*" RETURN (SPECIAL-USE)'))
        for use, name in (("All", "All Mail"), ("Sent", "Sent Mail"), ("Junk", "Spam")):
            assert re.search(rf'\([^)]*\\{use}\) "/" "?\[Gmail\]/{name}', listed)
        assert "MESSAGES 2" in (await imap.command('STATUS "[Gmail]/All Mail" (MESSAGES)'))[0]
        await mail_host.switch(GOOGLE, "folder", "junk")
        assert (await imap.command('SELECT "[Gmail]/Spam"'))[-1].startswith("a1 NO [SERVERBUG]")
    assert [len(mail_host.messages(GOOGLE, name)) for name in ("INBOX", "Sent", "All", "[Gmail]/All Mail")] == [
        1,
        1,
        2,
        2,
    ]


async def test_renumbering_a_google_inbox_renumbers_all_mail(mail_host: MailHost) -> None:
    """Nothing is doubled, and what comes later still lies in both."""
    await mail_host.send(MAYA, (GOOGLE,), letter(1))
    before = mail_host.folder(GOOGLE, "All").uid_validity
    await mail_host.switch(GOOGLE, "uidvalidity")
    await mail_host.send(MAYA, (GOOGLE,), letter(2))
    assert mail_host.folder(GOOGLE, "All").uid_validity == before + 1
    for folder in ("INBOX", "All"):
        assert [(mail.uid, mail.subject) for mail in mail_host.messages(GOOGLE, folder)] == [
            (1, "Letter 1"),
            (2, "Letter 2"),
        ]


async def test_hosted_domains_look_like_their_providers(mail_host: MailHost) -> None:
    """MX and SPF name the provider; there are no service records, as in the world outside."""
    at, _, port = mail_host.dns_address.rpartition(":")
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [at], int(port)
    google = {record.exchange.to_text() for record in await resolver.resolve("sprout.test", "MX")}
    assert "aspmx.l.google.com." in google
    assert len(google) == 5
    [microsoft] = await resolver.resolve("meridian.test", "MX")
    assert microsoft.exchange.to_text() == "meridian-test.mail.protection.outlook.com."
    for domain in ("sprout.test", "meridian.test"):
        assert "include:" in (await resolver.resolve(domain, "TXT"))[0].to_text()
        assert "v=DMARC1" in (await resolver.resolve(f"_dmarc.{domain}", "TXT"))[0].to_text()
        for service in ("_imaps", "_submission", "_submissions"):
            with pytest.raises(dns.resolver.NXDOMAIN):
                await resolver.resolve(f"{service}._tcp.{domain}", "SRV")


async def test_slow_answers_are_late_but_come(mail_host: MailHost) -> None:
    """Two seconds for a command, none for the greeting."""
    await mail_host.switch(RITA, "slow", True)
    async with wire(mail_host.imap_address) as imap:
        began = time.monotonic()
        assert (await sign_in(mail_host, RITA, imap)).startswith("a1 OK")
        assert time.monotonic() - began >= 2.0


async def test_mending_turns_every_switch_back(mail_host: MailHost) -> None:
    """Each in turn to something harmful; afterwards the account reads as it did at first."""
    for address in ALL:
        account = mail_host.account(address)
        first = {one.name: one.read(mail_host, account) for one in switches_for(account)}
        for switch in switches_for(account):
            harm = {"toggle": True, "choice": switch.options[-1][0] if switch.options else None, "text": "other"}
            await mail_host.switch(address, switch.name, harm.get(switch.kind))
        mail_host.mend(address)
        assert {one.name: one.read(mail_host, account) for one in switches_for(account)} == first


def test_every_switch_says_what_it_does_and_stands_in_a_group() -> None:
    """Nothing on the page without words."""
    for switch in SWITCHES.values():
        assert switch.group
        assert switch.label
        assert switch.help.endswith(".")
        assert (switch.kind == "choice") == bool(switch.options)
