"""Words from outside on their way into Slack. Pure.

Every text that a stranger may have written (mail, server answers, names, file contents) passes ``clean``; where it
must stand in Slack's markup it passes ``escaped`` as well, which leaves nothing that Slack would read as a mention,
a link or a date (threat T16). Blocks prefer plain_text and rich_text, which have no markup at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from core.domain.moment import parse_iso

ELLIPSIS: Final = "…"

_DROPPED: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_MOST_MARKS: Final = 3
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PERSON: Final = re.compile(r"[UW][A-Z0-9]{2,30}", re.ASCII)
_ESCAPED_PERSON: Final = re.compile(r"&lt;@([UW][A-Z0-9]{2,30})&gt;", re.ASCII)


def clean(text: object, limit: int, *, lines: bool = False) -> str:
    """At most ``limit`` characters without controls, invisible or direction-changing ones, stacked marks or (unless
    ``lines``) line breaks. Cut text ends in an ellipsis."""
    raw = str(text)[: limit * 2 + 100]
    if lines:
        rows = ("".join(_visible(row)).rstrip() for row in raw.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        return cap(re.sub(r"\n{3,}", "\n\n", "\n".join(rows)).strip(), limit)
    return cap(" ".join("".join(_visible(raw)).split()), limit)


def _visible(text: str) -> Iterable[str]:
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("Z") or character in "\t\n\r\v\f":
            kept.append(" ")
        elif category.startswith("M"):
            marks += 1
            if marks <= _MOST_MARKS:
                kept.append(character)
        elif category not in _DROPPED:
            marks = 0
            kept.append(character)
    return kept


def cap(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis, in at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def escaped(text: object, limit: int) -> str:
    """Cleaned text for Slack's markup, at most ``limit`` characters after escaping; no entity is ever cut."""
    words = clean(text, limit)
    pieces = [_ENTITIES.get(character, character) for character in words]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    room, kept = limit - len(ELLIPSIS), []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + ELLIPSIS


def sentence(text: object, limit: int) -> str:
    """Like ``escaped``, for our own sentences, which may name people of the workspace as ``<@U…>``."""
    return _ESCAPED_PERSON.sub(r"<@\1>", escaped(text, limit))


def is_person(user: str | None) -> bool:
    """Whether this is a Slack user's id ("operator" is not)."""
    return user is not None and _PERSON.fullmatch(user) is not None


def mention(user: str | None) -> str:
    """``<@U…>``, or words for whoever acted outside Slack."""
    if user is not None and is_person(user):
        return f"<@{user}>"
    return "an operator" if user == "operator" else "somebody"


def local_time(iso: str | None) -> str:
    """``<!date^…>`` in each reader's own time zone, with UTC for those who cannot see it; "never" for None."""
    stamp = seconds(iso)
    if stamp is None:
        return "never"
    return f"<!date^{stamp}^{{date_short_pretty}} at {{time}}|{utc_time(iso)}>"


def utc_time(iso: str | None) -> str:
    """``21 Nov 2026 09:30 UTC``; "never" for None or nonsense."""
    moment = _moment(iso)
    return "never" if moment is None else moment.astimezone(UTC).strftime("%d %b %Y %H:%M UTC").lstrip("0")


def seconds(iso: str | None) -> int | None:
    """Seconds since 1970, or None for None or nonsense."""
    moment = _moment(iso)
    return None if moment is None else int(moment.timestamp())


def _moment(iso: str | None) -> datetime | None:
    try:
        return parse_iso(iso)
    except (ValueError, TypeError, OverflowError):
        return None


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 message``, ``3 messages``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
