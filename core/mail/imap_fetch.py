"""Reads FETCH responses (RFC 3501 7.4.2) on our own. Pure; any bytes give a record or None, never an exception.

One compiled pattern takes the shape that servers nearly always send; everything else goes through a general
tokenizer. BODYSTRUCTURE stays raw: most messages need it never.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from core.domain.message import FetchedMessage
from core.mail.imap_reader import ServerResponse

HEADER_FIELDS = (
    "FROM SENDER REPLY-TO TO CC BCC DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO SUBJECT DATE MESSAGE-ID IN-REPLY-TO "
    "REFERENCES THREAD-INDEX THREAD-TOPIC CONTENT-TYPE AUTO-SUBMITTED PRECEDENCE X-PRECEDENCE X-AUTOREPLY "
    "X-AUTORESPOND X-AUTO-RESPONSE-SUPPRESS RETURN-PATH LIST-ID LIST-UNSUBSCRIBE FEEDBACK-ID X-FAILED-RECIPIENTS "
    "X-MS-EXCHANGE-GENERATED-MESSAGE-SOURCE X-APPLE-ACTION X-POST-MESSAGECLASS X-FC-MACHINEGENERATED X-BOXTRAPPER "
    "X-GOOGLE-ORIGINAL-MESSAGE-ID X-MICROSOFT-ORIGINAL-MESSAGE-ID X-RETHREAD-DELIVERY X-RETHREAD-TEST "
    "X-RETHREAD-CANARY"
)
# The name under which a header block is kept, whatever fields the server says it holds.
HEADER_SECTION = "HEADER.FIELDS"

_MAX_DEPTH = 64
_MAX_TOKENS = 20_000
_MAX_UID = 2**32 - 1

_IS_FETCH = re.compile(rb"\* (\d{1,10}) FETCH \(", re.IGNORECASE)
_USUAL = re.compile(
    rb"\* \d{1,10} FETCH \((?:X-GM-THRID (\d{1,20}) X-GM-MSGID (\d{1,20}) )?"
    rb"(?:X-GM-LABELS \(([^()]*)\) )?UID (\d{1,10}) "
    rb"(?:RFC822\.SIZE (\d{1,12}) )?(?:INTERNALDATE \"([^\"]{0,40})\" )?FLAGS \(([^()]*)\) "
    rb"(?:INTERNALDATE \"([^\"]{0,40})\" )?(?:RFC822\.SIZE (\d{1,12}) )?"
    rb"(?:BODYSTRUCTURE (\([^{]*\)) )?BODY\[HEADER\.FIELDS \([A-Za-z0-9 \-\"]*\)\] \{\d+\}\r\n\Z"
)
_USUAL_TEXT = re.compile(rb"\* \d{1,10} FETCH \(UID (\d{1,10}) BODY\[([0-9.]{1,60}|TEXT)\]<0> \{\d+\}\r\n\Z")
_TOKEN = re.compile(
    rb"[ \t]*(?:(?P<open>\()|(?P<close>\))|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|~?\{(?P<literal>\d{1,20})\+?\}\r\n|"
    rb"(?P<section>(?:BODY|BINARY)\[[^\]]*\](?:<\d{1,20}>)?)|(?P<atom>[^ \t()\"{\r\n]+))",
    re.IGNORECASE | re.DOTALL,
)
_DATE = re.compile(r"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_MONTHS = {
    name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}


@dataclass(slots=True)
class FetchRecord:
    """What one FETCH response said. ``sections`` maps "HEADER.FIELDS", "TEXT", "1.2" or "" (all) to bytes."""

    uid: int | None = None
    flags: frozenset[str] = frozenset()
    internal_date: datetime | None = None
    size: int = 0
    structure: bytes | None = None
    thread_id: str | None = None
    provider_id: str | None = None
    sections: dict[str, bytes] = field(default_factory=dict)

    def merge(self, other: FetchRecord) -> None:
        """Takes over what a second response about the same message adds (servers may split their answers)."""
        self.flags = other.flags or self.flags
        self.internal_date = other.internal_date or self.internal_date
        self.size = other.size or self.size
        self.structure = other.structure or self.structure
        self.thread_id = other.thread_id or self.thread_id
        self.provider_id = other.provider_id or self.provider_id
        self.sections.update(other.sections)

    def message(self) -> FetchedMessage | None:
        """The message, or None where UID or header are missing."""
        header = self.sections.get(HEADER_SECTION)
        if self.uid is None or header is None:
            return None
        return FetchedMessage(
            uid=self.uid,
            internal_date=self.internal_date,
            size=self.size,
            flags=self.flags,
            header=header,
            structure=self.structure,
            thread_id=self.thread_id,
            provider_id=self.provider_id,
        )


def is_fetch(raw: bytes) -> bool:
    return _IS_FETCH.match(raw) is not None


def read_fetch(response: ServerResponse) -> FetchRecord | None:
    """The record of one FETCH response; None where it cannot be made sense of."""
    raw, literals = response
    if len(literals) == 1:
        start, end = literals[0]
        if raw[end:] == b")":
            record = _read_usual(raw[:start], raw[start:end])
            if record is not None:
                return record
    return _read_general(response)


def _read_usual(head: bytes, literal: bytes) -> FetchRecord | None:
    match = _USUAL.match(head)
    if match is None:
        text = _USUAL_TEXT.match(head)
        return None if text is None else FetchRecord(_uid(text[1]), sections={text[2].decode("ascii"): literal})
    thread, provider, labels, uid, size_1, date_1, flags, date_2, size_2, structure = match.groups()
    return FetchRecord(
        _uid(uid),
        read_flags(flags) | read_labels(labels or b""),
        read_date(date_1 or date_2 or b""),
        int(size_1 or size_2 or 0),
        structure,
        _ascii(thread),
        _ascii(provider),
        {HEADER_SECTION: literal},
    )


def _ascii(text: bytes | None) -> str | None:
    return None if text is None else text.decode("ascii")


def _uid(text: bytes) -> int | None:
    uid = int(text)
    return uid if 0 < uid <= _MAX_UID else None


_SYSTEM_LABEL = re.compile(rb"(?:^|[ (\"])\\{1,2}([A-Za-z]{1,20})(?=[ )\"]|$)")


@lru_cache(maxsize=512)
def read_labels(text: bytes) -> frozenset[str]:
    """Gmail's own labels, written like flags (\\Sent, \\Draft); people's labels say nothing to us."""
    return frozenset(f"\\{name.decode('ascii').capitalize()}" for name in _SYSTEM_LABEL.findall(text))


@lru_cache(maxsize=512)
def read_flags(text: bytes) -> frozenset[str]:
    return frozenset(text.decode("ascii", "replace").split())


def read_date(text: bytes) -> datetime | None:
    """An INTERNALDATE, aware, in UTC; None where it is no date."""
    match = _DATE.match(text.decode("ascii", "replace"))
    if match is None or (month := _MONTHS.get(match[2].lower())) is None:
        return None
    try:
        local = datetime(
            int(match[3]), month, int(match[1]), int(match[4]), int(match[5]), min(int(match[6]), 59), tzinfo=UTC
        )
        return local - _offset(match[7], match[8], match[9])
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=128)
def _offset(sign: str, hours: str, minutes: str) -> timedelta:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


class _MalformedError(Exception):
    """The response breaks the grammar."""


class _Tokens:
    """Walks over the tokens of one response, literals included."""

    def __init__(self, raw: bytes, position: int) -> None:
        self._raw = raw
        self._left = _MAX_TOKENS
        self.position = position

    def next(self) -> tuple[str, bytes]:
        """The next token's kind (open, close, quoted, literal, section, atom) and its bytes."""
        self._left -= 1
        match = _TOKEN.match(self._raw, self.position)
        if match is None or self._left < 0:
            raise _MalformedError
        kind = str(match.lastgroup)
        self.position = match.end()
        if kind == "literal":
            return kind, self._literal(int(match["literal"]))
        if kind == "quoted":
            return kind, re.sub(rb"\\(.)", rb"\1", match["quoted"], flags=re.DOTALL)
        return kind, match[kind]

    def _literal(self, size: int) -> bytes:
        start, self.position = self.position, self.position + size
        if self.position > len(self._raw):
            raise _MalformedError
        return self._raw[start : self.position]

    def value(self) -> bytes:
        """One value: a list comes raw with its parentheses, NIL as no bytes, everything else unquoted."""
        start = self.position
        kind, text = self.next()
        if kind == "open":
            self._skip_list()
            return self._raw[start : self.position].lstrip()
        if kind == "close":
            raise _MalformedError
        return b"" if kind == "atom" and text.upper() == b"NIL" else text

    def _skip_list(self) -> None:
        depth = 1
        while depth:
            kind, _ = self.next()
            depth += (kind == "open") - (kind == "close")
            if depth > _MAX_DEPTH:
                raise _MalformedError


