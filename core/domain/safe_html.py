"""HTML that a person gives us to send in their name: what is harmless stays, the rest goes. Pure.

An allowlist of tags and attributes, written anew from what a parser reads (never cut out of the text), so that nothing
slips through that the parser and a mail program read differently.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Final

_TAGS: Final = frozenset(
    "a b i u s em strong small span div p br hr ul ol li table tbody thead tr td th img h1 h2 h3 h4 font sub sup "
    "blockquote".split()
)
_VOID: Final = frozenset({"br", "hr", "img"})
_SWALLOWED: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg"})
_ATTRIBUTES: Final = frozenset(
    "href src alt title width height align valign border cellpadding cellspacing color face size style bgcolor".split()
)
_ADDRESSES: Final = {"href": re.compile(r"(?:https?://|mailto:|tel:)[^\s\"'<>\\]{1,1000}", re.I)}
_SOURCE: Final = re.compile(r"https://[^\s\"'<>\\]{1,1000}|cid:[\w.@-]{1,200}", re.I)
# Colours, sizes, spaces: no url(), no expression(), no position over other mail.
_STYLE: Final = re.compile(
    r"(?:color|background-color|font(?:-family|-size|-style|-weight)?|text-(?:align|decoration)|line-height|"
    r"(?:margin|padding|border)(?:-(?:top|right|bottom|left))?|border-(?:radius|collapse)|width|height|max-width|"
    r"vertical-align|display)\s*:\s*[\w\s#%.,'\"-]{1,200}",
    re.I,
)


def safe_html(source: str) -> str:
    """The harmless part of ``source``; tags that were left open are closed."""
    cleaner = _Cleaner()
    cleaner.feed(source)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._swallowing: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SWALLOWED:
            self._swallowing.append(tag)
        if self._swallowing or tag not in _TAGS:
            return
        kept = "".join(f' {name}="{html.escape(value)}"' for name, value in _kept(attrs))
        self._parts.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SWALLOWED:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._swallowing:
            if tag == self._swallowing[-1]:
                self._swallowing.pop()
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._swallowing:
            self._parts.append(html.escape(data, quote=False))

    def result(self) -> str:
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))]).strip()


def _kept(attrs: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    kept: dict[str, str] = {}
    for name, given in attrs:
        value = (given or "").strip()
        if name not in _ATTRIBUTES or name in kept or not value.isprintable():
            continue
        if name == "style":
            value = "; ".join(part.strip() for part in value.split(";") if _STYLE.fullmatch(part.strip()))
        allowed = _ADDRESSES.get(name) or (_SOURCE if name == "src" else None)
        if value and (allowed is None or allowed.fullmatch(value)):
            kept[name] = value
    return list(kept.items())
