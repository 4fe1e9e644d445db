"""The figures of campaigns: counts of distinct prospects and people, and what happened when.

All of them read indexes where they can: a large campaign has a million deliveries and as many lines in its ledger.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Subquery, Text, case, func, select, type_coerce

from core.domain.delivery import DeliveryState
from core.ports.storage import EngagementCount, MinuteCount, PeopleCount, StageCount
from storage.columns import joined
from storage.scope import Scope
from storage.tables import REPLY, SENT, deliveries, engagements, enrollment_events, enrollments


async def stage_counts(scope: Scope, campaign_id: str) -> list[StageCount]:
    """One stage goes to one prospect once: a mail that came back is no longer ``sent``, and counts when it is tried
    again. A reply counts for the last stage that had gone out when it came."""
    statement = scope.select(deliveries, deliveries.c.stage, func.count())
    of_campaign = statement.where(SENT, deliveries.c.campaign_id == campaign_id).group_by(deliveries.c.stage)
    sent = await scope.pairs(of_campaign)
    replied = await _replied_per_stage(scope, campaign_id)
    return [StageCount(stage, sent.get(stage, 0), replied.get(stage, 0)) for stage in sorted(sent | replied)]


async def _replied_per_stage(scope: Scope, campaign_id: str) -> dict[int, int]:
    first_reply = _first_replies(scope, [campaign_id])
    answered = (
        scope.select(deliveries, deliveries.c.enrollment_id, func.max(deliveries.c.stage).label("stage"))
        .join(first_reply, first_reply.c.enrollment_id == deliveries.c.enrollment_id)
        .where(SENT, deliveries.c.sent_at <= first_reply.c.at)
        .group_by(deliveries.c.enrollment_id)
        .subquery("answered")
    )
    return await scope.pairs(select(answered.c.stage, func.count()).group_by(answered.c.stage))


def _first_replies(scope: Scope, campaign_ids: Collection[str]) -> Subquery:
    """(enrollment_id, person_id, at) of those who answered; read from the replies, which are few."""
    first = func.min(enrollment_events.c.at).label("at")
    return (
        scope.select(enrollment_events, enrollment_events.c.enrollment_id, enrollments.c.person_id, first)
        .join(enrollments, joined(enrollment_events, "enrollment_id", enrollments))
        .where(REPLY, enrollments.c.campaign_id.in_(campaign_ids))
        .group_by(enrollment_events.c.enrollment_id, enrollments.c.person_id)
        .subquery("first_reply")
    )


async def people_counts(scope: Scope, campaign_ids: Collection[str]) -> PeopleCount:
    distinct = func.count(enrollments.c.person_id.distinct())
    everybody = scope.select(enrollments, distinct).where(enrollments.c.campaign_id.in_(campaign_ids))
    got_one = scope.select(deliveries, deliveries.c.id).where(
        SENT,
        deliveries.c.campaign_id == enrollments.c.campaign_id,
        deliveries.c.enrollment_id == enrollments.c.id,
    )
    replies = _first_replies(scope, campaign_ids)
    return PeopleCount(
        people=await scope.scalar(everybody),
        recipients=await scope.scalar(everybody.where(got_one.correlate(enrollments).exists())),
        replied=await scope.scalar(select(func.count(replies.c.person_id.distinct()))),
    )


async def engaged_people(scope: Scope, campaign_ids: Collection[str]) -> list[EngagementCount]:
    group: tuple[Column[Any], ...] = (engagements.c.kind, enrollments.c.person_id)
    # A machine only where no person was seen.
    only_machine = func.min(case((engagements.c.machine, 1), else_=0)).label("machine")
    each = (
        scope.select(engagements, *group, only_machine)
        .join(enrollments, joined(engagements, "enrollment_id", enrollments))
        .where(engagements.c.campaign_id.in_(campaign_ids))
        .group_by(*group)
        .subquery("each")
    )
    statement = select(each.c.kind, each.c.machine, func.count()).group_by(each.c.kind, each.c.machine)
    return [EngagementCount(None, kind, bool(machine), count) for kind, machine, count in await scope.rows(statement)]


async def minutes(scope: Scope, campaign_ids: Collection[str], since: datetime) -> list[MinuteCount]:
    sent, tried = deliveries.c.sent_at, func.coalesce(deliveries.c.claimed_at, deliveries.c.created_at)
    failed = deliveries.c.state == DeliveryState.FAILED
    found = await _by_minute(scope, "sent", sent, SENT, campaign_ids, since)
    found += await _by_minute(scope, "failed", tried, failed, campaign_ids, since)
    replies = _first_replies(scope, campaign_ids)
    minute = _minute(scope, replies.c.at)
    statement = select(minute, func.count()).where(replies.c.at >= since).group_by(minute)
    return found + _counted("replied", await scope.pairs(statement))


async def _by_minute(
    scope: Scope,
    what: str,
    at: ColumnElement[Any],
    condition: ColumnElement[bool],
    campaign_ids: Collection[str],
    since: datetime,
) -> list[MinuteCount]:
    minute = _minute(scope, at)
    statement = scope.select(deliveries, minute, func.count()).where(
        deliveries.c.campaign_id.in_(campaign_ids), condition, at >= since
    )
    return _counted(what, await scope.pairs(statement.group_by(minute)))


def _minute(scope: Scope, at: ColumnElement[Any]) -> ColumnElement[str]:
    """The minute in UTC as text, "2026-09-01 09:00": what any zone's days can be made of."""
    if scope.on_postgresql:
        return func.to_char(func.timezone("UTC", at), "YYYY-MM-DD HH24:MI")
    return func.substr(type_coerce(at, Text), 1, 16)


def _counted(what: str, counts: dict[str, int]) -> list[MinuteCount]:
    return [
        MinuteCount(datetime.fromisoformat(minute).replace(tzinfo=UTC), what, count)
        for minute, count in sorted(counts.items())
    ]
