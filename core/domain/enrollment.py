"""One person in one campaign: the states of R102..R112 and what may follow what. Pure.

Every legal move stands in the tables below; anything else is refused with a reason (never ignored).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import RefusedError


class ProspectStatus(StrEnum):
    """Main statuses as shown (R102)."""

    ACTIVE = "Active"
    PENDING = "Pending"
    PAUSED = "Paused"
    REPLIED = "Replied"
    COMPLETE = "Complete"
    BOUNCED = "Bounced"
    SPAM = "Spam"
    NOT_DELIVERED = "Not Delivered"


class ProspectEvent(StrEnum):
    """What can happen to a prospect."""

    PAUSE = "pause"
    UNPAUSE = "unpause"
    SKIP = "skip"
    RETRY = "retry"
    RETRY_BYPASS = "retry_bypass"
    FINISH = "finish"
    REMOVE = "remove"
    REPLY = "reply"
    HARD_BOUNCE = "hard_bounce"
    SPAM_BLOCK = "spam_block"
    NOT_DELIVERED = "not_delivered"
    WAIT = "wait"  # the system holds it, with a reason
    RELEASE = "release"  # the reason is gone
    COMPLETED = "completed"  # last stage done
    OPTED_OUT = "opted_out"  # complaint, unsubscribe, or a person put the address on the do-not-contact list
    THEY_CALLED = "they_called"  # answers that no mailbox sees (X7): a person says so
    THEY_TEXTED = "they_texted"
    THEY_BOOKED = "they_booked"
    UNDO_FINISH = "undo_finish"  # within the window after Mark finished (X8)
    LATE_REPLY = "late_reply"  # after a Complete that came by itself, where the workspace wants it


P, E = ProspectStatus, ProspectEvent  # the table below reads better with short names

_ANY = tuple(ProspectStatus)
_RUNNING = (P.ACTIVE, P.PENDING)
_FAILED = (P.BOUNCED, P.SPAM, P.NOT_DELIVERED)

HEARD_ELSEWHERE = (E.THEY_CALLED, E.THEY_TEXTED, E.THEY_BOOKED)
"""Calls, texts and bookings do not sync (R97): a person says that they came, and the campaign pauses."""

TRANSITIONS: dict[ProspectEvent, dict[ProspectStatus, ProspectStatus]] = {
    E.PAUSE: dict.fromkeys((*_RUNNING, P.NOT_DELIVERED), P.PAUSED),
    E.UNPAUSE: dict.fromkeys((P.PAUSED, P.REPLIED), P.ACTIVE),
    E.SKIP: {
        P.ACTIVE: P.ACTIVE,
        P.PENDING: P.ACTIVE,
        P.PAUSED: P.PAUSED,
        P.SPAM: P.ACTIVE,
        P.NOT_DELIVERED: P.ACTIVE,
    },
    E.RETRY: dict.fromkeys((P.PENDING, *_FAILED), P.ACTIVE),
    E.RETRY_BYPASS: dict.fromkeys((P.PENDING, P.NOT_DELIVERED), P.ACTIVE),
    E.FINISH: dict.fromkeys((*_RUNNING, P.PAUSED, P.REPLIED, *_FAILED), P.COMPLETE),
    E.REMOVE: dict.fromkeys(_ANY, P.COMPLETE),  # the row itself goes; the value only says that it is legal
    # A reply to a finished prospect is logged and counted, and changes nothing (R220).
    E.REPLY: {**dict.fromkeys((*_RUNNING, P.PAUSED, P.REPLIED, *_FAILED), P.REPLIED), P.COMPLETE: P.COMPLETE},
    E.HARD_BOUNCE: {
        **dict.fromkeys((*_RUNNING, P.PAUSED, *_FAILED, P.COMPLETE), P.BOUNCED),
        P.REPLIED: P.REPLIED,
    },
    E.SPAM_BLOCK: {**dict.fromkeys((*_RUNNING, P.PAUSED, *_FAILED, P.COMPLETE), P.SPAM), P.REPLIED: P.REPLIED},
    E.NOT_DELIVERED: {
        **dict.fromkeys((*_RUNNING, P.PAUSED, *_FAILED, P.COMPLETE), P.NOT_DELIVERED),
        P.REPLIED: P.REPLIED,
    },
    E.WAIT: dict.fromkeys(_RUNNING, P.PENDING),
    E.RELEASE: dict.fromkeys(_RUNNING, P.ACTIVE),
    # Paused: by skipping the last stage.
    E.COMPLETED: dict.fromkeys((*_RUNNING, P.PAUSED), P.COMPLETE),
    E.OPTED_OUT: dict.fromkeys(_ANY, P.COMPLETE),
    **dict.fromkeys(HEARD_ELSEWHERE, dict.fromkeys((*_RUNNING, P.PAUSED, P.NOT_DELIVERED), P.PAUSED)),
    E.UNDO_FINISH: {P.COMPLETE: P.ACTIVE},  # what was comes back; the value only says that it is legal
    E.LATE_REPLY: {P.COMPLETE: P.REPLIED},
}

_HINTS: dict[tuple[ProspectEvent, ProspectStatus], str] = {
    (E.RETRY, P.ACTIVE): "Nothing has failed: the campaign is still going for this person.",
    (E.RETRY, P.REPLIED): "This person has replied. Unpause to go on all the same.",
    (E.RETRY, P.COMPLETE): "This person is finished; that cannot be undone.",
    (E.RETRY, P.PAUSED): "This person is paused. Unpause first.",
    (E.UNPAUSE, P.ACTIVE): "This person is not paused.",
    (E.PAUSE, P.REPLIED): "This person has replied: nothing more is sent already.",
    (E.SKIP, P.REPLIED): "This person has replied: nothing more is sent. Unpause first.",
    (E.SKIP, P.BOUNCED): "The address bounced. Give another address and retry.",
    (E.FINISH, P.COMPLETE): "This person is finished already.",
    **{(event, P.REPLIED): "This person has replied: nothing more is sent already." for event in HEARD_ELSEWHERE},
    **{(event, P.COMPLETE): "This person is finished: nothing more is sent already." for event in HEARD_ELSEWHERE},
}


def transition(status: ProspectStatus, event: ProspectEvent) -> ProspectStatus:
    """The status after an event. Raises RefusedError with a sentence where the table has no such move."""
    try:
        return TRANSITIONS[event][status]
    except KeyError:
        hint = _HINTS.get((event, status), f"A prospect that is {status.value} cannot be changed by {event.value}.")
        raise RefusedError(hint, reason=f"prospect_{status.name.lower()}") from None


def may_follow(event: ProspectEvent) -> frozenset[ProspectStatus]:
    """The statuses from which an event is legal: what a compare-and-set asks for."""
    return frozenset(TRANSITIONS[event])


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a prospect waits or failed (R207): a code for machines, what happened, and what to press."""

    code: str
    text: str
    fix: str


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One row. ``stage`` is the position (from 1) of the stage that is due or failed; 0 never occurs."""

    id: str
    workspace: str
    campaign_id: str
    person_id: str
    mailbox_id: str | None
    status: ProspectStatus
    stage: int
    version: int
    created_at: datetime
    reason: Reason | None = None
    next_at: datetime | None = None
