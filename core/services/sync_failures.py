"""What becomes of a mailbox whose session failed, or that is broken although its server says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.domain.account import (
    BROKEN_STATUSES,
    SYNCED_STATUSES,
    Mailbox,
    MailboxEvent,
    MailboxStatus,
    SyncFault,
    transition,
)
from core.domain.diagnosis import CauseClass, Diagnosis
from core.domain.patience import Audience, Decision, Patience, Speak, decide, escalated
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import FreshTokenRefusedError, LostRaceError, MailError
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.connecting import LOGIN_CAUSES, imap_off
from core.services.diagnose import diagnose_error
from core.services.seats import SeatService
from core.services.sending_health import SendingHealth
from core.services.tools import Tools, persistently, settings_in

# Reading is refused for a reason that need not touch sending (R12).
_READING_ONLY = frozenset({CauseClass.MAILBOX_SWITCH.value, CauseClass.TENANT_ADMIN.value})
_HALF_PROVIDERS = frozenset({"microsoft"})


class SyncFailures:
    """Judges what went wrong, writes it into the mailbox and its log, and speaks where patience is over."""

    def __init__(self, tools: Tools, alerts: AlertService, sending: SendingHealth) -> None:
        self._tools = tools
        self._alerts = alerts
        self._sending = sending
        self._seats = SeatService(tools, alerts)

    async def failed(self, workspace: str, mailbox_id: str, error: MailError) -> datetime | None:
        """Judges a failed session; speaks where patience is over. Returns when to try again, None: when asked."""
        sends = await self._still_sends(workspace, mailbox_id, error)

        async def unit() -> datetime | None:
            async with self._tools.store.write(workspace) as uow:
                mailbox = await uow.mailboxes.get(mailbox_id)
                if mailbox is None or mailbox.status not in SYNCED_STATUSES:
                    return None
                return await self._failed(uow, mailbox, error, sends=sends)

        return await persistently(unit)

    async def _still_sends(self, workspace: str, mailbox_id: str, error: MailError) -> bool:
        """Where only reading is refused, sending is tried: it may go on (R12)."""
        async with self._tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
        if mailbox is None or mailbox.provider not in _HALF_PROVIDERS or not mailbox.send:
            return False
        diagnosis = escalated(_verdict(error, mailbox), mailbox.streak + 1)
        return diagnosis.klass in _READING_ONLY and await self._sending.works(mailbox)

    async def _failed(self, uow: UnitOfWork, mailbox: Mailbox, error: MailError, *, sends: bool) -> datetime | None:
        now, streak = self._tools.clock.now(), mailbox.streak + 1
        # A mailbox may have been broken for long in other ways: patience counts from the first failure of this row.
        since = mailbox.failing_since if mailbox.streak and mailbox.failing_since else now
        diagnosis = escalated(_verdict(error, mailbox), streak)
        decision = decide(
            diagnosis,
            streak=streak,
            first_failure_at=since,
            now=now,
            settings=patience_of(await settings_in(uow)),
            jitter=self._tools.random(),
        )
        changed = replace(mailbox, streak=streak, failing_since=since)
        if mailbox.resync_requested_at is not None or (isinstance(decision, Speak) and _is_outage(decision)):
            # A person who pressed Resync gets an answer now, whatever patience says.
            changed = _broken(changed, diagnosis, decision, now, sends=sends)
            await self._alerts.broke(uow, changed, diagnosis)
        if mailbox.fault is None or mailbox.fault.cause != diagnosis.cause or mailbox.streak == 0:
            entry = SyncLogEntry(mailbox.id, now, diagnosis.cause, diagnosis.raw, diagnosis.fix)
            await uow.sync_log.add(entry)
        await _save(uow, changed)
        if changed.status is MailboxStatus.CONNECTION_ISSUE:
            await self._seats.settle(uow)  # one given up holds no seat (R33)
        if changed.status is MailboxStatus.PARTIAL:
            await release(self._tools, uow, mailbox.id, ("host_away",))
        return decision.retry_at

    async def went_silent(self, workspace: str, mailbox_id: str, words: str) -> None:
        """Mail does not come through although the server says nothing of it (R4): told at once."""
        now = self._tools.clock.now()

        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                mailbox = await uow.mailboxes.get(mailbox_id)
                if mailbox is None or mailbox.status not in SYNCED_STATUSES or mailbox.status in BROKEN_STATUSES:
                    return
                error = MailError(words, layer="imap", host=mailbox.imap_host)
                diagnosis = diagnose_error(error, provider=mailbox.provider)
                fault = SyncFault(diagnosis.cause, diagnosis.raw, diagnosis.fix, now)
                status = transition(mailbox.status, MailboxEvent.BROKE)
                changed = replace(mailbox, status=status, fault=fault, failing_since=now)
                await _save(uow, changed)
                await uow.sync_log.add(SyncLogEntry(mailbox.id, now, fault.cause, fault.raw, fault.fix))
                await self._alerts.broke(uow, changed, diagnosis)

        await persistently(unit)


async def release(tools: Tools, uow: UnitOfWork, mailbox_id: str, reasons: tuple[str, ...]) -> None:
    """Stages of this mailbox that wait for one of these reasons are looked at again."""
    now, released = tools.clock.now(), 0
    for waiting_for in reasons:
        released += await uow.deliveries.release(waiting_for, not_before=now, mailbox_id=mailbox_id)
    if released:
        uow.wake("outreach")


async def _save(uow: UnitOfWork, mailbox: Mailbox) -> None:
    if not await uow.mailboxes.save(mailbox):
        raise LostRaceError


def _verdict(error: MailError, mailbox: Mailbox) -> Diagnosis:
    verdict = diagnose_error(error, provider=mailbox.provider)
    if isinstance(error, FreshTokenRefusedError) and verdict.cause in LOGIN_CAUSES:
        return imap_off(verdict)
    return verdict


def _is_outage(decision: Speak) -> bool:
    return decision.audience in (Audience.CHANNEL, Audience.PROVIDER)


def _broken(mailbox: Mailbox, diagnosis: Diagnosis, decision: Decision, now: datetime, *, sends: bool) -> Mailbox:
    event = MailboxEvent.HALF if sends else MailboxEvent.BROKE
    mailbox = replace(
        mailbox,
        status=transition(mailbox.status, event),
        fault=SyncFault(diagnosis.cause, diagnosis.raw, diagnosis.fix, now),
        resync_requested_at=None,
        resync_requested_by=None,
    )
    if isinstance(decision, Speak) and decision.gave_up:
        mailbox = replace(mailbox, status=transition(mailbox.status, MailboxEvent.GAVE_UP))
    return mailbox


def patience_of(settings: WorkspaceSettings) -> Patience:
    """The workspace's own patience. Times without a setting of their own stand in proportion to one that has."""
    first, longest = settings.seconds("retry_first_s"), settings.seconds("retry_most_s")
    quiet, login = settings.seconds("alert_after_s"), settings.seconds("login_retry_s")
    return Patience(
        first_wait_s=first,
        reconnect_jitter_s=min(5.0, first * 2.5),
        longest_wait_s=longest,
        not_reachable_retry_s=longest / 10,
        slow_first_s=longest / 2,
        slow_longest_s=longest * 6,
        tries_before_speaking=int(settings["alert_tries"]),
        quiet_s=quiet,
        settings_quiet_s=quiet * 3,
        slow_quiet_s=quiet * 3,
        admin_retry_s=login,
        app_retry_s=login * 2,
        give_up_s=settings.seconds("give_up_after_s"),
    )
