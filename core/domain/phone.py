"""Telephone numbers as people write them, in the one form that providers take (E.164). Pure."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

_LONGEST: Final = 40
# What stands in a number that somebody typed. No letters: words and extensions are not guessed at.
_WRITTEN: Final = re.compile(r"(?:tel:)?[\s\d+＋().\-/‐-―·]+", re.IGNORECASE)


def e164(text: str, default_country: str | None) -> str | None:
    """``text`` as +46701740605; None where it is no telephone number.

    ``default_country`` (ISO 3166, two letters) is whose a number without + is; None: such numbers are refused. Lengths
    are checked but not who was given which range: those tables age, and the provider knows better.
    """
    written = text.strip()
    if len(written) > _LONGEST or not _WRITTEN.fullmatch(written):
        return None
    try:
        number = phonenumbers.parse(written, default_country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_country(code: str) -> bool:
    """Whether telephone numbers of this country (ISO 3166, two capital letters) are known."""
    return code in phonenumbers.SUPPORTED_REGIONS
