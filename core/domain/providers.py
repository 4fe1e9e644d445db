"""Mail providers: how to know one by its servers, and what sync must respect there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class UndecidedPolicy(StrEnum):
    """What settles a send whose outcome is unknown: a look into Sent, or a person."""

    SENT_FOLDER = "sent_folder"  # the server files what it sends: absent after the last look means it did not go
    HOLD = "hold"  # Sent is filled by us afterwards: absence proves nothing


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What a provider is known to want. Times in seconds, ``max_connections`` per mailbox, all programs together."""

    label: str
    idle_renew_s: int = 540
    poll_floor_s: int = 60
    sent_poll_s: int = 90
    max_connections: int = 8
    fetch_batch: int = 200
    files_sent_copies: bool = False
    oauth: bool = False
    passwords: str = "password"
    condstore: bool = True
    warning: str = ""

    @property
    def verify_policy(self) -> UndecidedPolicy:
        """How a send of unknown outcome is settled here."""
        return UndecidedPolicy.SENT_FOLDER if self.files_sent_copies else UndecidedPolicy.HOLD


_APP_PASSWORD = "app password"
_GODADDY_WARNING = (
    "GoDaddy does not always hand over the To and From of a mail, so some mail may not be matched to a person. "
    "Its own help: https://www.godaddy.com/help."
)

GENERIC = ProviderFacts("mail server")
PROVIDERS: Mapping[str, ProviderFacts] = {
    "google": ProviderFacts(
        "Google", poll_floor_s=600, max_connections=15, files_sent_copies=True, oauth=True, passwords=_APP_PASSWORD
    ),
    "microsoft": ProviderFacts(
        "Microsoft",
        max_connections=16,
        fetch_batch=100,
        files_sent_copies=True,
        oauth=True,
        passwords="none",
        condstore=False,
    ),
    "yahoo": ProviderFacts(
        "Yahoo",
        idle_renew_s=180,
        poll_floor_s=120,
        sent_poll_s=120,
        max_connections=3,
        passwords=_APP_PASSWORD,
        condstore=False,
    ),
    "aol": ProviderFacts(
        "AOL",
        idle_renew_s=180,
        poll_floor_s=120,
        sent_poll_s=120,
        max_connections=3,
        passwords=_APP_PASSWORD,
        condstore=False,
    ),
    "icloud": ProviderFacts("iCloud", max_connections=2, passwords=_APP_PASSWORD),
    "godaddy": ProviderFacts("GoDaddy", max_connections=8, warning=_GODADDY_WARNING),
    "zoho": ProviderFacts("Zoho", passwords=_APP_PASSWORD),
    "yandex": ProviderFacts("Yandex", idle_renew_s=55, passwords=_APP_PASSWORD),
    "gmx": ProviderFacts("GMX", idle_renew_s=240),
    "ionos": ProviderFacts("IONOS"),
    "fastmail": ProviderFacts("Fastmail", passwords=_APP_PASSWORD),
    "netease": ProviderFacts("NetEase", idle_renew_s=55, passwords=_APP_PASSWORD),
    "qq": ProviderFacts("QQ Mail", idle_renew_s=55, passwords=_APP_PASSWORD),
    "rambler": ProviderFacts("Rambler", idle_renew_s=55, passwords=_APP_PASSWORD),
    "rackspace": ProviderFacts("Rackspace"),
    "ovh": ProviderFacts("OVH"),
    "zimbra": ProviderFacts("Zimbra"),
}

# Ends of server names, for login hosts and MX hosts alike.
_SUFFIXES: Mapping[str, str] = {
    "gmail.com": "google",
    "google.com": "google",
    "googlemail.com": "google",
    "googleapis.com": "google",
    "outlook.com": "microsoft",
    "office365.com": "microsoft",
    "office365.us": "microsoft",
    "office.com": "microsoft",
    "hotmail.com": "microsoft",
    "live.com": "microsoft",
    "mx.microsoft": "microsoft",
    "microsoftonline.com": "microsoft",
    "microsoftonline.us": "microsoft",
    "partner.outlook.cn": "microsoft",
    "yahoo.com": "yahoo",
    "yahoo.co.jp": "yahoo",
    "yahoodns.net": "yahoo",
    "aol.com": "aol",
    "icloud.com": "icloud",
    "me.com": "icloud",
    "mac.com": "icloud",
    "secureserver.net": "godaddy",
    "zoho.com": "zoho",
    "zoho.eu": "zoho",
    "zoho.in": "zoho",
    "zoho.com.au": "zoho",
    "zoho.jp": "zoho",
    "zoho.ca": "zoho",
    "zoho.sa": "zoho",
    "zohomail.com": "zoho",
    "zohomail.eu": "zoho",
    "zohomail.in": "zoho",
    "yandex.ru": "yandex",
    "yandex.com": "yandex",
    "yandex.net": "yandex",
    "gmx.net": "gmx",
    "gmx.com": "gmx",
    "gmx.de": "gmx",
    "web.de": "gmx",
    "ionos.com": "ionos",
    "ionos.de": "ionos",
    "ionos.co.uk": "ionos",
    "1und1.de": "ionos",
    "1and1.com": "ionos",
    "kundenserver.de": "ionos",
    "perfora.net": "ionos",
    "fastmail.com": "fastmail",
    "messagingengine.com": "fastmail",
    "163.com": "netease",
    "126.com": "netease",
    "netease.com": "netease",
    "qq.com": "qq",
    "rambler.ru": "rambler",
    "emailsrvr.com": "rackspace",
    "ovh.net": "ovh",
    "ovh.ca": "ovh",
}

# A filter in front of the mailbox: its MX says nothing about the provider behind it.
_GATEWAYS = ("pphosted.com", "ppe-hosted.com", "mimecast.com", "barracudanetworks.com", "messagelabs.com", "iphmx.com")


def _by_suffix(host: str) -> str | None:
    labels = host.strip().rstrip(".").lower().split(".")
    for start in range(len(labels)):
        found = _SUFFIXES.get(".".join(labels[start:]))
        if found:
            return found
    return None


def provider_of_host(host: str) -> str | None:
    """The provider that runs a server, by its name (login host, or remote server of a bounce); None where unknown."""
    name = host.strip().lower()
    if name.startswith("[") or not name:
        return None
    name = name.rsplit(":", 1)[0] if name.count(":") == 1 else name
    return _by_suffix(name) or ("zimbra" if "zimbra" in name else None)


def provider_of_mx(mx_hosts: Iterable[str]) -> str | None:
    """The provider that takes a domain's mail, by its MX hosts in order; None where unknown or behind a gateway."""
    return next((found for found in map(_by_suffix, mx_hosts) if found), None)


def is_gateway(mx_hosts: Iterable[str]) -> bool:
    """Whether a filter service stands in front, so that SPF must tell the provider."""
    names = (host.strip().rstrip(".").lower() for host in mx_hosts)
    return any(name == gateway or name.endswith("." + gateway) for name in names for gateway in _GATEWAYS)


def facts(provider: str | None) -> ProviderFacts:
    """What is known of a provider; the careful defaults where it is unknown."""
    return PROVIDERS.get(provider or "", GENERIC)
