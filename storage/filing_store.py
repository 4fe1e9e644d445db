"""How far the copies of sent mail are filed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, func, or_

from core.ports.filing import Filing, SentMail
from storage.columns import joined
from storage.scope import Scope, chunks, columns_of, values_of
from storage.tables import SENT, deliveries, delivery_texts, filings

_COLUMNS = columns_of(filings, Filing)
_ACKNOWLEDGED = and_(SENT, deliveries.c.kind == "email", deliveries.c.settled_by == "server")


class SqlFilingStore:
    """Implements ``ports.FilingStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def of(self, mailbox_ids: Collection[str]) -> dict[str, Filing]:
        found: dict[str, Filing] = {}
        for ids in chunks(mailbox_ids):
            statement = self._scope.select(filings, *_COLUMNS).where(filings.c.mailbox_id.in_(ids))
            found |= {row.mailbox_id: Filing(*row) for row in await self._scope.rows(statement)}
        return found

    async def newest(self, mailbox_ids: Collection[str], *, after: datetime, before: datetime) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for ids in chunks(mailbox_ids):
            statement = self._scope.select(deliveries, deliveries.c.mailbox_id, func.max(deliveries.c.sent_at))
            sent = statement.where(
                _ACKNOWLEDGED,
                deliveries.c.mailbox_id.in_(ids),
                deliveries.c.sent_at > after,
                deliveries.c.sent_at <= before,
            )
            found |= await self._scope.pairs(sent.group_by(deliveries.c.mailbox_id))
        return found

    async def take(self, filing: Filing, *, now: datetime, until: datetime) -> Filing | None:
        mine = filings.c.mailbox_id == filing.mailbox_id
        if await self._scope.insert_new(filings, [values_of(replace(filing, not_before=until))]):
            return replace(filing, not_before=until)
        free = self._scope.update(filings).where(mine, filings.c.not_before <= now)
        if not await self._scope.run(free.values(not_before=until)):
            return None
        row = await self._scope.first(self._scope.select(filings, *_COLUMNS).where(mine))
        return Filing(*row) if row else None

    async def save(self, filing: Filing) -> None:
        mine = filings.c.mailbox_id == filing.mailbox_id
        await self._scope.run(self._scope.update(filings).where(mine).values(values_of(filing)))

    async def mails(self, filing: Filing, *, before: datetime, limit: int) -> list[SentMail]:
        at, behind = deliveries.c.sent_at, deliveries.c.id > filing.through_id
        texts = joined(delivery_texts, "delivery_id", deliveries)
        statement = self._scope.select(deliveries, deliveries.c.id, deliveries.c.message_id, at, delivery_texts.c.raw)
        mails = statement.join(delivery_texts, texts).where(
            _ACKNOWLEDGED,
            deliveries.c.mailbox_id == filing.mailbox_id,
            deliveries.c.message_id.is_not(None),
            at >= filing.through_at,
            or_(at > filing.through_at, behind),
            at <= before,
        )
        rows = await self._scope.rows(mails.order_by(at, deliveries.c.id).limit(limit))
        return [SentMail(row.id, row.message_id, row.sent_at, bytes(row.raw)) for row in rows]
