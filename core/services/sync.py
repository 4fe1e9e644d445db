"""Keeps one mailbox in two-way sync: connect, read every watched folder to its end, then wait for news.

How IMAP behaves, and what follows: a push is only a hint, so every wake-up ends in a comparison of numbers; a link
that is dead says nothing, so every wait is bounded and ends in a NOOP; after any error the connection is thrown away
and a new one reads on from the checkpoint. A folder's checkpoint moves in the transaction that stored what was read.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from functools import partial

from core.domain.account import SYNCED_STATUSES, Mailbox, MailboxEvent, MailboxStatus, SyncFault, transition
from core.domain.address import match_key
from core.domain.diagnosis import Diagnosis
from core.domain.folder_sync import FolderState, Plan, Reading, plan
from core.domain.patience import Audience, Decision, Patience, Speak, decide, escalated
from core.domain.providers import facts as provider_facts
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import LostRaceError, MailError, NotFoundError, ServerRefusedError
from core.ports.mail import FolderInfo, FolderSnapshot, MailboxClient, MailboxConnector
from core.ports.mail import MailboxEvent as Push
from core.ports.storage import SyncLogEntry, UnitOfWork
from core.services.alerts import AlertService
from core.services.behind import OneBehind
from core.services.diagnose import diagnose_error
from core.services.ingest import FolderJob, IngestService, MatchedBatch
from core.services.mailboxes import endpoint_imap
from core.services.tools import Tools, persistently, settings_in

_WATCHED_ROLES = ("inbox", "sent", "junk")
_UNWATCHED = "unwatched"


class MailboxGoneError(NotFoundError):
    """The mailbox was paused, disconnected or removed: its session ends."""

    code = "mailbox_gone"


class SyncService:
    """Use cases of the sync worker."""

    def __init__(self, tools: Tools, connector: MailboxConnector, ingest: IngestService, alerts: AlertService) -> None:
        self.tools = tools
        self._connector = connector
        self.ingest = ingest
        self._alerts = alerts

    async def runnable(self) -> list[tuple[str, str]]:
        """(workspace, mailbox id) of every mailbox that should have a session."""
        found = list[tuple[str, str]]()
        for workspace in await self.tools.store.workspaces():
            async with self.tools.store.read(workspace) as uow:
                mailboxes = await uow.mailboxes.list()
            found.extend((workspace, one.id) for one in mailboxes if one.status in SYNCED_STATUSES)
        return found

    async def run(self, workspace: str, mailbox_id: str) -> None:
        """One session: until cancelled, or until an error ends the connection.

        Raises MailError kinds; MailboxGoneError where the mailbox is not to be synced any more.
        """
        session = await self._open(workspace, mailbox_id)
        try:
            await session.catch_up()
            await session.watch()
        finally:
            await session.close()

    async def _open(self, workspace: str, mailbox_id: str) -> _Session:
        async with self.tools.store.read(workspace) as uow:
            mailbox = await _synced(uow, mailbox_id)
            credentials = await uow.mailboxes.credentials(mailbox_id)
            own_keys = frozenset(match_key(one.address) for one in await uow.mailboxes.list())
            settings = await settings_in(uow)
        client = await self._connector.connect(endpoint_imap(mailbox), credentials)
        return _Session(self, client, mailbox, own_keys, settings)

    async def failed(self, workspace: str, mailbox_id: str, error: MailError) -> datetime | None:
        """Judges a failed session; speaks where patience is over. Returns when to try again, None: when asked."""

        async def unit() -> datetime | None:
            async with self.tools.store.write(workspace) as uow:
                mailbox = await uow.mailboxes.get(mailbox_id)
                if mailbox is None or mailbox.status not in SYNCED_STATUSES:
                    return None
                return await self._failed(uow, mailbox, error)

        return await persistently(unit)

    async def _failed(self, uow: UnitOfWork, mailbox: Mailbox, error: MailError) -> datetime | None:
        now, streak = self.tools.clock.now(), mailbox.streak + 1
        since = mailbox.failing_since or now
        diagnosis = escalated(diagnose_error(error), streak)
        decision = decide(
            diagnosis,
            streak=streak,
            first_failure_at=since,
            now=now,
            settings=_patience(await settings_in(uow)),
            jitter=self.tools.random(),
        )
        changed = replace(mailbox, streak=streak, failing_since=since)
        if mailbox.resync_requested_at is not None or (isinstance(decision, Speak) and _is_outage(decision)):
            # A person who pressed Resync gets an answer now, whatever patience says.
            changed = _broken(changed, diagnosis, decision, now)
            await self._alerts.broke(uow, changed, diagnosis)
        if mailbox.fault is None or mailbox.fault.cause != diagnosis.cause or mailbox.streak == 0:
            entry = SyncLogEntry(mailbox.id, now, diagnosis.cause, diagnosis.raw, diagnosis.fix)
            await uow.sync_log.add(entry)
        await _save(uow, changed)
        return decision.retry_at

    async def is_asked(self, workspace: str, mailbox_id: str) -> bool:
        """Whether somebody wants a try now, or none at all any more; for wake-ups that were lost on their way."""
        async with self.tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
        return mailbox is None or mailbox.status not in SYNCED_STATUSES or mailbox.resync_requested_at is not None

    async def caught_up(self, workspace: str, mailbox_id: str, *, read: int) -> None:
        """Every watched folder was read to its end: green light, alert resolved, held follow-ups released."""

        async def unit() -> None:
            async with self.tools.store.write(workspace) as uow:
                mailbox = await _synced(uow, mailbox_id)
                now = self.tools.clock.now()
                was_down = mailbox.status in (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE)
                changed = replace(
                    mailbox,
                    status=transition(mailbox.status, MailboxEvent.CAUGHT_UP),
                    fault=None,
                    streak=0,
                    failing_since=None,
                    last_sync_at=now,
                    resync_requested_at=None,
                    resync_requested_by=None,
                )
                await _save(uow, changed)
                failed = await self._failed_meanwhile(uow, mailbox) if was_down else 0
                await self._alerts.recovered(uow, changed, caught_up=read, failed_meanwhile=failed)
                await self._release(uow, mailbox.id, ("host_away", "sync_partial", "mailbox_paused", "sync_behind"))

        await persistently(unit)

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

    async def alive(self, workspace: str, mailbox_id: str, folder_ids: list[str], read_at: datetime) -> None:
        """These folders are known to be read to their end as of ``read_at``; what waited for that goes on."""
        async with self.tools.store.write(workspace) as uow:
            await uow.folders.mark_read_through(folder_ids, read_at)
            await uow.mailboxes.touch(mailbox_id, last_sync_at=read_at)
            await self._release(uow, mailbox_id, ("sync_behind",))


class _Session:
    """One connection and what it has read. Lives until the first error."""

    def __init__(
        self,
        service: SyncService,
        client: MailboxClient,
        mailbox: Mailbox,
        own_keys: frozenset[str],
        settings: WorkspaceSettings,
    ) -> None:
        self._service = service
        self._tools = service.tools
        self._client = client
        self._mailbox = mailbox
        self._own_keys = own_keys
        self._settings = settings
        self._folders: dict[str, FolderState] = {}
        self._read = 0

    async def close(self) -> None:
        await self._client.close()

    async def catch_up(self) -> None:
        """First pass over every watched folder."""
        await self._logged_in()
        await self._find_folders()
        await self._pass_all()
        await self._caught_up()

    async def _caught_up(self) -> None:
        await self._service.caught_up(self._mailbox.workspace, self._mailbox.id, read=self._read)

    async def _logged_in(self) -> None:
        async def unit() -> None:
            async with self._tools.store.write(self._mailbox.workspace) as uow:
                mailbox = await _synced(uow, self._mailbox.id)
                status = transition(mailbox.status, MailboxEvent.LOGGED_IN)
                if status is not mailbox.status:
                    await _save(uow, replace(mailbox, status=status))

        await persistently(unit)

    async def _find_folders(self) -> None:
        listed = await self._client.list_folders()
        watched = [one for role in _WATCHED_ROLES for one in _with_role(listed, role)]
        if not any(one.role == "inbox" for one in watched):
            raise ServerRefusedError("the server lists no INBOX", layer="imap", host=self._mailbox.imap_host)
        names = {one.name for one in watched}
        async with self._tools.store.write(self._mailbox.workspace) as uow:
            for one in watched:
                state = await uow.folders.ensure(self._mailbox.id, one.name, str(one.role))
                self._folders[state.id] = state
            for known in await uow.folders.list(self._mailbox.id):
                if known.name not in names and known.role != _UNWATCHED:
                    # Renamed or deleted on the server: nobody reads it any more, so no follow-up may wait for it.
                    await uow.folders.ensure(self._mailbox.id, known.name, _UNWATCHED)

    async def watch(self) -> None:
        """Waits in IDLE on the inbox; looks into the other folders at their pace, and into all when asked."""
        pace = self._settings.seconds("poll_sent_s")
        next_look = self._tools.clock.monotonic() + pace
        while True:
            left = max(0.0, next_look - self._tools.clock.monotonic())
            news = await self._idle_or_asked(min(self._renew_after(), left))
            if news is Push.CHANGED and self._tools.clock.monotonic() < next_look:
                await self._passes(self._in_order("sent", "inbox"))
                continue
            await self._pass_all()
            next_look = self._tools.clock.monotonic() + pace
            if news is None:
                await self._caught_up()  # whoever asked gets an answer

    def _renew_after(self) -> float:
        return min(self._settings.seconds("idle_renew_s"), provider_facts(self._mailbox.provider).idle_renew_s)

    async def _idle_or_asked(self, seconds: float) -> Push | None:
        """CHANGED on a push, RENEW after the time, None where somebody asked for a look."""
        idle = asyncio.create_task(self._client.idle(renew_after=seconds))
        asked = asyncio.create_task(self._tools.store.wait(f"sync:{self._mailbox.id}", seconds + 60))
        try:
            done, _ = await asyncio.wait({idle, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked in done and asked.result():
                return None  # also where news came at the same moment: a look at all folders shows both
            return idle.result() if idle in done else None
        finally:
            for task in (idle, asked):
                task.cancel()
            await asyncio.gather(idle, asked, return_exceptions=True)

    def _in_order(self, *roles: str) -> list[FolderState]:
        """Sent before the inbox: an answer may name an id that only our filed copy shows to be ours (a provider may
        replace the Message-ID), and a mail's own line stands before its answer's."""
        return [one for role in roles for one in self._folders.values() if one.role == role]

    async def _pass_all(self) -> None:
        # The inbox comes last, so that it is the selected folder when waiting goes on.
        await self._passes(sorted(self._folders.values(), key=lambda one: one.role == "inbox"))

    async def _passes(self, folders: list[FolderState]) -> None:
        await self._still_wanted()
        # What arrives while we read is seen by the next pass: proof of reading bears the time of the beginning.
        began = self._tools.clock.now()
        for folder in folders:
            await self._pass(folder)
        await self._service.alive(self._mailbox.workspace, self._mailbox.id, [one.id for one in folders], began)

    async def _still_wanted(self) -> None:
        async with self._tools.store.read(self._mailbox.workspace) as uow:
            self._mailbox = await _synced(uow, self._mailbox.id)
            self._settings = await settings_in(uow)

    async def _pass(self, folder: FolderState) -> None:
        if folder.role != "inbox" and folder.uidvalidity is not None:
            glance = await self._client.status(folder.name)
            if _todo(folder, glance).reading is Reading.NOTHING:
                return
        snapshot = await self._client.select(folder.name)
        todo = _todo(folder, snapshot)
        if todo.reading is Reading.NOTHING:
            return
        if todo.reading is Reading.RENUMBERED:
            async with self._tools.store.write(self._mailbox.workspace) as uow:
                await uow.folders.note_reset(folder.id)
        highest = await self._read_from(todo.first_uid, self._job(folder, snapshot))
        await self._move_to_end(folder, snapshot, max(snapshot.uidnext, highest + 1))

    async def _read_from(self, first_uid: int, job: FolderJob) -> int:
        """Reads to the folder's end, each batch while the one before is being stored; returns the highest UID."""
        highest = 0
        async with OneBehind() as behind:
            async for messages in self._client.fetch(first_uid):
                batch = await self._service.ingest.match(job, messages)
                await behind.hand_over(partial(self._store, batch))
                highest = max(highest, *(message.uid for message in messages))
        return highest

    async def _store(self, batch: MatchedBatch) -> None:
        self._read += await self._service.ingest.store(self._client, batch)

    async def _move_to_end(self, folder: FolderState, snapshot: FolderSnapshot, uidnext: int) -> None:
        """UIDs below UIDNEXT that hold no message are read too: the next pass need not ask for them again."""
        async with self._tools.store.write(self._mailbox.workspace) as uow:
            await uow.folders.advance(
                folder.id,
                uidvalidity=snapshot.uidvalidity,
                uidnext=uidnext,
                exists=snapshot.exists,
                highestmodseq=snapshot.highestmodseq,
            )
        self._folders[folder.id] = replace(folder, uidvalidity=snapshot.uidvalidity, uidnext=uidnext)

    def _job(self, folder: FolderState, snapshot: FolderSnapshot) -> FolderJob:
        return FolderJob(
            mailbox=self._mailbox,
            folder=folder,
            uidvalidity=snapshot.uidvalidity,
            exists=snapshot.exists,
            highestmodseq=snapshot.highestmodseq,
            own_keys=self._own_keys,
        )


