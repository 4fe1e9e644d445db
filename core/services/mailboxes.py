"""Mailboxes: look, resync, refresh, switch, pause, disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Protocol

from core.domain.account import Mailbox, MailboxEvent, MailboxStatus, transition
from core.domain.actor import Actor, Role, require_mailbox
from core.domain.address import match_key
from core.domain.diagnosis import Diagnosis
from core.errors import InputError, MailError, NotFoundError, RefusedError
from core.ports.mail import Endpoint, Tls
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.diagnose import diagnose_error
from core.services.seats import SeatService, judge_again
from core.services.tools import Tools, persistently


class SendingTrial(Protocol):
    """core.services.submission.Submission, as far as it is asked here."""

    async def verify(self, mailbox: Mailbox) -> None:
        """Logs in and out. Raises MailError kinds."""
        ...


class SendRefusedError(RefusedError):
    """Sending was tried and does not work: ``diagnosis`` says why, in the server's own words too (R43)."""

    code = "send_refused"

    def __init__(self, mailbox: Mailbox, diagnosis: Diagnosis) -> None:
        words = f"Sending from {mailbox.address} does not work, so it stays off: {diagnosis.title}."
        super().__init__(words, reason=diagnosis.cause, fix=diagnosis.fix)
        self.side, self.diagnosis = "smtp", diagnosis


