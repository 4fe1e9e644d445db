"""One SPF record as text and as terms (RFC 7208 4.5, 4.6, 12). Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_TERMS: Final = 200
LOOKUP_MECHANISMS: Final = frozenset({"include", "a", "mx", "ptr", "exists"})
_MECHANISMS: Final = LOOKUP_MECHANISMS | {"all", "ip4", "ip6"}
_NEEDS_VALUE: Final = frozenset({"include", "exists", "ip4", "ip6"})

_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_MECHANISM: Final = re.compile(r"([+?~-]?)([A-Za-z0-9]+)(?::((?:%\{[^}]*\}|[^/])*+))?((?:/{1,2}\d{1,3}){0,2})")
_ADDRESS: Final = re.compile(r"([+?~-]?)(ip[46]):(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism or modifier; ``value`` the domain or network it names, empty for none. ``broken`` breaks the whole
    record for every receiver (permerror)."""

    text: str
    name: str
    qualifier: str = "+"
    value: str = ""
    modifier: bool = False
    broken: bool = False


def is_spf(record: str) -> bool:
    """Exactly "v=spf1" at the very start, then a space or the end (RFC 7208 4.5)."""
    head = record[:7].lower()
    return head in ("v=spf1", "v=spf1 ")


def spf_records(records: Iterable[str]) -> list[str]:
    return [record for record in records if is_spf(record)]


def looks_like_spf(record: str) -> bool:
    """Meant as SPF, though receivers pass over it: spaces or quotes in front, a wrong version."""
    return not is_spf(record) and re.match(r"[\s\"'“”]*v\s*=?\s*spf", record[:40], re.IGNORECASE) is not None


def terms(record: str) -> list[Term]:
    """The terms behind the version, at most ``MAX_TERMS``."""
    return [_term(word) for word in record.split()[1 : MAX_TERMS + 1]]


def _term(word: str) -> Term:
    modifier = _MODIFIER.fullmatch(word)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        return Term(word, name, value=value, modifier=True, broken=name == "redirect" and not value)
    network = _ADDRESS.fullmatch(word)
    if network:
        name = network[2].lower()
        return Term(word, name, network[1] or "+", network[3], broken=not _is_network(name, network[3]))
    mechanism = _MECHANISM.fullmatch(word)
    if mechanism is None:
        return Term(word, "", broken=True)
    name, value = mechanism[2].lower(), mechanism[3]
    broken = name not in _MECHANISMS or (name in _NEEDS_VALUE and not value) or value == ""
    broken = broken or (name == "all" and word.lstrip("+?~-").lower() != "all")
    return Term(word, name, mechanism[1] or "+", value or "", broken=broken)


def _is_network(name: str, value: str) -> bool:
    try:
        ipaddress.IPv4Network(value, strict=False) if name == "ip4" else ipaddress.IPv6Network(value, strict=False)
    except ValueError:
        return False
    return True
