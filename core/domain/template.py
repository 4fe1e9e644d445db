"""Merge fields: ``{{first_name}}``, with a fallback ``{{first_name|there}}``. Pure; no code can run in a template.

Values are data: a merge field inside a value is never read again, so a name like ``{{company}}`` stays what it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

_FIELD = re.compile(r"\{\{\s{0,5}([A-Za-z_][A-Za-z0-9_ ]{0,60}?)\s{0,5}(?:\|([^{}|]{0,200}))?\}\}")
_ANY_BRACES = re.compile(r"\{\{[^{}]{0,200}\}\}|\{\{|\{%")
_URL = re.compile(r"https?://[^\s<>\"']{1,2000}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text, and the merge fields that had neither value nor fallback."""

    text: str
    missing: tuple[str, ...]


def fields_in(template: str) -> set[str]:
    """Names of all merge fields, as keys."""
    return {_key(match[1]) for match in _FIELD.finditer(template)}


def faults_in(template: str) -> list[str]:
    """What looks like a merge field and is none."""
    rest = _FIELD.sub("", template)
    return [
        f"{match[0]!r} is not a merge field; write {{{{field}}}} or {{{{field|fallback}}}}"
        for match in _ANY_BRACES.finditer(rest)
    ]


def render(template: str, values: Mapping[str, str], *, escape: bool = False) -> Rendered:
    """Fills the merge fields; ``escape`` makes values safe inside HTML."""
    missing: list[str] = []

    def fill(match: re.Match[str]) -> str:
        key, fallback = _key(match[1]), match[2]
        value = values.get(key, "").strip() or (fallback or "").strip()
        if not value:
            missing.append(key)
        return html.escape(value) if escape else value

    return Rendered(_FIELD.sub(fill, template), tuple(dict.fromkeys(missing)))


def html_from_text(text: str) -> str:
    """Plain text as simple HTML: paragraphs, line breaks, links."""
    paragraphs = re.split(r"\n{2,}", text.strip())
    return "\n".join(f"<p>{_linked(paragraph)}</p>" for paragraph in paragraphs)


def _linked(paragraph: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _URL.finditer(paragraph):
        url = match[0].rstrip(".,;:!?)")
        parts.append(html.escape(paragraph[end : match.start()]))
        parts.append(f'<a href="{html.escape(url)}">{html.escape(url)}</a>')
        end = match.start() + len(url)
    parts.append(html.escape(paragraph[end:]))
    return "".join(parts).replace("\n", "<br>\n")


def _key(name: str) -> str:
    return "_".join(name.lower().split())
