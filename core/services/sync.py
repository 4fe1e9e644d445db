"""Keeps mailboxes in two-way sync: opens sessions, and writes down what they find out about a mailbox's state."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from core.domain.account import (
    BROKEN_STATUSES,
    SEATED_STATUSES,
    SYNCED_STATUSES,
    Mailbox,
    MailboxEvent,
    MailboxStatus,
    SyncFault,
    transition,
)
from core.domain.address import match_key
from core.domain.canary import is_silent
from core.domain.diagnosis import CauseClass, Diagnosis
from core.domain.folder_sync import FolderState
from core.domain.patience import Audience, Decision, Patience, Speak, decide, escalated
from core.domain.watched_folders import Choice
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import (
    FreshTokenRefusedError,
    LoginRefusedError,
    LostRaceError,
    MailError,
    NotFoundError,
    ServerSilentError,
)
from core.ports.mail import Credentials, MailboxClient, MailboxConnector
from core.ports.signin import PASSWORD
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.connecting import LOGIN_CAUSES, imap_off
from core.services.diagnose import diagnose_error
from core.services.folder_reader import FolderReader
from core.services.host_gate import HostGate
from core.services.ingest import IngestService
from core.services.leases import MailboxLeases
from core.services.mailboxes import endpoint_imap
from core.services.seats import SeatService
from core.services.sending_health import SendingHealth
from core.services.sync_session import Scene, SyncSession, parks
from core.services.tools import Tools, persistently, settings_in

_UNWATCHED = "unwatched"
_WAITED_FOR_SYNC = ("host_away", "sync_partial", "mailbox_paused", "sync_behind")
# Reading is refused for a reason that need not touch sending (R12).
_READING_ONLY = frozenset({CauseClass.MAILBOX_SWITCH.value, CauseClass.TENANT_ADMIN.value})
_HALF_PROVIDERS = frozenset({"microsoft"})


class MailboxGoneError(NotFoundError):
    """The mailbox was paused, disconnected or removed: its session ends."""

    code = "mailbox_gone"


class CredentialSource(Protocol):
    """core.services.credentials.CredentialService, as far as sync asks of it."""

    async def of(self, workspace: str, mailbox: Mailbox, *, anew: bool = False) -> Credentials:
        """Raises MailError kinds where a token cannot be renewed."""
        ...


class SyncService:
    """Use cases of the sync worker; also what a session asks of the rows."""

    def __init__(
        self,
        tools: Tools,
        connector: MailboxConnector,
        credentials: CredentialSource,
        ingest: IngestService,
        alerts: AlertService,
        sending: SendingHealth,
    ) -> None:
        self.tools = tools
        self._connector = connector
        self._credentials = credentials
        self.ingest = ingest
        self._alerts = alerts
        self._seats = SeatService(tools, alerts)
        self.sending = sending
        self._gate = HostGate()
        self._leases = MailboxLeases(tools)
        self._proof: dict[tuple[str, str], float] = {}

    async def runnable(self) -> list[tuple[str, str]]:
        """(workspace, mailbox id) of every mailbox that should have a session in this process."""
        found = list[tuple[str, str]]()
        for workspace in await self.tools.store.workspaces():
            async with self.tools.store.read(workspace) as uow:
                mailboxes = await uow.mailboxes.list()
            wanted = {one.id for one in mailboxes if one.status in SEATED_STATUSES}
            held = await self._leases.held(workspace, wanted)
            found.extend((workspace, one.id) for one in mailboxes if one.id in held)
        return found

    async def hand_back(self) -> None:
        """Other processes may have these mailboxes at once."""
        await self._leases.give_back()

    # Sessions

    async def run(self, workspace: str, mailbox_id: str) -> None:
        """One session: until cancelled, until an error ends the connection, or until its token is about to end.

        Raises MailError kinds; MailboxGoneError where the mailbox is not to be synced any more.
        """
        key = (workspace, mailbox_id)
        watch = asyncio.create_task(self._run(key))
        try:
            await self._until_silent(key, watch)
        finally:
            self._proof.pop(key, None)
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _until_silent(self, key: tuple[str, str], session: asyncio.Task[None]) -> None:
        """Raises ServerSilentError where a session has had no proof of life for too long (R4)."""
        self._prove(key)
        scene = await self.scene(*key)
        patience = scene.settings.seconds("stuck_after_s")
        while True:
            left = self._proof[key] + patience - self.tools.clock.monotonic()
            done, _ = await asyncio.wait({session}, timeout=max(left, 0.05))
            if done:
                return session.result()
            if self.tools.clock.monotonic() - self._proof[key] >= patience:
                words = f"TimeoutError: no sign of life for {patience:g} s"
                raise ServerSilentError(words, layer="imap", host=scene.mailbox.imap_host)

    def _prove(self, key: tuple[str, str]) -> None:
        self._proof[key] = self.tools.clock.monotonic()

    async def _run(self, key: tuple[str, str]) -> None:
        scene = await self.scene(*key)
        async with self.tools.store.read(key[0]) as uow:
            own_keys = frozenset(match_key(one.address) for one in await uow.mailboxes.list())
        client = await self._connected(scene.mailbox)
        prove = partial(self._prove, key)

        def make_reader(client: MailboxClient) -> FolderReader:
            return FolderReader(self.tools, self.ingest, client, own_keys, on_proof=prove)

        session = SyncSession(self, self.tools, client, scene, make_reader, on_proof=prove)
        try:
            await session.run()
        finally:
            await session.close()

    async def _connected(self, mailbox: Mailbox) -> MailboxClient:
        """A refused access token is renewed once: only the second refusal needs a person."""
        asked = mailbox.resync_requested_at is not None
        by_token = mailbox.sign_in != PASSWORD
        try:
            if not (asked and by_token):
                return await self._connect(mailbox, anew=False)
        except LoginRefusedError as error:
            if not by_token or error.layer == "oauth":
                raise
        try:
            return await self._connect(mailbox, anew=True)
        except LoginRefusedError as error:
            if error.layer == "oauth":
                raise
            raise FreshTokenRefusedError(error.raw, layer=error.layer, host=error.host) from error

    async def _connect(self, mailbox: Mailbox, *, anew: bool) -> MailboxClient:
        credentials = await self._credentials.of(mailbox.workspace, mailbox, anew=anew)
        async with self._gate.turn(mailbox.imap_host):
            self._prove((mailbox.workspace, mailbox.id))  # waiting for one's turn is no silence
            return await self._connector.connect(endpoint_imap(mailbox), credentials)

    # What a session asks of the rows

    async def scene(self, workspace: str, mailbox_id: str) -> Scene:
        async with self.tools.store.read(workspace) as uow:
            mailbox = await _synced(uow, mailbox_id)
            return Scene(mailbox, await settings_in(uow), tuple(await uow.folders.list(mailbox_id)))

    async def logged_in(self, mailbox: Mailbox) -> None:
        async def unit() -> None:
            async with self.tools.store.write(mailbox.workspace) as uow:
                now = await _synced(uow, mailbox.id)
                status = transition(now.status, MailboxEvent.LOGGED_IN)
                if status is not now.status:
                    await _save(uow, replace(now, status=status))

        await persistently(unit)

    async def watch_folders(self, mailbox: Mailbox, choice: Choice) -> None:
        names = {one.name for one in choice.folders}
        async with self.tools.store.write(mailbox.workspace) as uow:
            for one in choice.folders:
                await uow.folders.ensure(mailbox.id, one.name, one.role)
            for known in await uow.folders.list(mailbox.id):
                if known.name not in names and known.role != _UNWATCHED:
                    # Renamed or deleted on the server: nobody reads it any more, so no follow-up may wait for it.
                    await uow.folders.ensure(mailbox.id, known.name, _UNWATCHED)
        if choice.all_mail_hidden:
            await self._note_once(mailbox, "All Mail is not shown to IMAP programs")

    async def current(self, mailbox: Mailbox, *, read: int, whole: bool) -> None:
        """New mail was read to its end: the alert is resolved, held follow-ups are released; the light is green where
        old mail is read too, and grey until then (R10, R11)."""
        send_fault = await self.sending.again(mailbox)

        async def unit() -> None:
            async with self.tools.store.write(mailbox.workspace) as uow:
                now = await _synced(uow, mailbox.id)
                if not await self._is_still_silent(uow, now):
                    await self._current(uow, now, send_fault, read=read, whole=whole)

        await persistently(unit)

    async def _is_still_silent(self, uow: UnitOfWork, mailbox: Mailbox) -> bool:
        """A server that answers everything and shows no new mail proves nothing by answering: an echo does, or a
        person's wish to try again (R4, X6)."""
        fault = mailbox.fault
        if fault is None or not is_silent(mailbox) or mailbox.resync_requested_at is not None:
            return False
        return not await uow.canaries.echoed_since(mailbox.id, fault.at)

    async def _current(
        self, uow: UnitOfWork, mailbox: Mailbox, send_fault: SyncFault | None, *, read: int, whole: bool
    ) -> None:
        was_down = mailbox.status in (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE, MailboxStatus.PARTIAL)
        event = MailboxEvent.CAUGHT_UP if whole else MailboxEvent.CURRENT
        changed = replace(
            mailbox,
            status=transition(mailbox.status, MailboxEvent.BROKE if send_fault else event),
            fault=send_fault,
            send_fault=send_fault,
            streak=0,
            failing_since=mailbox.failing_since if send_fault else None,
            last_sync_at=self.tools.clock.now(),
            resync_requested_at=None,
            resync_requested_by=None,
        )
        await _save(uow, changed)
        if send_fault:
            await self.sending.still_broken(uow, changed)
            await self._release(uow, mailbox.id, ("sync_behind",))
            return
        failed = await self._failed_meanwhile(uow, mailbox) if was_down else 0
        await self._alerts.recovered(uow, changed, caught_up=read, failed_meanwhile=failed)
        await self._release(uow, mailbox.id, _WAITED_FOR_SYNC)

    async def _failed_meanwhile(self, uow: UnitOfWork, mailbox: Mailbox) -> int:
        """Stages of this mailbox that failed because it was not synced: what one Retry would bring back."""
        count = 0
        for campaign in await uow.campaigns.list():
            failed = await uow.deliveries.failed_of(campaign.id, reason="email_not_synced")
            count += sum(1 for one in failed if one.mailbox_id == mailbox.id)
        return count

    async def _release(self, uow: UnitOfWork, mailbox_id: str, reasons: tuple[str, ...]) -> None:
        now, released = self.tools.clock.now(), 0
        for waiting_for in reasons:
            released += await uow.deliveries.release(waiting_for, not_before=now, mailbox_id=mailbox_id)
        if released:
            uow.wake("outreach")

    async def alive(self, mailbox: Mailbox, folder_ids: list[str], read_at: datetime) -> None:
        """These folders are known to be read to their end as of ``read_at``; what waited for that goes on."""
        async with self.tools.store.write(mailbox.workspace) as uow:
            await uow.folders.mark_read_through(folder_ids, read_at)
            await uow.mailboxes.touch(mailbox.id, last_sync_at=read_at)
            await self._release(uow, mailbox.id, ("sync_behind",))

    async def folder_failed(self, mailbox: Mailbox, folder: FolderState, error: MailError) -> None:
        """One folder that does not open stops nothing else; after three times it rests for six hours."""
        now = self.tools.clock.now()
        until = now + timedelta(seconds=Patience().folder_parked_s) if parks(folder) else None
        diagnosis = diagnose_error(error, provider=mailbox.provider)
        async with self.tools.store.write(mailbox.workspace) as uow:
            await uow.folders.note_failure(folder.id, parked_until=until)
            if until is not None:
                raw = f"{folder.name}: {diagnosis.raw}"
                await uow.sync_log.add(SyncLogEntry(mailbox.id, now, diagnosis.cause, raw, diagnosis.fix))

    async def folder_works(self, mailbox: Mailbox, folder: FolderState) -> None:
        async with self.tools.store.write(mailbox.workspace) as uow:
            await uow.folders.note_success(folder.id)

    async def refreshed(self, mailbox: Mailbox) -> None:
        async with self.tools.store.write(mailbox.workspace) as uow:
            await uow.mailboxes.note_refresh(mailbox.id, refreshed_at=self.tools.clock.now())

    async def is_deaf(self, mailbox: Mailbox) -> None:
        await self._note_once(mailbox, "mail arrived of which the server did not tell in IDLE")

    async def _note_once(self, mailbox: Mailbox, raw: str) -> None:
        """A line in the mailbox's log, unless the newest one says so already."""
        diagnosis = diagnose_error(MailError(raw, layer="imap", host=mailbox.imap_host), provider=mailbox.provider)
        async with self.tools.store.write(mailbox.workspace) as uow:
            newest = await uow.sync_log.list(mailbox.id, limit=1)
            if not newest or newest[0].raw != raw:
                entry = SyncLogEntry(mailbox.id, self.tools.clock.now(), diagnosis.cause, raw, diagnosis.fix)
                await uow.sync_log.add(entry)

    # Failures

    async def failed(self, workspace: str, mailbox_id: str, error: MailError) -> datetime | None:
        """Judges a failed session; speaks where patience is over. Returns when to try again, None: when asked."""
        sends = await self._still_sends(workspace, mailbox_id, error)

        async def unit() -> datetime | None:
            async with self.tools.store.write(workspace) as uow:
                mailbox = await uow.mailboxes.get(mailbox_id)
                if mailbox is None or mailbox.status not in SYNCED_STATUSES:
                    return None
                return await self._failed(uow, mailbox, error, sends=sends)

        return await persistently(unit)

    async def _still_sends(self, workspace: str, mailbox_id: str, error: MailError) -> bool:
        """Where only reading is refused, sending is tried: it may go on (R12)."""
        async with self.tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
        if mailbox is None or mailbox.provider not in _HALF_PROVIDERS or not mailbox.send:
            return False
        diagnosis = escalated(_verdict(error, mailbox), mailbox.streak + 1)
        return diagnosis.klass in _READING_ONLY and await self.sending.works(mailbox)

    async def _failed(self, uow: UnitOfWork, mailbox: Mailbox, error: MailError, *, sends: bool) -> datetime | None:
        now, streak = self.tools.clock.now(), mailbox.streak + 1
        since = mailbox.failing_since or now
        diagnosis = escalated(_verdict(error, mailbox), streak)
        decision = decide(
            diagnosis,
            streak=streak,
            first_failure_at=since,
            now=now,
            settings=patience_of(await settings_in(uow)),
            jitter=self.tools.random(),
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
            await self._release(uow, mailbox.id, ("host_away",))
        return decision.retry_at

    async def went_silent(self, workspace: str, mailbox_id: str, words: str) -> None:
        """Mail does not come through although the server says nothing of it (R4): told at once."""
        now = self.tools.clock.now()

        async def unit() -> None:
            async with self.tools.store.write(workspace) as uow:
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

    async def is_asked(self, workspace: str, mailbox_id: str) -> bool:
        """Whether somebody wants a try now, or none at all any more; for wake-ups that were lost on their way."""
        async with self.tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
        return mailbox is None or mailbox.status not in SYNCED_STATUSES or mailbox.resync_requested_at is not None


async def _save(uow: UnitOfWork, mailbox: Mailbox) -> None:
    if not await uow.mailboxes.save(mailbox):
        raise LostRaceError


async def _synced(uow: UnitOfWork, mailbox_id: str) -> Mailbox:
    mailbox = await uow.mailboxes.get(mailbox_id)
    if mailbox is None or mailbox.status not in SYNCED_STATUSES:
        raise MailboxGoneError("The mailbox is not to be synced any more.")
    return mailbox


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
