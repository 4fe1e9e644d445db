"""What a text message costs in segments, and which text cannot be one (GSM 03.38, 3GPP TS 23.038 and 23.040). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import InputError

MOST_CHARACTERS: Final = 1_600
"""Twilio's limit of one message."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# These take two places: an escape and themselves.
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
# Places of one segment, and of each where there are several: a part's header takes six bytes.
_GSM: Final = (160, 153)
_UCS2: Final = (70, 67)


@dataclass(frozen=True, slots=True)
class SmsSize:
    """``encoding`` is GSM-7 or UCS-2; ``places`` are septets or UTF-16 units; ``odd`` the first characters, at most
    five, that are not in GSM-7 and make each segment shorter."""

    encoding: str
    places: int
    segments: int
    odd: str = ""


def measure(text: str) -> SmsSize:
    """How a text is sent, and in how many segments it is paid for."""
    odd = "".join(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENSION))[:5]
    if odd:
        widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
        return SmsSize("UCS-2", sum(widths), _segments(widths, *_UCS2), odd)
    widths = [2 if char in _EXTENSION else 1 for char in text]
    return SmsSize("GSM-7", sum(widths), _segments(widths, *_GSM))


def checked(text: str) -> str:
    """``text`` if it can be sent. Raises InputError: it is empty, too long, or holds what no telephone shows."""
    if not text.strip():
        raise InputError("the text message is empty", field="text", fix="Write a text for this stage.")
    length = sum(2 if ord(char) > 0xFFFF else 1 for char in text)
    if length > MOST_CHARACTERS:
        raise InputError(
            f"the text message has {length:,} characters, and {MOST_CHARACTERS:,} are the most that can be sent",
            field="text",
            fix="Shorten the text, or a field that is merged into it.",
        )
    if any(char == "\0" or 0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise InputError("the text message holds a character that is none", field="text", fix="Type the text anew.")
    return text


def _segments(widths: list[int], single: int, part: int) -> int:
    """A character of two places is never cut in two: it opens the next segment."""
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return segments
