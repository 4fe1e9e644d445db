"""Which deliveries are due, with everything that their gates ask for, in a constant number of queries.

On PostgreSQL the rows are locked and rows locked by others are skipped; SQLite has one writer, so its transaction
is the lock and the same statements are built without the locking clause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, true

from core.domain.account import Mailbox
from core.domain.campaign import CampaignStatus
from core.domain.delivery import Delivery
from core.domain.enrollment import ProspectStatus
from core.ports.storage import DueDelivery
from storage.columns import joined
from storage.enrollment_store import SqlEnrollmentStore
from storage.folder_store import SqlFolderStore
from storage.mailbox_store import mailbox_from
from storage.people_store import SqlPeopleStore
from storage.scope import AnySelect, Scope, chunks, columns_of
from storage.tables import CLAIMABLE, SENT, campaigns, deliveries, enrollments, mailboxes

DELIVERY_COLUMNS = columns_of(deliveries, Delivery)
_OLDEST_FIRST = (deliveries.c.due_at, deliveries.c.id)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A mail of a thread; ``wire_id`` is the Message-ID that the recipient got."""

    enrollment_id: str
    stage: int
    series: int
    mailbox_id: str | None
    wire_id: str | None
    subject: str | None


class DueDeliveries:
    """Claims due deliveries of one workspace."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._enrollments = SqlEnrollmentStore(scope)
        self._people = SqlPeopleStore(scope)
        self._folders = SqlFolderStore(scope)

    async def claim(
        self, now: datetime, limit: int, busy: Collection[str] = (), each: int | None = None
    ) -> list[DueDelivery]:
        """Follow-ups before first touches, oldest first (rules of the domain, section 2); none of ``busy`` mailboxes,
        so that one mailbox's long queue never hides another's. Facts are read only of the first ``each`` of a
        mailbox: more of it could not go now."""
        candidates: list[Delivery] = []
        for first_touch in (False, True):  # one question each: then the index gives the order and ends at the limit
            full = _full(candidates, each)
            candidates += await self._candidates(
                now, limit - len(candidates), each=each, busy={*busy, *full}, first_touch=first_touch
            )
        boxes = await self._free_mailboxes(candidates, now)
        free = [one for one in candidates if one.mailbox_id is None or one.mailbox_id in boxes]
        claimed = free if each is None else _first_of_each(free, each)
        return await self._with_facts(claimed, boxes) if claimed else []

    async def _candidates(
        self, now: datetime, limit: int, *, each: int | None, busy: Collection[str], first_touch: bool
    ) -> list[Delivery]:
        if limit <= 0:
            return []
        of_mailboxes = self._of_free_mailboxes(now, limit if each is None else min(each, limit), busy, first_touch)
        without = self._due(now, first_touch, *DELIVERY_COLUMNS).where(deliveries.c.mailbox_id.is_(None))
        found = [
            Delivery(*row)
            for statement in (of_mailboxes, without)
            for row in await self._scope.rows(
                statement.order_by(*_OLDEST_FIRST).limit(limit).with_for_update(of=deliveries, skip_locked=True)
            )
        ]
        return sorted(found, key=lambda one: (one.due_at or now, one.id))[:limit]

    def _of_free_mailboxes(self, now: datetime, each: int, busy: Collection[str], first_touch: bool) -> AnySelect:
        """From each free mailbox its first few: the queue of one that rests, however long, is not looked at."""
        first = (
            self._due(now, first_touch, deliveries.c.id)
            .where(deliveries.c.mailbox_id == mailboxes.c.id)
            .order_by(*_OLDEST_FIRST)
            .limit(each)
            .correlate(mailboxes)
        )
        free = (
            self._scope.select(mailboxes, *DELIVERY_COLUMNS)
            .where(free_at(now), mailboxes.c.id.not_in(sorted(busy)))
            # Asked again of the row that is locked: somebody may have claimed it since the first few were read.
            .where(CLAIMABLE, deliveries.c.due_at <= now)
        )
        mine = deliveries.c.workspace == mailboxes.c.workspace
        if self._scope.on_postgresql:
            chosen = first.lateral("chosen")
            return free.join(chosen, true()).join(deliveries, and_(mine, deliveries.c.id == chosen.c.id))
        return free.join(deliveries, and_(mine, deliveries.c.id.in_(first)))

    def _due(self, now: datetime, first_touch: bool, *columns: ColumnElement[Any]) -> AnySelect:
        active = campaigns.c.status == CampaignStatus.ACTIVE
        return (
            self._scope.select(deliveries, *columns)
            .join(enrollments, joined(deliveries, "enrollment_id", enrollments))
            .where(
                CLAIMABLE,
                deliveries.c.first_touch.is_(first_touch),
                deliveries.c.due_at <= now,
                # Not a join: SQLite would first read all campaigns, and that for each mailbox.
                exists().where(joined(deliveries, "campaign_id", campaigns), active).correlate(deliveries),
                enrollments.c.status.in_((ProspectStatus.ACTIVE, ProspectStatus.PENDING)),
            )
        )

    async def _free_mailboxes(self, candidates: Sequence[Delivery], now: datetime) -> dict[str, Mailbox]:
        """Mailboxes nobody else claims for at this moment: two workers must not both use one mailbox's slot."""
        found: dict[str, Mailbox] = {}
        for ids in chunks(one.mailbox_id for one in candidates if one.mailbox_id):
            statement = (
                self._scope.select(mailboxes)
                .where(mailboxes.c.id.in_(ids))
                .where(free_at(now))
                .with_for_update(skip_locked=True)
            )
            found.update((row.id, mailbox_from(row)) for row in await self._scope.rows(statement))
        return found

    async def _with_facts(self, claimed: Sequence[Delivery], boxes: dict[str, Mailbox]) -> list[DueDelivery]:
        prospects = await self._enrollments.get_many({one.enrollment_id for one in claimed})
        people = await self._people.get_many({prospect.person_id for prospect in prospects.values()})
        sent = await self._sent({one.enrollment_id for one in claimed if not _opens(one)})
        folders = await self._folders.by_mailbox(boxes)
        due = []
        for delivery in claimed:
            prospect = prospects[delivery.enrollment_id]
            box = boxes.get(delivery.mailbox_id) if delivery.mailbox_id else None
            thread = _thread(delivery, sent.get(prospect.id, []))
            due.append(
                DueDelivery(
                    delivery,
                    prospect,
                    people[prospect.person_id],
                    box,
                    previous_message_ids=tuple(mail.wire_id for mail in thread if mail.wire_id),
                    thread_subject=thread[0].subject if thread else None,
                    folders=folders.get(box.id, ()) if box else (),
                )
            )
        return due

    async def _sent(self, enrollment_ids: set[str]) -> dict[str, list[_Sent]]:
        found: dict[str, list[_Sent]] = {}
        wire_id = func.coalesce(deliveries.c.wire_message_id, deliveries.c.message_id)
        columns = (
            *(deliveries.c.enrollment_id, deliveries.c.stage, deliveries.c.series, deliveries.c.mailbox_id),
            *(wire_id, deliveries.c.subject),
        )
        for ids in chunks(enrollment_ids):
            mails = (deliveries.c.enrollment_id.in_(ids), SENT, deliveries.c.kind == "email")
            statement = self._scope.select(deliveries, *columns).where(*mails)
            oldest_first = statement.order_by(deliveries.c.stage, deliveries.c.series)
            for row in await self._scope.rows(oldest_first):
                found.setdefault(row.enrollment_id, []).append(_Sent(*row))
        return found


