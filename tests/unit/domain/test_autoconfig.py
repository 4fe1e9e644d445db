"""What is read of a domain's autoconfig file, and what of it is not believed."""

from __future__ import annotations

import pytest

from core.domain.autoconfig import MAX_BYTES, AutoconfigError, read_autoconfig
from core.domain.mail_servers import Server, Servers

RITA = "rita@agency.test"
INCOMING = """<incomingServer type="{kind}"><hostname>{host}</hostname><port>{port}</port>
<socketType>{tls}</socketType><username>{user}</username><authentication>{how}</authentication></incomingServer>"""
OUTGOING = """<outgoingServer type="smtp"><hostname>{host}</hostname><port>{port}</port><socketType>{tls}</socketType>
<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></outgoingServer>"""


def incoming(
    host: str = "imap.agency.test",
    port: str = "993",
    tls: str = "SSL",
    kind: str = "imap",
    user: str = "%EMAILADDRESS%",
    how: str = "password-cleartext",
) -> str:
    return INCOMING.format(kind=kind, host=host, port=port, tls=tls, user=user, how=how)


def outgoing(host: str = "smtp.agency.test", port: str = "465", tls: str = "SSL") -> str:
    return OUTGOING.format(host=host, port=port, tls=tls)


def config(*servers: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    inside = "".join(servers)
    return (
        f'{head}<clientConfig version="1.1"><emailProvider id="agency.test"><domain>agency.test</domain>'
        f"<displayName>Agency mail</displayName>{inside}</emailProvider></clientConfig>"
    ).encode()


def test_a_usual_file_names_both_servers() -> None:
    """POP is passed over; the user name is the address."""
    file = config(incoming(kind="pop3", port="995"), incoming(), outgoing(port="587", tls="STARTTLS"))
    assert read_autoconfig(file, RITA) == Servers(
        Server("imap.agency.test", 993), Server("smtp.agency.test", 587, "starttls")
    )


def test_tls_from_the_first_byte_wins_over_starttls() -> None:
    """Whatever order the file has them in (RFC 8314)."""
    file = config(incoming(), outgoing(port="587", tls="STARTTLS"), outgoing())
    assert read_autoconfig(file, RITA).smtp == Server("smtp.agency.test", 465)


def test_placeholders_are_filled_in() -> None:
    """In names of hosts and users."""
    file = config(incoming(host="imap.%EMAILDOMAIN%", user="%EMAILLOCALPART%"), outgoing())
    found = read_autoconfig(file, RITA)
    assert (found.imap.host, found.username) == ("imap.agency.test", "rita")


@pytest.mark.parametrize(
    "file",
    [
        config(incoming(tls="plain", port="143"), outgoing()),
        config(incoming(tls="STARTTLS", port="143"), outgoing()),
        config(incoming(how="OAuth2"), outgoing()),
        config(incoming(), outgoing(tls="plain", port="25")),
        config(incoming(host="imap.agency.test/../x"), outgoing()),
        config(incoming(host="localhost"), outgoing()),
        config(incoming(port="0"), outgoing()),
        config(incoming(port="99999999999"), outgoing()),
        config(incoming(port="²"), outgoing()),
        config(incoming()),
        config(),
        b"<html><body>Not found</body></html>",
        b"",
        b"\xff\xfe\x00",
        b"<clientConfig>",
        b"{}",
    ],
)
def test_what_cannot_be_used_is_refused(file: bytes) -> None:
    """No TLS, no password, odd hosts and ports, other documents, no documents."""
    with pytest.raises(AutoconfigError):
        read_autoconfig(file, RITA)


def test_a_document_type_is_refused_before_any_entity_of_it() -> None:
    """Also where an encoding hides the word: billion laughs and external entities never begin."""
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    with pytest.raises(AutoconfigError, match="document type"):
        read_autoconfig(config(incoming(host="&b;"), outgoing(), head=laughs), RITA)
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    text = config(incoming(), outgoing(), head=outside).decode().encode("utf-16")
    with pytest.raises(AutoconfigError, match="document type"):
        read_autoconfig(text, RITA)


def test_sizes_are_bounded() -> None:
    """Bytes, depth and number of elements."""
    with pytest.raises(AutoconfigError, match="larger"):
        read_autoconfig(config(incoming(), outgoing(), " " * MAX_BYTES), RITA)
    for file in (b"<a>" * 5_000, b"<a>" + b"<b/>" * 5_000 + b"</a>"):
        with pytest.raises(AutoconfigError, match="too large"):
            read_autoconfig(file, RITA)
