"""The private way to the page where a mailbox is connected, and what awaits the reader there (R54..R57). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import OPEN_LINK
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import provider_name
from bot.slack.blocks.kit import Card, Json
from bot.slack.read_models import ProviderFound
from core.domain.providers import PROVIDERS, facts

_TYPED: Final = "is typed on Rethread's own page, never in Slack."
_OPEN: Final = "This address is not HTTPS: open it only on the machine or network that Rethread runs in."
_MOST_WARNINGS: Final = 3


def connect_link(
    url: str,
    address: str | None,
    *,
    secure: bool,
    found: ProviderFound | None = None,
    reconnect: bool = False,
    sign_in: str = "password",
) -> Card:
    """A private, one-time link (threat T4). ``found`` says where the address's mail is, where that was looked up;
    ``sign_in`` how the mailbox signs in so far."""
    title = f"Reconnect {address}" if reconnect and address else "Connect a mailbox"
    awaits = _at(found, address) if found and address else _what_awaits(sign_in)
    blocks = [
        kit.header(title),
        kit.paragraph([kit.words(awaits, 400)]),
        *(_why(found) if found else []),
        *([kit.note("History and settings stay.")] if reconnect else []),
        *([] if secure else [kit.note(_OPEN)]),
        kit.actions(kit.button("Open the page", OPEN_LINK, style="primary", url=url, spoken=title)),
        kit.context("The link is for you alone, works once, and only for the next 10 minutes."),
    ]
    return Card(kit.fallback(f"{title}: a private link, good for 10 minutes. {awaits}"), blocks)


def _what_awaits(sign_in: str) -> str:
    if sign_in == "password":
        return f"The password {_TYPED}"
    return f"You sign in with {provider_name(sign_in)}; no password is typed."


def _at(found: ProviderFound, address: str) -> str:
    """``agency.test is at Google: you sign in with Google; no password is typed.``"""
    domain, name = address.rpartition("@")[2], provider_name(found.provider)
    if found.sign_in != "password":
        with_whom = provider_name(found.sign_in)
        return f"{domain} is at {found.label or with_whom}: you sign in with {with_whom}; no password is typed."
    if name:
        return f"{domain} is at {found.label or name}: {_secret(found.provider)} {_TYPED}"
    return f"{domain} has a mail server that Rethread does not know by name: {_secret(found.provider)} {_TYPED}"


def _secret(provider: str) -> str:
    """What is typed there."""
    if provider not in PROVIDERS:
        return "the password, or an app password,"
    return "an app password" if facts(provider).passwords == "app password" else "the password"


def _why(found: ProviderFound) -> list[Json]:
    """What speaks against it, and how it was found."""
    warnings = [[kit.strong("Mind: "), kit.words(one, 300)] for one in found.warnings[:_MOST_WARNINGS]]
    evidence = [kit.context(f"How Rethread knows: {kit.in_a_row(found.how)}")] if found.how else []
    return [*([kit.paragraph(*warnings)] if warnings else []), *evidence]
