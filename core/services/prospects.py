"""What people do with one prospect or with all that failed, by name, by card or by what failed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.delivery import Delivery
from core.domain.enrollment import HEARD_ELSEWHERE, Enrollment, ProspectEvent, ProspectStatus
from core.domain.ledger import LedgerLine, ledger
from core.domain.undo import seconds_left
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.campaign_lookup import find_campaign, find_enrollment, main_addresses
from core.services.outcomes import RetryResult, Skipped
from core.services.people import find_person
from core.services.progress import Progress
from core.services.prospect_actions import ProspectActions
from core.services.settling import Settling
from core.services.tools import Tools, persistently, settings_in

__all__ = ["ProspectService", "RetryResult"]

_FAILED = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
_HOW = {event.value.removeprefix("they_"): event for event in HEARD_ELSEWHERE}


class ProspectService:
    """Every action is legal only as the state table says, and refused with a reason otherwise."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._actions = ProspectActions(tools, progress)
        self._settling = Settling(tools, progress)
        self._progress = progress

    async def act(
        self, actor: Actor, event: ProspectEvent, campaign_name: str, email: str, *, confirmed: bool = False
    ) -> Enrollment:
        """``confirmed``: the warning of a retry that is unlikely to help was read. Raises NotFoundError,
        NotAllowedError, RefusedError with the reason ("retry_warning": ask, then come back confirmed)."""
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                campaign = await find_campaign(uow, campaign_name)
                enrollment = await find_enrollment(uow, campaign, email)
                return await self._actions.act(uow, actor, event, enrollment, confirmed=confirmed)

        return await persistently(unit)

    async def act_on_card(
        self, actor: Actor, event: ProspectEvent, delivery_id: str, version: int, *, confirmed: bool = False
    ) -> Enrollment:
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
                return await self._actions.act(uow, actor, event, enrollment, confirmed=confirmed)

        return await persistently(unit)

    async def act_on(
        self,
        actor: Actor,
        event: ProspectEvent,
        enrollment_id: str,
        version: int | None = None,
        *,
        confirmed: bool = False,
    ) -> Enrollment:
        """By the prospect's own id; with ``version`` only where nobody was faster."""
        require_recruiter(actor)

        async def unit() -> Enrollment:
            async with self._tools.store.write(actor.workspace) as uow:
                enrollment = await uow.enrollments.get(enrollment_id)
                if enrollment is None:
                    raise NotFoundError("This prospect was removed from the campaign.")
                if version is not None and enrollment.version != version:
                    raise await _somebody_was_faster(uow, enrollment)
                return await self._actions.act(uow, actor, event, enrollment, confirmed=confirmed)

        return await persistently(unit)

    async def they(self, actor: Actor, how: str, campaign_name: str, email: str) -> Enrollment:
        """An answer that no mailbox sees (R97, X7): ``how`` is called, texted or booked. Pauses, with that badge."""
        if how not in _HOW:
            raise InputError(f"{how[:40]!r} is not one of {', '.join(_HOW)}", field="how")
        return await self.act(actor, _HOW[how], campaign_name, email)

    async def undo_finish(self, actor: Actor, enrollment_id: str, version: int | None = None) -> Enrollment:
        """Puts back what a finish set aside. Raises RefusedError: undo_over, nothing_to_undo."""
        return await self.act_on(actor, ProspectEvent.UNDO_FINISH, enrollment_id, version)

    async def undo_seconds(self, actor: Actor, enrollment_id: str) -> float:
        """How long a finish can still be undone; 0: it is final, or was none."""
        async with self._tools.store.read(actor.workspace) as uow:
            lines = await uow.enrollments.events(enrollment_id)
            window = (await settings_in(uow)).seconds("finish_undo_s")
        if not lines or lines[-1].event != ProspectEvent.FINISH.value:
            return 0.0
        return max(0.0, seconds_left(lines[-1].at, self._tools.clock.now(), window))

    async def ledger(self, actor: Actor, campaign_name: str, email: str) -> list[LedgerLine]:
        """What changed this prospect, oldest first (X9). Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            enrollment = await find_enrollment(uow, await find_campaign(uow, campaign_name), email)
            return ledger(await uow.enrollments.events(enrollment.id))

    async def ledger_of(self, actor: Actor, enrollment_id: str) -> list[LedgerLine]:
        """The same by the prospect's id; empty for one that was removed."""
        async with self._tools.store.read(actor.workspace) as uow:
            return ledger(await uow.enrollments.events(enrollment_id))

    async def settle(self, actor: Actor, decision: str, delivery_id: str, version: int) -> Delivery:
        """A person decides an undecided send: "sent", "resend" or "drop". Raises RefusedError where it is settled."""
        return await self._settling.settle(actor, decision, delivery_id, version)

    async def retry_all(
        self, actor: Actor, campaign_name: str | None, *, why: str | None = None, confirmed: bool = False
    ) -> RetryResult:
        """Every failed stage of a campaign, or of all (R140, R217); ``why`` a reason code. Each by the same rules."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            campaigns = [await find_campaign(uow, campaign_name)] if campaign_name else await uow.campaigns.list()
            failed = [d for one in campaigns for d in await uow.deliveries.failed_of(one.id, reason=why)]
        return await self._retry_each(actor, [delivery.enrollment_id for delivery in failed], confirmed=confirmed)

    async def retry_heap(self, actor: Actor, campaign_id: str, why: str) -> RetryResult:
        """All that failed in a campaign for one reason: Retry all of the card that tells of many at once. The card
        says so first, for many take a while. Raises NotFoundError."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await uow.campaigns.get(campaign_id)
            if campaign is None:
                raise NotFoundError("This campaign was removed.")
            require_outreach(actor, campaign.owner, shared=campaign.shared)
            failed = await uow.deliveries.failed_of(campaign_id, reason=why)

        async def told() -> None:
            async with self._tools.store.write(actor.workspace) as uow:
                await self._progress.cards.heap_retried(uow, campaign_id, why, actor=actor.user)

        await persistently(told)
        return await self._retry_each(actor, [one.enrollment_id for one in failed], confirmed=False)

    async def retry_person(self, actor: Actor, email: str, *, confirmed: bool = False) -> RetryResult:
        """Every failed stage of one person. Raises NotFoundError."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            person = await find_person(uow, email)
            enrollments = await uow.enrollments.of_person(person.id)
        failed = [one.id for one in enrollments if one.status in _FAILED]
        return await self._retry_each(actor, failed, confirmed=confirmed)

    async def _retry_each(self, actor: Actor, enrollment_ids: Sequence[str], *, confirmed: bool) -> RetryResult:
        retried, refused = 0, list[Skipped]()
        for enrollment_id in enrollment_ids:
            try:
                retried += await persistently(partial(self._retry_one, actor, enrollment_id, confirmed))
            except (RefusedError, NotAllowedError, NotFoundError) as error:
                refused.append(Skipped(await self._address_of(actor, enrollment_id), error.message))
        return RetryResult(retried, refused)

    async def _retry_one(self, actor: Actor, enrollment_id: str, confirmed: bool) -> int:
        async with self._tools.store.write(actor.workspace) as uow:
            enrollment = await uow.enrollments.get(enrollment_id)
            if enrollment is None:
                return 0
            await self._actions.act(uow, actor, ProspectEvent.RETRY, enrollment, confirmed=confirmed)
        return 1

    async def _address_of(self, actor: Actor, enrollment_id: str) -> str:
        async with self._tools.store.read(actor.workspace) as uow:
            return (await main_addresses(uow, [enrollment_id])).get(enrollment_id, "")


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
