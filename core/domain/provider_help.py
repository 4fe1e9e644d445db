"""Where each provider explains what its customers must do themselves: app passwords, second factors, limits (R29, R48).

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProviderHelp:
    """Sentences and addresses of the provider's own pages; empty where nothing is known.

    ``password`` says which password the form wants, ``password_url`` where one is made; ``second_factor`` what to
    expect while signing in; ``limits_url`` how much may be sent; ``traffic_url`` how much may be read, and how often
    programs may connect.
    """

    password: str = ""
    password_url: str = ""
    second_factor: str = ""
    limits_url: str = ""
    traffic_url: str = ""


_APP: Final = "{} wants an app password here, not the usual one. It is made on {}’s own site and shown once."

_HELP: Final[Mapping[str, ProviderHelp]] = {
    "google": ProviderHelp(
        password=_APP.format("Google", "Google") + " Two-step verification has to be on first.",
        password_url="https://myaccount.google.com/apppasswords",
        second_factor="With two-step verification, Google asks for the second step on its own page.",
        limits_url="https://support.google.com/a/answer/166852",
        traffic_url="https://support.google.com/a/answer/1071518",
    ),
    "microsoft": ProviderHelp(
        password="Microsoft takes neither passwords nor app passwords for reading mail any more.",
        second_factor="With two-factor authentication, Microsoft asks for the second step on its own page; no app "
        "password is needed, and none would work. Where it says “Need admin approval”, your administrator has to "
        "allow Rethread once for everybody.",
        limits_url="https://learn.microsoft.com/office365/servicedescriptions/"
        "exchange-online-service-description/exchange-online-limits",
    ),
    "yahoo": ProviderHelp(
        password=_APP.format("Yahoo", "Yahoo"), password_url="https://login.yahoo.com/account/security"
    ),
    "aol": ProviderHelp(password=_APP.format("AOL", "AOL"), password_url="https://login.aol.com/account/security"),
    "icloud": ProviderHelp(
        password="iCloud wants an app-specific password here, not the one of your Apple Account.",
        password_url="https://account.apple.com/account/manage",
    ),
    "fastmail": ProviderHelp(
        password=_APP.format("Fastmail", "Fastmail"),
        password_url="https://app.fastmail.com/settings/security/apps",
    ),
    "zoho": ProviderHelp(
        password="With two-factor authentication, Zoho wants an app password here; IMAP has to be on in its settings.",
        password_url="https://accounts.zoho.com/home#security/app_password",
    ),
    "yandex": ProviderHelp(
        password=_APP.format("Yandex", "Yandex"), password_url="https://id.yandex.com/security/app-passwords"
    ),
    "gmx": ProviderHelp(
        password="GMX and WEB.DE let programs in only where IMAP is switched on in the mail settings; with two-factor "
        "authentication they want an app password."
    ),
    "qq": ProviderHelp(password="QQ Mail wants the authorisation code of its settings here, not the password."),
    "netease": ProviderHelp(password="NetEase wants the authorisation code of its settings here, not the password."),
    "rambler": ProviderHelp(password="Rambler lets programs in only where they are switched on in the mail settings."),
}
_NOTHING: Final = ProviderHelp()


def help_of(provider: str | None) -> ProviderHelp:
    """What is known of a provider; nothing where it is unknown."""
    return _HELP.get(provider or "", _NOTHING)


def limits_page(provider: str | None, *, sending: bool) -> str:
    """The provider's own page on its limits (R48): those of sending, or of reading where it has a page of its own for
    them. Empty where none is known."""
    known = help_of(provider)
    return known.limits_url if sending else known.traffic_url or known.limits_url
