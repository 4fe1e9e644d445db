"""Keeps mailboxes in two-way sync: opens sessions, and writes down what they find out about a mailbox's state."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.account import (
    SEATED_STATUSES,
    SYNCED_STATUSES,
    Mailbox,
    MailboxEvent,
    MailboxStatus,
    SyncFault,
    transition,
)
from core.domain.canary import is_silent
from core.domain.folder_sync import FolderState
from core.domain.patience import Patience
from core.domain.preflight import is_fresh
from core.domain.watched_folders import Choice
from core.errors import FreshTokenRefusedError, LoginRefusedError, LostRaceError, MailError, NotFoundError
from core.ports.mail import Credentials, MailboxClient, MailboxConnector
from core.ports.signin import PASSWORD
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.diagnose import diagnose_error
from core.services.folder_reader import FolderReader
from core.services.host_gate import HostGate
from core.services.ingest import IngestService
from core.services.leases import MailboxLeases
from core.services.mailboxes import endpoint_imap
from core.services.proof_of_life import ProofOfLife
from core.services.recovery import NOT_SYNCED
from core.services.sending_health import SendingHealth
from core.services.sync_failures import SyncFailures, release
from core.services.sync_session import Scene, SyncSession, parks
from core.services.tools import Tools, persistently, settings_in

_UNWATCHED = "unwatched"
_WAITED_FOR_SYNC = ("host_away", "sync_partial", "mailbox_paused", "mailbox_pending")
_SENDING = frozenset({MailboxStatus.ACTIVE, MailboxStatus.HISTORICAL})
_WAS_DOWN = (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE, MailboxStatus.PARTIAL)


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
        self.sending = sending
        self._failures = SyncFailures(tools, alerts, sending)
        self._gate = HostGate()
        self._leases = MailboxLeases(tools)
        self._own: dict[str, tuple[int, frozenset[str]]] = {}

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
        scene = await self.scene(workspace, mailbox_id)
        proof = ProofOfLife(self.tools.clock, scene.mailbox.imap_host)
        session = asyncio.create_task(self._run(scene, proof))
        try:
            await proof.watch(session, scene.settings.seconds("stuck_after_s"))
        finally:
            session.cancel()
            await asyncio.gather(session, return_exceptions=True)

    async def _run(self, scene: Scene, proof: ProofOfLife) -> None:
        client, token_ends = await self._connected(scene.mailbox, proof)
        reader = FolderReader(self.tools, self.ingest, client, on_proof=proof.given)
        session = SyncSession(self, self.tools, client, scene, reader, on_proof=proof.given, token_ends=token_ends)
        try:
            await session.run()
        finally:
            await session.close()

    async def _connected(self, mailbox: Mailbox, proof: ProofOfLife) -> tuple[MailboxClient, datetime | None]:
        """A connection, and when its access token ends. A refused access token is renewed once: only the second
        refusal needs a person."""
        asked = mailbox.resync_requested_at is not None
        by_token = mailbox.sign_in != PASSWORD
        try:
            if not (asked and by_token):
                return await self._connect(mailbox, proof, anew=False)
        except LoginRefusedError as error:
            if not by_token or error.layer == "oauth":
                raise
        try:
            return await self._connect(mailbox, proof, anew=True)
        except LoginRefusedError as error:
            if error.layer == "oauth":
                raise
            raise FreshTokenRefusedError(error.raw, layer=error.layer, host=error.host) from error

    async def _connect(
        self, mailbox: Mailbox, proof: ProofOfLife, *, anew: bool
    ) -> tuple[MailboxClient, datetime | None]:
        credentials = await self._credentials.of(mailbox.workspace, mailbox, anew=anew)
        async with AsyncExitStack() as stack:
            with proof.suspended():  # waiting for one's turn is no silence
                await stack.enter_async_context(self._gate.turn(mailbox.imap_host))
            client = await self._connector.connect(endpoint_imap(mailbox), credentials)
        proof.given()
        return client, credentials.expires_at if mailbox.sign_in != PASSWORD else None

    # What a session asks of the rows

    async def scene(self, workspace: str, mailbox_id: str) -> Scene:
        async with self.tools.store.read(workspace) as uow:
            mailbox = await _synced(uow, mailbox_id)
            folders = tuple(await uow.folders.list(mailbox_id))
            return Scene(mailbox, await settings_in(uow), folders, await self._own_keys(uow))

    async def _own_keys(self, uow: UnitOfWork) -> frozenset[str]:
        """Match keys of the workspace's mailboxes, asked for only where there are more than before: many sessions look
        often."""
        count = await uow.mailboxes.count()
        known = self._own.get(uow.workspace)
        if known is None or known[0] != count:
            known = count, await uow.mailboxes.address_keys()
            self._own[uow.workspace] = known
        return known[1]

    async def logged_in(self, mailbox: Mailbox) -> None:
        if transition(mailbox.status, MailboxEvent.LOGGED_IN) is mailbox.status:
            return  # a connection made anew: most of them

        async def unit() -> None:
            async with self.tools.store.write(mailbox.workspace) as uow:
                now = await _synced(uow, mailbox.id)
                status = transition(now.status, MailboxEvent.LOGGED_IN)
                if status is not now.status:
                    await _save(uow, replace(now, status=status))

        await persistently(unit)

    async def watch_folders(self, mailbox: Mailbox, choice: Choice) -> None:
        """Called where the choice is another than what the rows say."""
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

    async def current(self, mailbox: Mailbox, *, read: int, whole: bool, settled: bool) -> None:
        """New mail was read to its end: the alert is resolved, held follow-ups are released; the light is green where
        old mail is read too, and grey until then (R10, R11).

        A session that is not ``settled`` yet may end like those before it: what failed several times is called mended
        only when a session outlives its first wait, or where a person asked.
        """
        tried = await self.sending.again(mailbox)

        async def unit() -> None:
            async with self.tools.store.write(mailbox.workspace) as uow:
                now = await _synced(uow, mailbox.id)
                # A send that was refused while we tried knows more than our trial.
                send_fault = tried if now.send_fault == mailbox.send_fault else now.send_fault
                if not settled and now.streak and now.resync_requested_at is None:
                    await self._read_once_more(uow, now, whole=whole)
                elif await self._is_still_silent(uow, now):
                    await _save(uow, replace(now, streak=0, last_sync_at=self.tools.clock.now()))
                else:
                    await self._current(uow, now, send_fault, read=read, whole=whole)

        await persistently(unit)

    async def _read_once_more(self, uow: UnitOfWork, mailbox: Mailbox, *, whole: bool) -> None:
        """Mail comes in between failures: the light stays as it is where it is red, and the failures count on."""
        changed = replace(mailbox, last_sync_at=self.tools.clock.now())
        if mailbox.status not in _WAS_DOWN:
            event = MailboxEvent.CAUGHT_UP if whole else MailboxEvent.CURRENT
            changed = replace(changed, status=transition(mailbox.status, event))
        await _save(uow, changed)

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
        if send_fault and _asked_since(mailbox, send_fault):
            return  # the session hears of the wish next, and sending is tried for it
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
            return
        failed = await self._failed_meanwhile(uow, mailbox) if mailbox.status in _WAS_DOWN else 0
        await self._alerts.recovered(uow, changed, caught_up=read, failed_meanwhile=failed)
        await release(self.tools, uow, mailbox.id, _WAITED_FOR_SYNC)
        folders = tuple(await uow.folders.list(mailbox.id))
        await self._release_follow_ups(uow, Scene(changed, await settings_in(uow), folders, frozenset()))

    async def _failed_meanwhile(self, uow: UnitOfWork, mailbox: Mailbox) -> int:
        """Stages of this mailbox that failed because it was not synced: what one Retry would bring back."""
        since = mailbox.failing_since or mailbox.created_at
        return await uow.deliveries.count_failed_of_mailbox(mailbox.id, reason=NOT_SYNCED, since=since)

    async def alive(self, scene: Scene, folder_ids: Collection[str], read_at: datetime, *, refreshed: bool) -> None:
        """These folders are known to be read to their end as of ``read_at``; what waited for that goes on."""
        mailbox = scene.mailbox
        known = [replace(one, read_through_at=read_at) if one.id in folder_ids else one for one in scene.folders]
        async with self.tools.store.write(mailbox.workspace) as uow:
            await uow.folders.mark_read_through(folder_ids, read_at)
            await uow.mailboxes.touch(mailbox.id, last_sync_at=read_at)
            if refreshed:
                await uow.mailboxes.note_refresh(mailbox.id, refreshed_at=read_at)
            await self._release_follow_ups(uow, replace(scene, folders=tuple(known)))

    async def _release_follow_ups(self, uow: UnitOfWork, scene: Scene) -> None:
        """Only where they would go: one that is held again at once asks for a look, which would release it again."""
        mailbox, now = scene.mailbox, self.tools.clock.now()
        freshness = timedelta(seconds=scene.settings.seconds("freshness_s"))
        if mailbox.status in _SENDING and is_fresh(scene.folders, now, freshness, mailbox.created_at):
            await release(self.tools, uow, mailbox.id, ("sync_behind",))

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

    async def is_deaf(self, mailbox: Mailbox) -> None:
        await self._note_once(mailbox, "mail arrived of which the server did not tell in IDLE")

    async def _note_once(self, mailbox: Mailbox, raw: str) -> None:
        """A line in the mailbox's log, unless one of the newest says so already."""
        diagnosis = diagnose_error(MailError(raw, layer="imap", host=mailbox.imap_host), provider=mailbox.provider)
        async with self.tools.store.write(mailbox.workspace) as uow:
            if all(one.raw != raw for one in await uow.sync_log.list(mailbox.id)):
                entry = SyncLogEntry(mailbox.id, self.tools.clock.now(), diagnosis.cause, raw, diagnosis.fix)
                await uow.sync_log.add(entry)

    # Failures

    async def failed(self, workspace: str, mailbox_id: str, error: MailError) -> datetime | None:
        """Judges a failed session; speaks where patience is over. Returns when to try again, None: when asked."""
        return await self._failures.failed(workspace, mailbox_id, error)

    async def went_silent(self, workspace: str, mailbox_id: str, words: str) -> None:
        """Mail does not come through although the server says nothing of it (R4): told at once."""
        await self._failures.went_silent(workspace, mailbox_id, words)

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


def _asked_since(mailbox: Mailbox, tried: SyncFault) -> bool:
    """Whether somebody pressed Resync after sending was last tried."""
    return mailbox.resync_requested_at is not None and mailbox.resync_requested_at > tried.at
