"""Check mails: mailboxes write to each other on schedule, and a missing echo is the only sign of a silent break (R4,
X6). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.account import Mailbox, MailboxStatus

_WORKING = frozenset({MailboxStatus.ACTIVE, MailboxStatus.HISTORICAL})
_READ = _WORKING | {MailboxStatus.CONNECTING}


SILENT_BREAK = "silent_break"
"""The cause told where an echo is missing."""


class Overdue(StrEnum):
    """What to do about a check mail without echo."""

    WAIT = "wait"  # the mailbox is in trouble already, or has looked: an echo may still be on its way
    LOOK = "look"  # ask the mailbox to look through everything once more
    TELL = "tell"  # it looked, and still nothing
    DROP = "drop"  # the mailbox is known not to be read: a missing echo proves nothing


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


def judge_overdue(sent_at: datetime, receiver: Mailbox | None, now: datetime, patience: timedelta) -> Overdue:
    """After one patience the mailbox is asked to look through all its folders; after another one, if it has looked,
    people are told. One that is not read just now (this process has only begun, its server is away) is not silent."""
    if receiver is None or not (receiver.status in _READ or is_silent(receiver)):
        return Overdue.DROP
    if receiver.streak:
        return Overdue.WAIT
    if receiver.refreshed_at is None or receiver.refreshed_at < sent_at + patience:
        return Overdue.LOOK
    return Overdue.TELL if now - sent_at >= 2 * patience else Overdue.WAIT
