"""Reads the smaller IMAP answers: LIST, STATUS, SEARCH, SELECT (RFC 3501 section 7). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.domain.message import FetchedMessage
from core.mail.imap_names import decode_name

_LIST = re.compile(rb"\* X?LIST \(([^)]*)\) (NIL|\"(?:[^\"\\]|\\.)*\") (.+)\Z", re.DOTALL | re.IGNORECASE)
_STATUS_ITEM = re.compile(rb"(MESSAGES|UIDNEXT|UIDVALIDITY|HIGHESTMODSEQ) (\d{1,20})", re.IGNORECASE)
_STATUS_NAME = re.compile(rb"\* STATUS (.+) \([^()]*\)\Z", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(rb"\* OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d{1,20})", re.IGNORECASE)
_LITERAL = re.compile(rb"\{\d{1,20}\+?\}\r\n")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def read_list(raw: bytes) -> tuple[str, str, str | None, frozenset[str]] | None:
    """(name on the wire, name, delimiter, lower-case attributes) of a LIST answer; None for any other line."""
    match = _LIST.match(raw)
    if match is None:
        return None
    wire = _string(match[3]).decode("utf-8", "replace")
    delimiter = None if match[2].upper() == b"NIL" else _string(match[2]).decode("utf-8", "replace") or None
    attributes = frozenset(match[1].decode("ascii", "replace").lower().split())
    return wire, decode_name(wire), delimiter, attributes


def _string(text: bytes) -> bytes:
    if text[:1] == b'"' and text[-1:] == b'"':
        return _ESCAPED.sub(rb"\1", text[1:-1])
    literal = _LITERAL.match(text)
    return text[literal.end() :] if literal else text


def read_status(lines: Iterable[bytes]) -> dict[str, int]:
    """The numbers of a STATUS answer by upper-case item name."""
    numbers: dict[str, int] = {}
    for raw in lines:
        if raw[:9].upper() == b"* STATUS ":
            # The folder's name may hold anything; the items stand in the last parentheses.
            for item, number in _STATUS_ITEM.findall(raw[raw.rfind(b"(") :]):
                numbers[item.decode("ascii").upper()] = int(number)
    return numbers


def read_statuses(lines: Iterable[bytes]) -> dict[str, dict[str, int]]:
    """Folder names to the numbers of their STATUS answers; other lines are passed over."""
    found: dict[str, dict[str, int]] = {}
    for raw in lines:
        if (match := _STATUS_NAME.match(raw)) is not None:
            name = decode_name(_string(match[1]).decode("utf-8", "replace"))
            found[name] = read_status([raw])
            if name.upper() == "INBOX":
                found["INBOX"] = found[name]  # its case is free (RFC 3501 5.1): Yahoo lists an Inbox
    return found


def read_select(lines: Iterable[bytes]) -> dict[str, int]:
    """UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ as SELECT's untagged OK lines give them."""
    codes = (_CODE.match(raw) for raw in lines)
    return {match[1].decode("ascii").upper(): int(match[2]) for match in codes if match}


def read_search(lines: Iterable[bytes], first: int, last: int) -> list[int]:
    """The UIDs of SEARCH answers between the bounds, in ascending order, each once."""
    found: set[int] = set()
    for raw in lines:
        if raw[:8].upper() == b"* SEARCH":
            # A MODSEQ in parentheses may follow the numbers (RFC 7162 3.1.5).
            words = raw[8:].split(b"(", 1)[0].split()
            found.update(int(word) for word in words if word.isdigit() and len(word) <= 10)
    return sorted(uid for uid in found if first <= uid <= last)


def sequence_set(uids: Iterable[int]) -> str:
    """Ascending UIDs as a compact sequence set: 1:3,7,9:10."""
    ranges: list[list[int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(f"{low}:{high}" if high > low else str(low) for low, high in ranges)


def in_order(messages: Iterable[FetchedMessage], *, newest_first: bool) -> list[FetchedMessage]:
    return sorted(messages, key=lambda message: message.uid, reverse=newest_first)
