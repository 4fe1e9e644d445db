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
_FETCH = re.compile(rb"\* \d{1,10} FETCH \(", re.IGNORECASE)
# What is kept of a FETCH answer's text that goes beyond the limit: UID and flags stand first, the name of the section
# whose literal follows stands last.
_KEPT_HEAD, _KEPT_TAIL = 64 * 1024, 8 * 1024
# Breaks the grammar whether or not the cut lies within a quoted string: nobody may take head and tail for one answer.
CUT_MARK = b'"{"{ '


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one response may take, in bytes, before the server counts as hostile. ``line`` is all its text outside of
    literals; ``cut`` what may be left out of a FETCH answer's text, so that no mail's structure ends a connection."""

    literal: int = 32 * 1024 * 1024
    line: int = 1024 * 1024
    cut: int = 64 * 1024 * 1024


class LimitExceededError(Exception):
    """The server sent more than any honest server sends; the message says which limit."""


class ServerResponse(NamedTuple):
    """One response without its final CRLF. ``literals`` are (start, end) spans of the literals' bytes in ``raw``."""

    raw: bytes
    literals: tuple[tuple[int, int], ...]


class ResponseReader:
    """Feed it what arrives; it yields the responses that are complete. Raises LimitExceededError.

    A sender can make a BODYSTRUCTURE of any length. Such an answer comes without its middle (``CUT_MARK`` in its
    place): a mail that ended the connection would end it at each try, and the mailbox would be stuck for good.
    """

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scan = 0
        self._piece_start = 0
        self._literals: list[tuple[int, int]] = []
        self._literal_bytes = 0
        self._cut_at = 0
        self._cut_bytes = 0

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
                kept = self._within_limit(len(buffer))
                self._scan = max(self._scan, kept - 1)
                return None
            end = self._within_limit(end)
            size = self._literal_size(end) if end and buffer[end - 1] == _CLOSING_BRACE else None
            if size is None:
                return self._cut(end)
            self._begin_literal(end + 2, size)

    def _cut(self, end: int) -> ServerResponse:
        with memoryview(self._buffer) as view:
            response = ServerResponse(bytes(view[:end]), tuple(self._literals))
        del self._buffer[: end + 2]
        self._scan = self._piece_start = self._literal_bytes = self._cut_bytes = self._cut_at = 0
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

    def _within_limit(self, end: int) -> int:
        """Where the text that ended at ``end`` ends now: beyond the limit a FETCH answer loses its middle."""
        if end - self._literal_bytes <= self._limits.line:
            return end
        if _FETCH.match(self._buffer) is None:
            raise LimitExceededError(f"a line of more than {self._limits.line} bytes")
        mark = b"" if self._cut_at else CUT_MARK
        low, high = self._cut_at or self._outside(_KEPT_HEAD), self._outside(end - _KEPT_TAIL)
        self._cut_bytes += high - low
        if high <= low or self._cut_bytes > self._limits.cut:
            raise LimitExceededError(f"an answer of more than {self._limits.line} bytes of text")
        self._buffer[low:high] = mark
        self._cut_at = low + len(mark)
        self._move_back(low, high, by=high - low - len(mark))
        return end - (high - low) + len(mark)

    def _outside(self, position: int) -> int:
        """The position, or the end of the literal that it lies in: a literal is kept whole or not at all."""
        return next((end for start, end in self._literals if start < position < end), position)

    def _move_back(self, low: int, high: int, *, by: int) -> None:
        """What stood between is gone; literals behind it are ``by`` bytes nearer to the front."""
        kept = [span for span in self._literals if span[1] <= low]
        kept += [(start - by, end - by) for start, end in self._literals if start >= high]
        self._literals = kept
        self._literal_bytes = sum(end - start for start, end in kept)
        self._piece_start = self._scan = max(self._cut_at, self._piece_start - by)
