"""Domain names as they may be asked of DNS. Pure."""

from __future__ import annotations

import re
from typing import Final

from core.domain.address import is_valid, match_key

# Underscores, because _dmarc and _domainkey have them (RFC 8552).
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def domain_name(text: str) -> str | None:
    """The mail domain in what a person typed (a domain or an address) in lower-case ASCII; None where there is none."""
    if len(text) > 320:
        return None
    typed = text.strip().rpartition("@")[2].removesuffix(".")
    address = match_key(f"postmaster@{typed}")
    return address.partition("@")[2] if is_valid(address) else None


def selector_name(text: str) -> str | None:
    """A DKIM selector, which may have several labels (RFC 6376 3.1), in lower case; None where it is none."""
    name = text.strip().lower()
    return name if len(name) <= 100 and _NAME.fullmatch(name) else None


def host_name(text: str) -> str | None:
    """A name out of a record, in lower case without its last dot; None for macros, nonsense and what is too long."""
    name = text[:256].strip().lower().removesuffix(".")
    return name if len(name) <= 253 and _NAME.fullmatch(name) else None


def is_same_or_under(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)
