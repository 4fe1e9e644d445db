"""What a person does with one prospect, inside the caller's transaction: legal as the state table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from core.domain.actor import Actor, require_outreach
from core.domain.campaign import CLOSED_STATUSES, CampaignStatus
from core.domain.delivery import DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import HEARD_ELSEWHERE, Enrollment, ProspectEvent, ProspectStatus, transition
from core.domain.ledger import SET_ASIDE
from core.domain.reasons import reason
from core.domain.undo import SetAside
from core.errors import LostRaceError, NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.cards import Prospect, prospect_of
from core.services.finish_undo import FinishUndo
from core.services.progress import Progress
from core.services.task_cards import TaskCards
from core.services.tools import Tools

_GOES_ON = (ProspectEvent.UNPAUSE, ProspectEvent.SKIP, ProspectEvent.RETRY, ProspectEvent.RETRY_BYPASS)
_RETRIES = (ProspectEvent.RETRY, ProspectEvent.RETRY_BYPASS)
_CARD_STATES = {
    ProspectEvent.RETRY: "retrying",
    ProspectEvent.RETRY_BYPASS: "retrying",
    ProspectEvent.SKIP: "skipped",
    ProspectEvent.FINISH: "finished",
    ProspectEvent.REMOVE: "removed",
}
_TASK_STATES = {
    ProspectEvent.SKIP: "skipped",
    ProspectEvent.FINISH: "closed",
    ProspectEvent.REMOVE: "removed",
    ProspectEvent.PAUSE: "paused",
    **dict.fromkeys(HEARD_ELSEWHERE, "heard"),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asked for. ``evidence`` goes into the ledger; ``confirmed``: they have read the warning."""

    event: ProspectEvent
    user: str
    evidence: str = ""
    confirmed: bool = False


