"""A mailbox's life: its states, its lights, and what may follow what (R8..R16, R33..R37, R213, R223). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import RefusedError


class MailboxStatus(StrEnum):
    """What the sync of a mailbox is doing, in the product's words."""

    CONNECTING = "connecting"
    HISTORICAL = "historical"
    ACTIVE = "active"
    PARTIAL = "partial"
    ERROR = "error"
    CONNECTION_ISSUE = "connection_issue"
    PENDING = "pending"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"


class MailboxEvent(StrEnum):
    """What can happen to a mailbox."""

    LOGGED_IN = "logged_in"  # a connection stands, old mail is still being read
    CURRENT = "current"  # new mail is read to its end, old mail is still being read (R10)
    CAUGHT_UP = "caught_up"  # every watched folder was read, old mail too
    BROKE = "broke"  # a cause that people must hear about
    HALF = "half"  # reading fails for such a cause, sending was tried and works (R12)
    GAVE_UP = "gave_up"  # two days of failure (R33)
    RESYNC = "resync"  # a person asked to try again now
    NO_SEAT = "no_seat"  # the workspace's limit on mailboxes is reached (R35, R214)
    SEAT = "seat"  # a seat came free
    PAUSE = "pause"
    RESUME = "resume"
    DISCONNECT = "disconnect"


_LIVE = (MailboxStatus.CONNECTING, MailboxStatus.HISTORICAL, MailboxStatus.ACTIVE, MailboxStatus.PARTIAL)
_BROKEN = (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE)

TRANSITIONS: dict[MailboxEvent, dict[MailboxStatus, MailboxStatus]] = {
    MailboxEvent.LOGGED_IN: {
        MailboxStatus.CONNECTING: MailboxStatus.HISTORICAL,
        MailboxStatus.HISTORICAL: MailboxStatus.HISTORICAL,
        MailboxStatus.ACTIVE: MailboxStatus.ACTIVE,
        MailboxStatus.PARTIAL: MailboxStatus.PARTIAL,
        MailboxStatus.ERROR: MailboxStatus.ERROR,
        MailboxStatus.CONNECTION_ISSUE: MailboxStatus.CONNECTION_ISSUE,
    },
    MailboxEvent.CURRENT: dict.fromkeys((*_LIVE, *_BROKEN), MailboxStatus.HISTORICAL),
    MailboxEvent.CAUGHT_UP: dict.fromkeys((*_LIVE, *_BROKEN), MailboxStatus.ACTIVE),
    MailboxEvent.BROKE: dict.fromkeys((*_LIVE, *_BROKEN), MailboxStatus.ERROR),
    MailboxEvent.HALF: dict.fromkeys((*_LIVE, *_BROKEN), MailboxStatus.PARTIAL),
    MailboxEvent.GAVE_UP: {
        MailboxStatus.PARTIAL: MailboxStatus.CONNECTION_ISSUE,
        MailboxStatus.ERROR: MailboxStatus.CONNECTION_ISSUE,
        MailboxStatus.CONNECTING: MailboxStatus.CONNECTION_ISSUE,
        MailboxStatus.CONNECTION_ISSUE: MailboxStatus.CONNECTION_ISSUE,
    },
    # A resync keeps the red light until a pass has really succeeded: nobody is told "fine" on a promise.
    MailboxEvent.RESYNC: {
        **{status: status for status in _LIVE},
        MailboxStatus.ERROR: MailboxStatus.ERROR,
        MailboxStatus.CONNECTION_ISSUE: MailboxStatus.ERROR,
    },
    MailboxEvent.NO_SEAT: dict.fromkeys((*_LIVE, *_BROKEN), MailboxStatus.PENDING),
    MailboxEvent.SEAT: {MailboxStatus.PENDING: MailboxStatus.CONNECTING},
    MailboxEvent.PAUSE: dict.fromkeys((*_LIVE, *_BROKEN, MailboxStatus.PENDING), MailboxStatus.PAUSED),
    MailboxEvent.RESUME: {MailboxStatus.PAUSED: MailboxStatus.CONNECTING},
    MailboxEvent.DISCONNECT: {
        status: MailboxStatus.DISCONNECTED for status in MailboxStatus if status is not MailboxStatus.DISCONNECTED
    },
}

