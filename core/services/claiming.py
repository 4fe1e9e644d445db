"""Takes what is due through the gates: one transaction for a whole batch, from which each mail comes out as
``sending``, held back with a reason, due later, or failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.domain.campaign import Campaign, Stage
from core.domain.compose import compose
from core.domain.delivery import MANUAL_KINDS, Delivery, DeliveryEvent, transition
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus, Reason
from core.domain.preflight import (
    Facts,
    HoldBack,
    Postpone,
    Refuse,
    Send,
    Throttle,
    Verdict,
    check_moment,
    check_reading,
    check_recipient,
)
from core.domain.reasons import reason
from core.domain.throttle import AT_ONCE, Slots
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import InputError, LostRaceError
from core.ports.storage import DueDelivery, UnitOfWork
from core.services.address_facts import AddressFacts, address_facts, recipient_of
from core.services.last_look import Departing, Outgoing, OutgoingText
from core.services.ledger import Ledger
from core.services.letters import LetterBatch, LetterWriter
from core.services.limits import KEEPS_ITS_PLACE, Allowance, LimitKeeper
from core.services.manual_stages import ManualStages
from core.services.progress import Progress
from core.services.refusals import Refusals, Refused
from core.services.text_gate import Text, TextGate
from core.services.tools import Tools, settings_in

_log = structlog.get_logger("outreach")


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the gates of one claim share. ``raws`` are texts frozen by an earlier try."""

    uow: UnitOfWork
    now: datetime
    looked_at: float
    settings: WorkspaceSettings
    slots: Slots
    addresses: AddressFacts
    letters: LetterBatch
    allowance: Allowance
    raws: Mapping[str, bytes]
    ledger: Ledger
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail that has passed every gate but the limits."""

    recipient: str
    raw: bytes
    message_id: str
    subject: str


class Claiming:
    """``started_at`` is when this process began to read mailboxes; ``at_once`` the mails of a mailbox under way at
    once; ``validates`` whether addresses are looked up here."""

    def __init__(
        self,
        tools: Tools,
        progress: Progress,
        letters: LetterWriter,
        limits: LimitKeeper,
        texts: TextGate,
        *,
        started_at: datetime,
        at_once: int = AT_ONCE,
        validates: bool = False,
    ) -> None:
        self._tools = tools
        self._progress = progress
        self._letters = letters
        self._limits = limits
        self._texts = texts
        self._manual = ManualStages(tools, progress)
        self._refusals = Refusals(progress)
        self._started_at = started_at
        self._at_once = at_once
        self._validates = validates

    async def claim(self, workspace: str, limit: int, under_way: Mapping[str, int]) -> list[Departing]:
        """Raises LostRaceError where somebody was faster: nothing is claimed then."""
        async with self._tools.store.write(workspace) as uow:
            now, looked_at = self._tools.clock.now(), self._tools.clock.monotonic()
            settings = await settings_in(uow)
            slots = Slots(settings, now, self._tools.random(), under_way, self._at_once)
            busy = [mailbox_id for mailbox_id, count in under_way.items() if count >= self._at_once]
            due = await uow.deliveries.claim_due(now, limit=limit, busy=busy, each=slots.each)
            if not due:
                return []
            campaigns = await uow.campaigns.get_many({one.delivery.campaign_id for one in due})
            due = [await self._with_sender(uow, one, campaigns[one.delivery.campaign_id]) for one in due]
            frozen = [one.delivery.id for one in due if one.delivery.recipient]
            batch = _Batch(
                uow=uow,
                now=now,
                looked_at=looked_at,
                settings=settings,
                slots=slots,
                addresses=await address_facts(uow, settings, due, campaigns, now=now, validates=self._validates),
                letters=await self._letters.batch(uow, settings, list(campaigns.values())),
                allowance=await self._limits.open(uow, settings, now, due, campaigns),
                raws=await uow.deliveries.raws(frozen) if frozen else {},
                ledger=Ledger(self._progress),
            )
            return await self._claim_batch(batch, due, campaigns)

    async def _claim_batch(
        self, batch: _Batch, due: Sequence[DueDelivery], campaigns: Mapping[str, Campaign]
    ) -> list[Departing]:
        outgoing, left = list[Departing](), 0
        for one in due:
            if not batch.slots.free(one.mailbox):
                left += 1
                continue
            sent = await self._through_gates(batch, one, campaigns[one.delivery.campaign_id])
            if sent is not None:
                outgoing.append(sent)
        await self._refusals.write(batch.uow, batch.ledger, batch.refused, batch.now)
        await batch.ledger.write(batch.uow)
        for mailbox_id, next_send_at in batch.slots.taken.items():
            if next_send_at > batch.now:
                await batch.uow.mailboxes.reserve_slot(mailbox_id, next_send_at=next_send_at)
        await batch.allowance.close(batch.uow)
        if len(outgoing) + left < len(due):  # some did not go: their places are free for others
            batch.uow.wake("outreach")
        return outgoing

    async def _with_sender(self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign) -> DueDelivery:
        """A prospect enrolled before any sender was connected gets one now, and keeps it for the whole thread."""
        stage = campaign.stage_at(due.delivery.stage)
        if due.mailbox is not None or stage is None or stage.kind != "email":
            return due
        mailbox = await self._progress.sender_for(uow, due.enrollment, campaign, due.delivery.stage)
        if mailbox is None:
            return due
        delivery = await self._progress.save(uow, replace(due.delivery, mailbox_id=mailbox.id))
        enrollment = due.enrollment
        if enrollment.mailbox_id is None and stage.sender is None:
            enrollment = replace(enrollment, mailbox_id=mailbox.id)
            if not await uow.enrollments.save(enrollment):
                raise LostRaceError
            enrollment = replace(enrollment, version=enrollment.version + 1)
        folders = tuple(await uow.folders.list(mailbox.id))
        return replace(due, delivery=delivery, enrollment=enrollment, mailbox=mailbox, folders=folders)

    async def _through_gates(self, batch: _Batch, due: DueDelivery, campaign: Campaign) -> Departing | None:
        stage = campaign.stage_at(due.delivery.stage)
        if stage is None or stage.removed:  # it was deleted meanwhile
            batch.refused.append((due, campaign, reason("canceled")))
            return None
        verdict = await self._verdict(batch, due, campaign, stage)
        if isinstance(verdict, _Mail | Text):
            batch.allowance.take(due, campaign, stage.kind, verdict.recipient)
            return (
                self._take(batch, due, verdict) if isinstance(verdict, _Mail) else self._take_text(batch, due, verdict)
            )
        if isinstance(verdict, Refuse):
            batch.refused.append((due, campaign, verdict.reason))
        elif isinstance(verdict, HoldBack):
            self._hold_back(batch, due, verdict)
        elif isinstance(verdict, Throttle):
            self._throttle(batch, due, verdict)
        elif isinstance(verdict, Postpone):
            batch.ledger.save(due.delivery, replace(due.delivery, due_at=verdict.until))
            batch.ledger.reschedule(due.enrollment, verdict.until)
        return None

    async def _verdict(
        self, batch: _Batch, due: DueDelivery, campaign: Campaign, stage: Stage
    ) -> _Mail | Text | Verdict | None:
        """By the stage's kind; None: a person was asked to do it."""
        if stage.kind in MANUAL_KINDS:
            return await self._manual.due(batch.uow, due, campaign, stage)
        if stage.kind == "sms":
            return await self._texts.ask(
                batch.uow, batch.settings, batch.allowance, batch.now, due, campaign, stage, batch.raws
            )
        return self._gates(batch, due, campaign, stage)

    def _gates(self, batch: _Batch, due: DueDelivery, campaign: Campaign, stage: Stage) -> _Mail | Verdict:
        """In the order of the requirements; the first that speaks decides."""
        facts = self._facts(batch, due, campaign, stage)
        found = check_recipient(facts)
        if not isinstance(found, Send):
            return found
        mail = self._written(batch, due, campaign, stage, due.delivery.recipient or found.recipient)
        if not isinstance(mail, _Mail):
            return mail
        return (
            check_moment(facts, batch.now)
            or batch.allowance.ask(due, campaign, stage.kind, mail.recipient)
            or check_reading(facts, batch.now)
            or mail
        )

    def _facts(self, batch: _Batch, due: DueDelivery, campaign: Campaign, stage: Stage) -> Facts:
        address = recipient_of(due, campaign)
        return Facts(
            campaign=campaign,
            stage=stage,
            enrollment=due.enrollment,
            person=due.person,
            mailbox=due.mailbox,
            folders=due.folders,
            opens_thread=_opens_thread(due),
            read_since=self._started_at,
            freshness=timedelta(seconds=batch.settings.seconds("freshness_s")),
            suppressed=batch.addresses.is_suppressed(address),
            verdict=batch.addresses.verdict(address, due.enrollment.id),
            unchecked=batch.addresses.is_unchecked(address),
            bypass=due.delivery.bypass,
        )

    def _written(
        self, batch: _Batch, due: DueDelivery, campaign: Campaign, stage: Stage, recipient: str
    ) -> _Mail | HoldBack | Refuse:
        """The mail as it goes on the wire: as it was frozen at the first try, else written now."""
        delivery = due.delivery
        frozen = batch.raws.get(delivery.id)
        if frozen is not None:
            return _Mail(recipient, frozen, delivery.message_id or "", delivery.subject or "")
        try:
            letter = batch.letters.write(due, campaign, stage, recipient, batch.now)
            if isinstance(letter, HoldBack | Refuse):
                return letter
            return _Mail(recipient, compose(letter), letter.message_id, letter.subject)
        except InputError as error:
            return Refuse(reason("content_rejected", error.message))
        except Exception:  # one mail that nobody could foresee stops none of the others
            _log.exception("mail_not_written", action="mail_not_written", delivery=delivery.id)
            return Refuse(reason("content_rejected", "It could not be written."))

    def _take(self, batch: _Batch, due: DueDelivery, mail: _Mail) -> Outgoing:
        assert due.mailbox is not None  # the gates have seen it
        sending = replace(
            due.delivery,
            kind="email",
            mailbox_id=due.mailbox.id,
            message_id=mail.message_id,
            subject=mail.subject,
            recipient=mail.recipient,
            **self._claimed(batch, due.delivery),
        )
        enrollment = self._sending(batch, due, sending, mail.raw)
        batch.slots.take(due.mailbox)
        return Outgoing(
            sending, due.mailbox, mail.recipient, mail.raw, enrollment, due.person.timezone, batch.looked_at
        )

    def _take_text(self, batch: _Batch, due: DueDelivery, text: Text) -> OutgoingText:
        claimed = self._claimed(batch, due.delivery)
        sending = replace(due.delivery, kind="sms", recipient=text.recipient, **claimed)
        enrollment = self._sending(batch, due, sending, text.text.encode())
        return OutgoingText(sending, text.recipient, text.text, enrollment, batch.looked_at)

    def _claimed(self, batch: _Batch, delivery: Delivery) -> dict[str, Any]:
        """What a claim changes of any delivery."""
        return {
            "state": transition(delivery.state, DeliveryEvent.CLAIM),
            "token": self._tools.new_id(),
            "claimed_at": batch.now,
            "attempts": delivery.attempts + 1,
            "reason": None,
            "waiting_for": None,
            "version": delivery.version + 1,
        }

    def _sending(self, batch: _Batch, due: DueDelivery, sending: Delivery, raw: bytes) -> Enrollment:
        """Committed as ``sending`` before the server hears anything."""
        batch.ledger.save(due.delivery, sending, raw=None if sending.id in batch.raws else raw)
        enrollment = due.enrollment
        if enrollment.status is ProspectStatus.PENDING:
            enrollment = batch.ledger.move(enrollment, ProspectEvent.RELEASE, next_at=enrollment.next_at)
        return enrollment

    def _hold_back(self, batch: _Batch, due: DueDelivery, verdict: HoldBack) -> None:
        batch.ledger.save(due.delivery, replace(due.delivery, waiting_for=verdict.reason.code))
        _show(batch, due, verdict.reason, due.enrollment.next_at)
        if verdict.reason.code == "sync_behind" and due.mailbox is not None:
            batch.uow.wake(f"sync:{due.mailbox.id}")
        if verdict.reason.code == "address_check":
            batch.uow.wake("addresses")

    def _throttle(self, batch: _Batch, due: DueDelivery, verdict: Throttle) -> None:
        """Where its whole mailbox rests the mail keeps its place in the queue."""
        if verdict.reason.code not in KEEPS_ITS_PLACE:
            batch.ledger.save(due.delivery, replace(due.delivery, due_at=verdict.until))
        _show(batch, due, verdict.reason, verdict.until)


def _show(batch: _Batch, due: DueDelivery, why: Reason, next_at: datetime | None) -> None:
    """Pending with the reason; where that stands there already, only the time may change."""
    enrollment = due.enrollment
    if enrollment.status is not ProspectStatus.PENDING or enrollment.reason != why:
        batch.ledger.move(enrollment, ProspectEvent.WAIT, reason=why, next_at=next_at)
    elif next_at is not None and next_at != enrollment.next_at:
        batch.ledger.reschedule(enrollment, next_at)


def _opens_thread(due: DueDelivery) -> bool:
    """A first mail, tried for the first time. A retry or a mail sent again follows something that may have been
    answered: it passes the freshness gate like a follow-up."""
    first = due.delivery.stage == 1 and due.delivery.series == 1 and not due.delivery.resends
    return first and not due.previous_message_ids
