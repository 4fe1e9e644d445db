"""How far behind a mailbox is, and why: late is not broken (R19, R20). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from core.domain.account import SYNCED_STATUSES, Mailbox, MailboxStatus
from core.domain.diagnosis import CAUSES, CauseClass
from core.domain.diagnosis.retry_after import retry_after_seconds
from core.domain.folder_sync import FolderState
from core.domain.providers import facts

_PASSING: Final = frozenset({CauseClass.SILENT, CauseClass.WAIT, CauseClass.SLOW_DOWN})
_UNWATCHED: Final = "unwatched"
PROMPT: Final = timedelta(minutes=5)
"""A mailbox read within so long is up to date: even quiet folders are looked into more often."""


class LagKind(StrEnum):
    """What stands behind the time that has passed."""

    PROMPT = "prompt"
    LATE = "late"  # it comes by itself
    BROKEN = "broken"  # somebody must act, or patience is over
    OFF = "off"  # somebody wants it so


@dataclass(frozen=True, slots=True)
class Lag:
    """``seconds`` since every watched folder was known to be read to its end; None where that has never been."""

    seconds: float | None
    kind: LagKind
    reason: str


def lag_of(mailbox: Mailbox, folders: Iterable[FolderState], now: datetime) -> Lag:
    """How old the newest whole picture of a mailbox is, with the reason in words."""
    watched = [one for one in folders if one.role != _UNWATCHED]
    seconds = _seconds(mailbox, watched, now)
    kind, reason = _judged(mailbox, watched, seconds, now)
    return Lag(seconds, kind, reason)


def _seconds(mailbox: Mailbox, watched: list[FolderState], now: datetime) -> float | None:
    read = [one.read_through_at for one in watched if one.parked_until is None or one.parked_until <= now]
    if not read or None in read:
        oldest = mailbox.last_sync_at if not read else None
    else:
        oldest = min(at for at in read if at is not None)
    return None if oldest is None else max(0.0, (now - oldest).total_seconds())


def _judged(mailbox: Mailbox, watched: list[FolderState], seconds: float | None, now: datetime) -> tuple[LagKind, str]:
    if mailbox.status not in SYNCED_STATUSES:
        return LagKind.OFF, _OFF[mailbox.status]
    fault = _faulty(mailbox)
    if fault is not None:
        return fault
    if mailbox.status is MailboxStatus.CONNECTING:
        return LagKind.LATE, "waiting to connect"
    left = sum(one.history_left for one in watched if one.history_below is not None)
    if mailbox.status is MailboxStatus.HISTORICAL or left:
        return LagKind.LATE, f"old mail is still being read, about {left:,} left" if left else "old mail is being read"
    parked = [one.name for one in watched if one.parked_until is not None and one.parked_until > now]
    if parked:
        return LagKind.LATE, f"the server does not open {', '.join(parked[:3])}; tried again later"
    if seconds is None or seconds > _prompt(mailbox.provider):
        return LagKind.LATE, "many new mails are being read, or the provider is slow"
    return LagKind.PROMPT, "up to date"


def _prompt(provider: str) -> float:
    """Some providers want to be asked seldom: what is read at their pace is no late mail."""
    known = facts(provider)
    return max(PROMPT.total_seconds(), 1.5 * max(known.sent_poll_s, known.poll_floor_s))


_OFF: Final = {
    MailboxStatus.PAUSED: "paused",
    MailboxStatus.DISCONNECTED: "disconnected",
    MailboxStatus.PENDING: "waiting for a free seat",
}


def _faulty(mailbox: Mailbox) -> tuple[LagKind, str] | None:
    """Broken, or failing for the moment; None where nothing fails."""
    if mailbox.status is MailboxStatus.CONNECTION_ISSUE:
        return LagKind.BROKEN, "not tried any more after two days of failure; press Resync"
    fault = mailbox.fault
    if fault is None:
        if mailbox.streak == 0:
            return None
        return LagKind.LATE, f"the provider has not answered {mailbox.streak} times in a row; tried again by itself"
    cause = CAUSES.get(fault.cause)
    if cause is not None and cause.klass is CauseClass.SLOW_DOWN:
        return LagKind.LATE, _slow(fault.raw)
    title = cause.title if cause else "the server said something new"
    if cause is not None and cause.klass in _PASSING and cause.passes_by_itself():
        return LagKind.LATE, f"{title}; tried again by itself"
    return LagKind.BROKEN, title


def _slow(raw: str) -> str:
    asked = retry_after_seconds(raw.lower())
    return f"the provider is slow: it asked to wait {asked:,.0f} s" if asked else "the provider asked to slow down"
