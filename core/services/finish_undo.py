"""Mark finished cannot be undone (R136), but for the moment in which a slip of the hand is noticed (X8)."""

from __future__ import annotations

from dataclasses import replace

from core.domain.campaign import CampaignStatus
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.ledger import SET_ASIDE
from core.domain.reasons import reason
from core.domain.undo import SetAside, seconds_left, set_aside
from core.errors import LostRaceError, RefusedError
from core.ports.storage import EnrollmentEvent, UnitOfWork
from core.services.cards import Prospect
from core.services.progress import Progress
from core.services.tools import Tools, settings_in

_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)
_SHOWN_WAITS = ("campaign", "delivery_unknown")


class FinishUndo:
    """Puts back what a finish set aside, exactly, while nothing else has happened."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def undo(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        """Raises RefusedError where the window is over, where it was not a person who finished, or where something has
        happened since."""
        enrollment = prospect.enrollment
        before = await self._what_was(uow, enrollment)
        restored = replace(enrollment, status=before.status, reason=before.reason, next_at=before.next_at)
        waiting = await self._put_back_queue(uow, prospect, before)
        if waiting is not None:
            restored = _as_it_waits(restored, waiting)
        if not await uow.enrollments.save(restored):
            raise LostRaceError
        restored = replace(restored, version=enrollment.version + 1)
        await self._progress.note(uow, restored, ProspectEvent.UNDO_FINISH.value, evidence="", actor=user)
        card = await uow.deliveries.latest_of(restored.id, restored.stage)
        if card is not None and card.state is DeliveryState.FAILED:
            shown = replace(prospect, enrollment=restored)
            await self._progress.cards.stage(uow, shown, card, "failed", actor=user)
        uow.wake("outreach")
        return restored

    async def _what_was(self, uow: UnitOfWork, enrollment: Enrollment) -> SetAside:
        lines = await uow.enrollments.events(enrollment.id)
        before = _before(lines)
        if before is None:
            raise RefusedError(
                "Only the last thing that a person did can be undone, and only Mark finished.", reason="nothing_to_undo"
            )
        window = (await settings_in(uow)).seconds("finish_undo_s")
        if seconds_left(lines[-1].at, self._tools.clock.now(), window) <= 0:
            raise RefusedError(
                "It is final: the time to undo it is over.",
                reason="undo_over",
                fix="Add the person to another campaign.",
            )
        return before

    async def _put_back_queue(self, uow: UnitOfWork, prospect: Prospect, before: SetAside) -> Delivery | None:
        """The cancelled delivery waits again, for what it would wait for now: the campaign may have been paused. One
        that was on the wire then may have been put back, and cancelled, since."""
        delivery = await uow.deliveries.open_of(prospect.enrollment.id)
        if delivery is not None:
            return delivery
        if before.delivery_id:
            delivery = await uow.deliveries.get(before.delivery_id)
        elif before.status in _RUNNING:
            delivery = await uow.deliveries.latest_of(prospect.enrollment.id, prospect.enrollment.stage)
        if delivery is None:
            return None
        waiting_for = None if prospect.campaign.status is CampaignStatus.ACTIVE else "campaign"
        if before.status is ProspectStatus.PAUSED:
            waiting_for = "paused"
        state = delivery_after(delivery.state, DeliveryEvent.RESTORE)
        again = replace(delivery, state=state, waiting_for=waiting_for, reason=before.delivery_reason)
        return await self._progress.save(uow, again)


def _as_it_waits(restored: Enrollment, delivery: Delivery) -> Enrollment:
    """A running prospect shows what its stage waits for now, where that has changed since."""
    undecided = delivery.state in (DeliveryState.UNKNOWN, DeliveryState.HELD)
    code = "delivery_unknown" if undecided else delivery.waiting_for
    shown = restored.reason.code if restored.reason else None
    if restored.status not in _RUNNING or (code is None and shown not in _SHOWN_WAITS):
        return restored
    if code is None:
        return replace(restored, status=ProspectStatus.ACTIVE, reason=None)
    return replace(restored, status=ProspectStatus.PENDING, reason=reason(code))


def _before(lines: list[EnrollmentEvent]) -> SetAside | None:
    """What the last two lines say, where they are those of a finish."""
    if len(lines) < 2 or lines[-1].event != ProspectEvent.FINISH.value or lines[-2].event != SET_ASIDE:
        return None
    return set_aside(lines[-2].evidence)
