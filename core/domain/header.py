"""Header blocks (RFC 5322) to ``Header`` values: the hot path of the sync. Pure; it never raises.

Most mail is set aside by its sender and its ids, so these are read at once and the rest when it is asked for. What is
wrong with a mail becomes a short code in ``Header.defects``. Limits keep hostile headers cheap: a value is read to
4 KB, References to its last 20 ids, a block to 500 fields and 256 KB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from core.domain.address import parse_address_list
from core.domain.charset import decode_text, decode_words, one_line
from core.domain.dates import parse_date
from core.domain.message import Address, Header

MAX_BLOCK: Final = 262_144
MAX_VALUE: Final = 4_096
MAX_FIELDS: Final = 500
MAX_REFERENCES: Final = 20
_REMEMBERED: Final = 200  # characters of an address list that is kept in memory

# After line ends are made LF, anything but tab, LF and printable ASCII needs a closer look.
_PLAIN: Final = bytes([9, 10, *range(32, 127)])
_FORGED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_ID: Final = re.compile(r"<([^<>]{1,998})>")

_USUAL_NAMES: Final = {
    name: name.lower()
    for name in (
        "Date From To Cc Subject Message-ID Message-Id In-Reply-To References Reply-To Return-Path Content-Type "
        "Received MIME-Version Auto-Submitted Precedence List-Id List-Unsubscribe X-Auto-Response-Suppress "
        "Thread-Index Sender Thread-Topic Content-Transfer-Encoding DKIM-Signature Delivered-To X-Mailer"
    ).split()
}

Fields = dict[str, tuple[str, ...]]


def parse_header(raw: bytes) -> Header:
    """Parses one header block, alone or followed by its body (which is not read). Never raises; time is linear."""
    defects: set[str] = set()
    block = _block(raw, defects)
    text = _block_text(block, defects)
    fields = _split_fields(text, defects)
    if block.translate(None, _PLAIN):
        fields = _without_forgery(text, fields, defects)
    return _LazyHeader.read(fields, _Decoded(fields, defects) if "=?" in text else fields, defects)


class _Decoded(Mapping[str, tuple[str, ...]]):
    """Fields whose encoded words (RFC 2047) are decoded when a field is first asked for."""

    __slots__ = ("_decoded", "_defects", "_fields")

    def __init__(self, fields: Fields, defects: set[str]) -> None:
        self._fields = fields
        self._decoded: Fields = {}
        self._defects = defects

    def __getitem__(self, name: str) -> tuple[str, ...]:
        known = self._decoded.get(name)
        if known is None:
            known = tuple(
                _decode_value(value, self._defects) if "=?" in value else value for value in self._fields[name]
            )
            self._decoded[name] = known
        return known

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._fields else default

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class _LazyHeader(Header):
    """A header whose slots are filled when they are first looked at, but for those that every mail is judged by."""

    __slots__ = ("_raw", "_wrong")
    _raw: Fields
    _wrong: set[str]

    @classmethod
    def read(cls, raw: Fields, decoded: Mapping[str, tuple[str, ...]], wrong: set[str]) -> _LazyHeader:
        header, fill = cls.__new__(cls), object.__setattr__
        fill(header, "_raw", raw)
        fill(header, "_wrong", wrong)
        fill(header, "fields", decoded)
        senders = _addresses(raw, "from", wrong)
        fill(header, "from_", senders[0] if senders else None)
        fill(header, "message_id", _message_id(decoded, wrong))
        fill(header, "in_reply_to", _ids(decoded, "in-reply-to"))
        fill(header, "references", _ids(decoded, "references"))
        return header

    def __getattr__(self, name: str) -> Any:
        """Python asks here for a slot that is still empty."""
        if name not in _LATER:
            raise AttributeError(name)
        value = _LATER[name](self)
        object.__setattr__(self, name, value)
        return value

    def _read_defects(self) -> tuple[str, ...]:
        """Everything has to be read before it is known what is wrong."""
        for name in ("reply_to", "to", "cc", "date"):
            getattr(self, name)
        for name in self.fields:
            self.fields[name]
        return tuple(sorted(self._wrong))


_LATER: Final[dict[str, Callable[[_LazyHeader], object]]] = {
    "reply_to": lambda header: _addresses(header._raw, "reply-to", header._wrong),
    "to": lambda header: _addresses(header._raw, "to", header._wrong),
    "cc": lambda header: _addresses(header._raw, "cc", header._wrong),
    "subject": lambda header: header.first("subject"),
    "date": lambda header: _date(header.fields, header._wrong),
    "defects": _LazyHeader._read_defects,
}


def read_fields(block: bytes) -> Fields:
    """The decoded fields of the header block of a part; what is wrong with it is of no interest. Never raises."""
    defects: set[str] = set()
    block = _block(block, defects)
    text = _block_text(block, defects)
    fields = _split_fields(text, defects)
    return _without_forgery(text, fields, defects) if block.translate(None, _PLAIN) else fields


def header_end(raw: bytes, start: int = 0) -> int:
    """Where the header block that begins at ``start`` ends: the offset of its blank line, or the end of ``raw``."""
    if raw.startswith((b"\n", b"\r\n"), start):
        return start
    blank = _BLANK_LINE.search(raw, start)
    return blank.start() + 1 if blank else len(raw)


def _block(raw: bytes, defects: set[str]) -> bytes:
    """The header block alone, with LF line ends."""
    block = raw[:MAX_BLOCK].lstrip(b"\r\n")
    end = header_end(block)
    if end == len(block) and len(raw) > MAX_BLOCK:
        defects.add("header_size")
    return block[:end].replace(b"\r\n", b"\n")


def _block_text(block: bytes, defects: set[str]) -> str:
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        defects.add("8bit")
        return "\n".join(decode_text(line, "")[0] for line in block.split(b"\n"))


def _split_fields(text: str, defects: set[str]) -> Fields:
    if "\n " in text or "\n\t" in text:
        text = text.replace("\n ", " ").replace("\n\t", " ")
    fields: Fields = {}
    lines = text.split("\n", MAX_FIELDS)
    if len(lines) > MAX_FIELDS:
        del lines[MAX_FIELDS:]
        defects.add("fields")
    for line in lines:
        name, colon, value = line.partition(":")
        name = _USUAL_NAMES.get(name) or name.rstrip().lower()
        if not colon or not name or " " in name or len(name) > 100:
            if line and not line.startswith(("From ", ">From ")):
                defects.add("line")
            continue
        value = value.strip()
        if len(value) > MAX_VALUE:
            value = value[-MAX_VALUE:] if name == "references" else value[:MAX_VALUE]
            defects.add("value_size")
        fields[name] = (*fields[name], value) if name in fields else (value,)
    return fields


def _without_forgery(text: str, fields: Fields, defects: set[str]) -> Fields:
    if _FORGED.search(text):
        defects.add("control_characters")
    return {one_line(name): tuple(one_line(value) for value in values) for name, values in fields.items()}


def _decode_value(value: str, defects: set[str]) -> str:
    text, sound = decode_words(value)
    if not sound:
        defects.add("charset")
    if text.isprintable():
        return text.strip()[:MAX_VALUE]
    if _FORGED.search(text) or "\n" in text:
        defects.add("control_characters")
    return one_line(text)[:MAX_VALUE]


def _addresses(fields: Fields, name: str, defects: set[str]) -> tuple[Address, ...]:
    values = fields.get(name)
    if not values:
        if name == "from":
            defects.add("no_from")
        return ()
    if len(values) > 1:
        defects.add(f"many_{name}")
    value = values[0]
    found = _known_list(value) if len(value) <= _REMEMBERED else parse_address_list(value)
    if not found and name == "from":
        defects.add("bad_from")
    return found


@lru_cache(maxsize=2_048)
def _known_list(value: str) -> tuple[Address, ...]:
    """A mailbox holds many mails of the same people."""
    return parse_address_list(value)


def _message_id(fields: Mapping[str, tuple[str, ...]], defects: set[str]) -> str | None:
    found = _ids(fields, "message-id")
    if not found:
        defects.add("no_message_id")
        return None
    return found[0]


def _ids(fields: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """Message ids of a field without brackets, in order; bare words with an @ where nobody wrote brackets."""
    values = fields.get(name)
    if not values:
        return ()
    value = values[0] if len(values) == 1 else " ".join(values)
    found = _ID.findall(value)
    if not found:
        found = [word.strip("<>,;")[:998] for word in value.split() if "@" in word]
    if " " in value:
        found = ["".join(one.split()) for one in found]
    return tuple(found[-MAX_REFERENCES:])


def _date(fields: Mapping[str, tuple[str, ...]], defects: set[str]) -> datetime | None:
    values = fields.get("date")
    if not values:
        defects.add("no_date")
        return None
    moment = parse_date(values[0])
    if moment is None:
        defects.add("bad_date")
    return moment
