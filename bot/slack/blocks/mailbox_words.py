"""How a mailbox is, in words: state and light, the two check marks, what is late, what is next (R6..R16). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks.text import count
from bot.slack.read_models import Reading, Seats
from core.domain.account import Mailbox
from core.domain.account import MailboxStatus as Status
from core.domain.diagnosis import CAUSES, Who

_STATES: Final = {
    Status.ACTIVE: "Syncing",
    Status.CONNECTING: "Connecting",
    Status.HISTORICAL: "Reading old mail",
    Status.PARTIAL: "Partly synced",
    Status.ERROR: "Sync broken",
    Status.CONNECTION_ISSUE: "Sync broken, given up after two days",
    Status.PENDING: "Waiting for a free seat",
    Status.PAUSED: "Paused",
    Status.DISCONNECTED: "Disconnected",
}
BROKEN: Final = (Status.ERROR, Status.CONNECTION_ISSUE, Status.PARTIAL)
_SENDING: Final = (Status.ACTIVE, Status.HISTORICAL, Status.PARTIAL)
_READING: Final = (Status.ACTIVE, Status.HISTORICAL)
_INTERRUPTED: Final = "Connection interrupted, contact support"


def state_in_words(mailbox: Mailbox) -> str:
    """``Sync broken (red)``; what only support can mend is said to be that (R26)."""
    ours = mailbox.status in BROKEN and mailbox.fault is not None and _is_ours(mailbox.fault.cause)
    return f"{_INTERRUPTED if ours else _STATES[mailbox.status]} ({mailbox.light})"


def _is_ours(cause: str) -> bool:
    return cause in CAUSES and CAUSES[cause].mended_by() is Who.OPERATOR


def check_marks(mailbox: Mailbox) -> str:
    """``Sends outreach ✓, reads replies ✓``: a mark is there only where it is switched on and works (R6..R9)."""
    sends = mailbox.status in _SENDING and mailbox.send_fault is None
    reads = mailbox.status in _READING
    return f"{_mark(mailbox.send, sends, 'send outreach')}, {_mark(mailbox.capture, reads, 'read replies').lower()}"


def _mark(switched_on: bool, works: bool, what: str) -> str:
    verb, _, rest = what.partition(" ")
    if not switched_on:
        return f"Does not {what} ✗"
    return f"{verb.capitalize()}s {rest} ✓" if works else f"Cannot {what} now ✗"


def history_in_words(mailbox: Mailbox, reading: Reading | None) -> str:
    """How much old mail is still to come (R10, R11); empty where none is."""
    left = reading.history_left if reading else 0
    if mailbox.status is not Status.HISTORICAL:
        return ""
    amount = f": about {count(left, 'mail')} to go" if left > 0 else ""
    sending = "sending works" if mailbox.send and mailbox.send_fault is None else "new mail is read too"
    return f"Reading old mail, newest first{amount}; {sending}. It turns green by itself."


def lag_in_words(mailbox: Mailbox, reading: Reading | None) -> str:
    """Why new mail comes late, which is not the same as broken (R19, R20); empty where it does not."""
    if mailbox.status in _READING and reading and reading.behind:
        return f"Late, not broken: {reading.behind}"
    return ""


def next_step(mailbox: Mailbox, seats: Seats | None = None) -> str:
    """What a person does next, or that there is nothing to do."""
    match mailbox.status:
        case Status.CONNECTING:
            return "Nothing to do: Rethread is signing in."
        case Status.PENDING:
            return _pending(seats)
        case Status.PAUSED:
            return "Press Resume to go on."
        case Status.DISCONNECTED:
            return "Press Reconnect to use it again; its history is kept."
        case Status.CONNECTION_ISSUE:
            return "Rethread has stopped trying. Once the cause is mended, press Resync."
        case Status.PARTIAL:
            return "Press Resync to read again; follow-ups wait until then."
        case _:
            return ""


def _pending(seats: Seats | None) -> str:
    """Why it waits, and what ends that (R35, R214)."""
    taken = (
        f"All {count(seats.limit, 'seat')} of this workspace are taken" if seats and seats.limit else "No seat is free"
    )
    return f"{taken}. It starts by itself when somebody disconnects a mailbox or an admin raises mailbox_limit."
