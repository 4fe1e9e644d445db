"""Stores what a pass has read: who wrote it, whether it answers us, what follows from that (journey 1 of the design).

One batch is one transaction: index rows, messages, streams, prospects, cards and the moved checkpoint commit together,
so that a crash repeats work and loses none. Unique keys make the repetition harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.account import Mailbox
from core.domain.address import match_key
from core.domain.bounce import BounceReport
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.folder_sync import FolderState
from core.domain.inbound import classify, classify_raw
from core.domain.matching import (
    NOTHING,
    Candidates,
    Match,
    address_keys,
    is_outgoing,
    is_unreadable,
    loose_keys,
    match,
    named_ids,
    original_ids,
)
from core.domain.message import FetchedMessage, Header, InboundKind
from core.domain.mime import parse_header, visible_reply
from core.domain.reasons import reason_of_refusal
from core.ports.mail import MailboxClient
from core.ports.storage import NewActivity, NewMessage, SeenMessage, UnitOfWork
from core.services.cards import prospect_of
from core.services.outreach import EVENT_BY_STATUS, OutreachService
from core.services.progress import Progress
from core.services.tools import Tools, persistently

_REPORTS = (InboundKind.BOUNCE, InboundKind.DELAY, InboundKind.COMPLAINT)
# Provider clocks differ: a report on a mail may bear a time slightly before ours.
_CLOCK_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FolderJob:
    """One pass over one folder. ``own_keys`` are the match keys of all connected mailboxes of the workspace.

    ``history`` reads old mail downwards in the background: it moves the history's mark, never the checkpoint; about
    ``history_left`` messages were left before it.
    """

    mailbox: Mailbox
    folder: FolderState
    uidvalidity: int
    exists: int
    highestmodseq: int | None
    own_keys: frozenset[str]
    history: bool = False
    history_left: int = 0


@dataclass(slots=True)
class _Item:
    """One message on its way from bytes to rows."""

    fetched: FetchedMessage
    header: Header
    outgoing: bool
    match: Match = NOTHING
    kind: InboundKind = InboundKind.OTHER
    needs_body: bool = False
    text: str = ""
    report: BounceReport | None = None
    raw: bytes | None = None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class MatchedBatch:
    """A batch of which is known what may matter: those of ``items`` whose bodies are still to be fetched."""

    job: FolderJob
    items: Sequence[_Item]
    matched: Sequence[_Item]


class IngestService:
    """Turns fetched messages into streams, replies and moved checkpoints."""

    def __init__(self, tools: Tools, progress: Progress, outreach: OutreachService) -> None:
        self._tools = tools
        self._progress = progress
        self._outreach = outreach

    async def match(self, job: FolderJob, messages: Sequence[FetchedMessage]) -> MatchedBatch:
        """Parses one batch (ascending UIDs) and matches it to people and to our own mail."""
        items = [_item(job, message) for message in messages]
        candidates = await self._candidates(job, items)
        return MatchedBatch(job, items, [item for item in items if self._matters(job, item, candidates)])

    async def store(self, client: MailboxClient, batch: MatchedBatch) -> int:
        """Fetches what matters of a batch (its folder is selected), stores it with all that follows from it, and
        moves the checkpoint; returns how many mattered. Batches come in order of UID."""
        await self._fetch_bodies(client, batch.matched)
        await self._tie_reports(batch.job, batch.matched)
        kept = [item for item in batch.matched if item.match.matters]

        async def unit() -> None:
            async with self._tools.store.write(batch.job.mailbox.workspace) as uow:
                await self._store(uow, batch.job, batch.items, kept)

        await persistently(unit)
        return len(kept)

    async def _candidates(self, job: FolderJob, items: Sequence[_Item]) -> Candidates:
        keys = {key for item in items for key in _keys(item)}
        ids = {one for item in items for one in named_ids(item.header)}
        async with self._tools.store.read(job.mailbox.workspace) as uow:
            people = await uow.people.ids_by_keys(keys - job.own_keys)
            deliveries = await uow.deliveries.by_message_ids(ids)
        return Candidates(people, deliveries)

    def _matters(self, job: FolderJob, item: _Item, candidates: Candidates) -> bool:
        """A match, or a report that only its body can tie to one of our mails."""
        item.match = match(item.header, outgoing=item.outgoing, candidates=candidates)
        may_report = not item.outgoing and _arrived_after(item, job.mailbox.created_at - _CLOCK_SLACK)
        if not item.match.people and is_unreadable(item.header, outgoing=item.outgoing):
            found = {candidates.people[key]: "unreadable_header" for key in _keys(item) if key in candidates.people}
            item.match, item.unreadable = replace(item.match, people=found), bool(found)
        if not (item.match.matters or may_report):
            return False  # most of a mailbox's history: nobody needs to know what kind it is
        judged = classify(item.header, own_addresses=job.own_keys, folder_role=job.folder.role)
        item.kind, item.needs_body = judged.kind, (judged.needs_body or item.unreadable) and not item.outgoing
        return item.match.matters or (may_report and item.kind in _REPORTS)

    async def _fetch_bodies(self, client: MailboxClient, items: Sequence[_Item]) -> None:
        whole = [item for item in items if item.needs_body]
        for item in whole:
            item.raw = await client.fetch_raw(item.fetched.uid)
            judged = classify_raw(item.raw)
            item.kind, item.report = judged.kind, judged.report
        texts = await client.fetch_texts([item.fetched for item in items])
        for item in items:
            item.text = texts.get(item.fetched.uid, b"").decode("utf-8", "replace")

    async def _tie_reports(self, job: FolderJob, items: Sequence[_Item]) -> None:
        """A report names the mail it is about by the id inside (by Message-ID first, by address never alone)."""
        untied = [item for item in items if item.report and not item.match.answers]
        ids = {_original_id(item) for item in untied} - {""}
        if not ids:
            return
        async with self._tools.store.read(job.mailbox.workspace) as uow:
            found = await uow.deliveries.by_message_ids(ids)
        for item in untied:
            delivery = found.get(_original_id(item))
            if delivery is not None:
                item.match = Match(item.match.people, answers=delivery, answer_rule="report")

    async def _store(self, uow: UnitOfWork, job: FolderJob, items: Sequence[_Item], kept: Sequence[_Item]) -> None:
        now = self._tools.clock.now()
        seen = [SeenMessage(item.fetched.uid, _header_hash(job, item)) for item in items]
        await uow.messages.record_seen(job.folder.id, job.uidvalidity, seen, now)
        enrollments = await uow.enrollments.get_many(
            {hit.enrollment_id for item in kept if (hit := item.match.answers or item.match.copy_of)}
        )
        rows = [self._row(job, item, now) for item in kept]
        new = await uow.messages.add(rows)
        fresh = await uow.messages.add_activities(
            [one for item, row in zip(kept, rows, strict=True) for one in _activities(item, row, enrollments)]
        )
        for item, row in zip(kept, rows, strict=True):
            if row.fingerprint in new and _is_first_copy(item, row, enrollments, fresh):
                new.discard(row.fingerprint)  # the same mail may lie twice in one batch
                await self._follow_up(uow, item, row)
        await _move_mark(uow, job, [item.fetched.uid for item in items])

    def _row(self, job: FolderJob, item: _Item, now: datetime) -> NewMessage:
        header = item.header
        return NewMessage(
            id=self._tools.new_id(),
            mailbox_id=job.mailbox.id,
            fingerprint=_fingerprint(item),
            message_id=header.message_id,
            direction="out" if item.outgoing else "in",
            kind=item.kind.value,
            at=_moment(item) or now,
            sender=header.from_.address if header.from_ else "",
            recipients=tuple(address.address for address in header.recipients)[:200],
            subject=header.subject,
            in_reply_to=header.in_reply_to,
            references=header.references,
            thread_id=item.fetched.thread_id,
            text=item.text,
            defects=header.defects,
            # What could not be read is kept whole, so that nothing is lost to a defect (R81, ruling).
            raw=item.raw if header.defects or item.unreadable else None,
        )

    async def _follow_up(self, uow: UnitOfWork, item: _Item, row: NewMessage) -> None:
        tied = item.match.copy_of or item.match.answers
        # Read again inside the transaction: the sending side may have moved on since the batch was matched.
        delivery = await uow.deliveries.get(tied.id) if tied else None
        if delivery is None:
            return
        if item.match.copy_of is not None:
            await self._filed_copy(uow, item, delivery)
        else:
            await self._answer(uow, item, row, delivery)

    async def _filed_copy(self, uow: UnitOfWork, item: _Item, delivery: Delivery) -> None:
        """Our own mail seen in Sent: proof that it went out, and the place to learn the id that the recipient got."""
        ours = delivery.message_id
        wire = item.header.message_id if ours in original_ids(item.header) else None
        if wire and wire != ours and delivery.wire_message_id is None:
            delivery = await self._progress.save(uow, replace(delivery, wire_message_id=wire))
        await self._outreach.settle_found(uow, delivery, evidence="found in the Sent folder", settled_by="sent_folder")

    async def _answer(self, uow: UnitOfWork, item: _Item, row: NewMessage, delivery: Delivery) -> None:
        await self._outreach.settle_found(uow, delivery, evidence=f"answered by {row.kind}", settled_by="answer")
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        if enrollment is None:
            return
        if item.kind is InboundKind.REPLY:
            await self._reply(uow, item, row, enrollment, delivery)
        elif item.kind is InboundKind.BOUNCE and item.report is not None:
            await self._bounce(uow, item.report, enrollment, delivery)
        elif item.kind is InboundKind.COMPLAINT:
            await self._progress.cancel_open(uow, enrollment)
            await self._progress.move(uow, enrollment, ProspectEvent.OPTED_OUT, evidence=row.message_id or "complaint")
        else:
            await self._progress.note(uow, enrollment, item.kind.value, evidence=row.message_id or row.fingerprint)

    async def _reply(
        self, uow: UnitOfWork, item: _Item, row: NewMessage, enrollment: Enrollment, delivery: Delivery
    ) -> None:
        """A person answered: nothing further goes, and the recruiter hears of it (R107). A reply after the end is
        logged and told, and changes nothing (R220)."""
        before = enrollment.status
        evidence = f"{item.match.answer_rule}: {row.message_id or row.fingerprint}"
        if before in (ProspectStatus.COMPLETE, ProspectStatus.REPLIED):
            await self._progress.note(uow, enrollment, "reply", evidence=evidence)
        else:
            await self._progress.cancel_open(uow, enrollment, reason="replied")
            enrollment = await self._progress.move(uow, enrollment, ProspectEvent.REPLY, evidence=evidence)
        prospect = await prospect_of(uow, enrollment)
        if prospect is not None:
            await self._progress.cards.reply(
                uow,
                prospect,
                header=item.header,
                excerpt=visible_reply(item.text),
                fingerprint=row.fingerprint,
                stage=delivery.stage,
                at=row.at,
                stopped=before in (ProspectStatus.ACTIVE, ProspectStatus.PENDING),
            )
            failed = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
            if failed is not None and enrollment.status is ProspectStatus.REPLIED:
                await self._progress.cards.stage(uow, prospect, failed, "replied")

    async def _bounce(self, uow: UnitOfWork, report: BounceReport, enrollment: Enrollment, delivery: Delivery) -> None:
        effect = report.effect
        event = EVENT_BY_STATUS.get(effect.status or "")
        current = await uow.deliveries.get(delivery.id)
        if event is None or current is None:
            await self._progress.note(uow, enrollment, "report", evidence=report.diagnostic[:200])
            return
        if current.state is DeliveryState.SENT:
            why = reason_of_refusal(effect)
            failed = replace(
                current,
                state=delivery_after(current.state, DeliveryEvent.BOUNCED),
                reason=why.code,
                server_text=report.diagnostic[:2_000],
            )
            failed = await self._progress.save(uow, failed)
            await self._progress.failed(uow, failed, event, why, evidence=report.diagnostic[:200])


async def _move_mark(uow: UnitOfWork, job: FolderJob, uids: Sequence[int]) -> None:
    """The checkpoint moves with what is new, the history's mark with what is old."""
    if job.history:
        await uow.folders.set_history(job.folder.id, below=min(uids), left=max(0, job.history_left - len(uids)))
        return
    await uow.folders.advance(
        job.folder.id,
        uidvalidity=job.uidvalidity,
        uidnext=max(uids) + 1,
        exists=job.exists,
        highestmodseq=job.highestmodseq,
    )


