"""Who files the copies of sent mail, as the services need it. Implemented in storage/."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class FilingHabit(StrEnum):
    """Who puts copies into the Sent folder of a mailbox: not known yet, its host by itself, or we."""

    UNKNOWN = "unknown"
    HOST = "host"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Filing:
    """How far a mailbox's sent mail was looked at: through the mail ``through_id`` of ``through_at``. Before
    ``not_before`` nobody else looks: one process at a time."""

    mailbox_id: str
    habit: FilingHabit
    through_at: datetime
    through_id: str
    not_before: datetime


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that the server took, as it went on the wire."""

    delivery_id: str
    message_id: str
    sent_at: datetime
    raw: bytes


class FilingStore(Protocol):
    async def of(self, mailbox_ids: Collection[str]) -> Mapping[str, Filing]:
        """Those that are known, by mailbox id."""
        ...

    async def newest(
        self, mailbox_ids: Collection[str], *, after: datetime, before: datetime
    ) -> Mapping[str, datetime]:
        """When each of these mailboxes last sent a mail in this span that its server acknowledged; others are left
        out."""
        ...

    async def take(self, filing: Filing, *, now: datetime, until: datetime) -> Filing | None:
        """Nobody else's until then, as it stands now; ``filing`` is how it begins. None: somebody has it."""
        ...

    async def save(self, filing: Filing) -> None: ...

    async def mails(self, filing: Filing, *, before: datetime, limit: int) -> list[SentMail]:
        """Acknowledged mails behind its mark, the oldest first."""
        ...
