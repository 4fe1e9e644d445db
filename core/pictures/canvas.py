"""A sheet to draw on in logical pixels; the picture has twice as many, so that it stays crisp on dense screens."""

from __future__ import annotations

from io import BytesIO
from typing import Final, Literal

from PIL import Image, ImageDraw

from core.pictures.lettering import drawable, font

SCALE: Final = 2
WIDTH: Final = 820
MARGIN: Final = 32

# Okabe and Ito's colours, which people with any colour vision tell apart (doi:10.1038/nmeth.1618).
PAPER: Final = "#ffffff"
INK: Final = "#1d2733"
SOFT: Final = "#5b6673"
LINE: Final = "#d9dee4"
TRACK: Final = "#f1f4f7"
GREY: Final = "#8793a1"
BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
PALE_SKY: Final = "#cfe8f8"
ORANGE: Final = "#e69f00"
PALE_ORANGE: Final = "#f9e3b4"
PURPLE: Final = "#cc79a7"
GREEN: Final = "#009e73"
VERMILION: Final = "#d55e00"

Anchor = Literal["left", "middle", "right"]
_ANCHORS: Final = {"left": "lm", "middle": "mm", "right": "rm"}


def said_only(name: str, words: str) -> bytes:
    """A picture that says in words why there is nothing to see."""
    canvas = Canvas(104)
    canvas.title(name, words)
    return canvas.png()


class Canvas:
    """Coordinates are logical pixels from the left and from the top; ``y`` of a text is its middle."""

    def __init__(self, height: int) -> None:
        self._image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        colour: str = INK,
        anchor: Anchor = "left",
        bold: bool = False,
    ) -> None:
        self._draw.text(
            (x * SCALE, y * SCALE),
            text,
            fill=colour,
            font=font(size * SCALE, bold=bold),
            anchor=_ANCHORS[anchor],
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle; what is more than nothing is at least a hair wide."""
        if width <= 0 or height <= 0:
            return
        left, top = round(x * SCALE), round(y * SCALE)
        right, bottom = max(round((x + width) * SCALE), left + 2), max(round((y + height) * SCALE), top + 2)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def rule(self, x: float, y: float, width: float, colour: str = LINE) -> None:
        self.bar(x, y, width, 0.5, colour)

    def title(self, name: str, subtitle: str) -> None:
        """The campaign's name as far as the font and one line hold it, and what the picture shows."""
        named = self._fitting(drawable(name) or "Campaign report", WIDTH - 2 * MARGIN, 21)
        self.text(MARGIN, 38, named, size=21, bold=True)
        self.text(MARGIN, 66, subtitle, size=13, colour=SOFT)

    def key(self, x: float, y: float, entries: list[tuple[str, str]]) -> None:
        """Colours with their meaning, side by side."""
        for colour, label in entries:
            self.bar(x, y - 5, 10, 10, colour)
            self.text(x + 16, y, label, size=12, colour=SOFT)
            x += 16 + self.width(label, 12) + 20

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        return font(size * SCALE, bold=bold).getlength(text) / SCALE

    def _fitting(self, text: str, room: float, size: float) -> str:
        if self.width(text, size, bold=True) <= room:
            return text
        while text and self.width(f"{text}…", size, bold=True) > room:
            text = text[:-1]
        return f"{text.rstrip()}…"

    def png(self) -> bytes:
        buffer = BytesIO()
        self._image.save(buffer, "PNG")
        return buffer.getvalue()