def _item(job: FolderJob, fetched: FetchedMessage) -> _Item:
    header = parse_header(fetched.header)
    outgoing = is_outgoing(header, folder_role=job.folder.role, own_addresses=job.own_keys)
    return _Item(fetched, header, outgoing)


def _is_first_copy(
    item: _Item, row: NewMessage, enrollments: Mapping[str, Enrollment], fresh: set[tuple[str, str]]
) -> bool:
    """An answer that reached two of our mailboxes counts once: with the first copy it was on the prospect's stream."""
    answered = item.match.answers
    enrollment = enrollments.get(answered.enrollment_id) if answered else None
    return enrollment is None or (enrollment.person_id, row.fingerprint) in fresh


def _original_id(item: _Item) -> str:
    return (item.report.original_message_id if item.report else "") or ""


def _keys(item: _Item) -> set[str]:
    if is_unreadable(item.header, outgoing=item.outgoing):
        return loose_keys(item.fetched.header)
    return address_keys(item.header, outgoing=item.outgoing)


def _moment(item: _Item) -> datetime | None:
    """When the server got it; the sender's own clock only where the server does not say."""
    return item.fetched.internal_date or item.header.date


def _arrived_after(item: _Item, moment: datetime) -> bool:
    arrived = _moment(item)
    return arrived is None or arrived >= moment


