"""The pause a server asks for in its own words. Pure."""

from __future__ import annotations

import re

_UNIT_SECONDS = {
    "millisecond": 0.001,
    "ms": 0.001,
    "second": 1.0,
    "sec": 1.0,
    "minute": 60.0,
    "min": 60.0,
    "hour": 3600.0,
}
_PAUSE = re.compile(
    r"(?:backoff time|retry[- ]after|try again (?:in|after)|retry in|reset in|wait|come back (?:in|after))\D{0,12}?"
    r"(\d{1,9}(?:\.\d{1,4})?)\s?(milliseconds?|ms|seconds?|sec|minutes?|min|hours?)?\b"
)

# No server may silence a mailbox for longer than the two days after which people are told anyway.
LONGEST_PAUSE_S = 172_800.0


def retry_after_seconds(text: str) -> float | None:
    """Seconds to wait, where the (lower-case) reply names a time; a bare number after Retry-After means seconds."""
    found = _PAUSE.search(text)
    if not found:
        return None
    unit = (found.group(2) or "second").rstrip("s") if found.group(2) != "ms" else "ms"
    return min(float(found.group(1)) * _UNIT_SECONDS[unit], LONGEST_PAUSE_S)