def _read_general(response: ServerResponse) -> FetchRecord | None:
    begin = _IS_FETCH.match(response.raw)
    if begin is None:
        return None
    tokens, record = _Tokens(response.raw, begin.end()), FetchRecord()
    try:
        while True:
            kind, key = tokens.next()
            if kind == "close":
                return record
            if kind not in {"atom", "section"}:
                return _salvage(response)
            _set_item(record, kind, key, tokens.value())
    except (_MalformedError, ValueError):
        return _salvage(response)


def _set_item(record: FetchRecord, kind: str, key: bytes, value: bytes) -> None:
    if kind == "section":
        record.sections[_section_name(key)] = value
        return
    match key.upper():
        case b"UID":
            record.uid = _uid(value)
        case b"FLAGS":
            record.flags |= read_flags(value.strip(b"()"))
        case b"X-GM-LABELS":
            record.flags |= read_labels(value)
        case b"INTERNALDATE":
            record.internal_date = read_date(value)
        case b"RFC822.SIZE":
            record.size = int(value[:18])
        case b"BODYSTRUCTURE":
            record.structure = value or None
        case b"X-GM-THRID" | b"THREADID":
            record.thread_id = _ascii(value.strip(b"()")[:64]) or None
        case b"X-GM-MSGID" | b"EMAILID":
            record.provider_id = _ascii(value.strip(b"()")[:64]) or None


