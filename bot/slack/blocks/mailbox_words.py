"""How a mailbox is, in words: state and light, the two check marks, what is late, what is next (R6..R16). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks.text import count
from bot.slack.read_models import Reading, Seats
from core.domain.account import Mailbox
from core.domain.account import MailboxStatus as Status
from core.domain.diagnosis import CAUSES, Who
from core.domain.lag import LagKind

_STATES: Final = {
    Status.ACTIVE: "Syncing",
    Status.CONNECTING: "Connecting",
    Status.HISTORICAL: "Reading old mail",
    Status.PARTIAL: "Partial sync",
    Status.ERROR: "Sync broken",
    Status.CONNECTION_ISSUE: "Connection issue, no longer tried after two days of failure",
    Status.PENDING: "Pending, waits for a free seat",
    Status.PAUSED: "Paused",
    Status.DISCONNECTED: "Disconnected",
}
BROKEN: Final = (Status.ERROR, Status.CONNECTION_ISSUE, Status.PARTIAL)
_SENDING: Final = (Status.ACTIVE, Status.HISTORICAL, Status.PARTIAL)
_READING: Final = (Status.ACTIVE, Status.HISTORICAL)
_INTERRUPTED: Final = "Connection interrupted, contact support"


def state_in_words(mailbox: Mailbox) -> str:
    """``Sync broken (red)``; what only support can mend is said to be that (R26)."""
    state = "Sending broken" if mailbox.only_sending_is_broken else _STATES[mailbox.status]
    state = _INTERRUPTED if for_support(mailbox) else state
    half = ", cannot send" if mailbox.status in _READING and mailbox.send_fault else ""
    return f"{state}{half} ({mailbox.light})"


def for_support(mailbox: Mailbox) -> bool:
    """Whether only whoever runs Rethread can mend what is broken."""
    fault = mailbox.fault if mailbox.status in BROKEN else None
    known = CAUSES.get(fault.cause) if fault else None
    return known is not None and known.mended_by(mailbox.provider) is Who.OPERATOR


def check_marks(mailbox: Mailbox) -> str:
    """``Sends outreach ✓, reads replies ✓``: a mark is there only where it is switched on and works (R6..R9)."""
    sends = mailbox.status in _SENDING and mailbox.send_fault is None
    reads = mailbox.status in _READING or mailbox.only_sending_is_broken
    unable = "Cannot" if mailbox.status in (*BROKEN, *_SENDING) else "Does not"
    sending = _mark(mailbox.send, sends, unable, "send outreach")
    return f"{sending}, {_mark(mailbox.capture, reads, unable, 'read replies').lower()}"


def _mark(switched_on: bool, works: bool, unable: str, what: str) -> str:
    verb, _, rest = what.partition(" ")
    if not switched_on:
        return f"Does not {what} ✗"
    return f"{verb.capitalize()}s {rest} ✓" if works else f"{unable} {what} now ✗"


def history_in_words(mailbox: Mailbox, reading: Reading | None) -> str:
    """How much old mail is still to come (R10, R11); empty where none is."""
    left = reading.history_left if reading else 0
    if mailbox.status is not Status.HISTORICAL:
        return ""
    amount = f": about {count(left, 'mail')} to go" if left > 0 else ""
    sending = "sending works" if mailbox.send and mailbox.send_fault is None else "new mail is read too"
    return f"Reading old mail, newest first{amount}; {sending}. It turns green by itself."


def counts_in_words(reading: Reading | None) -> str:
    """How many mails were for people on profiles, and that nothing is kept of the others (R81); empty where nobody
    counted."""
    if reading is None or reading.matched is None or reading.strangers is None:
        return ""
    return (
        f"Of the mail read in the last 30 days, {count(reading.matched, 'mail')} to or from people on profiles and "
        f"{reading.strangers:,} to or from nobody known: of those nothing is kept."
    )


def lag_in_words(mailbox: Mailbox, reading: Reading | None) -> str:
    """Why new mail comes late, which is not the same as broken (R19, R20); empty where it does not."""
    if mailbox.status is not Status.ACTIVE or reading is None or reading.lag.kind is not LagKind.LATE:
        return ""
    return f"Late, not broken: {reading.lag.reason}."


def next_step(mailbox: Mailbox, seats: Seats | None = None) -> str:
    """What a person does next, or that there is nothing to do."""
    if for_support(mailbox):
        return "tell whoever runs Rethread; /mailbox escalate collects the facts for them."
    match mailbox.status:
        case Status.CONNECTING:
            return "nothing; Rethread is signing in by itself."
        case Status.PENDING:
            return _pending(seats)
        case Status.PAUSED:
            return "press Resume to go on."
        case Status.DISCONNECTED:
            return "press Reconnect to use it again; its history is kept."
        case Status.CONNECTION_ISSUE:
            return "mend the cause, then press Resync: Rethread has stopped trying by itself."
        case Status.PARTIAL:
            return "press Resync to read again; follow-ups wait until then."
        case _:
            return ""


def _pending(seats: Seats | None) -> str:
    """Why it waits, and what ends that (R35, R214)."""
    taken = "no seat is free"
    if seats and seats.limit:
        all_of_them = f"all {seats.limit:,} seats" if seats.limit > 1 else "the only seat"
        taken = f"{all_of_them} of this workspace {'are' if seats.limit > 1 else 'is'} taken"
    return f"{taken}. It starts by itself when somebody disconnects a mailbox or an admin raises mailbox_limit."
