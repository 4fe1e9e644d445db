"""HTML mail to plain text, for reading only: tags go, blocks become lines, quotations get their "> ". Pure, linear.

One walk with ``str.find``; a tag, comment or script that never ends swallows the rest, so nothing is scanned twice.
"""

from __future__ import annotations

import html
import re
from typing import Final

_TAG_NAME: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,20})")
_SPACES: Final = re.compile(r"[ \t\r\n\f\u00a0]+")
_MANY_BREAKS: Final = re.compile(r"\n{3,}")
_SWALLOWED: Final = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS: Final = frozenset(
    "address article aside center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre "
    "section table tbody thead tr ul".split()
)
_MAX_QUOTE_DEPTH: Final = 10


def html_to_text(source: str) -> str:
    """The visible text of ``source`` with LF line ends; time is linear in its length."""
    return _Reader(source).run()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._lower = source.lower() if source.isascii() else _lower_same_length(source)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0

    def run(self) -> str:
        position = 0
        while position < len(self._source):
            start = self._source.find("<", position)
            if start < 0:
                self._text(position, len(self._source))
                break
            self._text(position, start)
            position = self._tag(start)
        self._break()
        return _MANY_BREAKS.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def _text(self, start: int, end: int) -> None:
        if end > start:
            self._line.append(html.unescape(self._source[start:end]))

    def _tag(self, start: int) -> int:
        """Deals with the tag at ``start`` and returns where reading goes on."""
        if self._source.startswith("<!--", start):
            return self._after("-->", start)
        match = _TAG_NAME.match(self._source, start)
        if match is None and self._source[start + 1 : start + 2] not in ("!", "?"):
            self._line.append("<")
            return start + 1
        name = match[1].lower() if match else ""
        closing = self._source.startswith("</", start)
        if name in _SWALLOWED and not closing:
            return self._after(">", self._after(f"</{name}", start) - 1)
        if name == "br":
            self._break()
        elif name in _BLOCKS:
            self._break_block()
        elif name == "blockquote":
            self._quote(-1 if closing else 1)
        return self._after(">", start)

    def _after(self, mark: str, start: int) -> int:
        found = self._lower.find(mark, start)
        return found + len(mark) if found >= 0 else len(self._source)

    def _quote(self, step: int) -> None:
        self._break_block()
        self._depth = min(max(self._depth + step, 0), _MAX_QUOTE_DEPTH)

    def _break_block(self) -> None:
        if "".join(self._line).strip():
            self._break()
        else:
            self._line.clear()

    def _break(self) -> None:
        text = _SPACES.sub(" ", "".join(self._line)).strip()
        self._line.clear()
        self._lines.append(f"{'>' * self._depth} {text}".rstrip() if self._depth else text)


def _lower_same_length(text: str) -> str:
    """Lower case of the ASCII letters only: other letters may change length, which would shift the offsets."""
    return text.translate(_ASCII_LOWER)


_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
