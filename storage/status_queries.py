"""Read-only questions for people's eyes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Subquery, and_, func, or_, select

from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.ports.storage import EmailLogRow, EngagementCount, MinuteCount, PeopleCount, ProspectRow, StageCount
from storage import metric_queries
from storage.columns import joined
from storage.scope import AnyRow, AnySelect, Scope, chunks
from storage.tables import (
    campaigns,
    deliveries,
    enrollment_events,
    enrollments,
    people,
    person_addresses,
)


class SqlReportStore:
    """Implements ``ports.ReportStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def prospects(
        self, campaign_id: str, *, status: ProspectStatus | None = None, limit: int = 100_000, offset: int = 0
    ) -> list[ProspectRow]:
        """In order of enrolment, each with its latest delivery and the address that went to (else the primary)."""
        name = (*_NAME, main_address().label("main_address"))
        latest = (
            *(deliveries.c.id.label("delivery_id"), deliveries.c.state.label("delivery_state")),
            *(deliveries.c.version.label("delivery_version"), deliveries.c.recipient),
        )
        newest = and_(deliveries.c.workspace == enrollments.c.workspace, deliveries.c.id == latest_delivery())
        statement = (
            self._scope.select(enrollments, *enrollments.c, *name, *latest)
            .join(people, joined(enrollments, "person_id", people))
            .outerjoin(deliveries, newest)
            .where(enrollments.c.campaign_id == campaign_id)
            .order_by(enrollments.c.created_at, enrollments.c.id)
            .limit(limit)
            .offset(offset)
        )
        if status is not None:
            statement = statement.where(enrollments.c.status == status)
        return [_prospect_row(row) for row in await self._scope.rows(statement)]

    async def status_counts(self, campaign_ids: Collection[str]) -> dict[str, dict[ProspectStatus, int]]:
        """Statuses that nobody has are left out."""
        counts: dict[str, dict[ProspectStatus, int]] = {campaign_id: {} for campaign_id in campaign_ids}
        group = (enrollments.c.campaign_id, enrollments.c.status)
        for ids in chunks(campaign_ids):
            statement = self._scope.select(enrollments, *group, func.count())
            found = statement.where(enrollments.c.campaign_id.in_(ids)).group_by(*group)
            for campaign_id, status, count in await self._scope.rows(found):
                counts[campaign_id][status] = count
        return counts

    async def stage_counts(self, campaign_id: str) -> list[StageCount]:
        """A reply counts for the last stage that had gone out when it came."""
        return await metric_queries.stage_counts(self._scope, campaign_id)

    async def people_counts(self, campaign_ids: Collection[str]) -> PeopleCount:
        return await metric_queries.people_counts(self._scope, list(campaign_ids))

    async def engaged_people(self, campaign_ids: Collection[str]) -> list[EngagementCount]:
        return await metric_queries.engaged_people(self._scope, list(campaign_ids))

    async def minutes(self, campaign_ids: Collection[str], since: datetime) -> list[MinuteCount]:
        return await metric_queries.minutes(self._scope, list(campaign_ids), since)

    async def delivery_counts(self) -> dict[DeliveryState, int]:
        statement = self._scope.select(deliveries, deliveries.c.state, func.count()).group_by(deliveries.c.state)
        return await self._scope.pairs(statement)


_NAME = (people.c.first_name, people.c.last_name)


def latest_delivery() -> ScalarSelect[Any]:
    """The id of the newest delivery of the prospect in the row; NULL where there is none."""
    other = deliveries.alias("other")
    mine = (other.c.workspace == enrollments.c.workspace, other.c.enrollment_id == enrollments.c.id)
    newest_first = (other.c.stage.desc(), other.c.series.desc())
    return select(other.c.id).where(*mine).order_by(*newest_first).limit(1).scalar_subquery()


_FAILURES = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)


def failed_deliveries(scope: Scope, reason: str | None, *columns: ColumnElement[Any]) -> AnySelect:
    """The newest delivery of each prospect whose status is a failure; ``reason`` is the prospect's code or the
    delivery's."""
    statement = (
        scope.select(deliveries, *columns)
        .join(enrollments, joined(deliveries, "enrollment_id", enrollments))
        .where(enrollments.c.status.in_(_FAILURES), deliveries.c.id == latest_delivery())
    )
    if reason is None:
        return statement
    return statement.where(or_(enrollments.c.reason_code == reason, deliveries.c.reason == reason))


