"""Letters for pictures: Noto Sans (SIL Open Font License 1.1) from a package, so that a picture looks the same on every
machine. It is drawn with Latin, Greek and Cyrillic letters, digits and signs; other scripts need shaping, which not
every machine can do, and are left out."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

from PIL import ImageFont

_FILE: Final = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
_REGULAR: Final = 400
_BOLD: Final = 650
_FULL_WIDTH: Final = 100
_SCRIPTS: Final = ("LATIN", "GREEK", "CYRILLIC")
_NEVER_A_CHARACTER: Final = "\U0010ffff"
_MOST_LETTERS: Final = 300


@lru_cache(maxsize=32)
def font(pixels: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font at a height in real pixels."""
    made = ImageFont.truetype(str(_FILE), pixels, layout_engine=ImageFont.Layout.BASIC)
    made.set_variation_by_axes([_BOLD if bold else _REGULAR, _FULL_WIDTH])
    return made


def drawable(text: str) -> str:
    """``text`` as one line in letters that can be drawn. Empty where less than half of its letters would be left, since
    a torso of a name misleads."""
    composed = unicodedata.normalize("NFC", text[:_MOST_LETTERS])
    kept = " ".join("".join(map(_drawn, composed)).split())
    letters = sum(map(str.isalpha, composed))
    return kept if any(map(str.isalnum, kept)) and sum(map(str.isalpha, kept)) * 2 >= letters else ""


@lru_cache(maxsize=2_048)
def _drawn(char: str) -> str:
    """The character, what it is made of where only that can be drawn, or nothing."""
    if unicodedata.category(char)[0] in "CM":
        return " " if char in "\t\r\n" else ""
    if char.isspace() or _has(char):
        return char
    return "".join(one for one in unicodedata.normalize("NFKD", char) if one != char and _has(one))


def _has(char: str) -> bool:
    if char.isalpha() and not unicodedata.name(char, "").startswith(_SCRIPTS):
        return False
    return unicodedata.category(char)[0] in "LNPS" and _shape(char) != _shape(_NEVER_A_CHARACTER)


def _shape(char: str) -> bytes:
    # Pillow does not tell which characters a font has; those it has not all look like the same box.
    return bytes(font(32).getmask(char))
