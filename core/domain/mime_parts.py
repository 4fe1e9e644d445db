"""Whole mails to text, part list and report parts, within fixed bounds (RFC 2045, 2046, 6522). Pure, never raises.

One forward scan for delimiter lines against a stack of open boundaries: nesting a thousand deep or a hundred thousand
parts cost no more than reading the bytes once. Embedded messages (message/rfc822) are not opened.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from core.domain.charset import decode_base64, decode_text, decode_words, many_lines, one_line
from core.domain.header import Fields, header_end, parse_header, read_fields
from core.domain.html_text import html_to_text
from core.domain.message import Header

MAX_PARTS: Final = 200
MAX_DEPTH: Final = 20
MAX_TEXT: Final = 262_144
MAX_REPORT: Final = 131_072

_REPORT_TYPES: Final = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/rfc822",
        "message/global",
        "message/partial",
        "text/rfc822-headers",
        "text/calendar",
    }
)
_DELIMITER: Final = re.compile(rb"^--([^\r\n]{1,250})\r?$", re.MULTILINE)
_BOUNDARY: Final = re.compile(r"boundary\*?\s?=\s?(?:\"([^\"]{1,240})\"|([^\s;\"]{1,240}))", re.IGNORECASE)
_CHARSET: Final = re.compile(r"charset\*?\s?=\s?\"?([^\s;\"]{1,60})", re.IGNORECASE)
_FILE_NAME: Final = re.compile(
    r"\b(?:file)?name(?:\*(\d{1,2}))?(\*)?\s?=\s?(?:\"([^\"]{0,500})\"|([^\s;\"]{1,500}))", re.IGNORECASE
)
_CHARSET_PREFIX: Final = re.compile(r"([A-Za-z0-9_-]{0,40})'[A-Za-z-]{0,20}'")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a mail: its media type in lower case, file name (may be empty) and size in bytes as transferred."""

    type: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A part that programs read: its media type and its decoded bytes, at most 128 KB."""

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A whole mail: ``text`` is what a person would read, LF line ends, at most 256 KB (HTML only where no plain text
    says the same); ``defects`` holds those of the header too."""

    header: Header
    text: str
    parts: tuple[Part, ...]
    reports: tuple[ReportPart, ...]
    defects: tuple[str, ...] = ()

    def report(self, *types: str) -> bytes | None:
        """The bytes of the first report part of one of ``types`` that has any, else empty; None where none is."""
        found = [part.data for part in self.reports if part.type in types]
        return next(filter(None, found), b"") if found else None


@dataclass(frozen=True, slots=True)
class _Leaf:
    fields: Fields
    start: int
    end: int
    group: int

    @property
    def content_type(self) -> str:
        values = self.fields.get("content-type")
        return values[0] if values else ""

    @property
    def media_type(self) -> str:
        return media_type(self.content_type)

    @property
    def disposition(self) -> str:
        values = self.fields.get("content-disposition")
        return values[0] if values else ""


def media_type(content_type: str) -> str:
    """The media type in lower case without parameters, text/plain where the field names none (RFC 2045 5.2)."""
    name = content_type.partition(";")[0].strip().lower()
    return name if "/" in name else "text/plain"


def parse_message(raw: bytes) -> ParsedMessage:
    """Reads a whole mail (or its beginning) within the bounds above; time is linear in ``raw``. Never raises."""
    defects: set[str] = set()
    header = parse_header(raw)
    leaves = list(_Walk(raw, defects).leaves())
    parts = tuple(Part(leaf.media_type, file_name(leaf), leaf.end - leaf.start) for leaf in leaves)
    reports = tuple(
        ReportPart(kind, _decoded(raw, leaf, MAX_REPORT)) for leaf in leaves if (kind := _report_kind(leaf)) is not None
    )
    text = _readable_text(raw, leaves, defects) if header.fields else many_lines(decode_text(raw[:MAX_TEXT], "")[0])
    return ParsedMessage(header, text, parts, reports, tuple(sorted(defects | set(header.defects))))


