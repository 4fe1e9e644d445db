"""Addresses and domains that are never written to: how a list of them is read, and whom it keeps out. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from core.domain.address import is_valid, match_key
from core.domain.people import Person

MAX_BYTES: Final = 20_000_000
_DOMAIN = re.compile(r"@(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+")
_HEADINGS: Final = frozenset({"email", "e-mail", "address", "domain", "emails"})


class Listed(Protocol):
    """An entry of the list: a key, and a code that says how it got there."""

    @property
    def key(self) -> str: ...
    @property
    def code(self) -> str: ...


_Hit = TypeVar("_Hit", bound=Listed)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address's match key, or "@" and a domain; ``note`` is what stood beside it."""

    key: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RejectedEntry:
    """A line that names nothing: counted from 1."""

    line: int
    reason: str


def entry_of(text: str) -> Entry | None:
    """The entry that a person means by ``a@b.example``, ``@b.example`` or ``*@b.example``; None where it is none."""
    text = text.strip().strip("<>").removeprefix("mailto:").removeprefix("*")
    if text.startswith("@"):
        domain = match_key(f"x{text}")[1:]
        return Entry(domain) if _DOMAIN.fullmatch(domain) else None
    return Entry(match_key(text)) if is_valid(text) else None


def read(text: str) -> tuple[list[Entry], list[RejectedEntry]]:
    """A text or CSV file: an address or @domain begins each line, a note may follow; # begins a comment. Repeats are
    kept once."""
    if len(text) > MAX_BYTES:
        return [], [RejectedEntry(1, "the file is larger than 20 MB")]
    entries: dict[str, Entry] = {}
    rejected: list[RejectedEntry] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        first, note = _cells(line)
        if not first or first.startswith("#") or (number == 1 and first.lower() in _HEADINGS):
            continue
        entry = entry_of(first)
        if entry is None:
            rejected.append(RejectedEntry(number, f"{first[:80]!r} is neither an address nor @domain"))
        else:
            entries.setdefault(entry.key, Entry(entry.key, note))
    return list(entries.values()), rejected


def _cells(line: str) -> tuple[str, str]:
    if line.count("\t") or line.count(";") > line.count(","):
        line = line.replace("\t", ",").replace(";", ",")
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error:
        cells = [line]
    first, *rest = [cell.strip() for cell in cells] or [""]
    note = " ".join(" ".join(rest).split())
    return first, "".join(char for char in note if char.isprintable())[:200]


def keeps_out(person: Person, hits: Mapping[str, _Hit], priority: tuple[str, ...]) -> _Hit | None:
    """The entry that forbids writing to this person. Who asked not to be written to meant every address; an address
    that bounced only forbids itself, so that another one clears the way."""
    chosen = person.address_for(priority)
    for address in person.addresses:
        hit = hits.get(address.key)
        if hit is not None and (hit.code != "bounced" or (chosen is not None and chosen.key == address.key)):
            return hit
    return None


WORDS: Final = {
    "unsubscribed": "asked not to be written to (unsubscribed)",
    "complaint": "asked not to be written to (complaint)",
    "bounced": "this address does not exist: it bounced",
    "asked": "is on the do-not-contact list",
}
