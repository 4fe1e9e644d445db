"""When to try again and when to speak up (requirements R2, R20, R33, R213). Pure.

Blips stay silent, causes that only a person can mend are told at once, and after two days the trying ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.diagnosis import CauseClass, Diagnosis, Who


class Audience(StrEnum):
    """Who is told, and in what form."""

    CHANNEL = "channel"  # the sync-broken card
    PROVIDER = "provider"  # one card for all mailboxes of that provider
    DIGEST = "digest"  # a line in the daily digest
    OPERATOR_LOG = "operator_log"
    PERSON = "person"  # the candidate's activity stream: not an outage
    SENDER = "sender"  # the recruiter whose message it was


@dataclass(frozen=True, slots=True)
class Patience:
    """The numbers, times in seconds. Tests and the sandbox shorten them."""

    reconnect_jitter_s: float = 5.0
    silent_tries: int = 3
    first_wait_s: float = 2.0
    wait_factor: float = 1.5
    longest_wait_s: float = 600.0
    jitter_share: float = 0.3
    tries_before_speaking: int = 3
    quiet_s: float = 600.0
    slow_first_s: float = 300.0
    slow_longest_s: float = 3_600.0
    slow_quiet_s: float = 1_800.0
    settings_quiet_s: float = 1_800.0
    admin_retry_s: float = 1_800.0
    app_retry_s: float = 3_600.0
    not_reachable_retry_s: float = 60.0
    sending_pause_s: float = 86_400.0
    folder_parked_s: float = 21_600.0
    reminder_s: float = 86_400.0
    give_up_s: float = 172_800.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing yet; try again at ``retry_at``."""

    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Speak:
    """Tell ``audience``. ``retry_at`` None: no more tries until a person acts; ``gave_up``: two days are over."""

    audience: Audience
    retry_at: datetime | None
    gave_up: bool = False


Decision = Speak | Wait

# Their second or third appearance means more than the first.
_NOT_REACHABLE_TRIES = 3
_TOKEN_TRIES = 2


def escalated(diagnosis: Diagnosis, streak: int) -> Diagnosis:
    """The diagnosis after ``streak`` failures in a row: a mailbox that stays shut three times is the admin's."""
    if diagnosis.cause == "mailbox_not_reachable" and streak >= _NOT_REACHABLE_TRIES:
        return replace(diagnosis, klass=CauseClass.TENANT_ADMIN.value, who=Who.MAIL_ADMIN.value, transient=False)
    return diagnosis


def decide(
    diagnosis: Diagnosis,
    *,
    streak: int,
    first_failure_at: datetime,
    now: datetime,
    settings: Patience,
    jitter: float = 0.5,
    setting_up: bool = False,
) -> Decision:
    """What to do after a failure.

    ``streak`` counts failures in a row with this one, from 1; ``first_failure_at`` is when the row began. ``jitter`` in
    [0, 1] spreads the tries; ``setting_up`` is true while a person sits in front of the connect form.
    """
    case = _Case(
        diagnosis=escalated(diagnosis, streak),
        streak=max(streak, 1),
        lasting=now - first_failure_at,
        now=now,
        settings=settings,
        jitter=min(max(jitter, 0.0), 1.0),
        setting_up=setting_up,
    )
    return case.decide()


def tell_again(told_cause: str | None, told_at: datetime | None, cause: str, now: datetime, settings: Patience) -> bool:
    """Whether a standing trouble is worth another word: a new cause at once, the same one after a day."""
    if told_cause != cause or told_at is None:
        return True
    return now - told_at >= timedelta(seconds=settings.reminder_s)


# Where reading goes on or nothing is tried again anyway, there is nothing to give up.
_NEVER_GIVEN_UP = frozenset(
    {
        CauseClass.PAUSE_SENDING,
        CauseClass.USER_RECONNECTS,
        CauseClass.ONE_FOLDER,
        CauseClass.RECIPIENT,
        CauseClass.CONTENT,
    }
)


