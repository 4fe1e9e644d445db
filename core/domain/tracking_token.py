"""Signed tokens of the links in a mail: open, click, download, unsubscribe. Pure.

A token says by itself what it is about, so that no table of links grows and no link can be guessed or turned to another
target: only what we signed is followed (CWE-601). Keys derive from the process's secret keys; the first signs, all
verify, so that links in old mail outlive a change of keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_PURPOSE: Final = b"rethread links 1"
_MARK_BYTES: Final = 16  # 128 bits of HMAC-SHA256 (RFC 2104, section 5: at least half of the digest)
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SEPARATOR: Final = "\n"
LONGEST_TARGET: Final = 2_000
LONGEST: Final = 3_600
"""Characters of the longest token that is read, or written."""


class LinkKind(StrEnum):
    """What a link does; the value stands in the token."""

    OPEN = "o"
    CLICK = "c"
    FILE = "f"
    UNSUBSCRIBE = "u"


@dataclass(frozen=True, slots=True)
class Token:
    """``target``: the address of a click, the file name of a download, else empty."""

    kind: LinkKind
    workspace: str
    delivery_id: str
    target: str = ""


class TokenSigner:
    """Writes and reads tokens with keys derived from the process's own (newest first). Raises ValueError without."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        if not secret_keys:
            raise ValueError("tokens need a secret key")
        self._keys = tuple(hmac.digest(key.encode(), _PURPOSE, "sha256") for key in secret_keys)

    def write(self, token: Token) -> str | None:
        """The token as text for a URL; None where it would be too long, or not be read back as it was."""
        parts = (token.kind.value, token.workspace, token.delivery_id, token.target)
        if len(token.target) > LONGEST_TARGET or any(_SEPARATOR in part for part in parts):
            return None
        try:
            said = _SEPARATOR.join(parts).encode()
        except UnicodeEncodeError:  # half of a surrogate pair: no URL and no file name holds one
            return None
        text = base64.urlsafe_b64encode(_mark(self._keys[0], said) + said).decode("ascii").rstrip("=")
        return text if len(text) <= LONGEST else None

    def read(self, text: str, kind: LinkKind) -> Token | None:
        """What a token says; None for one that is foreign, changed, of another kind or too long."""
        if len(text) > LONGEST or not _SHAPE.fullmatch(text):
            return None
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        mark, said = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
        # Every key is tried, whichever fits: the time tells nothing.
        if sum(hmac.compare_digest(mark, _mark(key, said)) for key in self._keys) == 0:
            return None
        parts = said.decode("utf-8", "replace").split(_SEPARATOR)
        return Token(kind, *parts[1:]) if len(parts) == 4 and parts[0] == kind.value else None


def _mark(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, hashlib.sha256)[:_MARK_BYTES]
