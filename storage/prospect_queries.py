"""What people look up page by page, and who stands where."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, or_

from core.domain.campaign import CampaignStatus
from core.domain.delivery import OPEN_STATES
from core.domain.enrollment import ProspectStatus
from core.domain.prospect_query import LogQuery, ProspectQuery, ProspectSort
from core.ports.storage import LogLine, LogPage, ProspectPage, ProspectRow
from storage.columns import joined
from storage.scope import AnyRow, AnySelect, Scope, chunks
from storage.status_queries import latest_delivery, main_address
from storage.tables import campaigns, deliveries, enrollments, people, person_addresses

_GOES_ON: Final = (ProspectStatus.ACTIVE, ProspectStatus.PENDING, ProspectStatus.PAUSED)
_RUNNING: Final = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
_NAME: Final = (people.c.first_name, people.c.last_name)
_ATTEMPTED_AT: Final[ColumnElement[Any]] = func.coalesce(
    deliveries.c.sent_at, deliveries.c.claimed_at, deliveries.c.created_at
)
_ORDERS: Final[dict[ProspectSort, tuple[ColumnElement[Any], ...]]] = {
    ProspectSort.ADDED: (),
    ProspectSort.NAME: (func.lower(people.c.first_name), func.lower(people.c.last_name)),
    ProspectSort.STATUS: (enrollments.c.status,),
    ProspectSort.NEXT: (enrollments.c.next_at.is_(None), enrollments.c.next_at),
}


class SqlListStore:
    """Implements ``ports.ListStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def prospects(self, campaign_id: str, query: ProspectQuery) -> ProspectPage:
        """The page is chosen before deliveries are joined, so that those are looked up for what is shown only."""
        wanted = self._wanted(campaign_id, query)
        total = int(await self._scope.scalar(wanted.with_only_columns(func.count())))
        page = _ordered(wanted, query).limit(query.page.size).offset(query.page.skipped)
        ids = [row.id for row in await self._scope.rows(page.with_only_columns(enrollments.c.id))]
        rows = {row.id: _prospect_row(row) for row in await self._scope.rows(self._shown(ids))} if ids else {}
        return ProspectPage([rows[one] for one in ids if one in rows], total)

    async def prospect_ids(self, campaign_id: str, query: ProspectQuery) -> list[str]:
        statement = _ordered(self._wanted(campaign_id, query), query).with_only_columns(enrollments.c.id)
        return [row.id for row in await self._scope.rows(statement)]

    def _wanted(self, campaign_id: str, query: ProspectQuery) -> AnySelect:
        statement = (
            self._scope.select(enrollments, enrollments.c.id)
            .join(people, joined(enrollments, "person_id", people))
            .where(enrollments.c.campaign_id == campaign_id)
        )
        if query.statuses:
            statement = statement.where(enrollments.c.status.in_(query.statuses))
        if query.reason:
            statement = statement.where(enrollments.c.reason_code == query.reason)
        if query.stage is not None:
            statement = statement.where(enrollments.c.stage == query.stage)
        return statement.where(_names(query.text)) if query.text.strip() else statement

    def _shown(self, ids: list[str]) -> AnySelect:
        newest = and_(deliveries.c.workspace == enrollments.c.workspace, deliveries.c.id == latest_delivery())
        latest = (
            *(deliveries.c.id.label("delivery_id"), deliveries.c.state.label("delivery_state")),
            *(deliveries.c.version.label("delivery_version"), deliveries.c.recipient),
        )
        return (
            self._scope.select(enrollments, *enrollments.c, *_NAME, main_address().label("main_address"), *latest)
            .join(people, joined(enrollments, "person_id", people))
            .outerjoin(deliveries, newest)
            .where(enrollments.c.id.in_(ids))
        )

    async def email_log(self, query: LogQuery, *, campaign_id: str | None = None) -> LogPage:
        """One line more than the page holds is asked for: whether there are older ones is known without counting."""
        newest = self._newest(query, campaign_id)
        columns = (
            *(deliveries.c.id, deliveries.c.enrollment_id, campaigns.c.name.label("campaign"), deliveries.c.recipient),
            *(*_NAME, main_address().label("main_address"), deliveries.c.stage, deliveries.c.kind),
            *(deliveries.c.state, deliveries.c.version, deliveries.c.reason, deliveries.c.server_text, newest.c.at),
            *(deliveries.c.due_at, deliveries.c.subject, deliveries.c.bypass, deliveries.c.settled_by),
            func.coalesce(deliveries.c.wire_message_id, deliveries.c.message_id).label("message_id"),
        )
        statement = (
            self._scope.select(deliveries, *columns)
            .join(newest, newest.c.id == deliveries.c.id)
            .join(campaigns, joined(deliveries, "campaign_id", campaigns))
            .join(enrollments, joined(deliveries, "enrollment_id", enrollments))
            .join(people, joined(enrollments, "person_id", people))
            .order_by(newest.c.at.desc(), deliveries.c.id)
        )
        rows = await self._scope.rows(statement)
        return LogPage([_log_line(row) for row in rows[: query.page.size]], len(rows) > query.page.size)

    def _newest(self, query: LogQuery, campaign_id: str | None) -> Subquery[Any]:
        statement = self._scope.select(deliveries, deliveries.c.id, _ATTEMPTED_AT.label("at"))
        if campaign_id is not None:
            statement = statement.where(deliveries.c.campaign_id == campaign_id)
        if query.states:
            statement = statement.where(deliveries.c.state.in_(query.states))
        if query.person.strip():
            statement = (
                statement.join(enrollments, joined(deliveries, "enrollment_id", enrollments))
                .join(people, joined(enrollments, "person_id", people))
                .where(or_(_names(query.person), _has(deliveries.c.recipient, query.person)))
            )
        newest_first = statement.order_by(_ATTEMPTED_AT.desc(), deliveries.c.id)
        return newest_first.limit(query.page.size + 1).offset(query.page.skipped).subquery("newest")

    async def standing_at(self, campaign_id: str, stage: int) -> list[str]:
        open_there = exists().where(
            deliveries.c.workspace == enrollments.c.workspace,
            deliveries.c.enrollment_id == enrollments.c.id,
            deliveries.c.stage == stage,
            deliveries.c.state.in_(sorted(OPEN_STATES)),
        )
        stands = and_(enrollments.c.stage == stage, enrollments.c.status.in_(_GOES_ON))
        statement = self._scope.select(enrollments, enrollments.c.id).where(
            enrollments.c.campaign_id == campaign_id, or_(stands, open_there)
        )
        return [row.id for row in await self._scope.rows(statement.order_by(enrollments.c.id))]

    async def running_elsewhere(self, person_ids: Collection[str], *, but: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for ids in chunks(person_ids):
            statement = (
                self._scope.select(enrollments, enrollments.c.person_id, campaigns.c.name)
                .join(campaigns, joined(enrollments, "campaign_id", campaigns))
                .where(
                    enrollments.c.person_id.in_(ids),
                    enrollments.c.campaign_id != but,
                    enrollments.c.status.in_(_GOES_ON),
                    campaigns.c.status.in_(_RUNNING),
                )
                .order_by(enrollments.c.person_id, campaigns.c.created_at, campaigns.c.id)
            )
            for person_id, name in await self._scope.rows(statement):
                found.setdefault(person_id, []).append(name)
        return found

    async def people_at(self, domains: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        columns = (person_addresses.c.key, person_addresses.c.person_id)
        for domain in domains:
            at = person_addresses.c.key.like(f"%@{_literal(domain)}", escape="\\")
            found.update(await self._scope.pairs(self._scope.select(person_addresses, *columns).where(at)))
        return found


def _ordered(statement: AnySelect, query: ProspectQuery) -> AnySelect:
    order = (*_ORDERS[query.sort], enrollments.c.created_at, enrollments.c.id)
    return statement.order_by(*(column.desc() for column in order) if query.reverse else order)


def _names(part: str) -> ColumnElement[bool]:
    """The person in the row has this in the name or in an address."""
    mine = (person_addresses.c.workspace == people.c.workspace, person_addresses.c.person_id == people.c.id)
    full_name = people.c.first_name + " " + people.c.last_name
    return or_(_has(full_name, part), exists().where(*mine, _has(person_addresses.c.address, part)))


def _has(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    return func.lower(column).like(f"%{_literal(part.strip().lower())}%", escape="\\")


def _literal(text: str) -> str:
    """The text with nothing that LIKE reads as a pattern."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _prospect_row(row: AnyRow) -> ProspectRow:
    email = row.recipient or row.main_address or ""
    return ProspectRow(
        enrollment_id=row.id,
        person=f"{row.first_name} {row.last_name}".strip() or email,
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


def _log_line(row: AnyRow) -> LogLine:
    values = dict(row._mapping)
    recipient, main = values.pop("recipient"), values.pop("main_address")
    name = f"{values.pop('first_name')} {values.pop('last_name')}".strip()
    email = recipient or main or ""
    return LogLine(**values, email=email, person=name or email)
