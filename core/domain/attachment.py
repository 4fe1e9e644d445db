"""Files that go with a mail: encoded once for all who get them (RFC 2045, 2183, 2231). Pure."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from core.errors import InputError

LONGEST_NAME: Final = 200
_BYTES_A_LINE: Final = 57  # 76 characters of base64 (RFC 2045 6.8)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 ._()+-]{1,60}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_OPAQUE: Final = "application/octet-stream"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_TYPES: Final = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "gif": "image/gif",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "md": "text/markdown",
    "mp4": "video/mp4",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "rtf": "application/rtf",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a part of a mail. ``part`` is what stands between the boundaries, in CRLF lines."""

    name: str
    content_type: str
    part: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, content: bytes, content_type: str = "") -> Attachment:
        """Encodes ``content``. The type is that of the name's ending where ``content_type`` names none that a file can
        have. Raises InputError for a name that cannot be written."""
        if not name.strip() or len(name) > LONGEST_NAME or _CONTROLS.search(name):
            raise InputError("is not a name that a file can have in a mail", field="attachment", fix="Rename the file.")
        name = re.sub(r"[/\\]", "_", name.strip())
        kind = _kind(name, content_type)
        head = (
            f"Content-Type: {kind}\r\nContent-Disposition: attachment;\r\n {_file_name(name)}\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n"
        )
        return cls(name, kind, head.encode("ascii") + _base64_lines(content))


def content_type_of(name: str) -> str:
    """By the name's ending; what is not known is opaque."""
    return _TYPES.get(name.rpartition(".")[2].lower(), _OPAQUE)


def _kind(name: str, wanted: str) -> str:
    """A type without parameters. A file is opaque: message/* and multipart/* would make its text part of the mail's
    structure, and base64 is not allowed there (RFC 2046 5.1, 5.2.1)."""
    wanted = wanted.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(wanted):
        return content_type_of(name)
    return _OPAQUE if wanted.startswith(("message/", "multipart/")) else wanted


def _file_name(name: str) -> str:
    """The parameter of Content-Disposition, in pieces where it is long (RFC 2231 3, 4)."""
    if _PLAIN_NAME.fullmatch(name):
        return f'filename="{name}"'
    pieces = [""]
    for char in name:
        encoded = quote(char, safe="", errors="replace")
        if len(pieces[-1]) + len(encoded) > 60:
            pieces.append("")
        pieces[-1] += encoded
    pieces[0] = f"utf-8''{pieces[0]}"
    if len(pieces) == 1:
        return f"filename*={pieces[0]}"
    return ";\r\n ".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))


def _base64_lines(content: bytes) -> bytes:
    lines = (binascii.b2a_base64(content[at : at + _BYTES_A_LINE], newline=False)
             for at in range(0, len(content), _BYTES_A_LINE))  # fmt: skip
    return b"\r\n".join([*lines, b""])
