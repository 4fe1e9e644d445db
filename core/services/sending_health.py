"""Whether a mailbox can send: a login that the outgoing server refuses breaks a mailbox whose reading goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxEvent, SyncFault, transition
from core.domain.diagnosis import CauseClass, Diagnosis
from core.errors import MailError
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.diagnose import diagnose_error, recalled
from core.services.submission import Submission
from core.services.tools import Tools, settings_in

_MAILBOX_FAULTS = frozenset(
    {
        CauseClass.USER_RECONNECTS.value,
        CauseClass.MAILBOX_SWITCH.value,
        CauseClass.TENANT_ADMIN.value,
        CauseClass.OUR_APP.value,
    }
)


class SendingHealth:
    """Notes that a mailbox cannot send, and that it can again."""

    def __init__(self, tools: Tools, submission: Submission, alerts: AlertService) -> None:
        self._tools = tools
        self._submission = submission
        self._alerts = alerts

    async def broke(self, uow: UnitOfWork, mailbox_id: str, error: MailError) -> None:
        """A send was refused at the login: the mailbox is broken where a person must act. Of other causes only the
        stage's own card tells, and of a mailbox that was given up meanwhile: that stays so until a person asks."""
        mailbox = await uow.mailboxes.get(mailbox_id)
        diagnosis = diagnose_error(error, provider=mailbox.provider if mailbox else None)
        if mailbox is None or mailbox.status not in SEATED_STATUSES or diagnosis.klass not in _MAILBOX_FAULTS:
            return
        now = self._tools.clock.now()
        fault = SyncFault(diagnosis.cause, diagnosis.raw, diagnosis.fix, now)
        if mailbox.send_fault is None or mailbox.send_fault.cause != fault.cause:
            await uow.sync_log.add(SyncLogEntry(mailbox.id, now, fault.cause, fault.raw, fault.fix))
        status = transition(mailbox.status, MailboxEvent.BROKE)
        since = mailbox.failing_since or now
        reading = mailbox.fault if mailbox.fault != mailbox.send_fault else None
        changed = replace(mailbox, status=status, fault=reading or fault, send_fault=fault, failing_since=since)
        if await uow.mailboxes.save(changed):  # where somebody was faster, the next refused send says so again
            await self._alerts.broke(uow, changed, diagnosis, side="sending")

    async def again(self, mailbox: Mailbox) -> SyncFault | None:
        """Tries sending where it was broken and somebody asked or time has passed; what is broken still, or None."""
        fault = mailbox.send_fault
        if fault is None:
            return None
        async with self._tools.store.read(mailbox.workspace) as uow:
            pause = timedelta(seconds=(await settings_in(uow)).seconds("login_retry_s"))
        if mailbox.resync_requested_at is None and self._tools.clock.now() - fault.at < pause:
            return fault
        diagnosis = await self._refusal(mailbox)
        if diagnosis is None:
            return None
        now = self._tools.clock.now()
        if diagnosis.klass not in _MAILBOX_FAULTS:  # the host was not reached: that proves nothing either way
            return replace(fault, at=now)
        return SyncFault(diagnosis.cause, diagnosis.raw, diagnosis.fix, now)

    async def still_broken(self, uow: UnitOfWork, mailbox: Mailbox) -> None:
        """The card says again why, also to whoever pressed Resync."""
        fault = mailbox.send_fault
        if fault is not None:
            await self._alerts.broke(uow, mailbox, recalled(fault, provider=mailbox.provider), side="sending")

    async def works(self, mailbox: Mailbox) -> bool:
        return await self._refusal(mailbox) is None

    async def _refusal(self, mailbox: Mailbox) -> Diagnosis | None:
        """Why the outgoing server does not let us in; None where it does."""
        try:
            await self._submission.verify(mailbox)
        except MailError as error:
            return diagnose_error(error, provider=mailbox.provider)
        return None
