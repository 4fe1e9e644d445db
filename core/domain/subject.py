"""The base of a subject: what stays without answer and forward marks (RFC 5256 2.1, many languages). Pure."""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = (
    # answers: en, de, sv/da/no, nl, fr, it, pl, pt/es, fi, hu, tr, el, ro, et, cy, vi, id, is, zh, ja, ko
    "re|aw|sv|vs|antw|antwoord|antwort|réf|ref|rép|rep|r|odp|resp|res|ynt|yan|απ|σχετ|răspuns|râs|vastaus|vast|vá|atb|"
    "trả lời|bls|balas|svar|回复|回覆|答复|答覆|返信|回信|답장|회신|"
    # forwards
    "fwd|fw|wg|vl|tr|rv|enc|i|doorst|vb|pd|trs|továbbítás|tov|iletilen|i̇lt|ilt|προωθ|välitetty|chuyển tiếp|trs\\.|"
    "转发|轉寄|轉發|転送|전달"
)
# Each mark: the word, an optional counter "[2]" or "(2)" or "^2", spaces, a colon (also the full-width one).
_PREFIX: Final = re.compile(
    rf"\s*+(?:(?:{_MARKS})\s?(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s?[:：])++", re.IGNORECASE
)
_TAG: Final = re.compile(r"\s*+\[[^\[\]]{1,40}\]\s*+")
_SUFFIX: Final = re.compile(r"\s*\((?:fwd|fw)\)\s*$", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_MAX_LENGTH: Final = 1_000


def base_subject(subject: str) -> str:
    """The subject without answer and forward marks ("Re:", "AW:", "Sv:", "Fwd:", "Re[2]:", "回复：", "Re:x"), spaces
    collapsed, at most 1,000 characters. The case of the rest is kept.

    A list tag such as "[team]" goes only where a mark follows it or preceded it, so that "[Role] Engineer" stays.
    """
    rest = _SPACES.sub(" ", subject[:_MAX_LENGTH]).strip()
    while True:
        shorter = _without_one_mark(rest)
        if shorter == rest:
            return rest
        rest = shorter


def _without_one_mark(text: str) -> str:
    mark = _PREFIX.match(text)
    if mark:
        return text[mark.end() :].strip()
    tag = _TAG.match(text)
    if tag:
        mark = _PREFIX.match(text, tag.end())
        if mark:
            return text[mark.end() :].strip()
    return _SUFFIX.sub("", text)
