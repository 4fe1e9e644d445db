"""How an HTML mail looks: pictures, links, and text that nobody can see. For the content lint; pure and linear.

One walk with ``str.find`` as in ``html_text``: what never ends swallows the rest, so nothing is scanned twice. Colours
and sizes are read from attributes and ``style=`` only, which is what mail programs honour everywhere.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeVar

MOST_READ: Final = 200_000
"""Characters of HTML looked at: Gmail cuts a mail off after 102 KB, so what comes later is hardly ever seen."""
_LONGEST_TAG: Final = 4_096
_MOST_KEPT: Final = 500

_TAG_NAME: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")
# The look-behind lets a name begin only where a word begins, so that no letters are tried twice.
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:-])([a-zA-Z][\w:-]*+)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_NUMBER: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
_SWALLOWED: Final = frozenset("script style head title template noscript".split())
_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_PIXELS: Final = {"px": 1.0, "pt": 1.333, "em": 16.0, "rem": 16.0, "%": 0.16}

_COLOURS: Final = {
    "black": (0, 0, 0), "white": (255, 255, 255), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "yellow": (255, 255, 0), "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "navy": (0, 0, 128), "orange": (255, 165, 0), "purple": (128, 0, 128), "maroon": (128, 0, 0),
    "teal": (0, 128, 128), "lightgray": (211, 211, 211), "lightgrey": (211, 211, 211), "darkgray": (169, 169, 169),
    "whitesmoke": (245, 245, 245), "snow": (255, 250, 250), "ivory": (255, 255, 240), "lime": (0, 255, 0),
}  # fmt: skip

Colour = tuple[int, int, int]
_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class Link:
    """A link with a target and the text that people see."""

    target: str
    text: str


@dataclass(slots=True)
class HtmlLook:
    """``images`` counts pictures but not single pixels; ``linked_images`` those inside a link; ``hidden``, ``tiny`` and
    ``faint`` hold samples of text that is not shown, has no size, or has (nearly) its background's colour, the last
    with the contrast by WCAG 2 (1 to 21)."""

    images: int = 0
    linked_images: int = 0
    links: list[Link] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    tiny: list[str] = field(default_factory=list)
    faint: list[tuple[float, str]] = field(default_factory=list)


def look_at(source: str) -> HtmlLook:
    """What is seen of ``source`` and what is not; reads ``MOST_READ`` characters at most."""
    return _Walk(source[:MOST_READ]).run()


@dataclass(frozen=True, slots=True)
class _Style:
    """What an element's text looks like, as far as it was said."""

    colour: Colour = (0, 0, 0)
    background: Colour = (255, 255, 255)
    hidden: bool = False
    tiny: bool = False


