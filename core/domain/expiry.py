"""When a sign-in may end by the provider's rule, and since when a person is told (R28, R30). Pure.

Microsoft's refresh tokens live for 90 days without use, and regular use keeps them alive: the day named here is the
latest at which a person should have signed in again, not one at which everything stops.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox, MailboxStatus

_RULED: Final = frozenset({"microsoft"})


def ends_at(mailbox: Mailbox, days: int) -> datetime | None:
    """None where no rule ends this sign-in, or none has been made."""
    if mailbox.sign_in not in _RULED or mailbox.signed_in_at is None:
        return None
    if mailbox.status is MailboxStatus.DISCONNECTED:
        return None
    return mailbox.signed_in_at + timedelta(days=days)


def days_left(end: datetime, now: datetime) -> int:
    """Whole days still to go, a begun one counted; 0 when the time is over."""
    return max(0, -((now - end) // timedelta(days=1)))


def is_near(end: datetime, now: datetime, warned_ahead: int) -> bool:
    return end - now <= timedelta(days=warned_ahead)
