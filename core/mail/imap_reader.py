"""Cuts a server's byte stream into whole IMAP responses (RFC 3501 section 7). Pure.

aioimaplib handles lines by recursion (about 1,000 lines in one read end in a RecursionError) and rescans what it has
for every line; this reader is a loop over one ``bytearray`` that looks at each byte once, however the bytes are split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

CRLF = b"\r\n"
_CLOSING_BRACE = 0x7D
_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
# Status responses carry human text: "{5}" at its end is text (RFC 3501 7.1), everywhere else it announces a literal.
_HUMAN_TEXT = (b"* OK", b"* NO", b"* BAD", b"* BYE", b"* PREAUTH")
_LONGEST_LITERAL_MARK = 24


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one response may take, in bytes, before the server counts as hostile."""

    literal: int = 32 * 1024 * 1024
    line: int = 1024 * 1024


class LimitExceededError(Exception):
    """The server sent more than any honest server sends; the message says which limit."""


class ServerResponse(NamedTuple):
    """One response without its final CRLF. ``literals`` are (start, end) spans of the literals' bytes in ``raw``."""

    raw: bytes
    literals: tuple[tuple[int, int], ...]


class ResponseReader:
    """Feed it what arrives; it yields the responses that are complete. Raises LimitExceededError."""

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scan = 0
        self._piece_start = 0
        self._literals: list[tuple[int, int]] = []
        self._literal_bytes = 0

    def feed(self, data: bytes) -> Iterator[ServerResponse]:
        self._buffer += data
        while (response := self._next()) is not None:
            yield response

    def _next(self) -> ServerResponse | None:
        buffer = self._buffer
        while True:
            end = buffer.find(CRLF, self._scan)
            if end < 0:
                # The last byte may be the CR of a pair that is not complete yet.
                self._scan = max(self._scan, len(buffer) - 1)
                self._check_line(len(buffer))
                return None
            self._check_line(end)
            size = self._literal_size(end) if end and buffer[end - 1] == _CLOSING_BRACE else None
            if size is None:
                return self._cut(end)
            self._begin_literal(end + 2, size)

    def _cut(self, end: int) -> ServerResponse:
        with memoryview(self._buffer) as view:
            response = ServerResponse(bytes(view[:end]), tuple(self._literals))
        del self._buffer[: end + 2]
        self._scan = self._piece_start = self._literal_bytes = 0
        if self._literals:
            self._literals = []
        return response

    def _literal_size(self, end: int) -> int | None:
        buffer = self._buffer
        if buffer[:2] != b"* " or buffer.startswith(_HUMAN_TEXT):
            return None
        mark = _LITERAL.search(buffer, max(self._piece_start, end - _LONGEST_LITERAL_MARK), end)
        return int(mark[1]) if mark else None

    def _begin_literal(self, start: int, size: int) -> None:
        self._literal_bytes += size
        if self._literal_bytes > self._limits.literal:
            raise LimitExceededError(f"a literal of more than {self._limits.literal} bytes")
        self._literals.append((start, start + size))
        self._scan = self._piece_start = start + size

    def _check_line(self, end: int) -> None:
        if end - self._literal_bytes > self._limits.line:
            raise LimitExceededError(f"a line of more than {self._limits.line} bytes")
