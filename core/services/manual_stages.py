"""Calls and tasks: a card asks a person for them, and the campaign waits where it has to (R97, R98, R149, R150, X7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.campaign import Campaign, Stage
from core.domain.delivery import MANUAL_KINDS, POSTED, Delivery, DeliveryEvent, DeliveryState, transition
from core.domain.enrollment import HEARD_ELSEWHERE, Enrollment, ProspectEvent, ProspectStatus
from core.domain.ledger import LedgerLine, ledger
from core.domain.preflight import Postpone, Refuse
from core.domain.reasons import reason
from core.errors import InputError, NotFoundError, RefusedError
from core.ports.storage import DueDelivery, UnitOfWork
from core.services.cards import Prospect, prospect_of
from core.services.progress import Progress
from core.services.prospect_actions import ProspectActions
from core.services.task_cards import TaskCards
from core.services.text_gate import is_not_to_be_contacted, outside_window
from core.services.tools import Tools, persistently, settings_in

_DAILY: Final = timedelta(days=1)
_RUNNING: Final = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)
_HOW: Final = {event.value.removeprefix("they_"): event for event in HEARD_ELSEWHERE}
_WAITS: Final = "manual_stage"
DONE: Final = "done"
"""The ledger's word for a call or a task that somebody did although the campaign did not wait for it."""

_CLOSED_BY: Final = {DeliveryState.SKIPPED: "skipped"}


@dataclass(frozen=True, slots=True)
class _Task:
    """A call or a task that a button names, with its prospect."""

    delivery: Delivery
    prospect: Prospect


class ManualStages:
    """What the engine does with calls and tasks by itself."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._cards = TaskCards(tools, progress.cards)

    async def due(
        self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign, stage: Stage
    ) -> Postpone | Refuse | None:
        """Posts the card, inside the claiming transaction; what comes back is left to the claim. A required stage
        waits for a person, any other lets the campaign go on at once."""
        now = self._tools.clock.now()
        if await is_not_to_be_contacted(uow, due.person):
            return Refuse(reason("suppressed"))
        closed = outside_window(campaign, due.person, now)
        if closed is not None:
            return closed
        prospect = await prospect_of(uow, due.enrollment)
        if prospect is None:
            return None
        if stage.required:
            await self._wait(uow, prospect, stage, due.delivery)
        else:
            await self._post(uow, prospect, stage, due.delivery)
        return None

    async def _wait(self, uow: UnitOfWork, prospect: Prospect, stage: Stage, delivery: Delivery) -> None:
        told_again = timedelta(seconds=(await settings_in(uow)).seconds("task_reminder_s"))
        waiting = replace(
            delivery,
            kind=stage.kind,
            waiting_for=_WAITS,
            checks=0,
            next_check_at=self._tools.clock.now() + told_again,
        )
        waiting = await self._progress.save(uow, waiting)
        enrollment = prospect.enrollment
        why = reason(_WAITS, f"{stage.kind.capitalize()}: {stage.note}".rstrip(": "))
        if enrollment.status is not ProspectStatus.PENDING or enrollment.reason != why:
            enrollment = await self._progress.move(
                uow, enrollment, ProspectEvent.WAIT, reason=why, next_at=enrollment.next_at
            )
        await self._cards.open(uow, replace(prospect, enrollment=enrollment), stage, waiting)

    async def _post(self, uow: UnitOfWork, prospect: Prospect, stage: Stage, delivery: Delivery) -> None:
        now = self._tools.clock.now()
        posted = replace(
            delivery,
            kind=stage.kind,
            state=transition(delivery.state, DeliveryEvent.DONE),
            waiting_for=None,
            sent_at=now,
            settled_by=POSTED,
        )
        posted = await self._progress.save(uow, posted)
        await self._cards.open(uow, prospect, stage, posted)
        await self._progress.advance(uow, prospect, delivery.stage + 1, after=now, evidence=f"{stage.kind} posted")

    async def remind_due(self, workspace: str) -> int:
        """Tells again what nobody has done: first after the workspace's time, then daily. Returns how many."""
        now = self._tools.clock.now()
        async with self._tools.store.read(workspace) as uow:
            due = await uow.stages.reminders_due(now)
        for delivery in due:
            await self._changed(workspace, delivery, self._remind)
        return len(due)

    async def close_over(self, workspace: str) -> int:
        """Closes the cards of what needs nobody any more: a reply, a finish or the campaign's end came first."""
        async with self._tools.store.read(workspace) as uow:
            over = await uow.stages.cards_over()
        for delivery in over:
            await self._changed(workspace, delivery, self._close)
        return len(over)

    async def _remind(self, uow: UnitOfWork, delivery: Delivery) -> None:
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        prospect = await prospect_of(uow, enrollment) if enrollment else None
        if prospect is None:
            return
        later = replace(delivery, checks=delivery.checks + 1, next_check_at=self._tools.clock.now() + _DAILY)
        await self._cards.remind(uow, prospect, await self._progress.save(uow, later))

    async def _close(self, uow: UnitOfWork, delivery: Delivery) -> None:
        closed = await self._progress.save(uow, replace(delivery, next_check_at=None))
        await self._cards.close(uow, closed, _CLOSED_BY.get(delivery.state, "closed"))

    async def _changed(
        self, workspace: str, delivery: Delivery, change: Callable[[UnitOfWork, Delivery], Awaitable[None]]
    ) -> None:
        """Where nobody was faster."""

        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                current = await uow.deliveries.get(delivery.id)
                if current is not None and current.version == delivery.version:
                    await change(uow, current)

        await persistently(unit)