def _fingerprint(item: _Item) -> str:
    """The same mail seen again (another folder, new UIDVALIDITY) has the same fingerprint."""
    header = item.header
    who = match_key(header.from_.address) if header.from_ else ""
    date = header.date.isoformat() if header.date else ""
    basis = f"{header.message_id}|{date}|{who}" if header.message_id else ""
    return hashlib.sha256(basis.encode() or item.fetched.header).hexdigest()


def _header_hash(job: FolderJob, item: _Item) -> bytes:
    salt = job.folder.id.encode()[:64]
    return hashlib.blake2b(item.fetched.header, key=salt, digest_size=16).digest()


def _activities(item: _Item, row: NewMessage, enrollments: Mapping[str, Enrollment]) -> list[NewActivity]:
    """One line for everybody the mail was matched to, and for the prospect whose mail it answers."""
    hit = item.match.answers or item.match.copy_of
    enrollment = enrollments.get(hit.enrollment_id) if hit else None
    people = dict(item.match.people)
    if enrollment is not None:
        people.setdefault(enrollment.person_id, item.match.answer_rule or "sent_copy")
    return [
        NewActivity(
            person_id=person_id,
            fingerprint=row.fingerprint,
            message_row_id=row.id,
            direction=row.direction,
            kind=row.kind,
            rule=rule,
            at=row.at,
            campaign_id=enrollment.campaign_id if enrollment and enrollment.person_id == person_id else None,
            enrollment_id=enrollment.id if enrollment and enrollment.person_id == person_id else None,
        )
        for person_id, rule in people.items()
    ]
