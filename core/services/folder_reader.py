"""Reads the folders of one connection: what is new from the checkpoint up, what is old from the newest down.

A mark moves in the transaction that stored what was read, so a crash repeats work and loses none; unique keys make
the repetition harmless. Numbers are taken at the start of a pass.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from core.domain.account import Mailbox
from core.domain.folder_sync import MOST_RESETS, FolderState, Plan, Reading, has_history, plan, reads_history
from core.domain.message import FetchedMessage
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import ServerRefusedError
from core.ports.mail import FolderSnapshot, MailboxClient
from core.services.behind import OneBehind
from core.services.ingest import FolderJob, IngestService, MatchedBatch
from core.services.tools import Tools

# Provider clocks differ from ours.
_CLOCK_SLACK = timedelta(hours=1)


class FolderReader:
    """Reads for one session. ``on_proof`` hears of every answer of the server: it lives."""

    def __init__(
        self,
        tools: Tools,
        ingest: IngestService,
        client: MailboxClient,
        own_keys: frozenset[str],
        *,
        on_proof: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._ingest = ingest
        self._client = client
        self._own_keys = own_keys
        self._on_proof = on_proof
        self._reached: dict[str, datetime] = {}
        self.matched = 0
        self.newest: dict[str, datetime] = {}

    async def read_new(self, mailbox: Mailbox, folder: FolderState, *, waited_on: bool) -> None:
        """Brings a folder's checkpoint to its end. The one waited on stays selected; others are only glanced at where
        nothing has moved. Raises MailError kinds."""
        if not waited_on and folder.uidvalidity is not None:
            glance = await self._client.status(folder.name)
            self._on_proof()
            if _todo(folder, glance).reading is Reading.NOTHING:
                return
        snapshot = await self._select(folder)
        todo = _todo(folder, snapshot)
        if todo.reading is Reading.NOTHING:
            return
        if todo.reading is Reading.RENUMBERED:
            await self._note_reset(mailbox, folder)
        if reads_history(todo.reading) or not mailbox.capture:
            # Replies are not logged backwards when capturing is switched on later (R80).
            await self._begin_at_end(mailbox, folder, snapshot)
            return
        job = self._job(mailbox, folder, snapshot)
        highest = await self._read(job, self._client.fetch(todo.first_uid))
        await self._move_to_end(mailbox, folder, snapshot, max(snapshot.uidnext, highest + 1))

    async def read_history(
        self,
        mailbox: Mailbox,
        folder: FolderState,
        settings: WorkspaceSettings,
        *,
        most: int,
        enough: Callable[[], bool],
    ) -> None:
        """Reads old mail, newest first: about ``most`` messages, or until ``enough`` says so (R10, R11)."""
        snapshot = await self._select(folder)
        if folder.history_below is None or snapshot.uidvalidity != folder.uidvalidity:
            return  # renumbered meanwhile: the next pass over new mail sees to it
        horizon = self._tools.clock.now() - timedelta(days=float(settings["history_days"]))
        job = self._job(mailbox, folder, snapshot, history=True)
        read, ended = 0, True
        async with OneBehind() as behind, aclosing(self._old_mail(folder.history_below)) as batches:
            async for messages in batches:
                job = replace(job, history_left=max(0, folder.history_left - read))
                await self._hand_over(behind, job, sorted(messages, key=lambda one: one.uid))
                read += len(messages)
                oldest = self._note_reached(folder, messages)
                ended = oldest < horizon
                if ended or read >= most or enough():
                    break
            else:
                ended = True
        if ended:
            async with self._tools.store.write(mailbox.workspace) as uow:
                await uow.folders.set_history(folder.id, below=None, left=0)

    async def _old_mail(self, below: int) -> AsyncGenerator[list[FetchedMessage], None]:
        if below > 1:
            async for messages in self._client.fetch(1, below - 1, newest_first=True):
                yield messages

    def _note_reached(self, folder: FolderState, messages: list[FetchedMessage]) -> datetime:
        now = self._tools.clock.now()
        oldest = min((one.internal_date or now for one in messages), default=now)
        self._reached[folder.id] = min(self._reached.get(folder.id, oldest), oldest)
        return oldest

    def is_read_through(self, mailbox: Mailbox, folder: FolderState) -> bool:
        """Whether every answer to mail that went out through this mailbox has been seen: what is still to be read is
        older than the mailbox's connection."""
        if not has_history(folder):
            return True
        reached = self._reached.get(folder.id)
        return reached is not None and reached < mailbox.created_at - _CLOCK_SLACK

    async def _select(self, folder: FolderState) -> FolderSnapshot:
        snapshot = await self._client.select(folder.name)
        self._on_proof()
        return snapshot

    async def _read(self, job: FolderJob, batches: AsyncIterator[list[FetchedMessage]]) -> int:
        """Each batch is matched while the one before is being stored; returns the highest UID."""
        highest = 0
        async with OneBehind() as behind:
            async for messages in batches:
                await self._hand_over(behind, job, messages)
                self._note_newest(job.folder, messages)
                highest = max(highest, *(message.uid for message in messages))
        return highest

    def _note_newest(self, folder: FolderState, messages: list[FetchedMessage]) -> None:
        arrived = max((one.internal_date for one in messages if one.internal_date), default=None)
        if arrived is not None:
            self.newest[folder.name] = arrived

    async def _hand_over(self, behind: OneBehind, job: FolderJob, messages: list[FetchedMessage]) -> None:
        self._on_proof()
        batch = await self._ingest.match(job, messages)
        await behind.hand_over(partial(self._store, batch))

    async def _store(self, batch: MatchedBatch) -> None:
        self.matched += await self._ingest.store(self._client, batch)
        self._on_proof()

    async def _note_reset(self, mailbox: Mailbox, folder: FolderState) -> None:
        """Raises ServerRefusedError where a server renumbers again and again: it would be read for ever."""
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.note_reset(folder.id)
        if folder.resets + 1 >= MOST_RESETS:
            words = f"UIDVALIDITY of {folder.name} changed {folder.resets + 1} times in a row"
            raise ServerRefusedError(words, layer="imap", host=mailbox.imap_host)

    async def _begin_at_end(self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot) -> None:
        """What arrives from now on is new; what lies there is history, read in the background."""
        old = snapshot.exists > 0 and mailbox.capture
        self._reached.pop(folder.id, None)
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.advance(
                folder.id,
                uidvalidity=snapshot.uidvalidity,
                uidnext=max(snapshot.uidnext, 1),
                exists=snapshot.exists,
                highestmodseq=snapshot.highestmodseq,
            )
            await uow.folders.set_history(
                folder.id, below=snapshot.uidnext if old else None, left=snapshot.exists if old else 0
            )

    async def _move_to_end(self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot, uidnext: int) -> None:
        """UIDs below UIDNEXT that hold no message are read too: the next pass need not ask for them again."""
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.advance(
                folder.id,
                uidvalidity=snapshot.uidvalidity,
                uidnext=uidnext,
                exists=snapshot.exists,
                highestmodseq=snapshot.highestmodseq,
            )

    def _job(
        self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot, *, history: bool = False
    ) -> FolderJob:
        return FolderJob(
            mailbox=mailbox,
            folder=folder,
            uidvalidity=snapshot.uidvalidity,
            exists=snapshot.exists,
            highestmodseq=snapshot.highestmodseq,
            own_keys=self._own_keys,
            history=history,
        )


def _todo(folder: FolderState, snapshot: FolderSnapshot) -> Plan:
    return plan(
        folder, uidvalidity=snapshot.uidvalidity, uidnext=snapshot.uidnext, highestmodseq=snapshot.highestmodseq
    )
