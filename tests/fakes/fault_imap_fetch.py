"""Renders the fault server's FETCH answers and judges its SEARCH keys (RFC 3501 6.4.4, 6.4.5, 7.4.2)."""

from __future__ import annotations

import email.message
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.fault_imap_model import HeldMail

_ITEM = re.compile(
    r"BODY(?:\.PEEK)?\[(?P<section>[^\]]*)\](?:<(?P<start>\d+)\.(?P<length>\d+)>)?|(?P<atom>[A-Z0-9.-]+)", re.IGNORECASE
)
_HEADER_FIELD = re.compile(rb"^([!-9;-~]+):[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)
_UNREADABLE = b'(("text" "plain" ("charset'
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\(|\)|[^\s()"]+')


@dataclass(frozen=True)
class FetchQuirks:
    """How a provider's FETCH differs: a BODYSTRUCTURE nobody can read, RFC822 without a body, header fields that are
    left out, lengths of literals that are off, an answer said twice."""

    broken_structure: bool = False
    empty_rfc822: bool = False
    missing_fields: frozenset[str] = frozenset()
    literal_off: int = 0
    twice: bool = False
    labels: bool = False


class FetchAnswer:
    """One FETCH response as pieces: text and literals by turns, the first piece is text."""

    def __init__(self, sequence: int, quirks: FetchQuirks) -> None:
        self.pieces: list[bytes] = [f"* {sequence} FETCH (".encode()]
        self.quirks = quirks

    def text(self, text: str | bytes) -> None:
        added = text.encode() if isinstance(text, str) else text
        glue = b"" if self.pieces[-1].endswith(b"FETCH (") else b" "
        if len(self.pieces) % 2:
            self.pieces[-1] += glue + added
        else:
            self.pieces.append(b" " + added)

    def literal(self, name: str, data: bytes) -> None:
        self.text(f"{name} {{{max(0, len(data) + self.quirks.literal_off)}}}\r\n")
        self.pieces.append(data)

    def whole(self) -> list[bytes]:
        return [*self.pieces[:-1], self.pieces[-1] + b")\r\n"] if len(self.pieces) % 2 else [*self.pieces, b")\r\n"]


def fetch_answer(mail: HeldMail, sequence: int, items: str, quirks: FetchQuirks, *, modseq: bool) -> list[bytes]:
    """The pieces of one answer; ``items`` are the client's words between the parentheses."""
    answer = FetchAnswer(sequence, quirks)
    if "UID" not in items.upper().split():
        answer.text(f"UID {mail.uid}")
    for item in _ITEM.finditer(items):
        if item["atom"] is None:
            _section(answer, mail, item["section"], item["start"], item["length"])
        else:
            _atom(answer, mail, item["atom"].upper(), quirks)
    if modseq:
        answer.text(f"MODSEQ ({mail.modseq})")
    return answer.whole()


def _atom(answer: FetchAnswer, mail: HeldMail, name: str, quirks: FetchQuirks) -> None:
    match name:
        case "UID":
            answer.text(f"UID {mail.uid}")
        case "FLAGS":
            answer.text(f"FLAGS ({' '.join(sorted(mail.flags))})")
        case "INTERNALDATE":
            answer.text(f'INTERNALDATE "{mail.at:%d-%b-%Y %H:%M:%S} +0000"')
        case "RFC822.SIZE":
            answer.text(f"RFC822.SIZE {len(mail.raw)}")
        case "BODYSTRUCTURE":
            answer.text(
                b"BODYSTRUCTURE " + (b'(("text" "plain" ("charset' if quirks.broken_structure else structure(mail))
            )
        case "RFC822":
            answer.literal("RFC822", b"" if quirks.empty_rfc822 else mail.raw)
        case "X-GM-MSGID":
            answer.text(f"X-GM-MSGID {mail.gmail_id}")
        case "X-GM-THRID":
            answer.text(f"X-GM-THRID {mail.thread_id}")
        case "X-GM-LABELS":
            answer.text(f"X-GM-LABELS ({' '.join(mail.labels)})")


def _section(answer: FetchAnswer, mail: HeldMail, section: str, start: str | None, length: str | None) -> None:
    data, name = memoryview(section_of(mail, section, answer.quirks.missing_fields)), f"BODY[{section}]"
    if start is not None and length is not None:
        data, name = data[int(start) : int(start) + int(length)], f"{name}<{start}>"
    answer.literal(name, bytes(data))


def section_of(mail: HeldMail, section: str, missing: frozenset[str] = frozenset()) -> bytes | memoryview:
    """The bytes of BODY[section]: of the whole, of the header, of some fields, of a numbered part."""
    upper = section.upper()
    if not section:
        return mail.raw
    if upper == "TEXT" or (section == "1" and mail.is_single):
        return memoryview(mail.raw)[mail.body_at :]  # a view: a body of 50 MB is not copied for its first bytes
    if upper == "HEADER":
        return mail.raw[: mail.body_at]
    if upper.startswith("HEADER.FIELDS"):
        return _fields(mail, upper, missing)
    part: email.message.Message | None = mail.parsed
    for number in upper.removesuffix(".MIME").split("."):
        part = _child(part, int(number))
    return b"" if part is None else str(part.get_payload()).encode("ascii", "surrogateescape")


def _fields(mail: HeldMail, section: str, missing: frozenset[str]) -> bytes:
    wanted = set(section[section.find("(") + 1 : section.rfind(")")].replace('"', "").split()) - missing
    if section.startswith("HEADER.FIELDS.NOT"):
        return b""
    header = mail.raw[: mail.body_at]
    found = (field[0] for field in _HEADER_FIELD.finditer(header) if field[1].decode("latin-1").upper() in wanted)
    return b"".join(found) + b"\r\n"


def _child(part: email.message.Message | None, number: int) -> email.message.Message | None:
    if part is None or not part.is_multipart():
        return part if number == 1 else None
    children = part.get_payload()
    if not isinstance(children, list) or not 0 < number <= len(children):
        return None
    child = children[number - 1]
    return child if isinstance(child, email.message.Message) else None


def structure(mail: HeldMail) -> bytes:
    """The BODYSTRUCTURE, without extension data."""
    return mail.structure if mail.structure is not None else _structure(mail.parsed)


def _structure(part: email.message.Message) -> bytes:
    payload = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(payload, list):
        children = b"".join(_structure(child) for child in payload if isinstance(child, email.message.Message))
        return b"(" + children + f' "{part.get_content_subtype()}")'.encode()
    body = str(payload).encode("ascii", "surrogateescape")
    charset = part.get_content_charset()
    parameters = f'("charset" "{charset}")' if charset else "NIL"
    encoding = str(part.get("Content-Transfer-Encoding", "7bit"))
    kind = f'"{part.get_content_maintype()}" "{part.get_content_subtype()}"'
    lines = body.count(b"\n")
    tail = f" {lines}" if part.get_content_maintype() == "text" else ""
    return f'({kind} {parameters} NIL NIL "{encoding}" {len(body)}{tail})'.encode()


def numbers_in(text: str, highest: int) -> list[tuple[int, int]]:
    """A sequence set as (low, high) ranges; ``*`` is the highest number there is (RFC 3501 9, seq-number)."""
    ranges = []
    for piece in text.split(","):
        low, _, high = piece.partition(":")
        ends = sorted(highest if end == "*" else int(end) for end in (low, high or low))
        ranges.append((ends[0], ends[1]))
    return ranges


def within(number: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(low <= number <= high for low, high in ranges)


def search(mails: Sequence[HeldMail], keys: str) -> list[tuple[int, HeldMail]]:
    """(sequence number, mail) of what the keys name: UID, sequence sets, HEADER, OR, NOT, ALL, SINCE is true."""
    words = _QUOTED.findall(keys)
    found = []
    for sequence, mail in enumerate(mails, start=1):
        left = list(words)
        matches = True
        while left:
            matches &= _holds(left, mail, sequence, mails)
        if matches:
            found.append((sequence, mail))
    return found


def _holds(words: list[str], mail: HeldMail, sequence: int, mails: Sequence[HeldMail]) -> bool:
    """Takes one key off the words and judges it."""
    match (key := words.pop(0)).upper():
        case "ALL":
            return True
        case "UID":
            return within(mail.uid, numbers_in(words.pop(0), mails[-1].uid))
        case "OR":
            first, second = (_holds(words, mail, sequence, mails) for _ in range(2))
            return first or second
        case "NOT":
            return not _holds(words, mail, sequence, mails)
        case "HEADER":
            name, value = words.pop(0).strip('"'), words.pop(0).strip('"')
            return value.lower() in str(mail.parsed.get(name, "")).lower() and name in mail.parsed
        case "MODSEQ":
            return mail.modseq >= int(words.pop(0))
        case "SINCE" | "BEFORE" | "ON":
            words.pop(0)
            return True
        case _ if key[0].isdigit() or key == "*":
            return within(sequence, numbers_in(key, len(mails)))
        case _:
            raise ValueError(f"unknown search key {key}")