@dataclass(frozen=True, slots=True)
class _Case:
    """One failure with all that its judgement hangs on."""

    diagnosis: Diagnosis
    streak: int
    lasting: timedelta
    now: datetime
    settings: Patience
    jitter: float
    setting_up: bool

    def decide(self) -> Decision:
        klass = CauseClass(self.diagnosis.klass)
        if self._lasts(self.settings.give_up_s) and klass not in _NEVER_GIVEN_UP:
            return Speak(_AUDIENCES.get(klass, Audience.CHANNEL), None, gave_up=True)
        if klass is CauseClass.SILENT and self.streak <= self.settings.silent_tries:
            return Wait(self._after(self.settings.reconnect_jitter_s * self.jitter))
        if klass in (CauseClass.SILENT, CauseClass.WAIT):
            return self._speak_once_it_lasts(self._wait_s(), self.settings.quiet_s)
        if klass is CauseClass.SLOW_DOWN:
            return self._slow_down()
        if klass is CauseClass.SETTINGS:
            return self._speak_once_it_lasts(self._settings_s(), self.settings.settings_quiet_s)
        if self._first_token_refusal():
            return Wait(self._after(self.settings.reconnect_jitter_s * self.jitter))
        return Speak(_AUDIENCES[klass], self._retry_at(klass))

    def _lasts(self, seconds: float) -> bool:
        return self.lasting >= timedelta(seconds=seconds)

    def _after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def _spread(self, seconds: float) -> float:
        return seconds * (1 + self.settings.jitter_share * (2 * self.jitter - 1))

    def _wait_s(self) -> float:
        if self.diagnosis.cause == "mailbox_not_reachable":
            return self._spread(self.settings.not_reachable_retry_s)
        longest = self.settings.longest_wait_s
        return self._spread(_grown(self.settings.first_wait_s, self.settings.wait_factor, self.streak, longest))

    def _settings_s(self) -> float:
        if self.streak < self.settings.tries_before_speaking:
            return self._wait_s()
        return self._spread(self.settings.longest_wait_s)

    def _speak_once_it_lasts(self, retry_s: float, quiet_s: float) -> Decision:
        """Both a number of tries and a time must have passed: many quick failures are still one blip."""
        retry_at = self._after(retry_s)
        patient = self.streak < self.settings.tries_before_speaking or not self._lasts(quiet_s)
        return Wait(retry_at) if patient and not self.setting_up else Speak(Audience.CHANNEL, retry_at)

    def _slow_down(self) -> Decision:
        asked = self.diagnosis.retry_after_s
        grown = _grown(self.settings.slow_first_s, 2.0, self.streak, self.settings.slow_longest_s)
        retry_at = self._after(self._spread(grown) if asked is None else asked)
        return Speak(Audience.CHANNEL, retry_at) if self._lasts(self.settings.slow_quiet_s) else Wait(retry_at)

    def _first_token_refusal(self) -> bool:
        return self.diagnosis.cause == "oauth_token_rejected" and self.streak < _TOKEN_TRIES and not self.setting_up

    def _retry_at(self, klass: CauseClass) -> datetime | None:
        pauses = {
            CauseClass.MAILBOX_SWITCH: self.settings.admin_retry_s,
            CauseClass.TENANT_ADMIN: self.settings.admin_retry_s,
            CauseClass.OUR_APP: self.settings.app_retry_s,
            CauseClass.ONE_FOLDER: self.settings.folder_parked_s,
        }
        if klass in pauses:
            return self._after(self._spread(pauses[klass]))
        if klass is CauseClass.PAUSE_SENDING and self.diagnosis.transient:
            return self._after(self.diagnosis.retry_after_s or self.settings.sending_pause_s)
        if klass is CauseClass.OUR_BUG:
            return self._after(self._wait_s())
        return None


_AUDIENCES = {
    CauseClass.PAUSE_SENDING: Audience.CHANNEL,
    CauseClass.USER_RECONNECTS: Audience.CHANNEL,
    CauseClass.MAILBOX_SWITCH: Audience.CHANNEL,
    CauseClass.TENANT_ADMIN: Audience.CHANNEL,
    CauseClass.OUR_APP: Audience.PROVIDER,
    CauseClass.ONE_FOLDER: Audience.DIGEST,
    CauseClass.OUR_BUG: Audience.OPERATOR_LOG,
    CauseClass.RECIPIENT: Audience.PERSON,
    CauseClass.CONTENT: Audience.SENDER,
}


def _grown(first: float, factor: float, streak: int, longest: float) -> float:
    """The pause after the streak-th failure; the exponent is bounded so that no streak can overflow."""
    return min(first * factor ** min(streak - 1, 64), longest)
