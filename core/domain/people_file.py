"""Reads the people file (CSV): good rows go in, each bad one is named with its line and reason. Pure."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from core.domain.address import is_valid, match_key
from core.domain.people import ADDRESS_TYPES, PersonAddress
from core.errors import InputError

MAX_BYTES: Final = 50_000_000
_MAX_CELL: Final = 10_000
_KNOWN: Final = (
    "first_name", "last_name", "personal_email", "work_email", "other_email", "primary", "phone", "timezone",
)  # fmt: skip
_SYNONYMS: Final = {
    "email": "personal_email",
    "firstname": "first_name",
    "lastname": "last_name",
    "time_zone": "timezone",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One good line."""

    line: int
    first_name: str
    last_name: str
    phone: str
    timezone: str
    addresses: tuple[PersonAddress, ...]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rejected:
    """One bad line, counted from 1 with the heading as line 1."""

    line: int
    reason: str


def decode(raw: bytes) -> str:
    """UTF-8 (with or without a mark), UTF-16 with a mark, else Windows-1252. Raises InputError when too large."""
    if len(raw) > MAX_BYTES:
        raise InputError("is larger than 50 MB", where="people file", fix="Split it into several files.")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def read(raw: bytes, *, now: datetime) -> tuple[list[PersonRow], list[Rejected]]:
    """Good rows and rejected lines. Raises InputError where the heading itself cannot be used."""
    text = decode(raw).replace("\x00", "")
    heading_line = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(heading_line))
    try:
        columns = _columns(next(reader, []))
    except csv.Error as error:
        raise InputError(f"cannot be read as CSV: {error}", where="people file, line 1") from None
    rows: list[PersonRow] = []
    rejected: list[Rejected] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return rows, rejected
        except csv.Error as error:
            rejected.append(Rejected(line, f"cannot be read as CSV: {error}"))
            continue
        if any(cell.strip() for cell in cells):
            result = _row(line, columns, cells, now)
            (rows if isinstance(result, PersonRow) else rejected).append(result)  # type: ignore[arg-type]


def _delimiter(heading: str) -> str:
    return max(",;\t", key=heading.count)


def _columns(cells: list[str]) -> list[str]:
    if len(cells) > 200:
        raise InputError("has more than 200 columns", where="people file, line 1")
    names = ["_".join(re.findall(r"\w+", cell.lower())) for cell in cells]
    names = [_SYNONYMS.get(name, name) for name in names]
    if not any(name.endswith("_email") for name in names):
        raise InputError(
            "has no column personal_email, work_email or other_email",
            where="people file, line 1",
            fix=f"The first line names the columns: {', '.join(_KNOWN)}, and any merge fields.",
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"names a column twice: {', '.join(twice)}", where="people file, line 1")
    return names


def _row(line: int, columns: list[str], cells: list[str], now: datetime) -> PersonRow | Rejected:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        return Rejected(line, f"has {len(cells)} cells, the heading {len(columns)}")
    values = {name: _tidy(name, cell) for name, cell in zip(columns, cells, strict=False) if name}
    problem = _problem(values)
    if problem:
        return Rejected(line, problem)
    return PersonRow(
        line=line,
        first_name=values.get("first_name", ""),
        last_name=values.get("last_name", ""),
        phone=values.get("phone", ""),
        timezone=values.get("timezone", ""),
        addresses=_addresses(values, now),
        fields={name: value for name, value in values.items() if name not in _KNOWN and value},
    )


def _tidy(name: str, cell: str) -> str:
    """Names and numbers are one line: a line break in one could not stand in a mail's header."""
    return " ".join(cell.split()) if name in _KNOWN else cell.strip()


def _problem(values: dict[str, str]) -> str:
    for name, value in values.items():
        if len(value) > _MAX_CELL:
            return f"{name} is longer than {_MAX_CELL:,} characters"
        if _CONTROL.search(value):
            return f"{name} contains control characters"
    for kind in ADDRESS_TYPES:
        address = values.get(f"{kind}_email", "")
        if address and not is_valid(address):
            return f"{kind}_email {address[:80]!r} is not an e-mail address"
    zone = values.get("timezone", "")
    if zone and zone not in _zones():
        return f"timezone {zone[:60]!r} is no IANA time zone, such as Europe/Berlin"
    primary = values.get("primary", "")
    if primary and primary not in ADDRESS_TYPES and not _names_own_address(primary, values):
        return f"primary {primary[:80]!r} is neither personal, work, other nor one of this line's addresses"
    if not any(values.get(f"{kind}_email") for kind in ADDRESS_TYPES) and not values.get("last_name"):
        return "has neither an address nor a last name"
    return ""


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # asking takes as long as reading a thousand lines


def _names_own_address(primary: str, values: dict[str, str]) -> bool:
    return any(match_key(values.get(f"{kind}_email", "")) == match_key(primary) for kind in ADDRESS_TYPES)


def _addresses(values: dict[str, str], now: datetime) -> tuple[PersonAddress, ...]:
    found: dict[str, PersonAddress] = {}
    wanted = values.get("primary", "")
    for kind in ADDRESS_TYPES:
        address = values.get(f"{kind}_email", "")
        key = match_key(address) if address else ""
        if key and key not in found:
            found[key] = PersonAddress(address, key, kind, wanted == kind or match_key(wanted) == key, now)
    addresses = list(found.values())
    if addresses and not any(address.primary for address in addresses):
        first = addresses[0]
        addresses[0] = PersonAddress(first.address, first.key, first.type, True, now)
    return tuple(addresses)
