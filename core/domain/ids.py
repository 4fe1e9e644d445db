"""Row ids: time-ordered, made from arguments so that the rule stays pure (layout of RFC 9562 UUID version 7)."""

from __future__ import annotations

from datetime import datetime


def uuid7(now: datetime, randomness: bytes) -> str:
    """A UUIDv7 text from an aware time and ten random bytes. Raises ValueError on fewer."""
    if len(randomness) < 10:
        raise ValueError("uuid7 needs ten random bytes")
    millis = int(now.timestamp() * 1000).to_bytes(6, "big")
    raw = bytearray(millis + randomness[:10])
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
