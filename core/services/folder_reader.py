"""Reads the folders of one connection: what is new from the checkpoint up, what is old from the newest down.

A mark moves in the transaction that stored what was read, so a crash repeats work and loses none; unique keys make
the repetition harmless. Numbers are taken at the start of a pass.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from core.domain.account import Mailbox
from core.domain.folder_sync import (
    MOST_RESETS,
    FolderState,
    Plan,
    Reading,
    believed_uidnext,
    is_renumbered,
    plan,
    reads_history,
)
from core.domain.message import FetchedMessage
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import ServerRefusedError
from core.ports.mail import FolderSnapshot, MailboxClient
from core.services.behind import OneBehind
from core.services.ingest import FolderJob, IngestService, MatchedBatch
from core.services.tools import Tools


class _Span(NamedTuple):
    """What a pass saw: the highest UID (0: none), and how many messages came after its numbers had been taken."""

    highest: int
    late: int


class FolderReader:
    """Reads for one session. ``on_proof`` hears of every answer of the server: it lives. ``own_keys`` are the keys
    of the workspace's mailboxes, which the session keeps up to date; ``moved`` says that a folder's row was changed,
    until the session has looked."""

    def __init__(
        self,
        tools: Tools,
        ingest: IngestService,
        client: MailboxClient,
        *,
        on_proof: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._ingest = ingest
        self._client = client
        self.own_keys = frozenset[str]()
        self._on_proof = on_proof
        self.matched = 0
        self.moved = False
        self.newest: dict[str, datetime] = {}

    async def read_new(self, mailbox: Mailbox, folder: FolderState, *, waited_on: bool) -> None:
        """Brings a folder's checkpoint to its end. The one waited on stays selected; others are only glanced at where
        nothing has moved. Raises MailError kinds."""
        if not waited_on and folder.uidvalidity is not None:
            glance = await self._client.status(folder.name)
            self._on_proof()
            if _is_unmoved(folder, glance):
                return
        snapshot = await self._select(folder)
        if _is_unmoved(folder, snapshot):
            return
        self.moved = True
        todo = _todo(folder, snapshot)
        if reads_history(todo.reading) or not mailbox.capture:
            # Replies are not logged backwards when capturing is switched on later (R80).
            await self._begin_at_end(mailbox, folder, snapshot, todo.reading)
            return
        if todo.reading is Reading.NOTHING:
            await self._move_to_end(mailbox, folder, snapshot, _Span(0, 0))
            return
        span = await self._read(mailbox, folder, snapshot, todo.first_uid)
        if todo.reading is Reading.DOUBTED and is_renumbered(folder, exists=snapshot.exists, highest=span.highest):
            await self._begin_at_end(mailbox, folder, snapshot, Reading.RENUMBERED)
            return
        await self._move_to_end(mailbox, folder, snapshot, span)

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
        if not mailbox.capture:
            await self._drop_history(mailbox, folder)  # switched off while a batch was on its way (R80)
            return
        snapshot = await self._select(folder)
        if folder.history_below is None or snapshot.uidvalidity != folder.uidvalidity:
            return  # renumbered meanwhile: the next pass over new mail sees to it
        job = self._job(mailbox, folder, snapshot, history=True)
        horizon = self._horizon(mailbox, settings)
        read, ended = 0, True
        async with OneBehind() as behind, aclosing(self._newest_first(folder.history_below)) as batches:
            async for messages in batches:
                job = replace(job, history_left=max(0, folder.history_left - read))
                young = [one for one in messages if one.internal_date is None or one.internal_date >= horizon]
                if young:
                    await self._hand_over(behind, job, sorted(young, key=lambda one: one.uid))
                elif not folder.resets:  # where all was numbered anew, newer mail may stand below older
                    break
                read += len(messages)
                if read >= most or enough():
                    ended = False
                    break
        if ended:
            await self._drop_history(mailbox, folder)

    async def _drop_history(self, mailbox: Mailbox, folder: FolderState) -> None:
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.set_history(folder.id, below=None, left=0)

    def _horizon(self, mailbox: Mailbox, settings: WorkspaceSettings) -> datetime:
        """Mail before this is not read. What came since the mailbox was connected always is: in a folder that was
        renumbered it lies among the old mail."""
        oldest = self._tools.clock.now() - timedelta(days=float(settings["history_days"]))
        return min(oldest, mailbox.created_at)

    async def _newest_first(self, below: int | None = None) -> AsyncGenerator[list[FetchedMessage], None]:
        if below is None or below > 1:
            last = None if below is None else below - 1
            async for messages in self._client.fetch(1, last, newest_first=True):
                yield messages

    async def _select(self, folder: FolderState) -> FolderSnapshot:
        snapshot = await self._client.select(folder.name)
        self._on_proof()
        return snapshot

    async def _read(self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot, first_uid: int) -> _Span:
        """Each batch is matched while the one before is being stored."""
        job, uids = self._job(mailbox, folder, snapshot), list[int]()
        async with OneBehind() as behind:
            async for messages in self._client.fetch(first_uid):
                await self._hand_over(behind, job, messages)
                self._note_newest(folder, messages)
                uids += [message.uid for message in messages]
        # Only where the server told of it meanwhile: one whose UIDNEXT lags has counted such mail already.
        late = sum(uid >= snapshot.uidnext for uid in uids) if self._client.has_news() else 0
        return _Span(max(uids, default=0), late)

    def _note_newest(self, folder: FolderState, messages: list[FetchedMessage]) -> None:
        new = (one.internal_date for one in messages if one.internal_date and one.uid >= folder.uidnext)
        arrived = max(new, default=None)
        if arrived is not None:
            self.newest[folder.name] = arrived

    async def _hand_over(self, behind: OneBehind, job: FolderJob, messages: list[FetchedMessage]) -> None:
        self._on_proof()
        batch = await self._ingest.match(job, messages)
        await behind.hand_over(
            partial(self._store, batch), ahead=partial(self._ingest.fetch_bodies, self._client, batch)
        )

    async def _store(self, batch: MatchedBatch) -> None:
        self.matched += await self._ingest.commit(batch)
        self._on_proof()

    async def _begin_at_end(
        self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot, reading: Reading
    ) -> None:
        """What arrives from now on is new; what lies there is history, read in the background. Raises
        ServerRefusedError where a server renumbers again and again: it would be read for ever."""
        old = snapshot.exists > 0 and mailbox.capture
        end = await self._end_of(snapshot)
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.advance(
                folder.id,
                uidvalidity=snapshot.uidvalidity,
                uidnext=end,
                exists=snapshot.exists,
                highestmodseq=snapshot.highestmodseq,
            )
            await uow.folders.set_history(folder.id, below=end if old else None, left=snapshot.exists if old else 0)
            if reading is Reading.RENUMBERED:
                await uow.folders.note_reset(folder.id)
        if reading is Reading.RENUMBERED and folder.resets + 1 >= MOST_RESETS:
            words = f"UIDVALIDITY of {folder.name} changed {folder.resets + 1} times in a row"
            raise ServerRefusedError(words, layer="imap", host=mailbox.imap_host)

    async def _end_of(self, snapshot: FolderSnapshot) -> int:
        """The first UID that no message has: UIDNEXT, and where that cannot be true the newest message tells."""
        told = believed_uidnext(snapshot.uidnext, snapshot.exists)
        if told:
            return told
        async with aclosing(self._newest_first()) as batches:
            async for messages in batches:
                return max(message.uid for message in messages) + 1
        return 1

    async def _move_to_end(self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot, span: _Span) -> None:
        """UIDs below UIDNEXT that hold no message are read too: the next pass need not ask for them again."""
        told = believed_uidnext(snapshot.uidnext, snapshot.exists)
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.folders.advance(
                folder.id,
                uidvalidity=snapshot.uidvalidity,
                uidnext=max(told, span.highest + 1, folder.uidnext),
                exists=snapshot.exists + span.late,
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
            own_keys=self.own_keys,
            history=history,
        )


def _todo(folder: FolderState, snapshot: FolderSnapshot) -> Plan:
    return plan(
        folder,
        uidvalidity=snapshot.uidvalidity,
        uidnext=snapshot.uidnext,
        exists=snapshot.exists,
        highestmodseq=snapshot.highestmodseq,
    )


def _is_unmoved(folder: FolderState, snapshot: FolderSnapshot) -> bool:
    """Nothing to read, and as many messages as before: where mail went away its number is noted, so that the next one
    is noticed by it."""
    return _todo(folder, snapshot).reading is Reading.NOTHING and snapshot.exists == folder.exists
