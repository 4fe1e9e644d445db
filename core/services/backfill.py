"""Looks for old mail of an address that was added to a profile, in the background, newest first (beyond R94).

The same road as new mail takes: matching decides whose a mail is, and one that truly answers one of ours has all its
consequences. Checkpoints stay where they are, what is logged stays logged once, and a search that broke off begins
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog

from core.domain.account import SYNCED_STATUSES, Mailbox, MailboxStatus
from core.domain.address import match_key
from core.domain.folder_sync import FolderState
from core.domain.old_mail import LOG_CAUSE, runs, shares, told
from core.errors import MailError, NotFoundError, SealedError
from core.ports.backfill import Backfill
from core.ports.mail import Credentials, FolderSnapshot, MailboxClient, MailboxConnector
from core.ports.storage import SyncLogEntry
from core.services.ingest import FolderJob, IngestService
from core.services.mailboxes import endpoint_imap
from core.services.tools import Tools

_log = structlog.get_logger("backfill")
_UNWATCHED = "unwatched"
_UNKNOWN = "Rethread failed at it, and its own log says how."
_MOST_TRIES = 48
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)


class CredentialSource(Protocol):
    """What a mailbox logs in with, fresh."""

    async def of(self, workspace: str, mailbox: Mailbox) -> Credentials:
        """Raises NotFoundError, SealedError, MailError kinds."""
        ...


@dataclass(frozen=True, slots=True)
class _Find:
    """A folder in which the server named mails of the address."""

    folder: FolderState
    uids: Sequence[int]


class BackfillService:
    """Use case of the worker that looks for old mail."""

    def __init__(
        self, tools: Tools, connector: MailboxConnector, credentials: CredentialSource, ingest: IngestService
    ) -> None:
        self._tools = tools
        self._connector = connector
        self._credentials = credentials
        self._ingest = ingest

    async def run_due(self, workspace: str) -> int:
        """Looks for whatever is due, one mailbox after the other; returns how many searches that were."""
        async with self._tools.store.read(workspace) as uow:
            due = await uow.backfills.due(self._tools.clock.now())
        for one in due:
            try:
                await self._run(workspace, one)
            except Exception:
                _log.exception("backfill_failed", action="backfill_failed", workspace=workspace, mailbox=one.mailbox_id)
        return len(due)

    async def _run(self, workspace: str, asked: Backfill) -> None:
        async with self._tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(asked.mailbox_id)
        if mailbox is None or mailbox.status is MailboxStatus.DISCONNECTED:
            await self._save(workspace, replace(asked, done_at=self._tools.clock.now()))
        elif mailbox.status not in SYNCED_STATUSES or not mailbox.capture:
            await self._later(workspace, asked, "the mailbox is not synced now")
        else:
            await self._try(workspace, mailbox, asked)

    async def _try(self, workspace: str, mailbox: Mailbox, asked: Backfill) -> None:
        """Whatever ends it counts as a try: a mail that nobody can read must not be fetched for ever. Raises what it
        does not know, after it was counted."""
        try:
            await self._finished(workspace, await self._look(mailbox, asked))
        except (MailError, NotFoundError, SealedError) as error:
            await self._later(workspace, replace(asked, tries=asked.tries + 1), error.message)
        except Exception:
            await self._later(workspace, replace(asked, tries=asked.tries + 1), _UNKNOWN)
            raise

    async def _look(self, mailbox: Mailbox, asked: Backfill) -> Backfill:
        """The whole search over one short connection of its own."""
        credentials = await self._credentials.of(mailbox.workspace, mailbox)
        client = await self._connector.connect(endpoint_imap(mailbox), credentials)
        try:
            finds = await self._search(client, mailbox, asked.address)
            looked_at = logged = 0
            for find, share in zip(finds, shares([len(one.uids) for one in finds]), strict=True):
                newest = sorted(find.uids)[len(find.uids) - share :]
                logged += await self._read(client, mailbox, find.folder, newest)
                looked_at += share
        finally:
            await client.close()
        return replace(asked, there=sum(len(one.uids) for one in finds), looked_at=looked_at, logged=logged)

    async def _search(self, client: MailboxClient, mailbox: Mailbox, address: str) -> list[_Find]:
        async with self._tools.store.read(mailbox.workspace) as uow:
            folders = await uow.folders.list(mailbox.id)
        finds = []
        for folder in folders:
            if folder.role != _UNWATCHED and folder.uidvalidity is not None:
                await client.select(folder.name)
                finds.append(_Find(folder, await client.search_address(address)))
        return [one for one in finds if one.uids]

    async def _read(self, client: MailboxClient, mailbox: Mailbox, folder: FolderState, uids: Sequence[int]) -> int:
        job = await self._job(mailbox, folder, await client.select(folder.name))
        logged = 0
        for run in runs(uids):
            wanted = set(run)
            async for messages in client.fetch(run[0], run[-1]):
                found = [message for message in messages if message.uid in wanted]
                if found:
                    logged += await self._ingest.store(client, await self._ingest.match(job, found))
        return logged

    async def _job(self, mailbox: Mailbox, folder: FolderState, snapshot: FolderSnapshot) -> FolderJob:
        async with self._tools.store.read(mailbox.workspace) as uow:
            own_keys = frozenset(match_key(one.address) for one in await uow.mailboxes.list())
        return FolderJob(
            mailbox=mailbox,
            folder=folder,
            uidvalidity=snapshot.uidvalidity,
            exists=snapshot.exists,
            highestmodseq=snapshot.highestmodseq,
            own_keys=own_keys,
            lookup=True,
        )

    async def _finished(self, workspace: str, found: Backfill) -> None:
        words = told(found.address, found.there, found.looked_at, found.logged)
        await self._save(workspace, replace(found, done_at=self._tools.clock.now()), words)

    async def _later(self, workspace: str, asked: Backfill, why: str) -> None:
        """A mailbox in trouble is asked again, at growing intervals, for about two days."""
        now = self._tools.clock.now()
        if asked.tries >= _MOST_TRIES:
            words = f"Old mail of {asked.address} could not be looked for: {why}"
            await self._save(workspace, replace(asked, done_at=now), words)
            return
        pause = min(_FIRST_PAUSE * 2 ** min(asked.tries, 10), _LONGEST_PAUSE)
        await self._save(workspace, replace(asked, not_before=now + pause))

    async def _save(self, workspace: str, backfill: Backfill, words: str = "") -> None:
        async with self._tools.store.write(workspace) as uow:
            if await uow.backfills.save(backfill) and words:
                now = self._tools.clock.now()
                await uow.sync_log.add(SyncLogEntry(backfill.mailbox_id, now, LOG_CAUSE, words, ""))