def _todo(folder: FolderState, snapshot: FolderSnapshot) -> Plan:
    return plan(folder, uidvalidity=snapshot.uidvalidity, uidnext=snapshot.uidnext)


async def _save(uow: UnitOfWork, mailbox: Mailbox) -> None:
    if not await uow.mailboxes.save(mailbox):
        raise LostRaceError


async def _synced(uow: UnitOfWork, mailbox_id: str) -> Mailbox:
    mailbox = await uow.mailboxes.get(mailbox_id)
    if mailbox is None or mailbox.status not in SYNCED_STATUSES:
        raise MailboxGoneError("The mailbox is not to be synced any more.")
    return mailbox


def _with_role(listed: list[FolderInfo], role: str) -> list[FolderInfo]:
    """One folder per role: where a server marks two as Sent, the first is the one in use."""
    return [one for one in listed if one.role == role and one.selectable][:1]


def _is_outage(decision: Speak) -> bool:
    return decision.audience in (Audience.CHANNEL, Audience.PROVIDER)


def _broken(mailbox: Mailbox, diagnosis: Diagnosis, decision: Decision, now: datetime) -> Mailbox:
    event = MailboxEvent.BROKE
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


def _patience(settings: WorkspaceSettings) -> Patience:
    return Patience(
        first_wait_s=settings.seconds("retry_first_s"),
        reconnect_jitter_s=min(5.0, settings.seconds("retry_first_s") * 2.5),
        longest_wait_s=settings.seconds("retry_most_s"),
        tries_before_speaking=int(settings["alert_tries"]),
        quiet_s=settings.seconds("alert_after_s"),
        settings_quiet_s=settings.seconds("alert_after_s") * 3,
        admin_retry_s=settings.seconds("login_retry_s"),
        give_up_s=settings.seconds("give_up_after_s"),
    )
