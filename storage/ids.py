"""Ids that storage makes itself: derived from what they name, so that the same thing has the same id everywhere."""

from __future__ import annotations

import hashlib


def derived_id(kind: str, *parts: str) -> str:
    """32 hex digits from the parts; each is framed by its length, so no two lists of parts run together."""
    framed = "".join(f"{len(part)}:{part}" for part in (kind, *parts))
    return hashlib.sha256(framed.encode(errors="surrogatepass")).hexdigest()[:32]
