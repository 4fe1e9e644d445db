"""Merge fields: ``{{first_name}}``, with a fallback ``{{first_name|there}}``. Pure; no code can run in a template.

Values are data: a merge field inside a value is never read again, so a name like ``{{company}}`` stays what it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_FIELD = re.compile(r"\{\{\s{0,5}([A-Za-z_][A-Za-z0-9_ ]{0,60}?)\s{0,5}(?:\|([^{}|]{0,200}))?\}\}")
_ANY_BRACES = re.compile(r"\{\{[^{}]{0,200}\}\}|\{\{|\{%")
_URL = re.compile(r"https?://[^\s<>\"']{1,2000}")
_BETWEEN_PARAGRAPHS = re.compile(r"\n{2,}")
_KEPT_TEMPLATES = 256  # stages of the campaigns that run at one time; a template is a few KB


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


@dataclass(frozen=True, slots=True)
class Template:
    """A template taken apart once, to be filled for many: each field as (text before it, key, fallback), then the
    text after the last."""

    fields: tuple[tuple[str, str, str], ...]
    end: str

    def fill(self, values: Mapping[str, str], *, escape: bool = False) -> Rendered:
        """The text for one person; ``escape`` makes values safe inside HTML."""
        parts: list[str] = []
        missing: dict[str, None] = {}
        for before, key, fallback in self.fields:
            value = values.get(key, "").strip() or fallback
            if not value:
                missing[key] = None
            parts += (before, html.escape(value) if escape else value)
        parts.append(self.end)
        return Rendered("".join(parts), tuple(missing))


@lru_cache(maxsize=_KEPT_TEMPLATES)
def compiled(template: str) -> Template:
    """The merge fields of ``template``, in order."""
    fields: list[tuple[str, str, str]] = []
    end = 0
    for match in _FIELD.finditer(template):
        fields.append((template[end : match.start()], _key(match[1]), (match[2] or "").strip()))
        end = match.end()
    return Template(tuple(fields), template[end:])


def render(template: str, values: Mapping[str, str], *, escape: bool = False) -> Rendered:
    """Fills the merge fields; ``escape`` makes values safe inside HTML."""
    return compiled(template).fill(values, escape=escape)


def html_from_text(text: str) -> str:
    """Plain text as simple HTML: paragraphs, line breaks, links."""
    paragraphs = _BETWEEN_PARAGRAPHS.split(_linked(text.strip()))
    lines = (paragraph.replace("\n", "<br>\n") for paragraph in paragraphs)
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in lines)


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(".,;:!?)")
        safe = html.escape(url)
        parts += (html.escape(text[end : match.start()]), f'<a href="{safe}">{safe}</a>')
        end = match.start() + len(url)
    parts.append(html.escape(text[end:]))
    return "".join(parts)


def _key(name: str) -> str:
    return "_".join(name.lower().split())
