"""Where an address's mail is, from DNS and from what domains publish: the evidence in words, trouble called trouble."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from core.errors import InputError, MailError, ServerRefusedError, UnreachableError
from core.ports.mail import Endpoint, Tls
from core.services.discovery import Discovery
from tests.fakes.sign_in import IMAP, FakeSignIn
from tests.stores import SteadyClock

CONFIG = """<clientConfig><emailProvider>
<incomingServer type="imap"><hostname>{imap}</hostname><port>993</port><socketType>SSL</socketType></incomingServer>
<outgoingServer type="smtp"><hostname>out.{imap}</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>
</emailProvider></clientConfig>"""
GOOGLE_MX = [(1, "aspmx.l.google.com"), (5, "alt1.aspmx.l.google.com")]
MICROSOFT_MX = [(0, "agency-test.mail.protection.outlook.com")]
SPF_GOOGLE, SPF_MICROSOFT = "v=spf1 include:_spf.google.com ~all", "v=spf1 include:spf.protection.outlook.com -all"


@dataclass
class Names:
    """DNS in memory; ``down`` names what gives no answer, ``silent`` what never comes back."""

    mail: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    services: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    silent: bool = False

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        await self._answer("mx")
        return self.mail

    async def txt(self, name: str) -> list[str]:
        await self._answer("txt")
        return self.texts

    async def srv(self, name: str) -> list[tuple[str, int]]:
        await self._answer("srv")
        return self.services.get(name.partition(".")[0], [])

    async def addresses(self, host: str) -> list[str]:
        await self._answer("addresses")
        return ["203.0.113.9"] if host in self.hosts else []

    async def _answer(self, kind: str) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if kind in self.down or "all" in self.down:
            raise UnreachableError("SERVFAIL", layer="dns")


@dataclass
class Files:
    """What web hosts publish, by the beginning of the address; errors are raised."""

    files: dict[str, bytes | MailError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes | None:
        self.asked.append(url)
        found = next((file for begin, file in self.files.items() if url.startswith(begin)), None)
        if isinstance(found, MailError):
            raise found
        return found


AUTOCONFIG, WELL_KNOWN = "https://autoconfig.agency.test/", "https://agency.test/.well-known/"


def discovery(names: Names, files: Files | None = None, *, offered: bool = True, safe: bool = True) -> Discovery:
    clock = SteadyClock()
    services = {name: FakeSignIn(clock.now, name) for name in ("google", "microsoft")} if offered else {}
    return Discovery(names, files, services, safe=safe, look_up_s=0.05, publish_s=0.1)


async def test_mx_and_spf_agree() -> None:
    """The evidence stands in words, and the provider's own sign-in is the way (R55, R56)."""
    found = await discovery(Names(GOOGLE_MX, [SPF_GOOGLE])).of("rita@agency.test")
    assert (found.provider, found.label, found.sign_in) == ("google", "Google", "google")
    assert found.how == ("MX says Google", "SPF names Google too")
    assert found.warnings == ()


async def test_an_spf_record_that_names_somebody_else_is_for_it_to_mend() -> None:
    """A Google user must not have Outlook in SPF (R57); beside Google too it is told."""
    found = await discovery(Names(GOOGLE_MX, [SPF_MICROSOFT])).of("rita@agency.test")
    assert found.sign_in == "google"
    assert "SPF names Microsoft although mail arrives at Google" in found.warnings[0]
    assert "IT or mail administrator" in found.warnings[0]
    both = "v=spf1 include:_spf.google.com include:spf.protection.outlook.com ~all"
    found = await discovery(Names(GOOGLE_MX, [both])).of("rita@agency.test")
    assert "SPF names Google too" in found.how
    assert "SPF names Microsoft as well" in found.warnings[0]


async def test_spf_tells_who_is_behind_a_filter() -> None:
    """The MX of a filter service says nothing of the mailbox (R56)."""
    found = await discovery(Names([(10, "mx1.agency.pphosted.com")], [SPF_MICROSOFT])).of("rita@agency.test")
    assert found.provider == "microsoft"
    assert found.how == (
        "A filter service (mx1.agency.pphosted.com) takes the mail of agency.test first",
        "SPF names Microsoft",
    )
    assert found.warnings == ()


