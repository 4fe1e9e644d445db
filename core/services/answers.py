"""What follows from mail that belongs to one of ours: its filed copy, a reply, a bounce, a complaint."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.domain.bounce import BounceReport
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.matching import original_ids
from core.domain.message import InboundKind
from core.domain.mime import visible_reply
from core.domain.reasons import reason_of_refusal
from core.domain.taxonomy import Next
from core.ports.storage import NewMessage, UnitOfWork
from core.services.brakes import Brakes
from core.services.cards import prospect_of
from core.services.optouts import OptOutService
from core.services.out_of_office import OutOfOffice
from core.services.outreach import EVENT_BY_STATUS, OutreachService
from core.services.progress import Progress
from core.services.received import Received
from core.services.suppression_list import block_bounced
from core.services.tools import Tools, settings_in

_ENDS = {event.value for event in (ProspectEvent.COMPLETED, ProspectEvent.FINISH, ProspectEvent.OPTED_OUT)}


class Answers:
    """Moves deliveries and prospects in the transaction that stores the mail."""

    def __init__(self, tools: Tools, progress: Progress, outreach: OutreachService, optouts: OptOutService) -> None:
        self._tools = tools
        self.progress = progress
        self._outreach = outreach
        self._optouts = optouts
        self._away = OutOfOffice(progress)
        self._brakes = Brakes(tools)

    async def follow_up(self, uow: UnitOfWork, item: Received, row: NewMessage) -> None:
        """Draws the consequences of one mail that is stored for the first time."""
        tied = item.match.copy_of or item.match.answers
        # Read again inside the transaction: the sending side may have moved on since the batch was matched.
        delivery = await uow.deliveries.get(tied.id) if tied else None
        if delivery is None:
            return
        if item.match.copy_of is not None:
            await self._filed_copy(uow, item, delivery)
        else:
            await self._answer(uow, item, row, delivery)

    async def _filed_copy(self, uow: UnitOfWork, item: Received, delivery: Delivery) -> None:
        """Our own mail seen in Sent: proof that it went out, and the place to learn the id that the recipient got."""
        ours = delivery.message_id
        wire = item.header.message_id if ours in original_ids(item.header) else None
        if wire and wire != ours and delivery.wire_message_id is None:
            delivery = await self.progress.save(uow, replace(delivery, wire_message_id=wire))
        await self._outreach.settle_found(uow, delivery, evidence="found in the Sent folder", settled_by="sent_folder")

    async def _answer(self, uow: UnitOfWork, item: Received, row: NewMessage, delivery: Delivery) -> None:
        await self._outreach.settle_found(uow, delivery, evidence=f"answered by {row.kind}", settled_by="answer")
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        if enrollment is None:
            return
        if item.kind is InboundKind.REPLY:
            await self._reply(uow, item, row, enrollment, delivery)
        elif item.kind is InboundKind.BOUNCE and item.report is not None:
            await self._bounce(uow, item.report, enrollment, delivery, row.at)
        elif item.kind is InboundKind.COMPLAINT:
            await self._optouts.honour(uow, delivery.id, "", evidence=row.message_id or "complaint", code="complaint")
        elif item.kind is InboundKind.AUTO_REPLY:
            await self._away.note(uow, item, enrollment, evidence=row.message_id or row.fingerprint)
        else:
            await self.progress.note(uow, enrollment, item.kind.value, evidence=row.message_id or row.fingerprint)

    async def _reply(
        self, uow: UnitOfWork, item: Received, row: NewMessage, enrollment: Enrollment, delivery: Delivery
    ) -> None:
        """A person answered: nothing further goes, and the recruiter hears of it (R107). A reply after the end is
        logged and told, and changes nothing (R220), unless the workspace wants it to and no person set the end."""
        before = enrollment.status
        evidence = f"{item.match.answer_rule}: {row.message_id or row.fingerprint}"
        if before is ProspectStatus.COMPLETE and await _counts_late(uow, enrollment):
            enrollment = await self.progress.move(uow, enrollment, ProspectEvent.LATE_REPLY, evidence=evidence)
        elif before in (ProspectStatus.COMPLETE, ProspectStatus.REPLIED):
            await self.progress.note(uow, enrollment, "reply", evidence=evidence)
        else:
            await self.progress.cancel_open(uow, enrollment, reason="replied")
            enrollment = await self.progress.move(uow, enrollment, ProspectEvent.REPLY, evidence=evidence)
        prospect = await prospect_of(uow, enrollment)
        if prospect is not None:
            await self.progress.cards.reply(
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
                await self.progress.cards.stage(uow, prospect, failed, "replied")

    async def _bounce(
        self, uow: UnitOfWork, report: BounceReport, enrollment: Enrollment, delivery: Delivery, at: datetime
    ) -> None:
        effect = report.effect
        event = EVENT_BY_STATUS.get(effect.status or "")
        current = await uow.deliveries.get(delivery.id)
        if event is None or current is None:
            await self.progress.note(uow, enrollment, "report", evidence=report.diagnostic[:200])
            return
        if current.state is DeliveryState.SENT:
            why = reason_of_refusal(effect)
            failed = replace(
                current,
                state=delivery_after(current.state, DeliveryEvent.BOUNCED),
                reason=why.code,
                server_text=report.diagnostic[:2_000],
            )
            failed = await self.progress.save(uow, failed)
            await self.progress.failed(uow, failed, event, why, evidence=report.diagnostic[:200])
            if event is ProspectEvent.HARD_BOUNCE:
                await self._brakes.bounced(uow, failed.mailbox_id, failed.campaign_id, self._tools.clock.now())
            if effect.next is Next.SUPPRESS_ADDRESS and failed.recipient:
                await block_bounced(uow, failed.recipient, at=at, evidence=report.diagnostic)


async def _counts_late(uow: UnitOfWork, enrollment: Enrollment) -> bool:
    """Whether a reply after the end makes the prospect Replied: the workspace wants it, and the end came by itself."""
    if (await settings_in(uow))["late_reply"] != "replied":
        return False
    ends = [line.event for line in await uow.enrollments.events(enrollment.id) if line.event in _ENDS]
    return bool(ends) and ends[-1] == ProspectEvent.COMPLETED.value