class _Walk:
    def __init__(self, source: str) -> None:
        self._source = source
        self._lower = source.translate(_ASCII_LOWER)  # str.lower may change lengths, which would shift the offsets
        self._look = HtmlLook()
        self._open: list[tuple[str, _Style]] = []
        self._counts: Counter[str] = Counter()
        self._style = _Style()
        self._target: str | None = None
        self._link_text: list[str] = []

    def run(self) -> HtmlLook:
        position = 0
        while (start := self._source.find("<", position)) >= 0:
            self._text(position, start)
            position = self._tag(start)
        self._text(position, len(self._source))
        self._end_link()
        return self._look

    def _text(self, start: int, end: int) -> None:
        text = self._source[start:end].strip()
        if not text:
            return
        if self._target is not None:
            self._link_text.append(text[:200])
        style, look = self._style, self._look
        if style.hidden:
            _keep(look.hidden, _sample(text))
        elif style.tiny:
            _keep(look.tiny, _sample(text))
        elif (seen := contrast(style.colour, style.background)) < 2:
            _keep(look.faint, (seen, _sample(text)))

    def _tag(self, start: int) -> int:
        """Deals with the tag at ``start`` and returns where reading goes on."""
        if self._source.startswith("<!--", start):
            return self._after("-->", start)
        match = _TAG_NAME.match(self._source, start + 1)
        if match is None:
            return self._after(">", start) if self._source[start + 1 : start + 2] in ("!", "?") else start + 1
        name, end = match[1].lower(), self._after(">", start)
        if match[0].startswith("/"):
            self._close(name)
            return end
        if name in _SWALLOWED:
            return self._after(">", self._after(f"</{name}", end) - 1)
        body = self._source[match.end() : min(end, start + _LONGEST_TAG)]
        self._begin(name, _attributes(body) if "=" in body else {})
        return end

    def _after(self, mark: str, start: int) -> int:
        found = self._lower.find(mark, start)
        return found + len(mark) if found >= 0 else len(self._source)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "img":
            self._image(attributes)
        if name == "a":
            self._end_link()
            self._target = attributes.get("href")
        if name in _VOID:
            return
        self._open.append((name, self._style))
        self._counts[name] += 1
        if attributes:
            self._style = _styled(self._style, attributes)

    def _close(self, name: str) -> None:
        if name == "a":
            self._end_link()
        if not self._counts[name]:
            return  # closes nothing that is open
        opened = ""
        while opened != name:
            opened, self._style = self._open.pop()
            self._counts[opened] -= 1

    def _image(self, attributes: dict[str, str]) -> None:
        if attributes.get("width") in ("0", "1") and attributes.get("height") in ("0", "1"):
            return
        self._look.images += 1
        self._look.linked_images += self._target is not None

    def _end_link(self) -> None:
        if self._target is not None:
            _keep(self._look.links, Link(self._target.strip(), _sample(" ".join(self._link_text))))
        self._target = None
        self._link_text.clear()


def _keep(kept: list[_Kept], one: _Kept) -> None:
    if len(kept) < _MOST_KEPT:
        kept.append(one)


def _sample(text: str) -> str:
    return " ".join(html.unescape(text[:200]).split())[:120]


def _attributes(body: str) -> dict[str, str]:
    return {name.lower(): html.unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(body)}


def _styled(inherited: _Style, attributes: dict[str, str]) -> _Style:
    """The style inside an element."""
    said = _declarations(attributes.get("style", ""))
    colour = _colour(said.get("color") or attributes.get("color", ""))
    background = _colour(said.get("background-color") or said.get("background") or attributes.get("bgcolor", ""))
    hides = (
        said.get("display") == "none"
        or said.get("visibility") == "hidden"
        or _size(said.get("opacity", "1")) == 0
        or said.get("mso-hide") == "all"
    )
    size = _size(said["font-size"]) if "font-size" in said else None
    return replace(
        inherited,
        colour=colour or inherited.colour,
        background=background or inherited.background,
        hidden=inherited.hidden or hides,
        tiny=inherited.tiny if size is None else size < 2,
    )


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _size(text: str) -> float | None:
    """A CSS length in pixels, or None where it is a word."""
    number = _NUMBER.match(text)
    if number is None:
        return None
    return float(number[0]) * _PIXELS.get(text[number.end() :].strip(), 1.0)


def _colour(text: str) -> Colour | None:
    """A CSS colour, or None where it is none that we know (a gradient, a picture, transparent)."""
    word = text.strip().lower()
    if word.startswith("#"):
        digits = word[1:].split()[0] if word[1:].split() else ""
        digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
        try:
            return (int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)) if len(digits) == 6 else None
        except ValueError:
            return None
    if word.startswith("rgb"):
        numbers = [min(int(float(number)), 255) for number in _NUMBER.findall(word[:60])]
        see_through = len(numbers) == 4 and numbers[3] == 0 and word.startswith("rgba")
        return (numbers[0], numbers[1], numbers[2]) if len(numbers) >= 3 and not see_through else None
    return _COLOURS.get(word)


@lru_cache(maxsize=1_024)
def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours by WCAG 2.2 1.4.3: 1 (the same) to 21 (black on white); 4.5 reads well."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
