"""Who keeps which mailbox, where several engines work on one database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_

from storage.scope import Scope, chunks
from storage.tables import mailbox_leases


class SqlLeaseStore:
    """Implements ``ports.LeaseStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def take(self, mailbox_ids: Collection[str], *, holder: str, now: datetime, until: datetime) -> set[str]:
        leases, taken = mailbox_leases.c, set[str]()
        free = or_(leases.holder == holder, leases.until <= now)
        for ids in chunks(sorted(mailbox_ids)):  # in one order, so that two processes cannot wait for each other
            fresh = [{"mailbox_id": one, "holder": holder, "until": until} for one in ids]
            taken |= {one for (one,) in await self._scope.insert_returning(mailbox_leases, fresh, "mailbox_id")}
            renewed = self._scope.update(mailbox_leases).where(leases.mailbox_id.in_(ids), free)
            statement = renewed.values(holder=holder, until=until).returning(leases.mailbox_id)
            taken |= {row.mailbox_id for row in await self._scope.rows(statement)}
        return taken

    async def give_back(self, mailbox_ids: Collection[str], *, holder: str) -> None:
        for ids in chunks(mailbox_ids):
            mine = (mailbox_leases.c.mailbox_id.in_(ids), mailbox_leases.c.holder == holder)
            await self._scope.run(self._scope.delete(mailbox_leases).where(*mine))
