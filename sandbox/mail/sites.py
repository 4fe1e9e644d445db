"""The servers the host plays: its own, Google's and Microsoft's, each with its names and its certificate."""

import datetime
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

import trustme

from sandbox.mail.accounts import Provider

CERTIFICATE_FAULTS = ("none", "expired", "wrong_name", "untrusted")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Certificate:
    """A server's TLS context whose certificate can be made bad for every handshake to come."""

    def __init__(self, authority: trustme.CA, names: Iterable[str]) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.fault = "none"
        identities = (*_LOOPBACK, *names)
        past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        self._certificates = {
            "none": authority.issue_cert(*identities),
            "expired": authority.issue_cert(*identities, not_before=past, not_after=past + datetime.timedelta(days=90)),
            "wrong_name": authority.issue_cert("mail.elsewhere.example"),
            "untrusted": trustme.CA().issue_cert(*identities),
        }
        self.present("none")

    def present(self, fault: str) -> None:
        """Shows this one of ``CERTIFICATE_FAULTS`` from the next handshake on."""
        self._certificates[fault].configure_cert(self.context)
        self.fault = fault


@dataclass(slots=True)
class Site:
    """One provider's servers. Addresses are "host:port"; ``imap_host`` and ``smtp_host`` are their names in the DNS.

    An address is empty where the provider offers no such port.
    """

    provider: Provider
    imap_host: str
    smtp_host: str
    certificate: Certificate
    imaps_address: str = ""
    smtps_address: str = ""
    smtp_starttls_address: str = ""

    def described(self) -> dict[str, str]:
        """Names with the ports, as a mail program is told them."""
        return {
            "imap_host": self.imap_host,
            "smtp_host": self.smtp_host,
            "imaps": self.imaps_address,
            "smtps": self.smtps_address,
            "smtp_starttls": self.smtp_starttls_address,
        }


def named(host: str, address: str) -> str:
    """An address under a server's name: "imap.agency.test:1993"."""
    return f"{host}:{address.rpartition(':')[2]}" if address else ""


def make_sites(authority: trustme.CA, own_domains: Iterable[str]) -> dict[Provider, Site]:
    """The host's own server, good for all its domains, and the two large providers'."""
    own = [f"{host}.{domain}" for domain in own_domains for host in ("mail", "imap", "smtp")]
    return {
        "password": Site("password", "imap.agency.test", "smtp.agency.test", Certificate(authority, own)),
        "google": _large(authority, "google", "imap.gmail.com", "smtp.gmail.com"),
        "microsoft": _large(authority, "microsoft", "outlook.office365.com", "smtp.office365.com"),
    }


def _large(authority: trustme.CA, provider: Provider, imap_host: str, smtp_host: str) -> Site:
    return Site(provider, imap_host, smtp_host, Certificate(authority, (imap_host, smtp_host)))
