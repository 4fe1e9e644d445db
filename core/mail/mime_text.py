"""Finds the readable text in a raw body, for mail whose BODYSTRUCTURE cannot be used. Pure, bounded.

The ``email`` package is not used: nested or numerous parts make it recurse or stall (reliability of the sync loop).
"""

from __future__ import annotations

import re

from core.mail.text import readable_text

_MAX_DEPTH = 10
_MAX_PARTS = 200
_MAX_HEADER = 16_384
_FIELD = re.compile(rb"^(content-[a-z-]{1,40})[ \t]*:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r";\s*([a-zA-Z0-9*-]{1,40})\s*=\s*(?:\"([^\"]{0,500})\"|([^\s;\"]{1,500}))")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n|\A\r?\n")


def text_of_message(header: bytes, body: bytes, *, limit: int) -> bytes:
    """Readable UTF-8 of a message by its Content-Type and Content-Transfer-Encoding fields and its body."""
    found = _find(_fields(header), body, 0)
    if found is None:
        return b""
    fields, data = found
    kind, parameters = _content_type(fields)
    encoding = fields.get("content-transfer-encoding", "").strip().lower()
    subtype = "html" if kind == "text/html" else "plain"
    return readable_text(data, encoding=encoding, charset=parameters.get("charset", ""), subtype=subtype, limit=limit)


def _find(fields: dict[str, str], body: bytes, depth: int) -> tuple[dict[str, str], bytes] | None:
    kind, parameters = _content_type(fields)
    if kind.startswith("multipart/") and parameters.get("boundary") and depth < _MAX_DEPTH:
        found = [
            part
            for part_fields, part_body in _split(body, parameters["boundary"])
            if (part := _find(part_fields, part_body, depth + 1)) is not None
        ]
        plain = [part for part in found if _content_type(part[0])[0] != "text/html"]
        preferred = plain if kind == "multipart/alternative" and plain else found
        return preferred[0] if preferred else None
    attached = fields.get("content-disposition", "").lower().startswith("attachment")
    return (fields, body) if kind.startswith("text/") and not attached else None


def _split(body: bytes, boundary: str) -> list[tuple[dict[str, str], bytes]]:
    """The parts between the boundaries (RFC 2046 5.1.1); a missing last boundary is forgiven."""
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    pieces = re.split(
        rb"(?:\A|\r?\n)" + re.escape(delimiter) + rb"(?:--)?[ \t]*(?=\r?\n|\Z)", body, maxsplit=_MAX_PARTS
    )
    parts = []
    for piece in pieces[1:]:
        stripped = piece.removeprefix(b"\r").removeprefix(b"\n")
        blank = _BLANK_LINE.search(stripped)
        if blank is not None:
            parts.append((_fields(stripped[: blank.start()]), stripped[blank.end() :]))
    return parts


def _fields(header: bytes) -> dict[str, str]:
    found = _FIELD.findall(header[:_MAX_HEADER])
    return {name.decode("ascii").lower(): value.decode("latin-1") for name, value in found}


def _content_type(fields: dict[str, str]) -> tuple[str, dict[str, str]]:
    value = fields.get("content-type", "text/plain")
    parameters = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(value)}
    return value.split(";", 1)[0].strip().lower(), parameters
