"""Slack's request signature, checked on the raw bytes before anything reads them (docs.slack.dev, verifying requests).

Bolt parses a body before it checks it and answers some malformed signatures with 500; here everything that is not
exactly right is simply wrong (threat T7).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

MOST_BYTES: Final = 1_048_576
MOST_AGE: Final = 300.0

_TIMESTAMP: Final = re.compile(r"\d{1,12}", re.ASCII)


def is_genuine(secret: str, *, timestamps: list[str], signatures: list[str], body: bytes, now: float) -> bool:
    """Whether Slack signed this body at most five minutes ago. ``now`` is in seconds since 1970; the lists hold
    every value of the two headers: exactly one each is right."""
    if not secret or len(timestamps) != 1 or len(signatures) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        return False
    if abs(now - int(timestamps[0])) > MOST_AGE:
        return False
    signed = b"v0:" + timestamps[0].encode("ascii") + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode("ascii"), signatures[0].encode("utf-8", "replace"))
