"""The mail servers of well-known providers, by provider and by the domain or MX host at hand (R55, R59). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

SSL, STARTTLS = "ssl", "starttls"


@dataclass(frozen=True, slots=True)
class Server:
    """``tls`` is ssl (from the first byte) or starttls."""

    host: str
    port: int
    tls: str = SSL


@dataclass(frozen=True, slots=True)
class Servers:
    """One mailbox's two servers; ``username`` is empty where it is the whole address."""

    imap: Server
    smtp: Server
    username: str = ""


def _usual(imap: str, smtp: str) -> Servers:
    return Servers(Server(imap, 993), Server(smtp, 465))


def _submission(imap: str, smtp: str) -> Servers:
    return Servers(Server(imap, 993), Server(smtp, 587, STARTTLS))


# As each provider's set-up guide (and Mozilla's ISPDB) names them.
_SERVERS: Final[Mapping[str, Servers]] = {
    "google": _usual("imap.gmail.com", "smtp.gmail.com"),
    "microsoft": _submission("outlook.office365.com", "smtp.office365.com"),
    "yahoo": _usual("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
    "aol": _usual("imap.aol.com", "smtp.aol.com"),
    "icloud": _submission("imap.mail.me.com", "smtp.mail.me.com"),
    "godaddy": _usual("imap.secureserver.net", "smtpout.secureserver.net"),
    "zoho": _usual("imappro.zoho.com", "smtppro.zoho.com"),
    "yandex": _usual("imap.yandex.com", "smtp.yandex.com"),
    "gmx": _usual("imap.gmx.net", "mail.gmx.net"),
    "ionos": _usual("imap.ionos.com", "smtp.ionos.com"),
    "fastmail": _usual("imap.fastmail.com", "smtp.fastmail.com"),
    "netease": _usual("imap.163.com", "smtp.163.com"),
    "qq": _usual("imap.exmail.qq.com", "smtp.exmail.qq.com"),
    "rambler": _usual("imap.rambler.ru", "smtp.rambler.ru"),
    "rackspace": _usual("secure.emailsrvr.com", "secure.emailsrvr.com"),
    "ovh": _usual("ssl0.ovh.net", "ssl0.ovh.net"),
}

# Ends of the address's domain or of an MX host that stand for other servers of the same provider.
_ELSEWHERE: Final[Mapping[str, Servers]] = {
    "yahoo.co.jp": _usual("imap.mail.yahoo.co.jp", "smtp.mail.yahoo.co.jp"),
    "web.de": _usual("imap.web.de", "smtp.web.de"),
    "gmx.com": _usual("imap.gmx.com", "mail.gmx.com"),
    "zoho.eu": _usual("imappro.zoho.eu", "smtppro.zoho.eu"),
    "zoho.in": _usual("imappro.zoho.in", "smtppro.zoho.in"),
    "zoho.com.au": _usual("imappro.zoho.com.au", "smtppro.zoho.com.au"),
    "zoho.jp": _usual("imappro.zoho.jp", "smtppro.zoho.jp"),
    "yandex.ru": _usual("imap.yandex.ru", "smtp.yandex.ru"),
    "ionos.de": _usual("imap.ionos.de", "smtp.ionos.de"),
    "kundenserver.de": _usual("imap.ionos.de", "smtp.ionos.de"),
    "ionos.co.uk": _usual("imap.ionos.co.uk", "smtp.ionos.co.uk"),
    "126.com": _usual("imap.126.com", "smtp.126.com"),
    "ovh.ca": _usual("ssl0.ovh.ca", "ssl0.ovh.ca"),
}
# These are the provider's own addresses, which have servers apart from its customers' domains.
_PERSONAL: Final[Mapping[str, Servers]] = {
    "qq.com": _usual("imap.qq.com", "smtp.qq.com"),
    "zoho.com": _usual("imap.zoho.com", "smtp.zoho.com"),
    "zohomail.com": _usual("imap.zoho.com", "smtp.zoho.com"),
    "zoho.eu": _usual("imap.zoho.eu", "smtp.zoho.eu"),
    "zohomail.eu": _usual("imap.zoho.eu", "smtp.zoho.eu"),
    "zohomail.in": _usual("imap.zoho.in", "smtp.zoho.in"),
}


def known_servers(provider: str | None, domain: str, mx_hosts: Iterable[str] = ()) -> Servers | None:
    """The provider's servers for an address at ``domain``; None where they are not known."""
    if provider is None or provider not in _SERVERS:
        return None
    personal = _PERSONAL.get(domain.lower())
    if personal is not None:
        return personal
    names = [domain.lower(), *(host.lower().rstrip(".") for host in mx_hosts)]
    elsewhere = next((_ELSEWHERE[end] for name in names for end in _ends(name) if end in _ELSEWHERE), None)
    return elsewhere or _SERVERS[provider]


def guesses(domain: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that mail servers often have, likeliest first: for IMAP and for SMTP."""
    return (f"imap.{domain}", f"mail.{domain}"), (f"smtp.{domain}", f"mail.{domain}")


def _ends(name: str) -> Iterable[str]:
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))
