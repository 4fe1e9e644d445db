"""Reading one stored mail: headers decoded for people, and the text a person would see."""

import email
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from functools import cached_property

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BLOCKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h[1-6])>")
_UNSEEN = re.compile(r"(?is)<(script|style|head)\b.*?</\1>|<[^>]*>")


@dataclass(frozen=True)
class ReadableMail:
    """The bytes of a mail with lazily decoded views. Hostile bytes are read as far as they go."""

    raw: bytes

    @cached_property
    def parsed(self) -> Message:
        return email.message_from_bytes(self.raw)

    def header(self, name: str) -> str:
        """A header decoded and on one line, or an empty text."""
        return decoded_header(self.parsed.get(name, ""))

    @cached_property
    def message_id(self) -> str:
        return next(iter(message_ids(self.header("Message-ID"))), self.header("Message-ID"))

    @cached_property
    def subject(self) -> str:
        return self.header("Subject")

    @cached_property
    def sender(self) -> str:
        """The bare address of From."""
        return first_address(self.header("From"))

    @cached_property
    def reply_address(self) -> str:
        """Where a person's answer goes: Reply-To, else From."""
        return first_address(self.header("Reply-To")) or self.sender

    @property
    def in_reply_to(self) -> str:
        return self.header("In-Reply-To")

    @property
    def references(self) -> list[str]:
        return message_ids(self.header("References"))

    @cached_property
    def date(self) -> datetime | None:
        try:
            found = parsedate_to_datetime(self.header("Date"))
        except (ValueError, TypeError, IndexError):
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)

    @cached_property
    def text(self) -> str:
        """The first plain part, else the first HTML part without its tags, else nothing."""
        for kind in ("text/plain", "text/html"):
            for part in self.parsed.walk():
                if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                    body = _part_text(part)
                    return body if kind == "text/plain" else plain_from_html(body)
        return ""


def decoded_header(value: object) -> str:
    raw = " ".join(str(value).split())
    try:
        return str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        return raw


def message_ids(value: str) -> list[str]:
    return _MESSAGE_ID.findall(value)


def first_address(value: str) -> str:
    return next((address for _, address in getaddresses([value]) if "@" in address), "")


def plain_from_html(markup: str) -> str:
    text = html.unescape(_UNSEEN.sub("", _BLOCKS.sub("\n", markup)))
    return "\n".join(_without_blank_runs(line.strip() for line in text.splitlines())).strip()


def _without_blank_runs(lines: Iterable[str]) -> Iterable[str]:
    previous = ""
    for line in lines:
        if line or previous:
            yield line
        previous = line


def _part_text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        text = data.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):  # names that are no charset, and codecs that are not for text
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").rstrip("\n")
