"""One attempt to put one stage before one person: its states and what may follow what. Pure.

A delivery is unique by (enrollment, stage, series). ``sending`` is durable before the server hears the first byte
of the message; found so after a crash it becomes ``unknown``, is looked up in Sent, and is never silently sent again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import RefusedError


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    HELD = "held"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class DeliveryEvent(StrEnum):
    CLAIM = "claim"  # our worker takes it, gates passed
    ACCEPTED = "accepted"  # the server said 250 after the dot
    REFUSED = "refused"  # the server said no, for good
    PUT_BACK = "put_back"  # certainly not sent: try again later
    LOST = "lost"  # silence from the last byte on, or a crash while sending
    FOUND = "found"  # evidence that it went out: Sent copy, reply, report
    RESEND = "resend"  # believed absent, or a person said so: may be sent again
    HOLD = "hold"  # nobody but a person can decide
    CANCEL = "cancel"
    SKIP = "skip"
    BOUNCED = "bounced"  # it went out and came back
    DONE = "done"  # a call or a task: a person has done it, or it was only told
    RESTORE = "restore"  # the act that cancelled it was undone


S, E = DeliveryState, DeliveryEvent  # the table below reads better with short names

TRANSITIONS: dict[DeliveryEvent, dict[DeliveryState, DeliveryState]] = {
    E.CLAIM: {S.QUEUED: S.SENDING},
    E.ACCEPTED: {S.SENDING: S.SENT, S.UNKNOWN: S.SENT},
    E.REFUSED: {S.QUEUED: S.FAILED, S.SENDING: S.FAILED},
    E.BOUNCED: {S.SENT: S.FAILED},
    E.PUT_BACK: {S.SENDING: S.QUEUED},
    E.LOST: {S.SENDING: S.UNKNOWN},
    # Queued: it was believed absent and is to go again, when its copy turns up after all.
    E.FOUND: {S.SENDING: S.SENT, S.UNKNOWN: S.SENT, S.HELD: S.SENT, S.QUEUED: S.SENT},
    E.RESEND: {S.UNKNOWN: S.QUEUED, S.HELD: S.QUEUED},
    E.HOLD: {S.UNKNOWN: S.HELD},
    E.DONE: {S.QUEUED: S.SENT},
    E.CANCEL: {S.QUEUED: S.CANCELLED, S.UNKNOWN: S.CANCELLED, S.HELD: S.CANCELLED},
    E.RESTORE: {S.CANCELLED: S.QUEUED},
    E.SKIP: {S.QUEUED: S.SKIPPED, S.UNKNOWN: S.SKIPPED, S.HELD: S.SKIPPED, S.FAILED: S.SKIPPED},
}

SHOWN: dict[DeliveryState, str] = {
    S.QUEUED: "Waiting",
    S.SENDING: "Sending",
    S.SENT: "Sent",
    S.UNKNOWN: "Uncertain",
    S.HELD: "Uncertain",
    S.FAILED: "Not Delivered",
    S.CANCELLED: "Not Delivered",
    S.SKIPPED: "Skipped",
}

MANUAL_KINDS = frozenset(("call", "task"))
"""Kinds of stages that a person does."""

POSTED = "posted"
"""``settled_by`` of a call or a task that holds nobody up: its card was posted, and the campaign went on."""


def shown(state: DeliveryState, kind: str = "email", settled_by: str | None = None) -> str:
    """The state in a person's words: a call is done, not sent."""
    if state is S.SENT and kind in MANUAL_KINDS:
        return "Posted" if settled_by == POSTED else "Done"
    return SHOWN[state]


OPEN_STATES = frozenset((S.QUEUED, S.SENDING, S.UNKNOWN, S.HELD))
"""States in which the stage is not settled; an enrollment has at most one such delivery."""


BOUNCE_REASONS = frozenset(("invalid_recipient", "recipient_moved", "invalid_domain", "mailbox_disabled"))
"""Reasons that say: nobody reads at this address."""


def transition(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """The state after an event. Raises RefusedError where the table has no such move."""
    try:
        return TRANSITIONS[event][state]
    except KeyError:
        raise RefusedError(_refusal(state, event), reason=f"delivery_{state.value}") from None


def _refusal(state: DeliveryState, event: DeliveryEvent) -> str:
    if state is S.SENT:
        return "It has gone out already and cannot be recalled."
    if state is S.SENDING:
        return "It is being sent right now."
    return f"A delivery that is {SHOWN[state].lower()} cannot be changed this way ({event.value})."


def may_follow(event: DeliveryEvent) -> frozenset[DeliveryState]:
    """The states from which an event is legal: what a compare-and-set asks for."""
    return frozenset(TRANSITIONS[event])


def message_id_for(enrollment_id: str, stage: int, series: int, domain: str) -> str:
    """The Message-ID (without angle brackets) chosen before the first try, the same in every retry of one series."""
    digest = hashlib.sha256(f"{enrollment_id}/{stage}/{series}".encode()).hexdigest()
    return f"{digest[:32]}@{domain}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row. ``due_at`` None means: not due until something (``waiting_for``) releases it. Times UTC.

    Text and Message-ID are frozen at the first claim. ``wire_message_id`` is the id the recipient got, where the
    provider changed ours. ``kind`` is the stage's (email, sms, call, task); ``bypass``: a person asked that the address
    be tried although validation speaks against it (R143).
    """

    id: str
    workspace: str
    enrollment_id: str
    campaign_id: str
    mailbox_id: str | None
    stage: int
    series: int
    state: DeliveryState
    version: int
    created_at: datetime
    due_at: datetime | None
    waiting_for: str | None = None
    message_id: str | None = None
    wire_message_id: str | None = None
    subject: str | None = None
    recipient: str | None = None
    token: str | None = None
    claimed_at: datetime | None = None
    attempts: int = 0
    resends: int = 0
    checks: int = 0
    next_check_at: datetime | None = None
    reason: str | None = None
    server_text: str | None = None
    sent_at: datetime | None = None
    settled_by: str | None = None
    kind: str = "email"
    bypass: bool = False
