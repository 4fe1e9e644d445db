"""What people do with one prospect or with all that failed: pause, skip, retry, finish, remove, settle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.campaign import CLOSED_STATUSES, CampaignStatus
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus, transition
from core.domain.reasons import reason
from core.errors import NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.campaigns import Skipped, find_campaign, find_enrollment
from core.services.cards import Prospect, prospect_of
from core.services.people import find_person
from core.services.progress import Progress
from core.services.tools import Tools, persistently

_FAILED = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
_GOES_ON = (ProspectEvent.UNPAUSE, ProspectEvent.SKIP, ProspectEvent.RETRY, ProspectEvent.RETRY_BYPASS)
_CARD_STATES = {
    ProspectEvent.RETRY: "retrying",
    ProspectEvent.RETRY_BYPASS: "retrying",
    ProspectEvent.SKIP: "skipped",
    ProspectEvent.FINISH: "finished",
    ProspectEvent.REMOVE: "removed",
}


@dataclass(frozen=True, slots=True)
class RetryResult:
    """How many were queued again, and who could not be."""

    retried: int
    refused: list[Skipped]


class ProspectService:
    """Every action is legal only as the state table says, and refused with a reason otherwise."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._actions: dict[ProspectEvent, Callable[[UnitOfWork, Prospect, str], Awaitable[Enrollment]]] = {
            ProspectEvent.PAUSE: self._pause,
            ProspectEvent.UNPAUSE: self._unpause,
            ProspectEvent.SKIP: self._skip,
            ProspectEvent.FINISH: self._finish,
            ProspectEvent.REMOVE: self._remove,
            ProspectEvent.RETRY: self._retry,
            ProspectEvent.RETRY_BYPASS: self._retry,
        }

    async def act(self, actor: Actor, event: ProspectEvent, campaign_name: str, email: str) -> Enrollment:
        """Raises NotFoundError, NotAllowedError, RefusedError with the reason."""
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                campaign = await find_campaign(uow, campaign_name)
                enrollment = await find_enrollment(uow, campaign, email)
                return await self._act(uow, actor, event, enrollment)

        return await persistently(unit)

    async def act_on_card(self, actor: Actor, event: ProspectEvent, delivery_id: str, version: int) -> Enrollment:
        """A button of the failed-stage card. ``version`` is the prospect's when the card was drawn: where it has
        changed since, RefusedError says who was faster."""
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery = await uow.deliveries.get(delivery_id)
                enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
                if enrollment is None:
                    raise NotFoundError("This prospect was removed from the campaign.")
                if enrollment.version != version:
                    raise await _somebody_was_faster(uow, enrollment)
                return await self._act(uow, actor, event, enrollment)

        return await persistently(unit)

    async def _act(self, uow: UnitOfWork, actor: Actor, event: ProspectEvent, enrollment: Enrollment) -> Enrollment:
        prospect = await prospect_of(uow, enrollment)
        if prospect is None:
            raise NotFoundError("The campaign or the person is gone.")
        require_outreach(actor, prospect.campaign.owner, sender=prospect.owner)
        transition(enrollment.status, event)
        if event in _GOES_ON and prospect.campaign.status in CLOSED_STATUSES:
            raise _closed(prospect)
        card = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        changed = await self._actions[event](uow, prospect, actor.user)
        if card is not None and event in _CARD_STATES:
            state = _CARD_STATES[event]
            await self._progress.cards.stage(uow, replace(prospect, enrollment=changed), card, state, actor=actor.user)
        uow.wake("outreach")
        return changed

    async def _pause(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        waiting = await uow.deliveries.open_of(prospect.enrollment.id)
        if waiting is not None and waiting.state is DeliveryState.QUEUED:
            await self._progress.save(uow, replace(waiting, waiting_for="paused"))
        return await self._progress.move(
            uow, prospect.enrollment, ProspectEvent.PAUSE, actor=user, next_at=prospect.enrollment.next_at
        )

    async def _unpause(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        return await self._go_on(uow, prospect, user, ProspectEvent.UNPAUSE)

    async def _go_on(self, uow: UnitOfWork, prospect: Prospect, user: str, event: ProspectEvent) -> Enrollment:
        """Back on the road: what waits is released, else the stage after the last one sent is queued."""
        enrollment, now = prospect.enrollment, self._tools.clock.now()
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is not None:
            if waiting.state is DeliveryState.QUEUED:
                running = prospect.campaign.status is CampaignStatus.ACTIVE
                await self._progress.save(
                    uow,
                    replace(
                        waiting,
                        waiting_for=None if running else "campaign",
                        due_at=max(waiting.due_at or now, now),
                    ),
                )
                waiting = await uow.deliveries.open_of(enrollment.id) or waiting
            enrollment = await self._progress.move(uow, enrollment, event, actor=user, next_at=waiting.due_at)
            return await self._progress.show_wait(uow, enrollment, waiting)
        latest = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
        went_out = latest is not None and latest.state in (DeliveryState.SENT, DeliveryState.SKIPPED)
        position = enrollment.stage + (1 if went_out else 0)
        return await self._progress.advance(
            uow, prospect, position, after=now, evidence=f"by {user}", actor=user, event=event
        )

    async def _skip(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
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
                uow, prospect, skipped, "dropped", evidence="the stage was skipped", actor=user
            )
        return await self._progress.advance(
            uow,
            prospect,
            enrollment.stage + 1,
            after=self._tools.clock.now(),
            evidence=f"stage {enrollment.stage} skipped",
            actor=user,
            event=ProspectEvent.SKIP,
        )

    async def _finish(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        await self._progress.cancel_open(uow, prospect.enrollment)
        return await self._progress.move(uow, prospect.enrollment, ProspectEvent.FINISH, actor=user)

    async def _remove(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        enrollment = prospect.enrollment
        busy = await uow.deliveries.open_of(enrollment.id)
        if busy is not None and busy.state is DeliveryState.SENDING:
            raise RefusedError("A mail is being sent right now. Try again in a moment.", reason="delivery_sending")
        if not await uow.enrollments.remove(enrollment):
            raise RefusedError("Somebody else changed this at the same moment.", reason="race")
        await uow.audit.add(
            at=self._tools.clock.now(), actor=user, action="prospect.remove", subject=enrollment.person_id
        )
        return enrollment

    async def _retry(self, uow: UnitOfWork, prospect: Prospect, user: str) -> Enrollment:
        """The failed stage again, in a new series: at once, through the same gates as any other."""
        enrollment, now = prospect.enrollment, self._tools.clock.now()
        waiting = await uow.deliveries.open_of(enrollment.id)
        if waiting is not None and waiting.state is not DeliveryState.QUEUED:
            raise RefusedError(
                "The last try is not settled yet: it may have gone out.",
                reason="delivery_unknown",
                fix="Settle it on its card first: It was sent, or Send again.",
            )
        if waiting is not None:
            running = prospect.campaign.status is CampaignStatus.ACTIVE
            released = replace(waiting, waiting_for=None if running else "campaign", due_at=now)
            waiting = await self._progress.save(uow, released)
        else:
            waiting = await self._progress.schedule(
                uow, enrollment, prospect.campaign, prospect.person, enrollment.stage, after=now, with_delay=False
            )
        enrollment = await self._progress.move(uow, enrollment, ProspectEvent.RETRY, actor=user, next_at=now)
        return await self._progress.show_wait(uow, enrollment, waiting)

    async def settle(self, actor: Actor, decision: str, delivery_id: str, version: int) -> Delivery:
        """A person decides an undecided send: "sent", "resend" or "drop". Raises RefusedError where it is settled."""
        require_recruiter(actor)

        async def unit() -> Delivery:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery = await uow.deliveries.get(delivery_id)
                enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
                prospect = await prospect_of(uow, enrollment) if enrollment else None
                if delivery is None or prospect is None:
                    raise NotFoundError("This prospect was removed from the campaign.")
                require_outreach(actor, prospect.campaign.owner, sender=prospect.owner)
                if delivery.state is not DeliveryState.HELD or delivery.version != version:
                    raise RefusedError(_settled(delivery), reason=f"delivery_{delivery.state.value}")
                return await self._settle(uow, actor, decision, delivery, prospect)

        return await persistently(unit)

    async def _settle(
        self, uow: UnitOfWork, actor: Actor, decision: str, delivery: Delivery, prospect: Prospect
    ) -> Delivery:
        now, user = self._tools.clock.now(), actor.user
        if decision == "sent":
            state = delivery_after(delivery.state, DeliveryEvent.FOUND)
            delivery = await self._progress.save(
                uow, replace(delivery, state=state, sent_at=delivery.claimed_at or now, settled_by=user)
            )
            await self._progress.sent(uow, delivery, evidence="a person said so", actor=user)
            return delivery
        if decision == "resend":
            _require_going_on(prospect)
            again = replace(
                delivery,
                state=delivery_after(delivery.state, DeliveryEvent.RESEND),
                due_at=now,
                resends=delivery.resends + 1,
                checks=0,
                next_check_at=None,
                settled_by=user,
            )
            delivery = await self._progress.requeue(uow, again, evidence="a person said so", actor=user)
        else:
            state = delivery_after(delivery.state, DeliveryEvent.CANCEL)
            delivery = await self._progress.save(
                uow, replace(delivery, state=state, reason="canceled", settled_by=user)
            )
            if prospect.enrollment.status in (ProspectStatus.ACTIVE, ProspectStatus.PENDING):
                await self._progress.move(
                    uow, prospect.enrollment, ProspectEvent.NOT_DELIVERED, actor=user, reason=reason("canceled")
                )
        shown = "resent" if decision == "resend" else "dropped"
        await self._progress.cards.uncertain(uow, prospect, delivery, shown, evidence="a person said so", actor=user)
        uow.wake("outreach")
        return delivery

    async def retry_all(self, actor: Actor, campaign_name: str | None, *, why: str | None = None) -> RetryResult:
        """Every failed stage of a campaign, or of all (R140, R217); ``why`` a reason code. Each by the same rules."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            campaigns = [await find_campaign(uow, campaign_name)] if campaign_name else await uow.campaigns.list()
            failed = [d for one in campaigns for d in await uow.deliveries.failed_of(one.id, reason=why)]
        return await self._retry_each(actor, [delivery.enrollment_id for delivery in failed])

    async def retry_person(self, actor: Actor, email: str) -> RetryResult:
        """Every failed stage of one person. Raises NotFoundError."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            person = await find_person(uow, email)
            enrollments = await uow.enrollments.of_person(person.id)
        failed = [one.id for one in enrollments if one.status in _FAILED]
        return await self._retry_each(actor, failed)

    async def _retry_each(self, actor: Actor, enrollment_ids: list[str]) -> RetryResult:
        retried, refused = 0, list[Skipped]()
        for enrollment_id in enrollment_ids:
            try:
                retried += await persistently(partial(self._retry_one, actor, enrollment_id))
            except (RefusedError, NotAllowedError, NotFoundError) as error:
                refused.append(Skipped(await self._address_of(actor, enrollment_id), error.message))
        return RetryResult(retried, refused)

    async def _retry_one(self, actor: Actor, enrollment_id: str) -> int:
        async with self._tools.store.write(actor.workspace) as uow:
            enrollment = await uow.enrollments.get(enrollment_id)
            if enrollment is None:
                return 0
            await self._act(uow, actor, ProspectEvent.RETRY, enrollment)
        return 1

    async def _address_of(self, actor: Actor, enrollment_id: str) -> str:
        async with self._tools.store.read(actor.workspace) as uow:
            enrollment = await uow.enrollments.get(enrollment_id)
            person = await uow.people.get(enrollment.person_id) if enrollment else None
        return person.primary.address if person and person.primary else (person.name if person else "")


def _closed(prospect: Prospect) -> RefusedError:
    campaign = prospect.campaign
    return RefusedError(
        f"“{campaign.name}” is {campaign.status.value}: nothing more goes out.",
        reason=f"campaign_{campaign.status.value}",
        fix="Add the person to another campaign.",
    )


def _require_going_on(prospect: Prospect) -> None:
    """A mail is not sent again to somebody who has answered, is finished or opted out."""
    if prospect.campaign.status in CLOSED_STATUSES:
        raise _closed(prospect)
    status = prospect.enrollment.status
    if status not in (ProspectStatus.ACTIVE, ProspectStatus.PENDING, ProspectStatus.PAUSED):
        raise RefusedError(
            f"The prospect is {status.value} now, so it is not sent again.",
            reason=f"prospect_{status.name.lower()}",
            fix="Press It was sent, or Drop.",
        )


async def _somebody_was_faster(uow: UnitOfWork, enrollment: Enrollment) -> RefusedError:
    events = await uow.enrollments.events(enrollment.id)
    last = events[-1] if events else None
    if last is None:
        return RefusedError("This card is out of date.", reason="stale")
    who = f"<@{last.actor}>" if last.actor.startswith(("U", "W")) else "Rethread"
    return RefusedError(
        f"This card is out of date: {who} was faster ({last.event.replace('_', ' ')}); "
        f"the prospect is {enrollment.status.value} now.",
        reason="stale",
    )


def _settled(delivery: Delivery) -> str:
    who = f" by <@{delivery.settled_by}>" if (delivery.settled_by or "").startswith(("U", "W")) else ""
    if delivery.state is DeliveryState.HELD:
        return "This card is out of date: the mail was sent again meanwhile, and is uncertain once more. Look again."
    shown = {"sent": "it was sent", "queued": "it is sent again", "cancelled": "it was dropped"}
    return f"This has been settled{who} already: {shown.get(delivery.state.value, delivery.state.value)}."
