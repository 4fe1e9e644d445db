"""The servers of well-known providers."""

from __future__ import annotations

import pytest

from core.domain.mail_servers import Server, guesses, known_servers
from core.domain.provider_help import help_of
from core.domain.providers import PROVIDERS, provider_of_host


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"zimbra"}))
def test_every_provider_known_by_name_has_servers_of_its_own(provider: str) -> None:
    """Its servers are recognised as its own by their names; Zimbra is a program, not a place."""
    servers = known_servers(provider, "agency.test")
    assert servers is not None
    for server in (servers.imap, servers.smtp):
        assert provider_of_host(server.host) == provider
        assert (server.port, server.tls) in {(993, "ssl"), (465, "ssl"), (587, "starttls")}


@pytest.mark.parametrize(
    ("provider", "domain", "mx", "imap"),
    [
        ("gmx", "web.de", (), "imap.web.de"),
        ("gmx", "gmx.com", (), "imap.gmx.com"),
        ("ionos", "agency.test", ("mx00.ionos.de",), "imap.ionos.de"),
        ("zoho", "agency.test", ("mx.zoho.eu",), "imappro.zoho.eu"),
        ("zoho", "zohomail.eu", (), "imap.zoho.eu"),
        ("qq", "qq.com", ("mx1.qq.com",), "imap.qq.com"),
        ("qq", "agency.test", ("mxbiz1.qq.com",), "imap.exmail.qq.com"),
        ("yahoo", "yahoo.co.jp", (), "imap.mail.yahoo.co.jp"),
    ],
)
def test_the_domain_and_its_mx_tell_which_servers(provider: str, domain: str, mx: tuple[str, ...], imap: str) -> None:
    """Regions and brands of one provider have servers apart."""
    servers = known_servers(provider, domain, mx)
    assert servers is not None
    assert servers.imap == Server(imap, 993)


def test_nobody_is_known_by_no_name() -> None:
    assert known_servers(None, "agency.test") is None
    assert known_servers("zimbra", "agency.test") is None
    assert guesses("agency.test")[0][0] == "imap.agency.test"


@pytest.mark.parametrize("provider", [name for name, known in PROVIDERS.items() if known.passwords != "password"])
def test_whoever_wants_no_usual_password_is_explained(provider: str) -> None:
    """App password, authorisation code, or none at all (R29, R65)."""
    assert help_of(provider).password
