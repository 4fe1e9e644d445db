"""Mailboxes: look, resync, pause, disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from core.domain.account import Mailbox, MailboxEvent, MailboxStatus, transition
from core.domain.actor import Actor, Role, require_mailbox
from core.domain.address import match_key
from core.errors import NotFoundError, RefusedError
from core.ports.mail import Endpoint, Tls
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.tools import Tools


class MailboxService:
    """Use cases around one mailbox. Every method checks what the actor may do."""

    def __init__(self, tools: Tools, alerts: AlertService) -> None:
        self._tools = tools
        self._alerts = alerts

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
        """Raises RefusedError where one is under way already, NotAllowedError, NotFoundError."""
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            if mailbox.resync_requested_at and now - mailbox.resync_requested_at < timedelta(seconds=30):
                ago = int((now - mailbox.resync_requested_at).total_seconds())
                raise RefusedError(
                    f"{mailbox.address} is being resynced already, asked by {_who(mailbox.resync_requested_by)} "
                    f"{ago} s ago.",
                    reason="resync_running",
                )
            mailbox = replace(
                mailbox,
                status=transition(mailbox.status, MailboxEvent.RESYNC),
                resync_requested_at=now,
                resync_requested_by=actor.user,
            )
            mailbox = await save_mailbox(uow, mailbox)
            await self._alerts.resync_requested(uow, mailbox, actor.user)
            await uow.audit.add(at=now, actor=actor.user, action="mailbox.resync", subject=mailbox.id)
            uow.wake("sync")
            uow.wake(f"sync:{mailbox.id}")
        return mailbox

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
        """Reads new mail at once (R24, R31). Raises RefusedError where nothing is synced."""
        async with self._tools.store.write(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            transition(mailbox.status, MailboxEvent.RESYNC)
            uow.wake("sync")
            uow.wake(f"sync:{mailbox.id}")
        return mailbox

    async def pause(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._move(actor, mailbox_id, MailboxEvent.PAUSE)

    async def resume(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._move(actor, mailbox_id, MailboxEvent.RESUME)

    async def disconnect(self, actor: Actor, mailbox_id: str) -> Mailbox:
        """Forgets the credentials, keeps the history; connecting again starts afresh (R52)."""
        return await self._move(actor, mailbox_id, MailboxEvent.DISCONNECT)

    async def _move(self, actor: Actor, mailbox_id: str, event: MailboxEvent) -> Mailbox:
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, mailbox)
            status = transition(mailbox.status, event)
            mailbox = replace(
                mailbox,
                status=status,
                fault=None,
                streak=0,
                failing_since=None,
                resync_requested_at=None,
                resync_requested_by=None,
            )
            mailbox = await save_mailbox(uow, mailbox)
            await self._alerts.closed(uow, mailbox)
            if event is MailboxEvent.DISCONNECT:
                await uow.mailboxes.forget_credentials(mailbox.id)
                await _judge_again(uow, mailbox.id, now)
            await uow.audit.add(at=now, actor=actor.user, action=f"mailbox.{event.value}", subject=mailbox.id)
            uow.wake("sync")
        return mailbox

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


async def _judge_again(uow: UnitOfWork, mailbox_id: str, now: datetime) -> None:
    """Nothing will release what waits for a mailbox that is gone: the gates say so instead."""
    for waiting_for in ("host_away", "sync_partial", "mailbox_paused", "sync_behind"):
        await uow.deliveries.release(waiting_for, not_before=now, mailbox_id=mailbox_id)
    uow.wake("outreach")


def _who(user: str | None) -> str:
    return f"<@{user}>" if user and user.startswith(("U", "W")) else (user or "somebody")