LIGHTS: dict[MailboxStatus, str] = {
    MailboxStatus.ACTIVE: "green",
    MailboxStatus.ERROR: "red",
    MailboxStatus.CONNECTION_ISSUE: "red",
    MailboxStatus.CONNECTING: "grey",
    MailboxStatus.HISTORICAL: "grey",
    MailboxStatus.PARTIAL: "grey",
    MailboxStatus.PENDING: "grey",
    MailboxStatus.PAUSED: "grey",
    MailboxStatus.DISCONNECTED: "grey",
}

_REFUSALS = {
    MailboxStatus.PAUSED: "is paused; resume it first",
    MailboxStatus.DISCONNECTED: "is disconnected; connect it again first",
    MailboxStatus.PENDING: "waits for a free seat",
}

SYNCED_STATUSES = frozenset((*_LIVE, *_BROKEN))
"""Statuses in which a connection is kept or tried. Connection issue is tried only when asked (R33)."""

BROKEN_STATUSES = frozenset(_BROKEN)

SEATED_STATUSES = frozenset((*_LIVE, MailboxStatus.ERROR))
"""Statuses that hold one of the workspace's seats: synced, or tried again by itself. One given up after two days holds
none (R33, ruling), nor does one that is paused: resuming it may mean waiting."""


def transition(status: MailboxStatus, event: MailboxEvent) -> MailboxStatus:
    """The status after an event. Raises RefusedError where the table has no such move."""
    try:
        return TRANSITIONS[event][status]
    except KeyError:
        why = _REFUSALS.get(status, f"is {status.value.replace('_', ' ')}")
        raise RefusedError(f"The mailbox {why}.", reason=f"mailbox_{status.value}") from None


@dataclass(frozen=True, slots=True)
class SyncFault:
    """Why a mailbox does not sync now: the cause's name, the server's own words, the fix, and since when."""

    cause: str
    raw: str
    fix: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A recruiter's mailbox. Times are UTC. ``send`` and ``capture`` are the two Sync switches (R6, R9).

    ``streak`` counts failed tries since ``failing_since``; ``next_send_at`` is when its spacing lets the next mail go.
    ``sign_in`` is password, google or microsoft; ``signed_in_at`` when a person last proved who they are;
    ``token_expires_at`` when the access token in use ends; ``refreshed_at`` when all folders were last looked through
    from scratch (R31, R32). ``fault`` is why reading fails, ``send_fault`` why sending does while reading goes on.
    The signature stands under every campaign mail (R171); ``aliases`` are further addresses that the host lets it send
    from.
    """

    id: str
    workspace: str
    address: str
    owner: str
    provider: str
    username: str
    imap_host: str
    imap_port: int
    imap_tls: str
    smtp_host: str
    smtp_port: int
    smtp_tls: str
    send: bool
    capture: bool
    status: MailboxStatus
    version: int
    created_at: datetime
    display_name: str = ""
    fault: SyncFault | None = None
    streak: int = 0
    failing_since: datetime | None = None
    last_sync_at: datetime | None = None
    next_send_at: datetime | None = None
    resync_requested_at: datetime | None = None
    resync_requested_by: str | None = None
    sign_in: str = "password"
    signed_in_at: datetime | None = None
    token_expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    send_fault: SyncFault | None = None
    signature_text: str = ""
    signature_html: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def light(self) -> str:
        """green, grey or red (contract)."""
        return LIGHTS[self.status]

    @property
    def only_sending_is_broken(self) -> bool:
        """Red because mail does not go out, while it is read as before."""
        return self.status is MailboxStatus.ERROR and self.fault is not None and self.fault == self.send_fault
