"""Values that describe a mail: as fetched, as parsed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of RFC 5322: ``address`` as written (domain in lower case), ``name`` decoded, may be empty."""

    address: str
    name: str = ""


class InboundKind(StrEnum):
    """The kinds of incoming mail. ``REPLY`` means: a person wrote it; whether it answers us is matching's question."""

    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    CHALLENGE = "challenge"
    LIST = "list"
    OWN = "own"
    DELIVERED = "delivered"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FetchedMessage:
    """What one pass reads of a message before anybody decided whether it matters.

    ``header`` holds the raw header fields asked for, ``structure`` the raw BODYSTRUCTURE (None where the server's
    could not be used), ``thread_id`` and ``provider_id`` the provider's own ids (X-GM-THRID, X-GM-MSGID; RFC 8474).
    """

    uid: int
    internal_date: datetime | None
    size: int
    flags: frozenset[str]
    header: bytes
    structure: bytes | None = None
    thread_id: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header block. ``fields`` keeps every decoded field by lower-case name, in order of appearance.

    Ids are without angle brackets. ``date`` is aware, or None where absent or absurd. ``defects`` are short codes of
    what was wrong; a defect never stops parsing (requirement: a mail that cannot be parsed is stored with its defects).
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    from_: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defects: tuple[str, ...] = ()

    def first(self, name: str) -> str:
        """The first value of a field by lower-case name, or the empty string."""
        values = self.fields.get(name, ())
        return values[0] if values else ""

    @property
    def recipients(self) -> tuple[Address, ...]:
        return self.to + self.cc
