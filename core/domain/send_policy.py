"""What follows from one attempt to hand a mail over: a decision as a value, from the outcome and what was tried. Pure.

Only certain outcomes are decided here; silence after the message's last byte stays undecided until there is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.domain.enrollment import ProspectEvent, ProspectStatus, Reason
from core.domain.reasons import reason, reason_of_refusal
from core.domain.smtp_reply import SmtpVerdict, classify_reply
from core.domain.taxonomy import Next
from core.errors import LoginRefusedError, MailError, OutcomeUnknownError, ServerRefusedError

TRIES: Final = 5
"""Attempts of one series before Too Many Retries (R120)."""

BACK_OFF: Final = (30.0, 120.0, 600.0, 1_800.0)
"""Seconds after each failed attempt: a greylisting server wants minutes, a busy one less."""

FULL_AFTER: Final = (timedelta(days=2), timedelta(days=3))
"""A full mailbox is tried once more between these times."""

# A host's words for "you, the sender, are too fast": codes that elsewhere mean the recipient's server.
_OWN_LIMIT_CODES: Final = frozenset({"4.7.28", "4.3.2"})

EVENT_BY_STATUS: Final = {
    ProspectStatus.BOUNCED.value: ProspectEvent.HARD_BOUNCE,
    ProspectStatus.SPAM.value: ProspectEvent.SPAM_BLOCK,
    ProspectStatus.NOT_DELIVERED.value: ProspectEvent.NOT_DELIVERED,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took it."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Certainly not sent: the same mail again after a while. ``shown`` None: nothing that a person need know."""

    after: timedelta
    shown: Reason | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """Certainly not sent, and it will not be by itself."""

    event: ProspectEvent
    reason: Reason


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """Not sent because the mailbox sends too much for its own host: it goes when the host allows it."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """It may have gone out."""


Decision = Sent | PutBack | Fail | OwnLimit | Undecided


def decide(error: MailError | None, *, attempts: int, was_full: bool, random: float) -> Decision:
    """``error`` None: the server said 250 after the dot. ``attempts`` counts this one; ``was_full``: the attempt before
    met a full mailbox; ``random`` (0 to below 1) spreads the pauses."""
    if error is None:
        return Sent()
    if isinstance(error, OutcomeUnknownError):
        return Undecided()
    if isinstance(error, LoginRefusedError):
        return Fail(ProspectEvent.NOT_DELIVERED, reason("email_not_synced"))
    if isinstance(error, ServerRefusedError) and error.layer != "oauth":
        verdict = classify_reply((error.smtp_code or 0, error.raw))
        return _refused(verdict, attempts=attempts, was_full=was_full, random=random)
    return _try_again(attempts, random)  # no conversation, or the sign-in service was busy: the server was not asked


def said_full(server_text: str | None) -> bool:
    """Whether the server's words of the attempt before spoke of a full mailbox."""
    return bool(server_text) and classify_reply(server_text or "").topic == "mailbox_full"


def _refused(verdict: SmtpVerdict, *, attempts: int, was_full: bool, random: float) -> Decision:
    if verdict.topic == "own_limit" or (verdict.transient and verdict.status in _OWN_LIMIT_CODES):
        return OwnLimit()
    effect = verdict.effect
    if effect.next is Next.RETRY_IN_DAYS and not was_full:
        first, last = FULL_AFTER
        return PutBack(first + (last - first) * random, reason_of_refusal(effect))
    if verdict.transient and effect.next is not Next.RETRY_IN_DAYS:
        return _try_again(attempts, random)
    event = EVENT_BY_STATUS.get(effect.status or "", ProspectEvent.NOT_DELIVERED)
    return Fail(event, reason_of_refusal(effect))


def _try_again(attempts: int, random: float) -> Decision:
    if attempts >= TRIES:
        return Fail(ProspectEvent.NOT_DELIVERED, reason("too_many_retries"))
    return PutBack(_pause(attempts, random))


def _pause(attempts: int, random: float) -> timedelta:
    """Growing, and spread so that what failed together does not come back together."""
    seconds = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]
    return timedelta(seconds=seconds * (0.7 + 0.6 * random))
