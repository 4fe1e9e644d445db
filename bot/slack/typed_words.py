"""What a person typed in Slack, cut into words: mentions, links and quotes as Slack writes them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final


@dataclass(frozen=True, slots=True)
class Word:
    """One argument. ``quoted`` words are names, never keywords; ``mention`` is the id of a person or channel."""

    text: str
    quoted: bool = False
    mention: bool = False


_OPENING: Final = '"“”„«»'
_PIECE: Final = re.compile(
    r"<(?:@|\#)(?P<mention>[UWCG][A-Z0-9]{2,30})(?:\|[^<>]*)?>"
    r"|<mailto:(?P<mail>[^<>|]*)(?:\|[^<>]*)?>"
    r"|<(?:https?://[^<>|]*\|(?P<label>[^<>]*)|(?P<url>https?://[^<>|]*))>"
    rf"|[{_OPENING}](?P<quoted>[^{_OPENING}]*)(?:[{_OPENING}]|$)"
    rf"|(?P<plain>[^\s{_OPENING}<]+|<)"
)


def words_of(text: str) -> list[Word]:
    """Splits what Slack sends: ``<@U…|name>``, ``<#C…|name>``, ``<mailto:a@b|a@b>``, links, quotes of any shape."""
    return [_word(found) for found in _PIECE.finditer(text) if found[0].strip()]


def _word(found: re.Match[str]) -> Word:
    if found["mention"]:
        return Word(found["mention"], mention=True)
    if found["quoted"] is not None:
        return Word(_plain(found["quoted"]), quoted=True)
    return Word(_plain(found["mail"] or found["label"] or found["url"] or found["plain"] or ""))


def _plain(text: str) -> str:
    return " ".join(unescape(text).split())