class ProspectActions:
    """Every action is legal only as the state table says, and refused with a reason otherwise."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._undo = FinishUndo(tools, progress)
        self._tasks = TaskCards(tools, progress.cards)
        self._actions: dict[ProspectEvent, Callable[[UnitOfWork, Prospect, Ask], Awaitable[Enrollment]]] = {
            ProspectEvent.PAUSE: self._pause,
            ProspectEvent.UNPAUSE: self._go_on,
            ProspectEvent.SKIP: self._skip,
            ProspectEvent.FINISH: self._finish,
            ProspectEvent.UNDO_FINISH: self._undo_finish,
            ProspectEvent.REMOVE: self._remove,
            ProspectEvent.RETRY: self._retry,
            ProspectEvent.RETRY_BYPASS: self._retry,
            **dict.fromkeys(HEARD_ELSEWHERE, self._pause),
        }

    async def act(
        self,
        uow: UnitOfWork,
        actor: Actor,
        event: ProspectEvent,
        enrollment: Enrollment,
        *,
        confirmed: bool = False,
        evidence: str = "",
    ) -> Enrollment:
        """``confirmed``: the person has read why a retry is unlikely to help. Raises NotFoundError, NotAllowedError,
        RefusedError (reason "retry_warning": ask, then come back with ``confirmed``)."""
        prospect = await prospect_of(uow, enrollment)
        if prospect is None:
            raise NotFoundError("The campaign or the person is gone.")
        campaign = prospect.campaign
        require_outreach(actor, campaign.owner, sender=prospect.owner, shared=campaign.shared)
        transition(enrollment.status, event)
        if event in _GOES_ON or event is ProspectEvent.UNDO_FINISH:
            require_running(prospect)
        if event in _RETRIES:
            await self._warn(uow, prospect, confirmed=confirmed)
        card = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        changed = await self._actions[event](uow, prospect, Ask(event, actor.user, evidence, confirmed))
        if card is not None and event in _CARD_STATES:
            state = _CARD_STATES[event]
            await self._progress.cards.stage(uow, replace(prospect, enrollment=changed), card, state, actor=actor.user)
        if card is not None and event in _TASK_STATES:
            await self._tasks.close(uow, card, _TASK_STATES[event], actor=actor.user)
        uow.wake("outreach")
        return changed

    async def _warn(self, uow: UnitOfWork, prospect: Prospect, *, confirmed: bool) -> None:
        """The same mail to the same address that bounced, or to a host that took it for spam, will hardly fare better.

        Where a person wants it all the same, the bounce is no reason any more to keep the address blocked.
        """
        enrollment = prospect.enrollment
        failed = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        address = prospect.person.address_for(prospect.campaign.email_priority)
        same = address is not None and (failed is None or failed.recipient in (None, address.address))
        if not confirmed and enrollment.status is ProspectStatus.BOUNCED and same:
            raise RefusedError(
                f"{address.address if address else 'The address'} bounced, and it is still the one to write to.",
                reason="retry_warning",
                fix="Put another address on the profile first; or confirm to send to this one all the same.",
            )
        if not confirmed and enrollment.status is ProspectStatus.SPAM:
            raise RefusedError(
                "The recipient's host took this mail for spam: sent again as it is, it will be taken for spam again.",
                reason="retry_warning",
                fix="Change the stage's wording and links first; or confirm to send it all the same.",
            )
        if confirmed and address is not None:
            hit = (await uow.suppressions.among([address.key])).get(address.key)
            if hit is not None and hit.code == "bounced":
                await uow.suppressions.remove(hit.key)

    async def _pause(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        """Also where the person was heard of elsewhere: then the badge says how."""
        waiting = await uow.deliveries.open_of(prospect.enrollment.id)
        if waiting is not None and waiting.state is DeliveryState.QUEUED:
            await self._progress.save(uow, replace(waiting, waiting_for="paused"))
        why = reason(ask.event.value) if ask.event in HEARD_ELSEWHERE else None
        return await self._progress.move(
            uow,
            prospect.enrollment,
            ask.event,
            actor=ask.user,
            reason=why,
            evidence=ask.evidence,
            next_at=prospect.enrollment.next_at,
        )

    async def _go_on(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        """Back on the road: what waits is released, else the stage after the last one sent is queued."""
        enrollment, now = prospect.enrollment, self._tools.clock.now()
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is not None:
            if waiting.state is DeliveryState.QUEUED:
                due_at = max(waiting.due_at or now, now)
                waiting = await self._progress.save(
                    uow, replace(waiting, waiting_for=waits_for(prospect), due_at=due_at)
                )
            enrollment = await self._progress.move(
                uow, enrollment, ask.event, actor=ask.user, evidence=ask.evidence, next_at=waiting.due_at
            )
            return await self._progress.show_wait(uow, enrollment, waiting)
        latest = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        went_out = latest is not None and latest.state in (DeliveryState.SENT, DeliveryState.SKIPPED)
        return await self._advance(uow, prospect, enrollment.stage + (1 if went_out else 0), ask, f"by {ask.user}")

    async def _skip(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        enrollment = prospect.enrollment
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is not None and waiting.state is DeliveryState.SENDING:
            raise RefusedError("The mail is being sent right now.", reason="delivery_sending")
        current = waiting or await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        if current is not None and current.state in (
            DeliveryState.QUEUED,
            DeliveryState.UNKNOWN,
            DeliveryState.HELD,
            DeliveryState.FAILED,
        ):
            skipped = await self._progress.save(
                uow, replace(current, state=delivery_after(current.state, DeliveryEvent.SKIP), waiting_for=None)
            )
            await self._progress.cards.uncertain(
                uow, prospect, skipped, "dropped", evidence="the stage was skipped", actor=ask.user
            )
        elif current is not None and current.state is DeliveryState.SENT:
            raise RefusedError(
                f"Stage {enrollment.stage} has gone out already, so there is nothing to skip.",
                reason="delivery_sent",
                fix="Unpause the prospect first; then the next stage can be skipped.",
            )
        return await self._advance(uow, prospect, enrollment.stage + 1, ask, f"stage {enrollment.stage} skipped")

    async def _advance(self, uow: UnitOfWork, prospect: Prospect, position: int, ask: Ask, evidence: str) -> Enrollment:
        return await self._progress.advance(
            uow,
            prospect,
            position,
            after=self._tools.clock.now(),
            evidence=ask.evidence or evidence,
            actor=ask.user,
            event=ask.event,
        )

    async def _finish(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        """What was is kept beside the line in the ledger, so that it can be undone for a moment (X8)."""
        enrollment = prospect.enrollment
        before = await uow.deliveries.open_of(enrollment.id)
        await self._progress.cancel_open(uow, enrollment)
        cancelled = before if before is not None and before.state is DeliveryState.QUEUED else None
        await self._progress.note(
            uow, enrollment, SET_ASIDE, evidence=SetAside.of(enrollment, cancelled).as_text(), actor=ask.user
        )
        return await self._progress.move(uow, enrollment, ProspectEvent.FINISH, actor=ask.user, evidence=ask.evidence)

    async def _undo_finish(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        return await self._undo.undo(uow, prospect, ask.user)

    async def _remove(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        enrollment = prospect.enrollment
        busy = await uow.deliveries.open_of(enrollment.id)
        if busy is not None and busy.state is DeliveryState.SENDING:
            raise RefusedError("A mail is being sent right now. Try again in a moment.", reason="delivery_sending")
        # A claim changes the delivery alone, so the prospect's version tells nothing of it.
        if busy is not None and (await uow.deliveries.lock([busy.id])).get(busy.id) != busy.version:
            raise LostRaceError
        if not await uow.enrollments.remove(enrollment):
            raise RefusedError("Somebody else changed this at the same moment.", reason="race")
        await uow.audit.add(
            at=self._tools.clock.now(), actor=ask.user, action="prospect.remove", subject=enrollment.person_id
        )
        return enrollment

    async def _retry(self, uow: UnitOfWork, prospect: Prospect, ask: Ask) -> Enrollment:
        """The failed stage again, in a new series: at once, through the same gates as any other; with bypass, but for
        the verdict on the address (R143). Where the stage was deleted meanwhile, on to the next."""
        enrollment, now = prospect.enrollment, self._tools.clock.now()
        # Whoever wants it sent to the address that bounced all the same is not told again that it is risky.
        insisted = ask.confirmed and enrollment.status is ProspectStatus.BOUNCED
        bypass = ask.event is ProspectEvent.RETRY_BYPASS or insisted
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is None and prospect.campaign.is_removed(enrollment.stage):
            return await self._advance(uow, prospect, enrollment.stage, ask, "its stage was deleted")
        if waiting is not None and waiting.state is not DeliveryState.QUEUED:
            raise RefusedError(
                "The last try is not settled yet: it may have gone out.",
                reason="delivery_unknown",
                fix="Settle it on its card first: It was sent, or Send again.",
            )
        if waiting is not None:
            waiting = replace(waiting, waiting_for=waits_for(prospect), due_at=now)
        else:
            waiting = await self._progress.schedule(
                uow, enrollment, prospect.campaign, prospect.person, enrollment.stage, after=now, with_delay=False
            )
        waiting = await self._progress.save(uow, replace(waiting, bypass=bypass or waiting.bypass))
        enrollment = await self._progress.move(
            uow, enrollment, ask.event, actor=ask.user, evidence=ask.evidence, next_at=now
        )
        return await self._progress.show_wait(uow, enrollment, waiting)


def waits_for(prospect: Prospect) -> str | None:
    """What a stage that is put back into the queue waits for."""
    return None if prospect.campaign.status is CampaignStatus.ACTIVE else "campaign"


def require_running(prospect: Prospect) -> None:
    """Raises RefusedError where the campaign is over."""
    campaign = prospect.campaign
    if campaign.status in CLOSED_STATUSES:
        raise RefusedError(
            f"“{campaign.name}” is {campaign.status.value}: nothing more goes out.",
            reason=f"campaign_{campaign.status.value}",
            fix="Add the person to another campaign.",
        )