async def test_spf_alone_is_taken_with_a_warning() -> None:
    """An unknown host may be a filter, or the mailbox itself."""
    found = await discovery(Names([(10, "mx.unknown.example")], [SPF_GOOGLE])).of("rita@agency.test")
    assert found.provider == "google"
    assert "If your mailbox is not at Google, use other servers." in found.warnings


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (Names(down={"all"}), "DNS gave no answer about agency.test"),
        (Names(silent=True), "DNS gave no answer about agency.test"),
        (Names(), "DNS knows no mail server of agency.test"),
        (Names([(0, "")]), "takes no mail at all"),
    ],
)
async def test_trouble_with_dns_is_not_a_missing_provider(names: Names, words: str) -> None:
    """No answer is said to be none; a domain without mail looks like a typing error (R58)."""
    found = await discovery(names).of("rita@agency.test")
    assert (found.provider, found.label, found.sign_in) == ("", "", "password")
    assert words in found.warnings[0]


async def test_a_providers_own_domain_asks_no_dns() -> None:
    """gmail.com and outlook.com are what they are."""
    names = Names(down={"all"})
    assert (await discovery(names).of("rita@gmail.com")).sign_in == "google"
    assert (await discovery(names).of("rita@outlook.com")).how == ("outlook.com is Microsoft’s own",)
    assert (await discovery(names).of("rita@web.de")).label == "GMX"


async def test_godaddy_is_warned_of() -> None:
    """By its MX (R75)."""
    found = await discovery(Names([(0, "smtp.secureserver.net")])).of("rita@agency.test")
    assert "GoDaddy does not always hand over" in found.warnings[0]
    assert "https://www.godaddy.com/help" in found.warnings[0]


async def test_a_sign_in_that_cannot_be_used_says_who_can_change_that() -> None:
    """Not set up, or nowhere to come back to; for Microsoft that means not at all."""
    names = Names(MICROSOFT_MX)
    found = await discovery(names, offered=False).of("rita@agency.test")
    assert found.sign_in == "password"
    assert "MICROSOFT_CLIENT_ID" in found.warnings[0]
    assert "cannot be connected" in found.warnings[0]
    found = await discovery(names, safe=False).of("rita@agency.test")
    assert found.sign_in == "password"
    assert "RETHREAD_PUBLIC_URL" in found.warnings[0]
    assert discovery(names, safe=False).offered == ()


@pytest.mark.parametrize(
    "address", ["", "rita", "rita@", "rita@localhost", "a b@agency.test", "rita@agency.test\r\n.x"]
)
async def test_what_is_no_address_is_not_looked_up(address: str) -> None:
    with pytest.raises(InputError):
        await discovery(Names()).of(address)


async def test_srv_records_come_first() -> None:
    """TLS from the first byte before STARTTLS; nothing is fetched then (RFC 6186, RFC 8314)."""
    services = {"_imaps": [("imap.agency.test", 993)], "_submission": [("out.agency.test", 587)]}
    files = Files({AUTOCONFIG: CONFIG.format(imap="other.agency.test").encode()})
    _, proposal = await discovery(Names(services=services), files).look("rita@agency.test")
    assert proposal.imap == Endpoint("imap.agency.test", 993, Tls.SSL)
    assert proposal.smtp == Endpoint("out.agency.test", 587, Tls.STARTTLS)
    assert "(SRV)" in proposal.how
    assert files.asked == []