class _Walk:
    """The scan over delimiter lines. Each open multipart is (boundary, number of its alternative group)."""

    def __init__(self, raw: bytes, defects: set[str]) -> None:
        self._raw = raw
        self._defects = defects
        self._stack: list[tuple[bytes, int]] = []
        self._groups = 0
        self._count = 0
        self._fields: Fields | None = None
        self._body = 0

    def leaves(self) -> Iterator[_Leaf]:
        self._open(len(self._raw) - len(self._raw.lstrip(b"\r\n")))
        whole = self._fields is None
        for match in _DELIMITER.finditer(self._raw, self._body):
            level, closing = self._level(match[1].rstrip())
            if level < 0:
                continue
            leaf = self._close(match.start())
            if leaf:
                yield leaf
            whole = False
            del self._stack[level if closing else level + 1 :]
            if self._count >= MAX_PARTS:
                self._defects.add("parts")
                return
            if not closing:
                self._open(match.end() + 1)
        if whole:
            self._defects.add("boundary")
            self._fields = {}
        leaf = self._close(len(self._raw))
        if leaf:
            yield leaf

    def _level(self, token: bytes) -> tuple[int, bool]:
        for level in range(len(self._stack) - 1, -1, -1):
            boundary = self._stack[level][0]
            if token == boundary:
                return level, False
            if token == boundary + b"--":
                return level, True
        return -1, False

    def _open(self, start: int) -> None:
        end = header_end(self._raw, start)
        self._fields = read_fields(self._raw[start:end])
        self._body = end + (2 if self._raw.startswith(b"\r\n", end) else 1)
        values = self._fields.get("content-type", ("",))
        kind = media_type(values[0])
        boundary = _BOUNDARY.search(values[0]) if kind.startswith("multipart/") else None
        if boundary is None:
            return
        if len(self._stack) >= MAX_DEPTH:
            self._defects.add("depth")
            return
        group = self._stack[-1][1] if self._stack else 0
        if kind == "multipart/alternative":
            self._groups += 1
            group = self._groups
        self._stack.append(((boundary[1] or boundary[2]).rstrip().encode("utf-8", "replace"), group))
        self._fields = None

    def _close(self, end: int) -> _Leaf | None:
        if self._fields is None:
            return None
        self._count += 1
        group = self._stack[-1][1] if self._stack else 0
        leaf = _Leaf(self._fields, min(self._body, end), end, group)
        self._fields = None
        return leaf


def file_name(leaf: _Leaf) -> str:
    """The file name of a part (RFC 2183, 2231, and the encoded words that the world sends), one visible line."""
    for source in (leaf.disposition, leaf.content_type):
        pieces: list[str] = []
        charset = ""
        for match in _FILE_NAME.finditer(source):
            number, extended, quoted, plain = match.groups()
            if pieces and number in (None, "0"):
                break
            value = quoted if quoted is not None else plain
            if extended:
                prefix = _CHARSET_PREFIX.match(value)
                if prefix:
                    charset, value = prefix[1], value[prefix.end() :]
                value = decode_text(unquote_to_bytes(value), charset)[0]
            pieces.append(value)
        if pieces:
            return one_line(decode_words("".join(pieces))[0])[:255]
    return ""


def _report_kind(leaf: _Leaf) -> str | None:
    """The type of a part that programs read; some hosts attach the original's headers as a plain text file."""
    kind = leaf.media_type
    if kind in _REPORT_TYPES:
        return kind
    named = kind == "text/plain" and leaf.disposition.lower().startswith("attachment")
    return "text/rfc822-headers" if named and "header" in file_name(leaf).lower() else None


def _readable_text(raw: bytes, leaves: list[_Leaf], defects: set[str]) -> str:
    readable = [leaf for leaf in leaves if _is_body_text(leaf)]
    plain_groups = {
        leaf.group
        for leaf in readable
        if leaf.group and leaf.media_type != "text/html" and raw[leaf.start : leaf.end].strip()
    }
    texts: list[str] = []
    room = MAX_TEXT
    for leaf in readable:
        if leaf.media_type == "text/html" and leaf.group in plain_groups:
            continue
        text = _leaf_text(raw, leaf, defects)[:room]
        room -= len(text)
        texts.append(text)
        if room <= 0:
            defects.add("text_size")
            break
    return "\n".join(texts)


def _is_body_text(leaf: _Leaf) -> bool:
    return leaf.media_type in ("text/plain", "text/html") and not leaf.disposition.lower().startswith("attachment")


def _leaf_text(raw: bytes, leaf: _Leaf, defects: set[str]) -> str:
    data = _decoded(raw, leaf, MAX_TEXT)
    label = _CHARSET.search(leaf.content_type)
    charset = label[1] if label else "iso-2022-jp" if b"\x1b$" in data and data.isascii() else ""
    text, sound = decode_text(data, charset)
    if not sound:
        defects.add("charset")
    return many_lines(html_to_text(text) if leaf.media_type == "text/html" else text)


def _decoded(raw: bytes, leaf: _Leaf, limit: int) -> bytes:
    """The part's bytes without transfer encoding, at most ``limit`` of them."""
    encoding = leaf.fields.get("content-transfer-encoding", ("",))[0].lower()
    if "base64" in encoding:
        return decode_base64(raw[leaf.start : min(leaf.end, leaf.start + limit * 3 // 2)])[:limit]
    if "quoted-printable" in encoding:
        try:
            return binascii.a2b_qp(raw[leaf.start : min(leaf.end, leaf.start + limit * 3)])[:limit]
        except binascii.Error:
            return raw[leaf.start : leaf.end][:limit]
    return raw[leaf.start : min(leaf.end, leaf.start + limit)]
