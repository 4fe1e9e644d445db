"""The outbox to Slack: messages that must exist and show the newest facts.

put ──> ready ──claim──> posting ──posted──> posted   (ready again where newer facts came meanwhile)
          ^                 │
          ├──put_back───────┤
          ├──forget_message─┤
          │                 ├──mark_unknown──> unknown ──claim──> posting
          └──put (newer)────┴──fail──> failed
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_

from core.ports.storage import OutboxItem
from storage.ids import derived_id
from storage.scope import AnySelect, Scope, columns_of
from storage.tables import UNPOSTED, outbox

_COLUMNS = columns_of(outbox, OutboxItem)
_LAST_CODE_POINT = "\U0010ffff"


class SqlOutboxStore:
    """Implements ``ports.OutboxStore``. The token of a claim decides whose answer counts."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def put(self, key: str, *, destination: str, kind: str, facts: Mapping[str, Any], at: datetime) -> None:
        """A message being posted, or perhaps posted, stays so; newer facts make a failed one ready again."""
        now_shown = {"destination": destination, "kind": kind, "facts": facts, "changed_at": at}
        fresh = {
            "id": derived_id("outbox", key),
            "key": key,
            "version": 1,
            "posted_version": 0,
            "state": "ready",
            "attempts": 0,
            "created_at": at,
        }
        undecided = outbox.c.state.in_(("posting", "unknown"))
        newer = {
            "version": outbox.c.version + 1,
            "state": case((undecided, outbox.c.state), else_="ready"),
            "attempts": case((outbox.c.state == "failed", 0), else_=outbox.c.attempts),
        }
        await self._scope.put(outbox, fresh | now_shown, key="key", replace=now_shown | newer)

    async def by_key(self, key: str) -> OutboxItem | None:
        return await self._first(self._select().where(outbox.c.key == key))

    async def get(self, item_id: str) -> OutboxItem | None:
        return await self._first(self._select().where(outbox.c.id == item_id))

    async def keys_with_prefix(self, prefix: str) -> list[OutboxItem]:
        """In order of keys."""
        span = (outbox.c.key >= prefix, outbox.c.key < prefix + _LAST_CODE_POINT)
        statement = self._select().where(*span).order_by(outbox.c.key)
        return [OutboxItem(*row) for row in await self._scope.rows(statement)]

    async def claim(self, now: datetime, *, limit: int, token: str) -> list[OutboxItem]:
        """Those changed longest ago first. ``state`` of what is returned is the one before the claim: ``unknown``
        says that an earlier post may stand there already."""
        due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
        waiting = self._select().where(UNPOSTED, due, outbox.c.version > outbox.c.posted_version)
        oldest_first = waiting.order_by(outbox.c.changed_at, outbox.c.id).limit(limit)
        found = [OutboxItem(*row) for row in await self._scope.rows(oldest_first.with_for_update(skip_locked=True))]
        if found:
            mine = self._scope.update(outbox).where(outbox.c.id.in_([item.id for item in found]))
            taken = {"state": "posting", "token": token, "claimed_at": now, "attempts": outbox.c.attempts + 1}
            await self._scope.run(mine.values(taken))
        return [replace(item, token=token, claimed_at=now, attempts=item.attempts + 1) for item in found]

    async def posted(self, item: OutboxItem, *, channel: str, ts: str) -> bool:
        newer_came = outbox.c.version > item.version
        return await self._settle(
            item,
            state=case((newer_came, "ready"), else_="posted"),
            posted_version=item.version,
            channel=channel,
            ts=ts,
            attempts=0,
            not_before=None,
            error=None,
        )

    async def put_back(self, item: OutboxItem, *, not_before: datetime, error: str) -> bool:
        """Nothing was posted this time; what was unknown before stays unknown."""
        state = literal("unknown" if item.state == "unknown" else "ready")
        return await self._settle(item, state=state, not_before=not_before, error=error)

    async def mark_unknown(self, item: OutboxItem, *, not_before: datetime) -> bool:
        return await self._settle(item, state=literal("unknown"), not_before=not_before)

    async def forget_message(self, item: OutboxItem) -> bool:
        return await self._settle(item, state=literal("ready"), channel=None, ts=None, not_before=None)

    async def fail(self, item: OutboxItem, *, error: str) -> bool:
        """Newer facts that came meanwhile are tried again: they may go elsewhere."""
        newer_came = outbox.c.version > item.version
        return await self._settle(item, state=case((newer_came, "ready"), else_="failed"), error=error)

    async def _settle(self, item: OutboxItem, *, state: ColumnElement[str], **changes: Any) -> bool:
        mine = (outbox.c.id == item.id, outbox.c.state == "posting", outbox.c.token == item.token)
        done = {"state": state, "token": None, "claimed_at": None, **changes}
        return await self._scope.run(self._scope.update(outbox).where(*mine).values(done)) == 1

    async def renew(self, item_ids: Collection[str], at: datetime) -> int:
        posting = (outbox.c.state == "posting", outbox.c.id.in_(list(item_ids)))
        return await self._scope.run(self._scope.update(outbox).where(*posting).values(claimed_at=at))

    async def recover_posting(self, *, claimed_before: datetime) -> int:
        left = (outbox.c.state == "posting", outbox.c.claimed_at < claimed_before)
        state = case((outbox.c.ts.is_(None), "unknown"), else_="ready")
        changes = {"state": state, "token": None, "claimed_at": None}
        return await self._scope.run(self._scope.update(outbox).where(*left).values(changes))

    async def count_by_state(self) -> dict[str, int]:
        statement = self._scope.select(outbox, outbox.c.state, func.count()).group_by(outbox.c.state)
        return await self._scope.pairs(statement)

    def _select(self) -> AnySelect:
        return self._scope.select(outbox, *_COLUMNS)

    async def _first(self, statement: AnySelect) -> OutboxItem | None:
        row = await self._scope.first(statement)
        return OutboxItem(*row) if row else None
