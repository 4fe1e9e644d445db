"""Late is not broken: how far behind a mailbox is, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.account import MailboxStatus, SyncFault
from core.domain.folder_sync import FolderState
from core.domain.lag import LagKind, lag_of
from tests.stores import NOW, make_mailbox

MINUTE = timedelta(minutes=1)


def folder(name: str = "INBOX", role: str = "inbox", at: datetime | None = NOW, **changes: Any) -> FolderState:
    return FolderState(f"f-{name}", "mb1", name, role, read_through_at=at, **changes)


def fault(cause: str, raw: str = "") -> SyncFault:
    return SyncFault(cause, raw, "fix", NOW)


def test_a_mailbox_just_read_is_up_to_date() -> None:
    """Every folder within the last minutes."""
    lag = lag_of(make_mailbox(), [folder(at=NOW - MINUTE), folder("Sent", "sent")], NOW)
    assert (lag.seconds, lag.kind, lag.reason) == (60.0, LagKind.PROMPT, "up to date")


def test_the_oldest_folder_counts() -> None:
    """A fresh Sent does not hide an inbox that was not read for an hour; folders nobody watches do not count."""
    folders = [folder(at=NOW - 60 * MINUTE), folder("Sent", "sent"), folder("Old", "unwatched", None)]
    lag = lag_of(make_mailbox(), folders, NOW)
    assert (lag.seconds, lag.kind) == (3_600.0, LagKind.LATE)
    assert "many new mails" in lag.reason


def test_a_provider_that_is_asked_seldom_is_not_late_between_two_looks() -> None:
    """Gmail wants ten minutes between looks (R70); another server is late by then."""
    folders = [folder(at=NOW - 11 * MINUTE)]
    assert lag_of(make_mailbox(provider="google"), folders, NOW).kind is LagKind.PROMPT
    assert lag_of(make_mailbox(provider="fastmail"), folders, NOW).kind is LagKind.LATE


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"status": MailboxStatus.PAUSED}, LagKind.OFF, "paused"),
        ({"status": MailboxStatus.PENDING}, LagKind.OFF, "free seat"),
        ({"status": MailboxStatus.DISCONNECTED}, LagKind.OFF, "disconnected"),
        ({"status": MailboxStatus.CONNECTING}, LagKind.LATE, "waiting to connect"),
        ({"status": MailboxStatus.HISTORICAL}, LagKind.LATE, "old mail"),
        ({"status": MailboxStatus.CONNECTION_ISSUE}, LagKind.BROKEN, "two days"),
        ({"streak": 2}, LagKind.LATE, "2 times in a row"),
        ({"status": MailboxStatus.ERROR, "fault": fault("credentials_rejected")}, LagKind.BROKEN, ""),
        ({"status": MailboxStatus.ERROR, "fault": fault("unknown")}, LagKind.BROKEN, "something new"),
        ({"status": MailboxStatus.ERROR, "fault": fault("connect_timeout")}, LagKind.LATE, "tried again by itself"),
        (
            {"status": MailboxStatus.ERROR, "fault": fault("rate_limited", "Backoff Time: 297000 milliseconds")},
            LagKind.LATE,
            "it asked to wait 297 s",
        ),
    ],
)  # fmt: skip
def test_each_state_has_its_reason(changes: dict[str, Any], kind: LagKind, words: str) -> None:
    """Told in words; only what somebody must mend is called broken."""
    lag = lag_of(make_mailbox(**changes), [folder()], NOW)
    assert lag.kind is kind
    assert words in lag.reason


def test_history_says_how_much_is_left() -> None:
    """Over all folders."""
    folders = [folder(history_below=900, history_left=1_200), folder("Sent", "sent", history_below=50, history_left=34)]
    lag = lag_of(make_mailbox(status=MailboxStatus.HISTORICAL), folders, NOW)
    assert "1,234 left" in lag.reason


def test_a_parked_folder_is_named() -> None:
    """The rest goes on; its age is not the mailbox's."""
    folders = [folder(), folder("Broken", "junk", NOW - timedelta(days=3), parked_until=NOW + MINUTE)]
    lag = lag_of(make_mailbox(), folders, NOW)
    assert (lag.seconds, "Broken" in lag.reason) == (0.0, True)


def test_what_was_never_read_has_no_age() -> None:
    """No number is better than a wrong one."""
    assert lag_of(make_mailbox(status=MailboxStatus.CONNECTING), [folder(at=None)], NOW).seconds is None
    assert lag_of(make_mailbox(status=MailboxStatus.CONNECTING), [], NOW).seconds is None
