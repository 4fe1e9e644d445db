"""May this stage go now? Every gate before a send, on facts read in the claiming transaction. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.account import Mailbox, MailboxStatus
from core.domain.address import domain_of
from core.domain.address_verdict import AddressVerdict
from core.domain.address_verdict import Verdict as Validity
from core.domain.campaign import Campaign, Stage
from core.domain.diagnosis import CAUSES, CauseClass
from core.domain.enrollment import Enrollment, Reason
from core.domain.folder_sync import FolderState
from core.domain.people import Person
from core.domain.reasons import reason
from core.domain.schedule import calendar_of, next_open
from core.domain.watched_folders import FURTHER

REPLY_ROLES = frozenset({"inbox", "junk", "all", FURTHER})
"""Folders in which a reply may arrive."""

# Causes that pass by themselves only delay (ruling on R126).
_DELAYING = frozenset({CauseClass.SILENT, CauseClass.WAIT, CauseClass.SLOW_DOWN})


@dataclass(frozen=True, slots=True)
class Send:
    """Go: to this address."""

    recipient: str


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Not yet: until ``reason.code`` is released."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Postpone:
    """Not now: due again at a time (outside the window)."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Throttle:
    """Not now: a limit is reached until a time. The prospect shows Pending with the reason, and the mail goes by
    itself (R112)."""

    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """This stage fails, with a reason and a fix."""

    reason: Reason


Verdict = Send | HoldBack | Postpone | Throttle | Refuse


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates ask for. ``opens_thread`` is True for a first mail that is tried for the first time.

    ``read_since``: only readings after this moment count (the process's start, a new owner of the mailbox).
    ``suppressed``: the address is on the do-not-contact list. ``verdict``: what validation says of it (None: nobody
    asked); ``unchecked``: its domain has not been looked up yet; ``bypass``: a person wants it tried all the same
    (R143).
    """

    campaign: Campaign
    stage: Stage
    enrollment: Enrollment
    person: Person
    mailbox: Mailbox | None
    folders: tuple[FolderState, ...]
    opens_thread: bool
    read_since: datetime
    freshness: timedelta
    suppressed: bool = False
    verdict: AddressVerdict | None = None
    unchecked: bool = False
    bypass: bool = False


def check(facts: Facts, now: datetime) -> Verdict:
    """Runs the gates in order; the first that speaks decides. What only the database or the letter knows (limits,
    merge fields) comes between ``check_recipient`` and ``check_moment``."""
    found = check_recipient(facts)
    if not isinstance(found, Send):
        return found
    return check_moment(facts, now) or check_reading(facts, now) or found


def check_recipient(facts: Facts) -> Verdict:
    """Whether there is somebody to write from and to: the sender's sync, an address of an allowed type, what
    validation says of it (R116-R118, R126, R127)."""
    if facts.stage.kind != "email":
        return HoldBack(reason("manual_stage", f"{facts.stage.kind.capitalize()}: {facts.stage.note}".rstrip(": ")))
    closed = check_sender(facts.mailbox, opens_thread=facts.opens_thread)
    if closed is not None:
        return closed
    address = address_to(facts.person, facts.campaign)
    if address is None:
        return Refuse(reason("null_email"))
    return _address(facts) or Send(address)


def check_moment(facts: Facts, now: datetime) -> Postpone | None:
    """Whether the send window is open."""
    calendar = calendar_of(
        facts.campaign.definition, prospect_zone=facts.person.timezone, campaign_zone=facts.campaign.timezone
    )
    opening = next_open(now, calendar)
    return Postpone(opening) if opening > now else None


def check_reading(facts: Facts, now: datetime) -> HoldBack | None:
    """The freshness gate: a reply that lies unread in the mailbox must stop what follows."""
    if facts.opens_thread or is_fresh(facts.folders, now, facts.freshness, facts.read_since):
        return None
    return HoldBack(reason("sync_behind"))


def address_to(person: Person, campaign: Campaign) -> str | None:
    """The person's address of the first type that the campaign allows (R118, R119), its domain in ASCII as servers and
    headers take it (RFC 5890)."""
    address = person.address_for(campaign.email_priority)
    return _writable(address.address) if address else None


def _address(facts: Facts) -> Refuse | HoldBack | None:
    if facts.suppressed:  # nobody's wish to send goes before the person's not to be written to
        return Refuse(reason("suppressed"))
    if facts.bypass:
        return None
    verdict = facts.verdict
    if verdict is not None and verdict.verdict is Validity.INVALID:
        return Refuse(_with_words("invalid_recipient", verdict))
    if verdict is not None and verdict.verdict is Validity.RISKY:
        return HoldBack(_with_words("risky_address", verdict))
    if facts.unchecked:
        return HoldBack(reason("address_check"))
    return None  # also where DNS was in trouble: that stops nobody


def _with_words(code: str, verdict: AddressVerdict) -> Reason:
    words = f"{verdict.text[:1].upper()}{verdict.text[1:]}." if verdict.text else ""
    return reason(code, f"{words} {verdict.fix}".strip())


def _writable(address: str) -> str:
    return f"{address.rpartition('@')[0]}@{domain_of(address)}"


def is_fresh(folders: tuple[FolderState, ...], now: datetime, freshness: timedelta, read_since: datetime) -> bool:
    """Whether every folder where a reply may arrive was read to its end recently enough (freshness gate)."""
    since = max(now - freshness, read_since)
    watched = [folder for folder in folders if folder.role in REPLY_ROLES and folder.parked_until is None]
    return bool(watched) and all(folder.read_through_at and folder.read_through_at >= since for folder in watched)


def check_sender(mailbox: Mailbox | None, *, opens_thread: bool) -> HoldBack | Refuse | None:
    """Whether a mailbox may send now: connected, and synced both ways (R126, R127)."""
    if mailbox is None:
        return Refuse(reason("no_account_selected"))
    if not mailbox.send or not mailbox.capture or mailbox.status is MailboxStatus.DISCONNECTED:
        return Refuse(reason("email_not_synced"))
    if mailbox.status is MailboxStatus.PAUSED:
        return HoldBack(reason("mailbox_paused"))
    if mailbox.status is MailboxStatus.PENDING:
        return HoldBack(reason("mailbox_pending"))
    if mailbox.status is MailboxStatus.CONNECTING:
        return HoldBack(reason("host_away"))
    if mailbox.status is MailboxStatus.PARTIAL:
        return None if opens_thread else HoldBack(reason("sync_partial"))
    if mailbox.status in (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE):
        return HoldBack(reason("host_away")) if _passes(mailbox) else Refuse(reason("email_not_synced"))
    return None


def _passes(mailbox: Mailbox) -> bool:
    cause = CAUSES.get(mailbox.fault.cause) if mailbox.fault else None
    return cause is not None and cause.klass in _DELAYING
