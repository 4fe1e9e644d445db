"""Deliveries: the attempts to put one stage before one person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, case, func, or_

from core.domain.delivery import BOUNCE_REASONS, OPEN_STATES, Delivery, DeliveryState
from core.errors import RefusedError
from core.ports.storage import DueDelivery, EmailLogRow
from storage.changes import change_many, locked_versions
from storage.claims import DELIVERY_COLUMNS, DueDeliveries
from storage.columns import joined
from storage.enrollment_store import SqlEnrollmentStore
from storage.scope import AnySelect, Scope, Values, chunks, values_of
from storage.status_queries import email_log, failed_at, failed_deliveries
from storage.tables import (
    CLAIMABLE,
    SENDING,
    SENT,
    UNKNOWN,
    WAITING,
    campaigns,
    deliveries,
    delivery_texts,
    enrollments,
    person_addresses,
)


class SqlDeliveryStore:
    """Implements ``ports.DeliveryStore``. Every change of a row, single or in bulk, grows its version."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add_many(self, new: Sequence[Delivery]) -> None:
        """All or none."""
        if not await self._scope.insert_all(deliveries, [_values(one) for one in new]):
            raise RefusedError("This stage has a delivery in this series already.", reason="delivery_exists")

    async def get(self, delivery_id: str) -> Delivery | None:
        return await self._first(self._select().where(deliveries.c.id == delivery_id))

    async def lock(self, delivery_ids: Collection[str]) -> dict[str, int]:
        return await locked_versions(self._scope, deliveries, delivery_ids)

    async def open_of(self, enrollment_id: str) -> Delivery | None:
        open_ones = self._select().where(
            deliveries.c.enrollment_id == enrollment_id, deliveries.c.state.in_(sorted(OPEN_STATES))
        )
        return await self._first(open_ones.order_by(deliveries.c.stage.desc(), deliveries.c.series.desc()).limit(1))

    async def latest_of(self, enrollment_id: str, stage: int) -> Delivery | None:
        of_stage = self._select().where(deliveries.c.enrollment_id == enrollment_id, deliveries.c.stage == stage)
        return await self._first(of_stage.order_by(deliveries.c.series.desc()).limit(1))

    async def furthest_stages(self, enrollment_ids: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        of, furthest = deliveries.c.enrollment_id, func.max(deliveries.c.stage)
        for ids in chunks(enrollment_ids):
            statement = self._scope.select(deliveries, of, furthest).where(of.in_(ids)).group_by(of)
            found.update(await self._scope.pairs(statement))
        return found

    async def bounced_recipients(self, enrollment_ids: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        of, address = deliveries.c.enrollment_id, deliveries.c.recipient
        came_back = (deliveries.c.state == DeliveryState.FAILED, deliveries.c.reason.in_(sorted(BOUNCE_REASONS)))
        for ids in chunks(enrollment_ids):
            statement = self._scope.select(deliveries, of, address).where(of.in_(ids), *came_back)
            for enrollment_id, recipient in await self._scope.rows(statement):
                found.setdefault(enrollment_id, set()).add(recipient)
        return found

    async def by_message_ids(self, message_ids: Collection[str]) -> dict[str, Delivery]:
        found: dict[str, Delivery] = {}
        # One question per column: with OR, SQLite reads the whole workspace.
        for column in (deliveries.c.message_id, deliveries.c.wire_message_id):
            for some in chunks(message_ids):
                statement = self._scope.select(deliveries, *DELIVERY_COLUMNS, column.label("named"))
                for *values, named in await self._scope.rows(statement.where(column.in_(some))):
                    found[named] = Delivery(*values)
        return found

    async def save(self, delivery: Delivery, *, raw: bytes | None = None) -> bool:
        changes = _values(delivery) | {"version": delivery.version + 1}
        for kept in ("id", "enrollment_id", "campaign_id", "stage", "series", "first_touch", "created_at"):
            del changes[kept]
        unchanged = (deliveries.c.id == delivery.id, deliveries.c.version == delivery.version)
        if await self._scope.run(self._scope.update(deliveries).where(*unchanged).values(changes)) == 0:
            return False
        if raw is not None:
            await self._keep({delivery.id: raw})
        return True

    async def save_many(
        self, changes: Sequence[tuple[Delivery, Delivery]], *, raws: Mapping[str, bytes] | None = None
    ) -> None:
        await change_many(self._scope, deliveries, ((_values(before), _values(after)) for before, after in changes))
        await self._keep(raws or {})

    async def _keep(self, raws: Mapping[str, bytes]) -> None:
        await self._scope.insert_new(delivery_texts, [{"delivery_id": one, "raw": raw} for one, raw in raws.items()])

    async def raw(self, delivery_id: str) -> bytes | None:
        return (await self.raws([delivery_id])).get(delivery_id)

    async def raws(self, delivery_ids: Collection[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for ids in chunks(delivery_ids):
            statement = self._scope.select(delivery_texts, delivery_texts.c.delivery_id, delivery_texts.c.raw)
            rows = await self._scope.rows(statement.where(delivery_texts.c.delivery_id.in_(ids)))
            found.update((row.delivery_id, bytes(row.raw)) for row in rows)
        return found

    async def claim_due(
        self, now: datetime, *, limit: int, busy: Collection[str] = (), each: int | None = None
    ) -> list[DueDelivery]:
        return await DueDeliveries(self._scope).claim(now, limit, busy, each)

    async def hold_back(self, campaign_id: str, *, waiting_for: str) -> int:
        held = self._changed().where(CLAIMABLE, deliveries.c.campaign_id == campaign_id)
        return await self._scope.run(held.values(waiting_for=waiting_for))

    async def release(
        self, waiting_for: str, *, not_before: datetime, campaign_id: str | None = None, mailbox_id: str | None = None
    ) -> int:
        due_at = case(
            (or_(deliveries.c.due_at.is_(None), deliveries.c.due_at < not_before), not_before),
            else_=deliveries.c.due_at,
        )
        freed = self._changed().where(WAITING, deliveries.c.waiting_for == waiting_for)
        if campaign_id is not None:
            freed = freed.where(deliveries.c.campaign_id == campaign_id)
        if mailbox_id is not None:
            freed = freed.where(deliveries.c.mailbox_id == mailbox_id)
        freed = freed.values(waiting_for=None, due_at=due_at)
        released = await self._scope.rows(freed.returning(deliveries.c.enrollment_id))
        await SqlEnrollmentStore(self._scope).release({row.enrollment_id for row in released}, not_before)
        return len(released)

    async def waiting_addresses(self, waiting_for: str, *, limit: int) -> list[str]:
        statement = (
            self._scope.select(deliveries, person_addresses.c.address)
            .join(enrollments, joined(deliveries, "enrollment_id", enrollments))
            .join(
                person_addresses,
                and_(
                    person_addresses.c.workspace == enrollments.c.workspace,
                    person_addresses.c.person_id == enrollments.c.person_id,
                ),
            )
            .where(WAITING, deliveries.c.waiting_for == waiting_for)
            .limit(limit)
        )
        return [row.address for row in await self._scope.rows(statement)]

    async def sending(self, *, claimed_before: datetime | None = None) -> list[Delivery]:
        statement = self._select().where(SENDING).order_by(deliveries.c.claimed_at, deliveries.c.id)
        if claimed_before is not None:
            statement = statement.where(deliveries.c.claimed_at < claimed_before)
        return await self._all(statement)

    async def renew(self, delivery_ids: Collection[str], at: datetime) -> int:
        renewed = 0
        for ids in chunks(delivery_ids):
            mine = self._scope.update(deliveries).where(SENDING, deliveries.c.id.in_(ids))
            renewed += await self._scope.run(mine.values(claimed_at=at))
        return renewed

    async def checks_due(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        due = self._select().where(UNKNOWN, deliveries.c.next_check_at <= now)
        return await self._all(due.order_by(deliveries.c.next_check_at, deliveries.c.id).limit(limit))

    async def latest_accepted(self, mailbox_id: str, *, limit: int = 3) -> list[Delivery]:
        """``settled_by`` None or "server": nobody else's evidence was needed."""
        accepted = self._select().where(
            SENT,
            deliveries.c.mailbox_id == mailbox_id,
            or_(deliveries.c.settled_by.is_(None), deliveries.c.settled_by == "server"),
        )
        return await self._all(accepted.order_by(deliveries.c.sent_at.desc(), deliveries.c.id).limit(limit))

    async def failed_of(self, campaign_id: str, *, reason: str | None = None) -> list[Delivery]:
        """``reason`` is the prospect's reason code or the delivery's."""
        failed = failed_deliveries(self._scope, reason, *DELIVERY_COLUMNS)
        of_campaign = failed.where(enrollments.c.campaign_id == campaign_id)
        return await self._all(of_campaign.order_by(deliveries.c.created_at, deliveries.c.id))

    async def failed_of_mailbox(
        self, mailbox_id: str, *, reason: str, since: datetime
    ) -> list[tuple[Delivery, datetime]]:
        """One question over all campaigns, however many there are."""
        columns = (*DELIVERY_COLUMNS, failed_at().label("failed_at"))
        failed = self._failed_since(mailbox_id, reason, since, *columns)
        rows = await self._scope.rows(failed.order_by(deliveries.c.created_at, deliveries.c.id))
        return [(Delivery(*values), at) for *values, at in rows]

    async def count_failed_of_mailbox(self, mailbox_id: str, *, reason: str, since: datetime) -> int:
        return int(await self._scope.scalar(self._failed_since(mailbox_id, reason, since, func.count())))

    def _failed_since(self, mailbox_id: str, reason: str, since: datetime, *columns: ColumnElement[Any]) -> AnySelect:
        # By way of the campaigns: the index of failed prospects begins with them. Joined, SQLite reads all deliveries.
        in_campaigns = enrollments.c.campaign_id.in_(self._scope.select(campaigns, campaigns.c.id))
        failed = failed_deliveries(self._scope, reason, *columns).where(in_campaigns)
        return failed.where(deliveries.c.mailbox_id == mailbox_id, failed_at() >= since)

    async def log(
        self, *, campaign_id: str | None = None, state: Collection[DeliveryState] = (), limit: int = 500
    ) -> list[EmailLogRow]:
        return await email_log(self._scope, campaign_id, state, limit)

    def _select(self) -> AnySelect:
        return self._scope.select(deliveries, *DELIVERY_COLUMNS)

    def _changed(self) -> Update:
        return self._scope.update(deliveries).values(version=deliveries.c.version + 1)

    async def _first(self, statement: AnySelect) -> Delivery | None:
        row = await self._scope.first(statement)
        return Delivery(*row) if row else None

    async def _all(self, statement: AnySelect) -> list[Delivery]:
        return [Delivery(*row) for row in await self._scope.rows(statement)]


def _values(delivery: Delivery) -> Values:
    return values_of(delivery, without=("workspace",)) | {"first_touch": delivery.stage == 1}
