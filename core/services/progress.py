"""Moves a prospect through a campaign: every change by the tables, with its event, its card and its next stage.

Used by sending, receiving and people's clicks alike, always inside the caller's transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.domain.account import Mailbox, MailboxStatus
from core.domain.campaign import CLOSED_STATUSES, Campaign, CampaignStatus
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus, Reason, transition
from core.domain.people import Person
from core.domain.reasons import reason as reason_of
from core.domain.reasons import undecided
from core.domain.schedule import calendar_of, due_after
from core.errors import LostRaceError
from core.ports.storage import EnrollmentEvent, UnitOfWork
from core.services.cards import CardWriter, Prospect, prospect_of
from core.services.tools import Tools

ENGINE = "engine"
_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)
_FAILED = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
_ENDS = {event.value for event in (ProspectEvent.COMPLETED, ProspectEvent.FINISH, ProspectEvent.OPTED_OUT)}


class Progress:
    """The one place that changes enrollments."""

    def __init__(self, tools: Tools, cards: CardWriter) -> None:
        self._tools = tools
        self.cards = cards

    async def move(
        self,
        uow: UnitOfWork,
        enrollment: Enrollment,
        event: ProspectEvent,
        *,
        actor: str = ENGINE,
        reason: Reason | None = None,
        evidence: str = "",
        stage: int | None = None,
        next_at: datetime | None = None,
    ) -> Enrollment:
        """Applies one event by the table. Raises RefusedError where it is illegal, LostRaceError on a race."""
        changed, line = self.moved(
            enrollment, event, actor=actor, reason=reason, evidence=evidence, stage=stage, next_at=next_at
        )
        if not await uow.enrollments.save(replace(changed, version=enrollment.version)):
            raise LostRaceError
        await uow.enrollments.add_event(line)
        return changed

    def moved(
        self,
        enrollment: Enrollment,
        event: ProspectEvent,
        *,
        actor: str = ENGINE,
        reason: Reason | None = None,
        evidence: str = "",
        stage: int | None = None,
        next_at: datetime | None = None,
    ) -> tuple[Enrollment, EnrollmentEvent]:
        """The prospect after an event, and its line for the ledger, for the caller to store. Whoever stops is told to
        the senders of this process at once. Raises RefusedError where the event is illegal."""
        changed = replace(
            enrollment,
            status=transition(enrollment.status, event),
            reason=reason,
            stage=enrollment.stage if stage is None else stage,
            next_at=next_at,
            version=enrollment.version + 1,
        )
        if changed.status not in _RUNNING:
            self._tools.stops.add(changed.id, changed.version, self._tools.clock.monotonic())
        line = EnrollmentEvent(
            enrollment_id=changed.id,
            at=self._tools.clock.now(),
            event=event.value,
            status=changed.status,
            stage=changed.stage,
            actor=actor,
            reason=reason.code if reason else "",
            evidence=evidence,
        )
        return changed, line

    async def note(
        self, uow: UnitOfWork, enrollment: Enrollment, event: str, *, evidence: str, actor: str = ENGINE
    ) -> None:
        """Writes a line into the ledger without changing anything (auto-replies, delay notices, late events)."""
        await uow.enrollments.add_event(
            EnrollmentEvent(
                enrollment.id, self._tools.clock.now(), event, enrollment.status, enrollment.stage, actor, "", evidence
            )
        )

    async def save(self, uow: UnitOfWork, delivery: Delivery, *, raw: bytes | None = None) -> Delivery:
        """Stores a changed delivery. Raises LostRaceError."""
        if not await uow.deliveries.save(delivery, raw=raw):
            raise LostRaceError
        return replace(delivery, version=delivery.version + 1)

    async def schedule(
        self,
        uow: UnitOfWork,
        enrollment: Enrollment,
        campaign: Campaign,
        person: Person,
        position: int,
        *,
        after: datetime,
        with_delay: bool = True,
    ) -> Delivery:
        """Queues a stage: due after its delay, waiting where the campaign is off or the person paused."""
        latest = await uow.deliveries.latest_of(enrollment.id, position)
        sender = await self.sender_for(uow, enrollment, campaign, position)
        delivery = self.queued(
            enrollment,
            campaign,
            person.timezone,
            position,
            after=after,
            mailbox_id=sender.id if sender else None,
            series=latest.series + 1 if latest else 1,
            with_delay=with_delay,
        )
        await uow.deliveries.add_many([delivery])
        uow.wake("outreach")
        return delivery

    def queued(
        self,
        enrollment: Enrollment,
        campaign: Campaign,
        timezone: str,
        position: int,
        *,
        after: datetime,
        mailbox_id: str | None,
        series: int = 1,
        with_delay: bool = True,
    ) -> Delivery:
        """A stage as it is queued, for the caller to store. ``timezone`` is the person's."""
        stage, due = campaign.stages[position - 1], after
        if with_delay:
            calendar = calendar_of(campaign.definition, prospect_zone=timezone, campaign_zone=campaign.timezone)
            due = due_after(after, stage.delay, calendar)
        return Delivery(
            id=self._tools.new_id(),
            workspace=enrollment.workspace,
            enrollment_id=enrollment.id,
            campaign_id=campaign.id,
            # Calls, tasks and texts need no mailbox, and do not wait for its turn.
            mailbox_id=mailbox_id if stage.kind == "email" else None,
            stage=position,
            series=series,
            state=DeliveryState.QUEUED,
            version=1,
            created_at=self._tools.clock.now(),
            due_at=due,
            waiting_for=_waiting_for(enrollment, campaign),
            kind=stage.kind,
        )

    async def sender_for(
        self, uow: UnitOfWork, enrollment: Enrollment, campaign: Campaign, position: int
    ) -> Mailbox | None:
        """The mailbox a stage goes from: the stage's own, else the prospect's, else one of the campaign's that is
        connected; where several are, prospects spread over them."""
        own = campaign.stages[position - 1].sender
        if own is not None:
            return await uow.mailboxes.by_sender(own)
        if enrollment.mailbox_id is not None:
            return await uow.mailboxes.get(enrollment.mailbox_id)
        connected = await connected_senders(uow, campaign.senders)
        return connected[zlib.crc32(enrollment.id.encode()) % len(connected)] if connected else None

    async def sent(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str, actor: str = ENGINE) -> None:
        """A stage has gone out for certain: the delivery was saved as sent; now the prospect moves on.

        A reply, pause or finish that came in between keeps the upper hand: then nothing further is scheduled.
        """
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        prospect = await prospect_of(uow, enrollment) if enrollment else None
        if enrollment is None or prospect is None:
            return
        if enrollment.status not in _RUNNING or enrollment.stage != delivery.stage:
            await self.note(uow, enrollment, "sent", evidence=evidence, actor=actor)
        else:
            enrollment = await self.advance(
                uow, prospect, delivery.stage + 1, after=delivery.sent_at or self._tools.clock.now(), evidence=evidence
            )
        prospect = replace(prospect, enrollment=enrollment)
        await self.cards.stage(uow, prospect, delivery, "sent")
        await self.cards.uncertain(uow, prospect, delivery, "sent", evidence=evidence, actor=_person(actor))

    async def advance(
        self,
        uow: UnitOfWork,
        prospect: Prospect,
        position: int,
        *,
        after: datetime,
        evidence: str,
        actor: str = ENGINE,
        event: ProspectEvent = ProspectEvent.RELEASE,
    ) -> Enrollment:
        """On to a stage, or to the next one that did not go out yet: queued by its delay; Complete past the last."""
        enrollment, campaign = prospect.enrollment, prospect.campaign
        while campaign.is_removed(position) or await self._is_settled(uow, enrollment, position):
            position += 1
        if campaign.stage_at(position) is None:
            done = ProspectEvent.COMPLETED
            if enrollment.status not in _RUNNING:
                enrollment = await self.move(uow, enrollment, event, actor=actor, evidence=evidence)
            return await self.move(uow, enrollment, done, actor=actor, evidence=evidence)
        if campaign.status in CLOSED_STATUSES:
            enrollment = await self.move(uow, enrollment, event, actor=actor, evidence=evidence, stage=position)
            return await self.move(uow, enrollment, ProspectEvent.NOT_DELIVERED, reason=reason_of("canceled"))
        # The stage waits as the prospect will stand after the event: an unpaused one waits for nothing any more.
        moved = replace(enrollment, status=transition(enrollment.status, event))
        delivery = await self.schedule(uow, moved, campaign, prospect.person, position, after=after)
        enrollment = await self.move(
            uow, enrollment, event, actor=actor, evidence=evidence, stage=position, next_at=delivery.due_at
        )
        return await self.show_wait(uow, enrollment, delivery)

    async def _is_settled(self, uow: UnitOfWork, enrollment: Enrollment, position: int) -> bool:
        """A late bounce takes a prospect back to an earlier stage: the later ones that arrived do not go again."""
        latest = await uow.deliveries.latest_of(enrollment.id, position)
        return latest is not None and latest.state in (DeliveryState.SENT, DeliveryState.SKIPPED)

    async def show_wait(self, uow: UnitOfWork, enrollment: Enrollment, delivery: Delivery) -> Enrollment:
        """A running prospect whose stage cannot go by itself is Pending, with the reason."""
        if enrollment.status is not ProspectStatus.ACTIVE:
            return enrollment
        if delivery.state in (DeliveryState.UNKNOWN, DeliveryState.HELD):
            why = undecided(delivery.kind)
        elif delivery.waiting_for == "campaign":
            why = reason_of("campaign")
        else:
            return enrollment
        return await self.move(uow, enrollment, ProspectEvent.WAIT, reason=why, next_at=enrollment.next_at)

    async def requeue(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str, actor: str = ENGINE) -> Delivery:
        """Stores a delivery that is ``queued`` once more, as its prospect and its campaign now allow.

        What came while it was on the wire keeps the upper hand: a pause holds it, a reply, a finish or the campaign's
        stop cancels it.
        """
        await uow.enrollments.lock([delivery.enrollment_id])  # an unpause that comes after this look finds the stage
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        campaign = await uow.campaigns.get(delivery.campaign_id)
        if enrollment is None or campaign is None:
            raise LostRaceError
        if enrollment.status is ProspectStatus.PAUSED:
            return await self.save(uow, replace(delivery, waiting_for="paused"))
        if enrollment.status not in _RUNNING or campaign.status in CLOSED_STATUSES:
            return await self._called_off(uow, delivery, enrollment, evidence)
        waiting_for = None if campaign.status is CampaignStatus.ACTIVE else "campaign"
        delivery = await self.save(uow, replace(delivery, waiting_for=waiting_for))
        if enrollment.status is ProspectStatus.PENDING:
            enrollment = await self.move(
                uow, enrollment, ProspectEvent.RELEASE, actor=actor, evidence=evidence, next_at=delivery.due_at
            )
        await self.show_wait(uow, enrollment, delivery)
        uow.wake("outreach")
        return delivery

    async def _called_off(self, uow: UnitOfWork, delivery: Delivery, enrollment: Enrollment, evidence: str) -> Delivery:
        why = "replied" if enrollment.status is ProspectStatus.REPLIED else "canceled"
        state = delivery_after(delivery.state, DeliveryEvent.CANCEL)
        delivery = await self.save(uow, replace(delivery, state=state, reason=why, waiting_for=None))
        if enrollment.status in _RUNNING:
            await self.move(
                uow, enrollment, ProspectEvent.NOT_DELIVERED, reason=reason_of("canceled"), evidence=evidence
            )
        return delivery

    async def failed(
        self, uow: UnitOfWork, delivery: Delivery, event: ProspectEvent, reason: Reason, *, evidence: str
    ) -> None:
        """A stage failed for certain (the delivery was saved so): status with its reason, what waits is cancelled,
        and the card with its Retry."""
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        if enrollment is None:
            return
        if enrollment.status is ProspectStatus.COMPLETE and not await self._may_reopen(uow, enrollment, delivery):
            await self.note(uow, enrollment, event.value, evidence=evidence)
            return
        await self.cancel_open(uow, enrollment, keep=delivery.id)
        keeps = transition(enrollment.status, event) is ProspectStatus.REPLIED
        enrollment = await self.move(
            uow,
            enrollment,
            event,
            reason=enrollment.reason if keeps else reason,
            evidence=evidence,
            stage=enrollment.stage if keeps else _stage_to_retry(enrollment, delivery),
        )
        prospect = await prospect_of(uow, enrollment)
        if prospect is not None and not keeps:
            await self.cards.stage(uow, prospect, delivery, "failed", open_new=True)

    async def _may_reopen(self, uow: UnitOfWork, enrollment: Enrollment, delivery: Delivery) -> bool:
        """Only the last stage's failure undoes a Complete, and never one that a person or an opt-out has set."""
        campaign = await uow.campaigns.get(enrollment.campaign_id)
        ends = [one.event for one in await uow.enrollments.events(enrollment.id) if one.event in _ENDS]
        by_itself = bool(ends) and ends[-1] == ProspectEvent.COMPLETED.value
        return by_itself and campaign is not None and delivery.stage >= campaign.live_stages[-1].position

    async def cancel_open(
        self,
        uow: UnitOfWork,
        enrollment: Enrollment,
        *,
        keep: str = "",
        event: DeliveryEvent = DeliveryEvent.CANCEL,
        reason: str | None = None,
    ) -> Delivery | None:
        """Cancels (or skips) what is queued. What is being sent or undecided stays: only its outcome can settle it."""
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is None or waiting.id == keep or waiting.state is not DeliveryState.QUEUED:
            return waiting if waiting and waiting.id != keep else None
        changed = replace(waiting, state=delivery_after(waiting.state, event), reason=reason)
        return await self.save(uow, changed)

    async def wait(self, uow: UnitOfWork, delivery: Delivery, enrollment: Enrollment, reason: Reason) -> None:
        """Holds a due stage back until ``reason.code`` is released; the prospect shows Pending with the reason."""
        await self.save(uow, replace(delivery, waiting_for=reason.code))
        if enrollment.status is not ProspectStatus.PENDING or enrollment.reason != reason:
            await self.move(uow, enrollment, ProspectEvent.WAIT, reason=reason, next_at=enrollment.next_at)

    async def wait_until_due(self, uow: UnitOfWork, delivery: Delivery, reason: Reason) -> None:
        """Shows why a queued stage is due only later; it goes by itself."""
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        waits = delivery.state is DeliveryState.QUEUED and delivery.waiting_for is None
        if waits and enrollment is not None and enrollment.status in _RUNNING:
            await self.move(uow, enrollment, ProspectEvent.WAIT, reason=reason, next_at=delivery.due_at)


async def connected_senders(uow: UnitOfWork, addresses: Iterable[str]) -> list[Mailbox]:
    """The connected mailboxes that these addresses name, by an alias too; order kept, each once."""
    found = [await uow.mailboxes.by_sender(address) for address in addresses]
    connected = [one for one in found if one is not None and one.status is not MailboxStatus.DISCONNECTED]
    return list({one.id: one for one in connected}.values())


def _stage_to_retry(enrollment: Enrollment, delivery: Delivery) -> int:
    """Of several stages that came back the first is the one to try again."""
    return min(enrollment.stage, delivery.stage) if enrollment.status in _FAILED else delivery.stage


def _waiting_for(enrollment: Enrollment, campaign: Campaign) -> str | None:
    if enrollment.status is ProspectStatus.PAUSED:
        return "paused"
    return None if campaign.status is CampaignStatus.ACTIVE else "campaign"


def _person(actor: str) -> str | None:
    return None if actor == ENGINE else actor
