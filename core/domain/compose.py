"""Writes one mail as bytes (RFC 5322, 2045, 2047), and proves that nothing was smuggled into its headers. Pure.

The standard library's message classes cost forty times as much, and on Python 3.11.7 its newer ones turn an encoded
newline in a name into a header of its own (CVE-2024-6923). So header values are encoded here, control characters are
refused, and what was written is read back before it may leave.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from core.domain.attachment import Attachment
from core.errors import InputError

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_ATEXT_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# Categories Cc, Zl and Zp of Unicode, all of them.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# A header with its folded lines, none of them blank, in nothing but printable ASCII (RFC 5322 2.2).
_HEADER = re.compile(rb"([!-9;-~]+): [ -~]*\r\n(?: +[!-~][ -~]*\r\n)*")
_NOT_IN_BOUNDARIES = re.compile(r"[^A-Za-z0-9.+-]")
_MAX_REFERENCES = 20
_LINE = 70  # characters of a value before it is folded; with the name it stays about the 78 of RFC 5322 2.1.1
_LONGEST_QUOTED = 200  # a quoted name cannot be folded; a line holds 998 characters (RFC 5322 2.1.1)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says. ``sender`` is what stands in From, an alias too; ``reply_to`` an address. Ids are without angle
    brackets; ``references`` oldest first; ``extra`` are headers of ours; ``attachments`` are made once for many."""

    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    references: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=())
    reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


def compose(letter: Letter) -> bytes:
    """The mail with CRLF line ends. Raises InputError naming the field that cannot be written safely."""
    # Neither boundary begins with the other, and neither can stand in quoted-printable or base64.
    mark = _NOT_IN_BOUNDARIES.sub("", letter.message_id.split("@")[0])[:40]
    inner, outer = f"=_{mark}", f"=-{mark}"
    alternative = f'multipart/alternative; boundary="{inner}"'
    mixed = f'multipart/mixed; boundary="{outer}"'
    headers = _headers(letter, mixed if letter.attachments else alternative)
    head = "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("ascii")
    _prove(head, [name for name, _ in headers])
    texts = (
        _part(inner, "plain", letter.text),
        _part(inner, "html", letter.html),
        f"--{inner}--\r\n".encode("ascii"),
    )
    if not letter.attachments:
        return b"".join((head, b"\r\n", *texts))
    begin = f"--{outer}\r\n".encode("ascii")
    inner_head = f"Content-Type: {alternative}\r\n\r\n".encode("ascii")
    files = (part for attachment in letter.attachments for part in (begin, attachment.part))
    return b"".join((head, b"\r\n", begin, inner_head, *texts, *files, f"--{outer}--\r\n".encode("ascii")))


def _headers(letter: Letter, content_type: str) -> list[tuple[str, str]]:
    headers = [
        ("From", _mailbox(letter.sender_name, letter.sender, "From")),
        ("To", _mailbox(letter.recipient_name, letter.recipient, "To")),
    ]
    if letter.reply_to:
        headers.append(("Reply-To", _mailbox("", letter.reply_to, "Reply-To")))
    headers += [
        ("Subject", _text(letter.subject, "Subject")),
        ("Date", format_datetime(letter.date)),
        ("Message-ID", f"<{_id(letter.message_id)}>"),
    ]
    if letter.references:
        kept = letter.references[:1] + letter.references[1:][-(_MAX_REFERENCES - 1) :]
        headers.append(("In-Reply-To", f"<{_id(letter.references[-1])}>"))
        headers.append(("References", "\r\n ".join(f"<{_id(ref)}>" for ref in kept)))
    headers.append(("MIME-Version", "1.0"))
    headers.append(("Content-Type", content_type))
    headers.extend((name, _text(value, name)) for name, value in letter.extra)
    return headers


def _part(boundary: str, subtype: str, text: str) -> bytes:
    normal = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    body = binascii.b2a_qp(normal.encode("utf-8", "replace"), istext=True).replace(b"\n", b"\r\n")
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode("ascii") + body


def clean(value: str, where: str) -> str:
    """A header value without surprises. Raises InputError on control characters (also line separators)."""
    if _CONTROLS.search(value):
        raise InputError(
            "contains a line break or control character", field=where, fix="Remove it from the template or the profile."
        )
    return value.strip()


def _text(value: str, where: str) -> str:
    value = clean(value, where)
    if value.isascii() and len(value) < 900 and "=?" not in value:
        return _fold(value)
    return _encoded_words(value)


def _fold(value: str) -> str:
    if len(value) <= _LINE:
        return value
    lines, line = [], ""
    for word in value.split(" "):
        if line and len(line) + len(word) > _LINE:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _encoded_words(value: str) -> str:
    chunks, chunk = [], b""
    for char in value:
        encoded = char.encode("utf-8", "replace")
        if len(chunk) + len(encoded) > 42:  # an encoded word is at most 75 characters and ends with one (RFC 2047)
            chunks.append(chunk)
            chunk = b""
        chunk += encoded
    chunks.append(chunk)
    words = (base64.b64encode(part).decode("ascii") for part in chunks if part)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def _mailbox(name: str, address: str, where: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise InputError(f"{address[:80]!r} is not an address that can be written", field=where)
    name = clean(name, where)
    if not name:
        return address
    if name.isascii() and "=?" not in name and len(name) <= _LONGEST_QUOTED:
        quoted = name if _ATEXT_PHRASE.fullmatch(name) else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
        return f"{quoted}\r\n <{address}>"
    return f"{_encoded_words(name)}\r\n <{address}>"


def _id(message_id: str) -> str:
    if not re.fullmatch(r"[\x21-\x3b\x3d\x3f-\x7e]{1,900}", message_id):
        raise InputError("is not a Message-ID that can be written", field="Message-ID")
    return message_id


def _prove(head: bytes, names: list[str]) -> None:
    """Reads back what was written: these headers, whole, and nothing between them."""
    written = [name.decode("ascii") for name in _HEADER.findall(head)]
    if written != names or _HEADER.sub(b"", head):
        raise InputError(
            "would add a header of its own", field="header", fix="Remove unusual characters from the fields."
        )
