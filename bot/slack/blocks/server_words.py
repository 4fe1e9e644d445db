"""Whose words a raw text is, and how it reads (R43): a server's, a sign-in service's, or our own finding. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final

# A status reply of IMAP (RFC 3501 section 7.1), perhaps after a folder's name, or a reply of SMTP (RFC 5321 4.2).
_REPLY: Final = re.compile(r"(?:^|: |\* )(?:NO|BAD|BYE|OK|PREAUTH)\b|^\s*[245]\d\d[ -]")
# The error codes of OAuth (RFC 6749 section 5.2).
_OAUTH: Final = re.compile(r"^\s*(?:\{|invalid_\w+:|unauthorized_\w+:|access_denied\b)")

# As Python and OpenSSL put them around what they found.
_NOTES: Final = re.compile(r"^(?:\w+Error: |\[SSL: \w+\] |\[Errno -?\d+\] )+| ?\(_ssl\.c:\d+\)\s*$")


def speaker(raw: str) -> str:
    """The words before it, without a colon."""
    if _OAUTH.match(raw):
        return "The sign-in service said"
    return "The mail server said" if _REPLY.search(raw) else "What Rethread saw"


def readable(raw: str) -> str:
    """A sign-in service's JSON by its code and description, errors of our own without a programmer's notes, everything
    else as it came."""
    told = _document(raw)
    code, words = told.get("error"), told.get("error_description")
    if isinstance(code, str) and isinstance(words, str) and words.strip():
        return f"{code}: {words}"
    return raw if _REPLY.search(raw) or told else _NOTES.sub("", raw)


def _document(raw: str) -> dict[str, Any]:
    try:
        told = json.loads(raw) if raw.lstrip().startswith("{") else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
