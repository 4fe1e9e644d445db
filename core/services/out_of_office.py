"""An out-of-office answer: no reply, but follow-ups wait until its writer is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.domain.absence import goes_on_at
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.mime import visible_reply
from core.domain.moment import iso
from core.domain.reasons import reason
from core.domain.schedule import calendar_of
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import UnitOfWork
from core.services.progress import Progress
from core.services.received import Received
from core.services.tools import settings_in

_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)


class OutOfOffice:
    """Logs every automatic answer, and holds what follows where the workspace wants it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    async def note(self, uow: UnitOfWork, item: Received, enrollment: Enrollment, *, evidence: str) -> None:
        """Only a running prospect's next stage waits; on its day it goes by itself."""
        await self._progress.note(uow, enrollment, item.kind.value, evidence=evidence)
        settings = await settings_in(uow)
        waiting = await uow.deliveries.open_of(enrollment.id)
        if settings["out_of_office"] != "hold" or enrollment.status not in _RUNNING or waiting is None:
            return
        if waiting.state is not DeliveryState.QUEUED or waiting.due_at is None:
            return
        at = await self._back_at(uow, item, enrollment, settings)
        if at is not None and at > waiting.due_at:
            await self._hold(uow, enrollment, waiting, at, evidence)

    async def _back_at(
        self, uow: UnitOfWork, item: Received, enrollment: Enrollment, settings: WorkspaceSettings
    ) -> datetime | None:
        campaign = await uow.campaigns.get(enrollment.campaign_id)
        person = await uow.people.get(enrollment.person_id)
        sent_at = item.header.date or item.moment
        if campaign is None or person is None or sent_at is None:
            return None
        note = "\n".join((item.header.subject, item.header.first("x-apple-criteria"), visible_reply(item.text)))
        return goes_on_at(
            note,
            sent_at,
            calendar_of(campaign.definition, prospect_zone=person.timezone, campaign_zone=campaign.timezone),
            most_days=settings["away_most_days"],
            default_days=settings["away_default_days"],
        )

    async def _hold(
        self, uow: UnitOfWork, enrollment: Enrollment, waiting: Delivery, at: datetime, evidence: str
    ) -> None:
        await self._progress.save(uow, replace(waiting, due_at=at))
        why = reason("out_of_office", f"The next stage waits until {iso(at)}.")
        if enrollment.status is ProspectStatus.PENDING and enrollment.reason is not None:
            why = enrollment.reason  # what held it before still does
        await self._progress.move(uow, enrollment, ProspectEvent.WAIT, reason=why, evidence=evidence, next_at=at)
