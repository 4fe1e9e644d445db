"""The gates before a send, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.address_verdict import AddressVerdict, Verdict
from core.domain.campaign import Delay, Stage
from core.domain.folder_sync import FolderState
from core.domain.people import Person
from core.domain.preflight import Facts, HoldBack, Postpone, Refuse, Send, check, is_fresh
from tests.stores import NOW, make_address, make_campaign, make_enrollment, make_mailbox

FRESH = timedelta(minutes=5)
STARTED = NOW - timedelta(hours=1)


def folder(role: str, minutes_ago: float | None = 0) -> FolderState:
    read = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return FolderState(role, "mb1", role, role, read_through_at=read)


INBOX, JUNK, SENT = folder("inbox"), folder("junk"), folder("sent")


def facts(**changes: Any) -> Facts:
    campaign = make_campaign()
    person = Person("p1", "T1", "Maya", "Lind", "", "", NOW, (make_address("maya@candidates.example"),))
    given = Facts(
        campaign=campaign,
        stage=campaign.stages[1],
        enrollment=make_enrollment(),
        person=person,
        mailbox=make_mailbox(),
        folders=(INBOX, JUNK, SENT),
        opens_thread=False,
        read_since=STARTED,
        freshness=FRESH,
    )
    return replace(given, **changes)


def red(cause: str) -> Mailbox:
    return make_mailbox(status=MailboxStatus.ERROR, fault=SyncFault(cause, "", "", NOW))


def judged(verdict: Verdict) -> AddressVerdict:
    return AddressVerdict(verdict, "code", "it looks mistyped", "Write it otherwise.")


ISSUE = MailboxStatus.CONNECTION_ISSUE
GATES: list[tuple[str, dict[str, Any], str]] = [
    ("all is well", {}, "send"),
    ("no mailbox", {"mailbox": None}, "refuse no_account_selected"),
    ("sending switched off", {"mailbox": make_mailbox(send=False)}, "refuse email_not_synced"),
    ("capture switched off", {"mailbox": make_mailbox(capture=False)}, "refuse email_not_synced"),
    ("disconnected", {"mailbox": make_mailbox(status=MailboxStatus.DISCONNECTED)}, "refuse email_not_synced"),
    ("paused", {"mailbox": make_mailbox(status=MailboxStatus.PAUSED)}, "hold mailbox_paused"),
    ("connecting", {"mailbox": make_mailbox(status=MailboxStatus.CONNECTING)}, "hold host_away"),
    ("without a seat", {"mailbox": make_mailbox(status=MailboxStatus.PENDING)}, "hold mailbox_pending"),
    ("first sync under way", {"mailbox": make_mailbox(status=MailboxStatus.HISTORICAL)}, "send"),
    ("partial, follow-up", {"mailbox": make_mailbox(status=MailboxStatus.PARTIAL)}, "hold sync_partial"),
    ("partial, first", {"mailbox": make_mailbox(status=MailboxStatus.PARTIAL), "opens_thread": True}, "send"),
    ("red, a person must act", {"mailbox": red("credentials_rejected")}, "refuse email_not_synced"),
    ("red, unknown cause", {"mailbox": red("never heard of")}, "refuse email_not_synced"),
    ("red, no cause", {"mailbox": make_mailbox(status=ISSUE)}, "refuse email_not_synced"),
    ("red, host away", {"mailbox": red("connection_refused")}, "hold host_away"),
    ("no address", {"person": Person("p1", "T1", "Maya", "Lind", "", "", NOW)}, "refuse null_email"),
    ("only types not allowed", {"campaign": make_campaign(email_priority=("work",))}, "refuse null_email"),
    ("a call", {"stage": Stage(2, "call", Delay(), note="Ask")}, "hold manual_stage"),
    ("inbox stale", {"folders": (folder("inbox", 6), JUNK)}, "hold sync_behind"),
    ("junk stale", {"folders": (INBOX, folder("junk", 6))}, "hold sync_behind"),
    ("junk never read", {"folders": (INBOX, folder("junk", None))}, "hold sync_behind"),
    ("sent stale", {"folders": (INBOX, folder("sent", 600))}, "send"),
    ("a folder nobody watches any more", {"folders": (INBOX, folder("unwatched", 600))}, "send"),
    ("all mail stale", {"folders": (INBOX, folder("all", 6))}, "hold sync_behind"),
    ("no folder known", {"folders": ()}, "hold sync_behind"),
    ("only Sent known", {"folders": (SENT,)}, "hold sync_behind"),
    ("just within the limit", {"folders": (folder("inbox", 5),)}, "send"),
    ("read before this process began", {"read_since": NOW + timedelta(seconds=1)}, "hold sync_behind"),
    ("on the do-not-contact list", {"suppressed": True}, "refuse suppressed"),
    ("on the list, a person insists", {"suppressed": True, "bypass": True}, "refuse suppressed"),
    ("invalid", {"verdict": judged(Verdict.INVALID)}, "refuse invalid_recipient"),
    ("invalid, a person insists", {"verdict": judged(Verdict.INVALID), "bypass": True}, "send"),
    ("risky", {"verdict": judged(Verdict.RISKY)}, "hold risky_address"),
    ("risky, a person insists", {"verdict": judged(Verdict.RISKY), "bypass": True}, "send"),
    ("not looked up yet", {"unchecked": True}, "hold address_check"),
    ("risky though not looked up yet", {"unchecked": True, "verdict": judged(Verdict.RISKY)}, "hold risky_address"),
    ("not looked up, a person insists", {"unchecked": True, "bypass": True}, "send"),
    ("DNS was in trouble", {"verdict": judged(Verdict.UNKNOWN)}, "send"),
    ("valid", {"verdict": judged(Verdict.VALID)}, "send"),
    ("no mailbox first", {"mailbox": None, "verdict": judged(Verdict.INVALID)}, "refuse no_account_selected"),
    ("risky before stale", {"folders": (), "verdict": judged(Verdict.RISKY)}, "hold risky_address"),
    ("stale, but a first mail", {"folders": (folder("inbox", 600),), "opens_thread": True}, "send"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "verdict"), [(c, v) for _, c, v in GATES], ids=[name for name, _, _ in GATES])
def test_a_gate(changes: dict[str, Any], verdict: str) -> None:
    """What holds, what refuses, what lets through; each with its code."""
    found = check(facts(**changes), NOW)
    said = {Send: "send", HoldBack: "hold", Refuse: "refuse", Postpone: "postpone"}[type(found)]
    code = found.reason.code if isinstance(found, (HoldBack, Refuse)) else ""
    assert f"{said} {code}".strip() == verdict
    if isinstance(found, (HoldBack, Refuse)):
        assert found.reason.text
        assert found.reason.fix


def test_outside_the_window_it_is_due_later() -> None:
    """Not held and not failed: the next opening is its time."""
    definition = {"window": {"days": ["mon"], "start": "09:00", "end": "17:00"}}
    found = check(facts(campaign=make_campaign(definition=definition)), NOW)  # a Tuesday
    assert isinstance(found, Postpone)
    assert found.until == NOW + timedelta(days=6)


def test_the_address_is_the_first_allowed_type_with_its_domain_in_ascii() -> None:
    """R118, R119; RFC 5890: what goes on the wire is ASCII."""
    addresses = (make_address("maya@work.example", "work"), make_address("Maya@Bücher.Example", "personal"))
    person = Person("p1", "T1", "Maya", "Lind", "", "", NOW, addresses)
    assert check(facts(person=person), NOW) == Send("Maya@xn--bcher-kva.example")
    campaign = make_campaign(email_priority=("work", "personal"))
    assert check(facts(person=person, campaign=campaign), NOW) == Send("maya@work.example")


def test_freshness_counts_from_the_later_of_limit_and_start() -> None:
    """Readings of an earlier process prove nothing about this one."""
    assert is_fresh((folder("inbox", 4),), NOW, FRESH, STARTED)
    assert not is_fresh((folder("inbox", 4),), NOW, FRESH, NOW - timedelta(minutes=3))
