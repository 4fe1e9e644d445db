"""A person decides what became of a send of which nobody knows whether it went out."""

from __future__ import annotations

from dataclasses import replace

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.domain.reasons import reason
from core.errors import NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.cards import Prospect, prospect_of
from core.services.progress import Progress
from core.services.prospect_actions import require_running
from core.services.tools import Tools, persistently


class Settling:
    """It was sent, Send again, or Drop: once."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def settle(self, actor: Actor, decision: str, delivery_id: str, version: int) -> Delivery:
        """``decision``: "sent", "resend" or "drop". Raises RefusedError where it is settled."""
        require_recruiter(actor)

        async def unit() -> Delivery:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery = await uow.deliveries.get(delivery_id)
                enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
                prospect = await prospect_of(uow, enrollment) if enrollment else None
                if delivery is None or prospect is None:
                    raise NotFoundError("This prospect was removed from the campaign.")
                campaign = prospect.campaign
                require_outreach(actor, campaign.owner, sender=prospect.owner, shared=campaign.shared)
                if delivery.state is not DeliveryState.HELD or delivery.version != version:
                    raise RefusedError(_settled(delivery), reason=f"delivery_{delivery.state.value}")
                return await self._settle(uow, actor, decision, delivery, prospect)

        return await persistently(unit)

    async def _settle(
        self, uow: UnitOfWork, actor: Actor, decision: str, delivery: Delivery, prospect: Prospect
    ) -> Delivery:
        if decision == "sent":
            return await self._was_sent(uow, actor.user, delivery)
        if decision == "resend":
            delivery, shown = await self._again(uow, actor.user, delivery, prospect), "resent"
        else:
            delivery, shown = await self._dropped(uow, actor.user, delivery, prospect), "dropped"
        await self._progress.cards.uncertain(
            uow, prospect, delivery, shown, evidence="a person said so", actor=actor.user
        )
        uow.wake("outreach")
        return delivery

    async def _was_sent(self, uow: UnitOfWork, user: str, delivery: Delivery) -> Delivery:
        state = delivery_after(delivery.state, DeliveryEvent.FOUND)
        sent_at = delivery.claimed_at or self._tools.clock.now()
        delivery = await self._progress.save(uow, replace(delivery, state=state, sent_at=sent_at, settled_by=user))
        await self._progress.sent(uow, delivery, evidence="a person said so", actor=user)
        return delivery

    async def _again(self, uow: UnitOfWork, user: str, delivery: Delivery, prospect: Prospect) -> Delivery:
        _require_going_on(prospect)
        again = replace(
            delivery,
            state=delivery_after(delivery.state, DeliveryEvent.RESEND),
            due_at=self._tools.clock.now(),
            resends=delivery.resends + 1,
            checks=0,
            next_check_at=None,
            settled_by=user,
        )
        return await self._progress.requeue(uow, again, evidence="a person said so", actor=user)

    async def _dropped(self, uow: UnitOfWork, user: str, delivery: Delivery, prospect: Prospect) -> Delivery:
        state = delivery_after(delivery.state, DeliveryEvent.CANCEL)
        delivery = await self._progress.save(uow, replace(delivery, state=state, reason="canceled", settled_by=user))
        if prospect.enrollment.status in (ProspectStatus.ACTIVE, ProspectStatus.PENDING):
            await self._progress.move(
                uow, prospect.enrollment, ProspectEvent.NOT_DELIVERED, actor=user, reason=reason("canceled")
            )
        return delivery


def _require_going_on(prospect: Prospect) -> None:
    """A mail is not sent again to somebody who has answered, is finished or opted out."""
    require_running(prospect)
    status = prospect.enrollment.status
    if status not in (ProspectStatus.ACTIVE, ProspectStatus.PENDING, ProspectStatus.PAUSED):
        raise RefusedError(
            f"The prospect is {status.value} now, so it is not sent again.",
            reason=f"prospect_{status.name.lower()}",
            fix="Press It was sent, or Drop.",
        )


def _settled(delivery: Delivery) -> str:
    who = f" by <@{delivery.settled_by}>" if (delivery.settled_by or "").startswith(("U", "W")) else ""
    if delivery.state is DeliveryState.HELD:
        return "This card is out of date: the mail was sent again meanwhile, and is uncertain once more. Look again."
    shown = {"sent": "it was sent", "queued": "it is sent again", "cancelled": "it was dropped"}
    return f"This has been settled{who} already: {shown.get(delivery.state.value, delivery.state.value)}."