def free_at(now: datetime) -> ColumnElement[bool]:
    """The mailbox does not rest at this moment."""
    return or_(mailboxes.c.next_send_at.is_(None), mailboxes.c.next_send_at <= now)


def _full(candidates: Sequence[Delivery], each: int | None) -> set[str]:
    """Mailboxes from which no more can go than was found already."""
    count = Counter(one.mailbox_id for one in candidates)
    return {mailbox_id for mailbox_id, found in count.items() if mailbox_id and each is not None and found >= each}


def _first_of_each(candidates: Sequence[Delivery], each: int) -> list[Delivery]:
    taken: Counter[str | None] = Counter()
    first = []
    for one in candidates:
        taken[one.mailbox_id] += 1
        if one.mailbox_id is None or taken[one.mailbox_id] <= each:
            first.append(one)
    return first


def _opens(delivery: Delivery) -> bool:
    """The first try of the first stage: nothing can have gone out before it."""
    return delivery.stage == 1 and delivery.series == 1


def _thread(delivery: Delivery, sent: Sequence[_Sent]) -> list[_Sent]:
    """What went out to this person before, from the same mailbox: another sender starts a thread of its own."""
    return [
        mail
        for mail in sent
        if (mail.stage, mail.series) < (delivery.stage, delivery.series) and mail.mailbox_id == delivery.mailbox_id
    ]