class TaskDesk:
    """What people do with the cards of calls and tasks. Of two who press at once the second hears who was faster."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._cards = TaskCards(tools, progress.cards)
        self._actions = ProspectActions(tools, progress)

    async def done(self, actor: Actor, delivery_id: str) -> Delivery:
        """The next stage counts from now. Raises NotFoundError, NotAllowedError, RefusedError where it was settled."""
        return await self._settled(actor, delivery_id, self._done)

    async def skip(self, actor: Actor, delivery_id: str) -> Delivery:
        """On without it (R137). Raises as ``done``."""
        return await self._settled(actor, delivery_id, self._skip)

    async def they(self, actor: Actor, how: str, delivery_id: str) -> Enrollment:
        """An answer that no mailbox sees: ``how`` is called, texted or booked. The prospect pauses, with that badge.
        Raises as ``done``, and InputError."""
        if how not in _HOW:
            raise InputError(f"{how[:40]!r} is not one of {', '.join(_HOW)}", field="how")
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                task = await self._task(uow, actor, delivery_id)
                return await self._actions.act(uow, actor, _HOW[how], task.prospect.enrollment)

        return await persistently(unit)

    async def history(self, actor: Actor, delivery_id: str) -> list[LedgerLine]:
        """What happened to this prospect so far, oldest first (X9). Raises NotFoundError, NotAllowedError."""
        async with self._tools.store.read(actor.workspace) as uow:
            task = await self._task(uow, actor, delivery_id)
            return ledger(await uow.enrollments.events(task.prospect.enrollment.id))

    async def _settled(
        self, actor: Actor, delivery_id: str, settle: Callable[[UnitOfWork, Actor, _Task], Awaitable[Delivery]]
    ) -> Delivery:
        require_recruiter(actor)

        async def unit() -> Delivery:
            async with self._tools.store.write(actor.workspace) as uow:
                return await settle(uow, actor, await self._task(uow, actor, delivery_id))

        return await persistently(unit)

    async def _task(self, uow: UnitOfWork, actor: Actor, delivery_id: str) -> _Task:
        delivery = await uow.deliveries.get(delivery_id)
        enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
        prospect = await prospect_of(uow, enrollment) if enrollment else None
        if delivery is None or prospect is None or delivery.kind not in MANUAL_KINDS:
            raise NotFoundError("This prospect was removed from the campaign.")
        campaign = prospect.campaign
        require_outreach(actor, campaign.owner, sender=prospect.owner, shared=campaign.shared)
        return _Task(delivery, prospect)

    async def _done(self, uow: UnitOfWork, actor: Actor, task: _Task) -> Delivery:
        if _only_posted(task.delivery):
            return await self._noted(uow, actor, task)
        _require_open(task)
        now, delivery = self._tools.clock.now(), task.delivery
        done = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.DONE),
            waiting_for=None,
            next_check_at=None,
            sent_at=now,
            settled_by=actor.user,
        )
        done = await self._progress.save(uow, done)
        await self._progress.advance(
            uow, task.prospect, delivery.stage + 1, after=now, evidence=f"{delivery.kind} done", actor=actor.user
        )
        await self._cards.close(uow, done, "done", actor=actor.user)
        uow.wake("outreach")
        return done

    async def _noted(self, uow: UnitOfWork, actor: Actor, task: _Task) -> Delivery:
        """The campaign went on long ago: that it was done stands in the ledger, and on the card."""
        done = await self._progress.save(uow, replace(task.delivery, settled_by=actor.user))
        await self._progress.note(
            uow, task.prospect.enrollment, DONE, evidence=f"{done.kind} of stage {done.stage} done", actor=actor.user
        )
        await self._cards.close(uow, done, "done", actor=actor.user)
        return done

    async def _skip(self, uow: UnitOfWork, actor: Actor, task: _Task) -> Delivery:
        _require_open(task)
        await self._actions.act(uow, actor, ProspectEvent.SKIP, task.prospect.enrollment)
        skipped = await uow.deliveries.get(task.delivery.id)
        return skipped or task.delivery


def _only_posted(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.SENT and delivery.settled_by == POSTED


def _require_open(task: _Task) -> None:
    """Raises RefusedError that says who was faster, or why nobody needs it any more."""
    delivery, enrollment = task.delivery, task.prospect.enrollment
    if delivery.state is DeliveryState.QUEUED and enrollment.status in _RUNNING and enrollment.stage == delivery.stage:
        return
    if delivery.state is DeliveryState.SENT:
        raise RefusedError(f"This {delivery.kind} is done already{_by(delivery.settled_by)}.", reason="stale")
    if delivery.state is DeliveryState.SKIPPED:
        raise RefusedError(f"This {delivery.kind} was skipped already.", reason="stale")
    raise RefusedError(
        f"This {delivery.kind} is no longer needed: the prospect is {enrollment.status.value} now.",
        reason="stale",
        fix="Unpause the prospect to go on with the campaign."
        if enrollment.status in (ProspectStatus.PAUSED, ProspectStatus.REPLIED)
        else "",
    )


def _by(user: str | None) -> str:
    return f" by <@{user}>" if user and user.startswith(("U", "W")) else ""
