"""What follows from one attempt to hand a text over, and when its provider is asked what became of it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from core.domain.enrollment import ProspectEvent, Reason
from core.domain.reasons import reason
from core.domain.send_policy import BACK_OFF, TRIES, Fail, PutBack
from core.domain.sms_codes import classify
from core.domain.taxonomy import Next
from core.errors import InputError, MailError, SmsRefusedError

LIMIT_PAUSE: Final = timedelta(hours=1)
"""For how long a text waits that met a daily limit of the networks."""

LONGEST_TRY: Final = timedelta(minutes=2)
"""A text was made no longer than this before its claim was last renewed."""

_ASKED_AFTER: Final = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
_LONGEST_WAIT: Final = timedelta(hours=6)
_MANY_TRIES: Final = "Too Many Retries: the text message provider did not take the text after several tries."

SETTLED_STATUSES: Final = frozenset({"delivered", "read", "canceled", "undelivered", "failed"})
"""A provider's words after which nothing more comes."""


def decide_text(error: MailError | InputError, *, attempts: int, random: float) -> PutBack | Fail:
    """``error`` is of the kinds that certainly did not send; ``attempts`` counts this one; ``random`` (0 to below 1)
    spreads the pauses."""
    if isinstance(error, InputError):
        return Fail(ProspectEvent.NOT_DELIVERED, text_refused(error))
    if not isinstance(error, SmsRefusedError):  # no conversation took place
        return _again(attempts, random, None)
    verdict = classify(error.provider_code, status=error.status)
    if verdict.next is Next.WAIT_FOR_WINDOW:
        return PutBack(LIMIT_PAUSE, verdict.reason)
    if not verdict.transient:
        return Fail(ProspectEvent.NOT_DELIVERED, verdict.reason)
    return _again(attempts, random, error.retry_after)


def counts_as_attempt(decision: PutBack) -> bool:
    """What waits for a limit was no attempt at the text itself."""
    return decision.shown is None


def text_refused(error: InputError) -> Reason:
    """The text itself cannot be sent."""
    return reason("sms_text", f"{error.message[:1].upper()}{error.message[1:]}.")


def next_question(sent_at: datetime, asked: int) -> datetime | None:
    """When the provider is asked next what became of a text, after ``asked`` questions; None: not any more."""
    return sent_at + _ASKED_AFTER[asked] if asked < len(_ASKED_AFTER) else None


def _again(attempts: int, random: float, retry_after: float | None) -> PutBack | Fail:
    if attempts >= TRIES:
        return Fail(ProspectEvent.NOT_DELIVERED, replace(reason("too_many_retries"), text=_MANY_TRIES))
    seconds = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1] * (0.7 + 0.6 * random)
    return PutBack(min(max(timedelta(seconds=seconds), timedelta(seconds=retry_after or 0)), _LONGEST_WAIT))