def failed_at() -> ColumnElement[Any]:
    """When the prospect in the row was last set to Not Delivered; where its ledger does not say, since it is there."""
    mine = (
        enrollment_events.c.workspace == enrollments.c.workspace,
        enrollment_events.c.enrollment_id == enrollments.c.id,
    )
    not_delivered = enrollment_events.c.status == ProspectStatus.NOT_DELIVERED
    last = select(func.max(enrollment_events.c.at)).where(*mine, not_delivered).scalar_subquery()
    return func.coalesce(last, enrollments.c.created_at)


def main_address() -> ScalarSelect[Any]:
    """The primary address of the person in the row, else the first; NULL where there is none."""
    mine = (person_addresses.c.workspace == people.c.workspace, person_addresses.c.person_id == people.c.id)
    best_first = (person_addresses.c.primary.desc(), person_addresses.c.position)
    return select(person_addresses.c.address).where(*mine).order_by(*best_first).limit(1).scalar_subquery()


async def email_log(
    scope: Scope, campaign_id: str | None, states: Collection[DeliveryState], limit: int
) -> list[EmailLogRow]:
    """The newest attempts; an attempt's time is when it was sent, else claimed, else planned."""
    newest = _newest_attempts(scope, campaign_id, states, limit)
    wire_id = func.coalesce(deliveries.c.wire_message_id, deliveries.c.message_id)
    columns = (
        *(deliveries.c.id, campaigns.c.name.label("campaign"), deliveries.c.recipient, *_NAME),
        *(main_address().label("main_address"), deliveries.c.stage, deliveries.c.state, deliveries.c.reason),
        *(deliveries.c.server_text, newest.c.at, wire_id.label("message_id"), deliveries.c.subject),
    )
    statement = (
        scope.select(deliveries, *columns)
        .join(newest, newest.c.id == deliveries.c.id)
        .join(campaigns, joined(deliveries, "campaign_id", campaigns))
        .join(enrollments, joined(deliveries, "enrollment_id", enrollments))
        .join(people, joined(enrollments, "person_id", people))
        .order_by(newest.c.at.desc(), deliveries.c.id)
    )
    return [_log_row(row) for row in await scope.rows(statement)]


def _newest_attempts(
    scope: Scope, campaign_id: str | None, states: Collection[DeliveryState], limit: int
) -> Subquery[Any]:
    """Chosen before anything is joined, so that names are looked up for what is shown only."""
    at: ColumnElement[datetime] = func.coalesce(deliveries.c.sent_at, deliveries.c.claimed_at, deliveries.c.created_at)
    statement = scope.select(deliveries, deliveries.c.id, at.label("at")).order_by(at.desc(), deliveries.c.id)
    if campaign_id is not None:
        statement = statement.where(deliveries.c.campaign_id == campaign_id)
    if states:
        statement = statement.where(deliveries.c.state.in_(list(states)))
    return statement.limit(limit).subquery("newest")


def _log_row(row: AnyRow) -> EmailLogRow:
    email = row.recipient or row.main_address or ""
    return EmailLogRow(
        id=row.id,
        campaign=row.campaign,
        email=email,
        person=_name(row) or email,
        stage=row.stage,
        state=row.state,
        reason=row.reason,
        server_text=row.server_text,
        at=row.at,
        message_id=row.message_id,
        subject=row.subject,
    )


def _prospect_row(row: AnyRow) -> ProspectRow:
    email = row.recipient or row.main_address or ""
    return ProspectRow(
        enrollment_id=row.id,
        person=_name(row) or email,
        email=email,
        status=row.status,
        reason_code=row.reason_code,
        reason_text=row.reason_text,
        reason_fix=row.reason_fix,
        stage=row.stage,
        next_at=row.next_at,
        delivery_id=row.delivery_id,
        delivery_state=row.delivery_state,
        delivery_version=row.delivery_version,
    )


def _name(row: AnyRow) -> str:
    return f"{row.first_name} {row.last_name}".strip()
