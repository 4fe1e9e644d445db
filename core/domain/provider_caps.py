"""What mail providers let one mailbox send: our table, and a workspace's own numbers beside it. Pure.

Sources: Google support.google.com/a/answer/166852 (2,000 messages a day, by Gmail's common limit 500 for personal
accounts); Exchange Online limits (10,000 recipients a day, 30 messages a minute); Yahoo help SLN17518 (500 a day).
Providers whose limits are not published have no row here: a workspace that knows better writes its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from core.domain.address import domain_of
from core.domain.providers import PROVIDERS
from core.errors import InputError

GMAIL: Final = "gmail"
"""A personal account at Google: sends less than one of Google Workspace."""

OTHER: Final = "other"
"""Every server whose provider is not known."""

DAILY: Final[Mapping[str, int]] = {"google": 2_000, GMAIL: 500, "microsoft": 10_000, "yahoo": 500}
PER_MINUTE: Final[Mapping[str, int]] = {"microsoft": 30}

NAMES: Final = frozenset((*PROVIDERS, GMAIL, OTHER))
_PERSONAL: Final = frozenset({"gmail.com", "googlemail.com"})
_MOST: Final = 1_000_000


def provider_key(provider: str, address: str) -> str:
    """The row of the tables that a mailbox goes by."""
    if provider == "google" and domain_of(address) in _PERSONAL:
        return GMAIL
    return provider if provider in NAMES else OTHER


def label_of(key: str) -> str:
    """The provider's name for people."""
    if key == GMAIL:
        return "Gmail"
    return PROVIDERS[key].label if key in PROVIDERS else "The mail server"


def parse_provider_limits(entries: Sequence[str], field: str) -> dict[str, int]:
    """``google=1500`` and the like, by provider. Raises InputError naming the entry that is wrong."""
    found: dict[str, int] = {}
    for entry in entries:
        name, equals, number = (part.strip() for part in entry.partition("="))
        name = name.lower()
        if not equals:
            raise InputError(f"{entry[:40]!r} is not of the form provider=number", field=field)
        if name not in NAMES:
            raise InputError(
                f"there is no provider {name[:40]!r}", field=field, fix=f"Known: {', '.join(sorted(NAMES))}."
            )
        if name in found:
            raise InputError(f"{name} stands there twice", field=field)
        if not (number.isascii() and number.isdigit() and len(number) <= 7 and 1 <= int(number) <= _MOST):
            raise InputError(f"{number[:20]!r} is not a number from 1 to {_MOST:,}", field=field)
        found[name] = int(number)
    return found
