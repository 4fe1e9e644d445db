"""The Email Log: every attempt with its outcome, cancelled from here, and tried again past validation (R163..R169)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.prospect_query import LogQuery, log_states
from core.domain.reasons import reason
from core.errors import NotFoundError, RefusedError
from core.ports.storage import EmailLogRow, LogPage, UnitOfWork
from core.services.campaign_lookup import find_campaign
from core.services.cards import prospect_of
from core.services.progress import Progress
from core.services.prospect_actions import ProspectActions
from core.services.tools import Tools, persistently

_GONE = "There is no such line in the Email Log."


class EmailLog:
    """Looks and acts on single attempts."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._actions = ProspectActions(tools, progress)

    async def page(self, actor: Actor, query: LogQuery) -> LogPage:
        """Newest first. Raises NotFoundError for a campaign that is none."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign_id = (await find_campaign(uow, query.campaign)).id if query.campaign else None
            return await uow.lists.email_log(query, campaign_id=campaign_id)

    async def newest(self, actor: Actor, campaign: str | None, status: str | None) -> Sequence[EmailLogRow]:
        """``status`` as shown: Waiting, Sending, Sent, Uncertain, Not Delivered, Skipped."""
        states = frozenset(log_states(status or ""))
        async with self._tools.store.read(actor.workspace) as uow:
            campaign_id = (await find_campaign(uow, campaign)).id if campaign else None
            return await uow.deliveries.log(campaign_id=campaign_id, state=states)

    async def cancel(self, actor: Actor, delivery_id: str) -> Delivery:
        """Cancels what waits (R163, R164). Against a concurrent send there are two outcomes only (R218): cancelled, or
        RefusedError because it is out (and cannot be recalled, R165) or on its way. Raises NotFoundError."""
        require_recruiter(actor)

        async def unit() -> Delivery:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery, enrollment = await self._allowed(uow, actor, delivery_id)
                if delivery.state in (DeliveryState.UNKNOWN, DeliveryState.HELD):
                    raise RefusedError(
                        "It may have gone out already, so it cannot be cancelled.",
                        reason="delivery_unknown",
                        fix="Settle it on its card: It was sent, Send again or Drop.",
                    )
                return await self._cancel(uow, delivery, enrollment, actor)

        return await persistently(unit)

    async def _allowed(self, uow: UnitOfWork, actor: Actor, delivery_id: str) -> tuple[Delivery, Enrollment]:
        delivery = await uow.deliveries.get(delivery_id)
        enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
        prospect = await prospect_of(uow, enrollment) if enrollment else None
        if delivery is None or enrollment is None or prospect is None:
            raise NotFoundError(_GONE)
        require_outreach(actor, prospect.campaign.owner, sender=prospect.owner, shared=prospect.campaign.shared)
        return delivery, enrollment

    async def _cancel(self, uow: UnitOfWork, delivery: Delivery, enrollment: Enrollment, actor: Actor) -> Delivery:
        state = delivery_after(delivery.state, DeliveryEvent.CANCEL)
        delivery = await self._progress.save(uow, replace(delivery, state=state, reason="canceled", waiting_for=None))
        if enrollment.status in (ProspectStatus.ACTIVE, ProspectStatus.PENDING):
            await self._progress.move(
                uow, enrollment, ProspectEvent.NOT_DELIVERED, actor=actor.user, reason=reason("canceled")
            )
        return delivery

    async def retry(self, actor: Actor, delivery_id: str) -> Enrollment:
        """The stage of this line once more, whatever validation says of the address (R143, R169). Raises NotFoundError,
        RefusedError: where it went out, is under way, or is not the prospect's present stage."""
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery, enrollment = await self._allowed(uow, actor, delivery_id)
                latest = await uow.deliveries.latest_of(enrollment.id, enrollment.stage)
                if delivery.state is DeliveryState.SENT:
                    raise RefusedError(
                        "This mail went out; it cannot be recalled, and is not sent twice.", reason="delivery_sent"
                    )
                if latest is None or latest.id != delivery.id:
                    raise RefusedError(
                        "This line is not the prospect's last: a later one took its place.", reason="stale"
                    )
                if delivery.bypass and delivery.state is DeliveryState.FAILED:
                    evidence = "tried before past validation, and failed"
                else:
                    evidence = "from the Email Log"
                return await self._actions.act(
                    uow, actor, ProspectEvent.RETRY_BYPASS, enrollment, confirmed=True, evidence=evidence
                )

        return await persistently(unit)


def failed_even_so(state: DeliveryState, *, bypass: bool) -> str:
    """What to say of a line that was tried past validation and failed (R144); "" for any other."""
    if not bypass or state is not DeliveryState.FAILED:
        return ""
    return "It failed although validation was passed over: this message likely cannot be delivered to that address."