class MailboxService:
    """Use cases around one mailbox. Every method checks what the actor may do."""

    def __init__(self, tools: Tools, alerts: AlertService, sending: SendingTrial) -> None:
        self._tools = tools
        self._alerts = alerts
        self._sending = sending
        self._seats = SeatService(tools, alerts)

    async def list(self, actor: Actor, *, mine: bool = False) -> list[Mailbox]:
        async with self._tools.store.read(actor.workspace) as uow:
            return await uow.mailboxes.list(owner=actor.user if mine else None)

    async def find(self, actor: Actor, address: str) -> Mailbox:
        """Raises NotFoundError naming the nearest address."""
        async with self._tools.store.read(actor.workspace) as uow:
            found = await uow.mailboxes.by_address(match_key(address.strip()))
            if found is not None:
                return found
            known = [mailbox.address for mailbox in await uow.mailboxes.list()]
        near = get_close_matches(address.strip(), known, n=1)
        hint = f"Did you mean {near[0]}?" if near else "Connect it with /mailbox connect."
        raise NotFoundError(f"No mailbox {address.strip()[:120]} is connected here.", fix=hint)

    async def get(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            return await get_mailbox(uow, mailbox_id)

    async def request_resync(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """One given up after two days is tried again; without a free seat it waits for one (R213, R214). Whom its open
        alert is assigned to may ask as well.

        Raises RefusedError where one is under way already, NotAllowedError, NotFoundError.
        """

        async def unit() -> Mailbox:
            async with self._tools.store.write(actor.workspace) as uow:
                mailbox = await get_mailbox(uow, mailbox_id)
                if not await _is_assigned(uow, actor, mailbox):
                    require_mailbox(actor, mailbox)
                return await self._resync(uow, actor, mailbox)

        return await persistently(unit)

    async def _resync(self, uow: UnitOfWork, actor: Actor, mailbox: Mailbox) -> Mailbox:
        now = self._tools.clock.now()
        if mailbox.resync_requested_at and now - mailbox.resync_requested_at < timedelta(seconds=30):
            ago = int((now - mailbox.resync_requested_at).total_seconds())
            who = _who(mailbox.resync_requested_by)
            words = f"{mailbox.address} is being resynced already, asked by {who} {ago} s ago."
            raise RefusedError(words, reason="resync_running")
        asked = replace(
            mailbox,
            status=transition(mailbox.status, MailboxEvent.RESYNC),
            resync_requested_at=now,
            resync_requested_by=actor.user,
        )
        if mailbox.status is MailboxStatus.CONNECTION_ISSUE:
            # Its two days begin anew, else its first failure would be the last again.
            asked = await self._seats.placed(uow, replace(asked, streak=0, failing_since=None))
        asked = await save_mailbox(uow, asked)
        if asked.status is MailboxStatus.PENDING:
            await self._alerts.closed(uow, asked)
        else:
            await self._alerts.resync_requested(uow, asked, actor.user)
        await uow.audit.add(at=now, actor=actor.user, action="mailbox.resync", subject=asked.id)
        uow.wake("sync")
        uow.wake(f"sync:{asked.id}")
        return asked

    async def resync_all(self, actor: Actor) -> Sequence[Mailbox]:
        """Asks for every broken mailbox that the actor may touch; those under way already are left alone."""
        broken = (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE, MailboxStatus.PARTIAL)
        mine = await self.list(actor, mine=actor.role is not Role.ADMIN)
        asked = []
        for mailbox in mine:
            if mailbox.status in broken:
                try:
                    asked.append(await self.request_resync(actor, mailbox.id))
                except RefusedError:
                    continue
        return asked

    async def refresh(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Looks through all folders at once, those too that rest after failures; the daily refresh counts from then
        (R24, R31, R32). Raises RefusedError where nothing is synced."""
        async with self._tools.store.write(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            transition(mailbox.status, MailboxEvent.RESYNC)
            if mailbox.status is MailboxStatus.CONNECTION_ISSUE:
                raise RefusedError(
                    f"{mailbox.address} is not tried any more after two days of failure.",
                    reason="mailbox_connection_issue",
                    fix="Mend the cause, then resync it.",
                )
            for folder in await uow.folders.list(mailbox.id):
                if folder.parked_until is not None:
                    await uow.folders.note_success(folder.id)
            uow.wake("sync")
            uow.wake(f"sync:{mailbox.id}")
        return mailbox

    async def set_switches(
        self, actor: Actor, mailbox_id: str, *, send: bool | None = None, capture: bool | None = None
    ) -> Mailbox:
        """The two Sync switches (R6..R9); None leaves one as it is. With ``capture`` off nothing is logged, old mail
        neither; on again, what comes from then on is (R80). ``send`` goes on only where sending works.

        Raises InputError where neither is given, SendRefusedError, RefusedError, NotAllowedError, NotFoundError.
        """
        if send is None and capture is None:
            raise InputError("name at least one of send and capture", field="switch")
        if send:
            await self._require_that_it_sends(actor, mailbox_id)
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            wanted = replace(
                mailbox,
                send=mailbox.send if send is None else send,
                capture=mailbox.capture if capture is None else capture,
            )
            if wanted == mailbox:
                return mailbox
            if wanted.capture != mailbox.capture:
                for folder in await uow.folders.list(mailbox.id):
                    await uow.folders.set_history(folder.id, below=None, left=0)
            mailbox = await save_mailbox(uow, wanted)
            await judge_again(uow, mailbox.id, now)
            facts = {"send": mailbox.send, "capture": mailbox.capture}
            await uow.audit.add(at=now, actor=actor.user, action="mailbox.switch", subject=mailbox.id, facts=facts)
            uow.wake(f"sync:{mailbox.id}")
        return mailbox

    async def _require_that_it_sends(self, actor: Actor, mailbox_id: str) -> None:
        """Tries it, where it is not on already: nobody knows since when it was not."""
        mailbox = await self.get(actor, mailbox_id)
        require_mailbox(actor, mailbox)
        if mailbox.send:
            return
        if mailbox.status is MailboxStatus.DISCONNECTED:
            words = f"{mailbox.address} is disconnected; connect it again first."
            raise RefusedError(words, reason="mailbox_disconnected")
        try:
            await self._sending.verify(mailbox)
        except MailError as error:
            raise SendRefusedError(mailbox, diagnose_error(error, provider=mailbox.provider)) from error

    async def pause(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Stops reading and sending, and leaves its seat to whoever waits longest."""
        return await self._move(actor, mailbox_id, MailboxEvent.PAUSE)

    async def resume(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Goes on; without a free seat it waits for one."""
        return await self._move(actor, mailbox_id, MailboxEvent.RESUME)

    async def disconnect(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Forgets the credentials, keeps the history; connecting again starts afresh (R52). Its seat goes to whoever
        waits longest (R214)."""
        return await self._move(actor, mailbox_id, MailboxEvent.DISCONNECT)

    async def _move(self, actor: Actor, mailbox_id: str, event: MailboxEvent) -> Mailbox:
        async def unit() -> Mailbox:
            async with self._tools.store.write(actor.workspace) as uow:
                await uow.mailboxes.lock_seats()
                mailbox = await get_mailbox(uow, mailbox_id)
                require_mailbox(actor, mailbox)
                return await self._moved(uow, actor, mailbox, event)

        return await persistently(unit)

    async def _moved(self, uow: UnitOfWork, actor: Actor, mailbox: Mailbox, event: MailboxEvent) -> Mailbox:
        now = self._tools.clock.now()
        moved = replace(
            mailbox,
            status=transition(mailbox.status, event),
            fault=None,
            send_fault=None,
            streak=0,
            failing_since=None,
            resync_requested_at=None,
            resync_requested_by=None,
        )
        if event is MailboxEvent.RESUME:
            moved = await self._seats.placed(uow, moved)
        moved = await save_mailbox(uow, moved)
        await self._alerts.closed(uow, moved)
        if event is MailboxEvent.DISCONNECT:
            await uow.mailboxes.forget_credentials(moved.id)
            await judge_again(uow, moved.id, now)
        await self._seats.settle(uow)
        await uow.audit.add(at=now, actor=actor.user, action=f"mailbox.{event.value}", subject=moved.id)
        uow.wake("sync")
        return moved

    async def log(self, actor: Actor, mailbox_id: str, limit: int = 20) -> Sequence[SyncLogEntry]:
        """Newest first (R39)."""
        async with self._tools.store.read(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            return await uow.sync_log.list(mailbox_id, limit=limit)


def endpoint_imap(mailbox: Mailbox) -> Endpoint:
    return Endpoint(mailbox.imap_host, mailbox.imap_port, Tls(mailbox.imap_tls))


def endpoint_smtp(mailbox: Mailbox) -> Endpoint:
    return Endpoint(mailbox.smtp_host, mailbox.smtp_port, Tls(mailbox.smtp_tls))


async def get_mailbox(uow: UnitOfWork, mailbox_id: str) -> Mailbox:
    """Raises NotFoundError."""
    mailbox = await uow.mailboxes.get(mailbox_id)
    if mailbox is None:
        raise NotFoundError("This mailbox is not connected here any more.")
    return mailbox


async def save_mailbox(uow: UnitOfWork, mailbox: Mailbox) -> Mailbox:
    """The mailbox as it stands now. Raises RefusedError where somebody else changed it first."""
    if not await uow.mailboxes.save(mailbox):
        raise RefusedError("The mailbox was changed by somebody else at the same moment. Try again.", reason="race")
    return replace(mailbox, version=mailbox.version + 1)


async def _is_assigned(uow: UnitOfWork, actor: Actor, mailbox: Mailbox) -> bool:
    alert = await uow.alerts.current(f"sync:{mailbox.id}")
    return alert is not None and actor.role is not Role.VIEWER and alert.facts.get("assigned_to") == actor.user


def _who(user: str | None) -> str:
    return f"<@{user}>" if user and user.startswith(("U", "W")) else (user or "somebody")
