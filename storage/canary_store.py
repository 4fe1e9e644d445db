"""Check mails that mailboxes send each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select

from core.ports.storage import Canary
from storage.scope import Scope, chunks, columns_of, values_of
from storage.tables import UNSETTLED, canaries, mailboxes

_COLUMNS = columns_of(canaries, Canary)


class SqlCanaryStore:
    """Implements ``ports.CanaryStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, canary: Canary) -> None:
        await self._scope.insert(canaries, [values_of(canary)])

    async def latest(self, from_mailbox: str) -> Canary | None:
        statement = self._scope.select(canaries, *_COLUMNS).where(canaries.c.from_mailbox == from_mailbox)
        row = await self._scope.first(statement.order_by(canaries.c.sent_at.desc()).limit(1))
        return Canary(*row) if row else None

    async def last_sent(self) -> dict[str, datetime]:
        # Mailbox by mailbox, so that each answer is one step into the index, and a week of check mails is not read.
        mine = (canaries.c.workspace == mailboxes.c.workspace, canaries.c.from_mailbox == mailboxes.c.id)
        newest = select(func.max(canaries.c.sent_at)).where(*mine).scalar_subquery()
        found = await self._scope.pairs(self._scope.select(mailboxes, mailboxes.c.id, newest))
        return {mailbox_id: at for mailbox_id, at in found.items() if at is not None}

    async def seen(self, message_ids: Collection[str], to_mailbox: str, at: datetime) -> int:
        """An echo settles its canary, also one that was told as missing."""
        count = 0
        for ids in chunks(message_ids):
            fresh = (
                canaries.c.message_id.in_(ids),
                canaries.c.to_mailbox == to_mailbox,
                canaries.c.seen_at.is_(None),
            )
            count += await self._scope.run(self._scope.update(canaries).where(*fresh).values(seen_at=at, settled_at=at))
        return count

    async def overdue(self, sent_before: datetime) -> list[Canary]:
        """Oldest first."""
        statement = self._scope.select(canaries, *_COLUMNS).where(UNSETTLED, canaries.c.sent_at < sent_before)
        return [Canary(*row) for row in await self._scope.rows(statement.order_by(canaries.c.sent_at))]

    async def settle(self, canary_id: str, at: datetime) -> None:
        statement = self._scope.update(canaries).where(canaries.c.id == canary_id, UNSETTLED)
        await self._scope.run(statement.values(settled_at=at))

    async def echoed_since(self, to_mailbox: str, at: datetime) -> bool:
        statement = self._scope.select(canaries, canaries.c.id)
        echo = (canaries.c.to_mailbox == to_mailbox, canaries.c.seen_at > at)
        return await self._scope.first(statement.where(*echo).limit(1)) is not None

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(canaries).where(canaries.c.sent_at < cutoff))
