"""Check mails: mailboxes write to each other on schedule, and a missing echo is the only sign of a silent break (R4,
X6). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.account import Mailbox, MailboxStatus

_WORKING = frozenset({MailboxStatus.ACTIVE, MailboxStatus.HISTORICAL})


SILENT_BREAK = "silent_break"
"""The cause told where an echo is missing."""


class Overdue(StrEnum):
    """What to do about a check mail without echo."""

    LOOK = "look"  # ask the mailbox to look through everything once more
    TELL = "tell"  # it looked, and still nothing


def is_silent(mailbox: Mailbox) -> bool:
    """Broken only in that check mails do not arrive: it goes on being tried, so that an echo can mend it."""
    return mailbox.fault is not None and mailbox.fault.cause == SILENT_BREAK


def pairs(mailboxes: Sequence[Mailbox]) -> list[tuple[Mailbox, Mailbox]]:
    """Who writes to whom: a ring over the mailboxes that work both ways, so that each is tried in both directions.

    With a single one there is nobody to write to.
    """
    working = [one for one in mailboxes if one.send and one.capture and (one.status in _WORKING or is_silent(one))]
    if len(working) < 2:
        return []
    return list(zip(working, working[1:] + working[:1], strict=True))


def is_due(last_sent_at: datetime | None, now: datetime, every: timedelta) -> bool:
    return last_sent_at is None or now - last_sent_at >= every


def judge_overdue(sent_at: datetime, now: datetime, patience: timedelta) -> Overdue:
    """After one patience the mailbox is asked to look; after another one people are told."""
    return Overdue.TELL if now - sent_at >= 2 * patience else Overdue.LOOK
