"""Sends of unknown outcome: how they become so, and what settles them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState, transition
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.domain.reasons import undecided
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import UnitOfWork
from core.services.cards import prospect_of
from core.services.progress import Progress
from core.services.tools import Tools

_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)


class Uncertainty:
    """Always inside the caller's transaction. Every method may raise LostRaceError."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def lost(self, uow: UnitOfWork, delivery: Delivery, settings: WorkspaceSettings, why: str) -> None:
        """Silence after the last byte, or the process ended: looked up in Sent after a while."""
        first_look = self._tools.clock.now() + timedelta(seconds=settings.settle()[0])
        unknown = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.LOST),
            checks=0,
            next_check_at=first_look,
            server_text=why,
        )
        await self._progress.save(uow, unknown)
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        if enrollment is not None and enrollment.status in _RUNNING:
            await self._progress.move(
                uow, enrollment, ProspectEvent.WAIT, reason=undecided(delivery.kind), evidence=why
            )
        uow.wake("checks")

    async def found(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str, settled_by: str) -> bool:
        """Evidence that an undecided mail went out (its Sent copy, a reply, a report). False where it was settled.

        Also one that waits to be sent again counts: the evidence comes just in time.
        """
        undecided = delivery.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
        if not undecided and not (delivery.state is DeliveryState.QUEUED and delivery.attempts):
            return False
        found = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.FOUND),
            sent_at=delivery.claimed_at or self._tools.clock.now(),
            settled_by=settled_by,
            waiting_for=None,
            # Of a text the provider is asked whether it arrived.
            next_check_at=delivery.next_check_at if delivery.kind == "sms" else None,
        )
        found = await self._progress.save(uow, found)
        await self._progress.sent(uow, found, evidence=evidence)
        return True

    async def hold(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str) -> None:
        """Nobody but a person can decide: the card asks."""
        held = await self._progress.save(
            uow, replace(delivery, state=transition(delivery.state, DeliveryEvent.HOLD), next_check_at=None)
        )
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        prospect = await prospect_of(uow, enrollment) if enrollment else None
        if prospect is not None:
            await self._progress.cards.uncertain(uow, prospect, held, "held", evidence=evidence, open_new=True)

    async def resend(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str) -> None:
        """Believed absent on evidence: queued again under the same Message-ID."""
        again = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.RESEND),
            due_at=self._tools.clock.now(),
            resends=delivery.resends + 1,
            checks=0,
            next_check_at=None,
        )
        await self._progress.requeue(uow, again, evidence=evidence)
