"""Changes of very many prospects in a few statements, each with its line in the ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from core.domain.campaign import CLOSED_STATUSES, CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectEvent, ProspectStatus, Reason
from core.domain.reasons import WAITS_OF_MAILBOX
from storage.columns import joined
from storage.moves import Move, move_many
from storage.scope import IN_LIMIT, AnySelect, Scope, Values, chunks
from storage.tables import CLAIMABLE, WAITING, campaigns, deliveries, enrollments

_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)


class SqlBulkStore:
    """Implements ``ports.BulkStore``. Rows are taken in chunks that fit one IN list."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def wait_due_of_mailbox(self, mailbox_id: str, reason: Reason, *, at: datetime, most: int = 500) -> int:
        found = list[str]()
        for first_touch in (False, True):  # one question each, as for the claim: the index ends at the limit
            queue = (
                self._due_of_mailbox(mailbox_id, at, deliveries.c.workspace, deliveries.c.enrollment_id)
                .where(deliveries.c.first_touch.is_(first_touch))
                .order_by(deliveries.c.due_at, deliveries.c.id)
                .limit(most)
                .subquery("queue")
            )
            mine = and_(queue.c.workspace == enrollments.c.workspace, queue.c.enrollment_id == enrollments.c.id)
            active = self._active().join(queue, mine)
            found += [row.id for row in await self._scope.rows(active)]
        return await self._wait(found[:most], reason, at)

    async def count_due_of_mailbox(self, mailbox_id: str, *, at: datetime) -> int:
        due = self._due_of_mailbox(mailbox_id, at, func.count())
        return int(await self._scope.scalar(due.where(deliveries.c.first_touch.in_((True, False)))))

    async def due_of_mailbox(self, mailbox_id: str, *, at: datetime, most: int) -> list[str]:
        due = self._active().join(deliveries, joined(deliveries, "enrollment_id", enrollments))
        due = due.where(*_due_from(mailbox_id, at), deliveries.c.first_touch.in_((True, False)))
        return [row.id for row in await self._scope.rows(due.limit(most))]

    async def wait_of_mailbox(
        self, mailbox_id: str, enrollment_ids: Collection[str], reason: Reason, *, at: datetime
    ) -> int:
        found = list[str]()
        for ids in chunks(enrollment_ids):
            still = self._due_of_mailbox(mailbox_id, at, deliveries.c.enrollment_id)
            still = still.where(deliveries.c.enrollment_id.in_(ids))
            found += [row.enrollment_id for row in await self._scope.rows(still)]
        return await self._wait(found, reason, at)

    async def _wait(self, enrollment_ids: Collection[str], reason: Reason, at: datetime) -> int:
        waiting = Move(ProspectEvent.WAIT, (ProspectStatus.ACTIVE,), ProspectStatus.PENDING, at, reason=reason)
        return await move_many(self._scope, enrollment_ids, waiting)

    def _due_of_mailbox(self, mailbox_id: str, at: datetime, *columns: ColumnElement[Any]) -> AnySelect:
        return self._scope.select(deliveries, *columns).where(*_due_from(mailbox_id, at))

    def _active(self) -> AnySelect:
        """Active prospects of running campaigns."""
        return (
            self._scope.select(enrollments, enrollments.c.id)
            .join(campaigns, joined(enrollments, "campaign_id", campaigns))
            .where(enrollments.c.status == ProspectStatus.ACTIVE, campaigns.c.status == CampaignStatus.ACTIVE)
        )

    async def wait_for_campaign(
        self, campaign_id: str, reason: Reason, *, actor: str, at: datetime, most: int = IN_LIMIT
    ) -> int:
        of_campaign = (CLAIMABLE, deliveries.c.campaign_id == campaign_id)
        found = await self._change(*of_campaign, changes={"waiting_for": reason.code}, most=most)
        waiting = Move(ProspectEvent.WAIT, (ProspectStatus.ACTIVE,), ProspectStatus.PENDING, at, actor, reason)
        await move_many(self._scope, found, waiting)
        return len(found)

    async def cancel_campaign(
        self, campaign_id: str, reason: Reason, *, actor: str, at: datetime, most: int = IN_LIMIT
    ) -> int:
        of_campaign = (deliveries.c.campaign_id == campaign_id, deliveries.c.state == DeliveryState.QUEUED)
        cancelled: Values = {"state": DeliveryState.CANCELLED, "reason": reason.code, "waiting_for": None}
        found = await self._change(*of_campaign, changes=cancelled, most=most)
        ended = Move(
            ProspectEvent.NOT_DELIVERED, _RUNNING, ProspectStatus.NOT_DELIVERED, at, actor, reason, keeps_time=False
        )
        await move_many(self._scope, found, ended)
        return len(found)

    async def release_campaign(
        self, campaign_id: str, waiting_for: str, *, actor: str, at: datetime, most: int = IN_LIMIT
    ) -> int:
        waiting = (WAITING, deliveries.c.waiting_for == waiting_for, deliveries.c.campaign_id == campaign_id)
        early = or_(deliveries.c.due_at.is_(None), deliveries.c.due_at < at)
        freed: Values = {"waiting_for": None, "due_at": case((early, at), else_=deliveries.c.due_at)}
        found = await self._change(*waiting, changes=freed, most=most)
        back = Move(ProspectEvent.RELEASE, (ProspectStatus.PENDING,), ProspectStatus.ACTIVE, at, actor)
        await move_many(self._scope, found, back)
        return len(found)

    async def out_of_step(self) -> dict[str, CampaignStatus]:
        asked = self._scope.select(campaigns, campaigns.c.id, campaigns.c.status)
        # Not joined: what waits for campaigns is read once from its index, however many campaigns run.
        for_campaigns = (WAITING, deliveries.c.waiting_for == "campaign")
        waiting = self._scope.select(deliveries, deliveries.c.campaign_id).where(*for_campaigns)
        running = asked.where(campaigns.c.status == CampaignStatus.ACTIVE, campaigns.c.id.in_(waiting))
        queued = exists().where(
            deliveries.c.workspace == campaigns.c.workspace,
            deliveries.c.campaign_id == campaigns.c.id,
            deliveries.c.state == DeliveryState.QUEUED,
        )
        closed = asked.where(campaigns.c.status.in_(sorted(CLOSED_STATUSES)), queued)
        return await self._scope.pairs(running) | await self._scope.pairs(closed)

    async def send_from(self, campaign_id: str, stage: int, mailbox_id: str | None, *, own: bool) -> int:
        prospects = select(enrollments.c.mailbox_id).where(
            enrollments.c.workspace == deliveries.c.workspace, enrollments.c.id == deliveries.c.enrollment_id
        )
        of_stage = (deliveries.c.campaign_id == campaign_id, deliveries.c.stage == stage)
        changed = self._scope.update(deliveries).where(*of_stage, deliveries.c.state == DeliveryState.QUEUED)
        sender = mailbox_id if own else prospects.scalar_subquery()
        # What ends a wait for the old mailbox would never find the stage again: the gates ask the new one.
        of_mailbox = deliveries.c.waiting_for.in_(sorted(WAITS_OF_MAILBOX))
        waiting_for = case((of_mailbox, None), else_=deliveries.c.waiting_for)
        return await self._scope.run(
            changed.values(version=deliveries.c.version + 1, mailbox_id=sender, waiting_for=waiting_for)
        )

    async def _change(self, *which: ColumnElement[bool], changes: Values, most: int) -> list[str]:
        """Changes at most so many deliveries; returns their prospects."""
        # On PostgreSQL those that a worker has locked are waited for: they may come back as queued.
        chosen = self._scope.select(deliveries, deliveries.c.id).where(*which).limit(most).with_for_update()
        ids = [row.id for row in await self._scope.rows(chosen)]
        if not ids:
            return []
        changed = self._scope.update(deliveries).where(deliveries.c.id.in_(ids))
        changed = changed.values(version=deliveries.c.version + 1, **changes)
        return [row.enrollment_id for row in await self._scope.rows(changed.returning(deliveries.c.enrollment_id))]


def _due_from(mailbox_id: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return CLAIMABLE, deliveries.c.mailbox_id == mailbox_id, deliveries.c.due_at <= at
