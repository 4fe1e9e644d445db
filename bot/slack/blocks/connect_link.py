"""The private way to the page where a mailbox is connected, and what awaits the reader there (R54..R57). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import OPEN_LINK
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import provider_name
from bot.slack.blocks.kit import Card, Json
from bot.slack.read_models import ProviderFound

_TYPED: Final = "The password is typed on Rethread's own page, never in Slack."
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
    blocks = [
        kit.header(title),
        *(_where(found, address) if found and address else []),
        kit.note(
            _what_awaits(found.sign_in if found else sign_in) + (" History and settings stay." if reconnect else "")
        ),
        *([] if secure else [kit.note(_OPEN)]),
        kit.actions(kit.button("Open the page", OPEN_LINK, style="primary", url=url, spoken=title)),
        kit.context("The link is for you alone, works once, and only for the next 10 minutes."),
    ]
    where = f" {_at(found, address)}" if found and address else ""
    return Card(kit.fallback(f"{title}: a private link, good for 10 minutes.{where}"), blocks)


def _what_awaits(sign_in: str) -> str:
    if sign_in == "password":
        return _TYPED
    return f"You sign in with {provider_name(sign_in)} on its own page; no password is typed here."


def _at(found: ProviderFound, address: str) -> str:
    """``agency.test is at Google: you sign in with Google; no password is typed.``"""
    domain, name = address.rpartition("@")[2], provider_name(found.provider)
    if found.sign_in != "password":
        with_whom = provider_name(found.sign_in)
        return f"{domain} is at {found.label or with_whom}: you sign in with {with_whom}; no password is typed."
    if name:
        return f"{domain} is at {found.label or name}: an app password, or the password, is typed on a private page."
    return f"{domain} has a mail server of its own: an app password, or the password, is typed on a private page."


def _where(found: ProviderFound, address: str) -> list[Json]:
    """The provider and what it means; what speaks against it; how it was found."""
    blocks = [kit.paragraph([kit.words(_at(found, address), 400)])]
    if found.warnings:
        blocks.append(
            kit.paragraph(*([kit.strong("Mind: "), kit.words(one, 300)] for one in found.warnings[:_MOST_WARNINGS]))
        )
    if found.how:
        blocks.append(kit.context(f"Found by {kit.in_a_row(found.how)}"))
    return blocks
