"""How long an RSA key is, read from its DER form (RFC 5280 4.1, RFC 8017 A.1.1). Pure.

Read by hand, because crypto libraries refuse the short keys that we want to warn of.
"""

from __future__ import annotations

from typing import Final

_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_SEQUENCE: Final = 0x30


def rsa_bits(der: bytes) -> int | None:
    """The modulus's length in bits, of a SubjectPublicKeyInfo or a bare RSAPublicKey; None where it is neither."""
    try:
        body = _value(der, _SEQUENCE)[0]
        if body[:1] != bytes([_INTEGER]):
            _, behind = _value(body, _SEQUENCE)
            bits, _ = _value(behind, _BIT_STRING)
            body, _ = _value(bits[1:], _SEQUENCE)
        modulus, exponent = _value(body, _INTEGER)
        _value(exponent, _INTEGER)
    except ValueError:
        return None
    return int.from_bytes(modulus, "big").bit_length() or None


def _value(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The contents of the first element, which must have this tag, and what follows it. Raises ValueError."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("another element was expected")
    length, start = der[1], 2
    if length & 0x80:
        size = length & 0x7F
        start = 2 + size
        if not 0 < size <= 4 or len(der) < start:
            raise ValueError("the length cannot be read")
        length = int.from_bytes(der[2:start], "big")
    if len(der) < start + length:
        raise ValueError("the element is cut")
    return der[start : start + length], der[start + length :]
