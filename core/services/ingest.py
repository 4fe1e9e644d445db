"""Stores what a pass has read: who wrote it, whether it answers us, what follows from that (journey 1 of the design).

One batch is one transaction: index rows, messages, streams, prospects, cards and the moved checkpoint commit together,
so that a crash repeats work and loses none. Unique keys make the repetition harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.enrollment import Enrollment
from core.domain.inbound import classify, classify_raw
from core.domain.matching import Candidates, Match, match, named_ids, owners
from core.domain.matching_rules import MatchingRules
from core.domain.message import FetchedMessage, InboundKind
from core.domain.tracked_links import Links
from core.domain.tracking_token import Token
from core.ports.mail import MailboxClient
from core.ports.storage import NewMessage, SeenMessage, UnitOfWork
from core.services.answers import Answers
from core.services.optouts import OptOutService
from core.services.outreach import OutreachService
from core.services.progress import Progress
from core.services.received import FolderJob, Received
from core.services.tools import Tools, persistently, settings_in

__all__ = ["FolderJob", "IngestService", "MatchedBatch"]

_REPORTS = (InboundKind.BOUNCE, InboundKind.DELAY, InboundKind.COMPLAINT)
# Provider clocks differ: a report on a mail may bear a time slightly before ours.
_CLOCK_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MatchedBatch:
    """A batch of which is known what may matter: those of ``items`` whose bodies are still to be fetched."""

    job: FolderJob
    items: Sequence[Received]
    matched: Sequence[Received]


class IngestService:
    """Turns fetched messages into streams, replies and moved checkpoints. ``links`` reads the tokens of mails that ask
    not to be written to; None: no mail of ours ever offered that."""

    def __init__(self, tools: Tools, progress: Progress, outreach: OutreachService, links: Links | None = None) -> None:
        self._tools = tools
        self._links = links
        self._optouts = OptOutService(tools, progress)
        self.answers = Answers(tools, progress, outreach, self._optouts)

    async def match(self, job: FolderJob, messages: Sequence[FetchedMessage]) -> MatchedBatch:
        """Parses one batch (ascending UIDs) and matches it to people and to our own mail, by the workspace's rules of
        this moment."""
        items = [Received.of(job, message) for message in messages]
        judged = [item for item in items if not item.check_mail_ids]
        rules, candidates = await self._candidates(job, judged)
        return MatchedBatch(job, items, [item for item in judged if _matters(job, item, candidates, rules)])

    async def store(self, client: MailboxClient, batch: MatchedBatch) -> int:
        """``fetch_bodies`` and ``commit`` of one batch."""
        await self.fetch_bodies(client, batch)
        return await self.commit(batch)

    async def fetch_bodies(self, client: MailboxClient, batch: MatchedBatch) -> None:
        """Fetches what matters of a batch (its folder is selected). Its order among other batches is free."""
        await self._fetch_bodies(client, batch.matched)
        await self._tie_reports(batch.job, batch.matched)

    async def commit(self, batch: MatchedBatch) -> int:
        """Stores a batch whose bodies are fetched, with all that follows from it, and moves the mark; returns how many
        mattered. Batches come in the order in which they were read."""
        kept = [item for item in batch.matched if item.match.matters]

        async def unit() -> None:
            async with self._tools.store.write(batch.job.mailbox.workspace) as uow:
                await self._store(uow, batch.job, batch.items, kept)

        await persistently(unit)
        return len(kept)

    async def _candidates(self, job: FolderJob, items: Sequence[Received]) -> tuple[MatchingRules, Candidates]:
        """A constant number of questions for the whole batch."""
        keys = {key for item in items for key in item.keys} - job.own_keys
        ids = {one for item in items for one in named_ids(item.header)}
        async with self._tools.store.read(job.mailbox.workspace) as uow:
            rules = MatchingRules.of(await settings_in(uow), job.own_keys)
            people = await uow.people.known({rules.lookup_key(key) for key in keys}, variants=rules.normalised)
            deliveries = await uow.deliveries.by_message_ids(ids)
        rules = replace(rules, looks_back=True) if job.lookup else rules
        return rules, Candidates(people, deliveries)

    async def _fetch_bodies(self, client: MailboxClient, items: Sequence[Received]) -> None:
        whole = [item for item in items if item.needs_body]
        for item in whole:
            item.raw = await client.fetch_raw(item.fetched.uid)
            judged = classify_raw(item.raw)
            item.kind, item.report = judged.kind, judged.report
        texts = await client.fetch_texts([item.fetched for item in items])
        for item in items:
            item.text = texts.get(item.fetched.uid, b"").decode("utf-8", "replace")

    async def _tie_reports(self, job: FolderJob, items: Sequence[Received]) -> None:
        """A report names the mail it is about by the id inside (by Message-ID first, by address never alone)."""
        untied = [item for item in items if item.report and not item.match.answers]
        ids = {item.original_id for item in untied} - {""}
        if not ids:
            return
        async with self._tools.store.read(job.mailbox.workspace) as uow:
            found = await uow.deliveries.by_message_ids(ids)
        for item in untied:
            delivery = found.get(item.original_id)
            if delivery is not None:
                item.match = Match(item.match.people, answers=delivery, answer_rule="report")

    async def _store(
        self, uow: UnitOfWork, job: FolderJob, items: Sequence[Received], kept: Sequence[Received]
    ) -> None:
        now = self._tools.clock.now()
        await _note_seen(uow, job, items, now)
        enrollments = await uow.enrollments.get_many(
            {hit.enrollment_id for item in kept if (hit := item.match.answers or item.match.copy_of)}
        )
        rows = [item.row(self._tools.new_id(), job.mailbox.id, now) for item in kept]
        new = await uow.messages.add(rows)
        fresh = await uow.messages.add_activities(
            [one for item, row in zip(kept, rows, strict=True) for one in item.activities(row, enrollments)]
        )
        asked = await self._unsubscribe(uow, items)
        for item, row in zip(kept, rows, strict=True):
            if item.fetched.uid in asked:
                continue  # a mail that its reader's program wrote is no answer
            if row.fingerprint in new and _is_first_copy(item, row, enrollments, fresh):
                new.discard(row.fingerprint)  # the same mail may lie twice in one batch
                await self.answers.follow_up(uow, item, row)
        await _move_mark(uow, job, [item.fetched.uid for item in items])

    async def _unsubscribe(self, uow: UnitOfWork, items: Sequence[Received]) -> set[int]:
        """Honours mails that List-Unsubscribe asked for (RFC 2369), whoever they come from: the token is proof enough.
        Returns their UIDs."""
        asked = {item.fetched.uid: token for item in items if (token := self._unsubscribed_by(item, uow.workspace))}
        for token in asked.values():
            await self._optouts.honour(uow, token.delivery_id, token.target, evidence="a mail that asked for it")
        return set(asked)

    def _unsubscribed_by(self, item: Received, workspace: str) -> Token | None:
        if self._links is None or item.outgoing or item.is_draft:
            return None
        token = self._links.unsubscribed_by(item.header.subject)
        return token if token is not None and token.workspace == workspace else None


def _matters(job: FolderJob, item: Received, candidates: Candidates, rules: MatchingRules) -> bool:
    """A match, or a report that only its body can tie to one of our mails."""
    if item.is_draft:
        return False
    item.match = match(item.header, outgoing=item.outgoing, candidates=candidates, rules=rules, moment=item.moment)
    may_report = not item.outgoing and item.arrived_after(job.mailbox.created_at - _CLOCK_SLACK)
    if item.unreadable:
        found = owners(item.keys, candidates, rules, item.moment)
        item.match = replace(item.match, people=dict.fromkeys(found, "unreadable_header"))
    if not (item.match.matters or may_report):
        return False  # most of a mailbox's history: nobody needs to know what kind it is
    judged = classify(item.header, own_addresses=job.own_keys, folder_role=job.folder.role)
    needs_body = judged.needs_body or (item.unreadable and bool(item.match.people))
    item.kind, item.needs_body = judged.kind, needs_body and not item.outgoing
    return item.match.matters or (may_report and item.kind in _REPORTS)


async def _note_seen(uow: UnitOfWork, job: FolderJob, items: Sequence[Received], now: datetime) -> None:
    if job.lookup:
        return  # the pass that read these messages left their traces
    seen = [SeenMessage(item.fetched.uid, item.header_hash(job), item.match.matters) for item in items]
    await uow.messages.record_seen(job.folder.id, job.uidvalidity, seen, now)
    checks = {one for item in items for one in item.check_mail_ids}
    if checks:
        await uow.canaries.seen(checks, job.mailbox.id, now)


async def _move_mark(uow: UnitOfWork, job: FolderJob, uids: Sequence[int]) -> None:
    """The checkpoint moves with what is new, the history's mark with what is old."""
    if job.lookup:
        return
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


def _is_first_copy(
    item: Received, row: NewMessage, enrollments: Mapping[str, Enrollment], fresh: set[tuple[str, str]]
) -> bool:
    """An answer that reached two of our mailboxes counts once: with the first copy it was on the prospect's stream."""
    answered = item.match.answers
    enrollment = enrollments.get(answered.enrollment_id) if answered else None
    return enrollment is None or (enrollment.person_id, row.fingerprint) in fresh
