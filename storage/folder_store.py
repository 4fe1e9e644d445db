"""Folders: what was read of them, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.domain.folder_sync import FolderState
from storage.ids import derived_id
from storage.scope import Scope, chunks, columns_of, values_of
from storage.tables import folders

FOLDER_COLUMNS = columns_of(folders, FolderState)


class SqlFolderStore:
    """Implements ``ports.FolderStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def ensure(self, mailbox_id: str, name: str, role: str) -> FolderState:
        """The folder as known, or a new one; a role that the server now gives replaces the old."""
        known = await self._find(mailbox_id, name)
        if known is None:
            fresh = FolderState(derived_id("folder", mailbox_id, name), mailbox_id, name, role)
            await self._scope.insert_new(folders, [values_of(fresh)])
            return await self._find(mailbox_id, name) or fresh
        if known.role != role:
            await self._scope.run(self._scope.update(folders).where(folders.c.id == known.id).values(role=role))
        return replace(known, role=role)

    async def _find(self, mailbox_id: str, name: str) -> FolderState | None:
        statement = self._scope.select(folders, *FOLDER_COLUMNS)
        row = await self._scope.first(statement.where(folders.c.mailbox_id == mailbox_id, folders.c.name == name))
        return FolderState(*row) if row else None

    async def list(self, mailbox_id: str) -> list[FolderState]:
        """By name."""
        return [*(await self.by_mailbox([mailbox_id])).get(mailbox_id, ())]

    async def by_mailbox(self, mailbox_ids: Collection[str]) -> dict[str, tuple[FolderState, ...]]:
        """Mailbox ids to their folders, by name."""
        found: defaultdict[str, tuple[FolderState, ...]] = defaultdict(tuple)
        for ids in chunks(mailbox_ids):
            statement = self._scope.select(folders, *FOLDER_COLUMNS).where(folders.c.mailbox_id.in_(ids))
            for row in await self._scope.rows(statement.order_by(folders.c.name)):
                found[row.mailbox_id] += (FolderState(*row),)
        return found

    async def advance(
        self, folder_id: str, *, uidvalidity: int, uidnext: int, exists: int, highestmodseq: int | None = None
    ) -> None:
        """``highestmodseq`` None forgets the one stored: a stale one would hide changes, none never does."""
        checkpoint = {
            "uidvalidity": uidvalidity,
            "uidnext": uidnext,
            "exists": exists,
            "highestmodseq": highestmodseq,
        }
        await self._scope.run(self._scope.update(folders).where(folders.c.id == folder_id).values(checkpoint))

    async def set_history(self, folder_id: str, *, below: int | None, left: int) -> None:
        await self._set(folder_id, history_below=below, history_left=left)

    async def mark_read_through(self, folder_ids: Collection[str], at: datetime) -> None:
        for ids in chunks(folder_ids):
            await self._scope.run(self._scope.update(folders).where(folders.c.id.in_(ids)).values(read_through_at=at))

    async def note_reset(self, folder_id: str) -> None:
        await self._set(folder_id, resets=folders.c.resets + 1)

    async def note_failure(self, folder_id: str, *, parked_until: datetime | None) -> None:
        await self._set(folder_id, error_count=folders.c.error_count + 1, parked_until=parked_until)

    async def note_success(self, folder_id: str) -> None:
        await self._set(folder_id, error_count=0, resets=0, parked_until=None)

    async def forget_checkpoints(self, mailbox_id: str) -> None:
        fresh = {
            "uidvalidity": None,
            "uidnext": 1,
            "exists": 0,
            "highestmodseq": None,
            "read_through_at": None,
            "parked_until": None,
            "error_count": 0,
            "resets": 0,
            "history_below": None,
            "history_left": 0,
        }
        await self._scope.run(self._scope.update(folders).where(folders.c.mailbox_id == mailbox_id).values(fresh))

    async def _set(self, folder_id: str, **values: Any) -> None:
        await self._scope.run(self._scope.update(folders).where(folders.c.id == folder_id).values(values))