def _section_name(key: bytes) -> str:
    name = key[key.find(b"[") + 1 : key.find(b"]")].upper()
    return HEADER_SECTION if name.startswith(b"HEADER.FIELDS") else name.decode("ascii", "replace")


_SALVAGED_SECTION = re.compile(rb"(BODY\[[^\]]{0,2000}\](?:<\d{1,20}>)?) \{\d+\}\r\n\Z", re.IGNORECASE)
_SALVAGED_UID = re.compile(rb"[ (]UID (\d{1,10})[ )]")


def _salvage(response: ServerResponse) -> FetchRecord | None:
    """UID and literals of a response whose BODYSTRUCTURE breaks the grammar: the header still counts.

    Only what stands before the structure or after the last literal is trusted: inside, a sender chooses the words.
    """
    raw, literals = response
    structure_at = raw.upper().find(b"BODYSTRUCTURE")
    first_literal = literals[0][0] if literals else len(raw)
    head = raw[: min(first_literal, structure_at if structure_at >= 0 else first_literal)]
    tail = raw[literals[-1][1] :] if literals else b""
    uid = _SALVAGED_UID.search(head) or _SALVAGED_UID.search(tail)
    if uid is None:
        return None
    record = FetchRecord(_uid(uid[1]))
    for start, end in literals:
        section = _SALVAGED_SECTION.search(raw[max(0, start - 2100) : start])
        if section is not None:
            record.sections[_section_name(section[1])] = raw[start:end]
    return record