async def test_the_autoconfig_host_wins_over_the_well_known_place() -> None:
    """Both are asked at once; the address goes along as mail programs send it."""
    files = Files(
        {
            AUTOCONFIG: CONFIG.format(imap="first.agency.test").encode(),
            WELL_KNOWN: CONFIG.format(imap="second.agency.test").encode(),
        }
    )
    _, proposal = await discovery(Names(), files).look("rita+jobs@agency.test")
    assert proposal.imap.host == "first.agency.test"
    assert proposal.how == "autoconfig.agency.test publishes these servers for mail programs (autoconfig)."
    assert proposal.certain
    assert sorted(files.asked) == [
        "https://agency.test/.well-known/autoconfig/mail/config-v1.1.xml",
        "https://autoconfig.agency.test/mail/config-v1.1.xml?emailaddress=rita%2Bjobs%40agency.test",
    ]
    del files.files[AUTOCONFIG]
    _, proposal = await discovery(Names(), files).look("rita@agency.test")
    assert proposal.imap.host == "second.agency.test"


async def test_a_web_hosts_autoconfig_does_not_lead_away_from_google() -> None:
    """Web hosts answer for every domain on them, wherever its mail is: MX decides."""
    files = Files({AUTOCONFIG: CONFIG.format(imap="mail.webhost.example").encode()})
    _, proposal = await discovery(Names(GOOGLE_MX), files).look("rita@agency.test")
    assert proposal.imap == IMAP
    _, proposal = await discovery(Names(GOOGLE_MX), files, offered=False).look("rita@agency.test")
    assert proposal.imap.host == "imap.gmail.com"
    assert files.asked == []


async def test_what_is_known_of_a_provider_comes_after_what_a_domain_publishes() -> None:
    """A reseller's customers may have servers of their own."""
    names = Names([(0, "mx00.ionos.de")])
    _, proposal = await discovery(names, Files()).look("rita@agency.test")
    assert (proposal.imap.host, proposal.how) == ("imap.ionos.de", "These are IONOS’s usual servers.")
    files = Files({AUTOCONFIG: CONFIG.format(imap="mail.agency.test").encode()})
    _, proposal = await discovery(names, files).look("rita@agency.test")
    assert proposal.imap.host == "mail.agency.test"


async def test_published_servers_may_tell_the_provider() -> None:
    """A domain whose MX nobody knows, but whose file leads to Google."""
    files = Files({AUTOCONFIG: CONFIG.format(imap="imap.gmail.com").encode()})
    found, _ = await discovery(Names([(10, "mx.unknown.example")]), files).look("rita@agency.test")
    assert found.sign_in == "google"
    assert "The server imap.gmail.com is Google’s" in found.how


async def test_guesses_are_called_guesses() -> None:
    """Names that exist are taken, the likeliest first; where none does, that is said (R59)."""
    _, proposal = await discovery(Names(hosts={"mail.agency.test", "smtp.agency.test"}), Files()).look("r@agency.test")
    assert (proposal.imap.host, proposal.smtp.host) == ("mail.agency.test", "smtp.agency.test")
    assert not proposal.certain
    assert "guessed" in proposal.how
    _, proposal = await discovery(Names(), Files()).look("r@agency.test")
    assert proposal.imap.host == "imap.agency.test"
    assert "No mail servers of agency.test were found" in proposal.how


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (UnreachableError("SERVFAIL", layer="dns"), "DNS gave no answer about the servers of agency.test"),
        (UnreachableError("expired", layer="tls"), "The certificate of autoconfig.agency.test is not in order"),
        (ServerRefusedError("too many redirects", layer="socket"), "was not read (too many redirects)"),
        (b"<html/>", "cannot be used"),
    ],
)
async def test_what_could_not_be_read_is_told(failure: bytes | MailError, words: str) -> None:
    """Beside the guess that stands in for it."""
    _, proposal = await discovery(Names(), Files({AUTOCONFIG: failure})).look("rita@agency.test")
    assert words in proposal.how
    assert not proposal.certain


async def test_silence_ends_in_a_guess() -> None:
    """Nobody waits longer than the limits say, whoever does not answer."""
    async with asyncio.timeout(20):
        found, proposal = await discovery(Names(silent=True), Files()).look("rita@agency.test")
    assert proposal.imap.host == "imap.agency.test"
    assert "DNS gave no answer" in found.warnings[0]
