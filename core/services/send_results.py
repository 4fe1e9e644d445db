"""Records what came of each send.

Plain successes, which are nearly all, are written together: whatever has arrived while the transaction before was under
way goes into the next one. A row that somebody changed meanwhile, a retry, a card that must be redrawn, anything else
than "sent": each of these has a transaction of its own, so that no race on one row undoes another's result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.campaign import CLOSED_STATUSES, Campaign
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState, transition
from core.domain.enrollment import ProspectEvent
from core.domain.reasons import reason
from core.domain.send_policy import Decision, Fail, OwnLimit, PutBack, decide, said_full
from core.domain.wire_id import learned_id
from core.errors import LoginRefusedError, MailError
from core.ports.storage import UnitOfWork
from core.services.brakes import Brakes
from core.services.last_look import Outgoing
from core.services.ledger import Ledger
from core.services.limit_learner import LimitLearner
from core.services.limits import give_back
from core.services.progress import Progress
from core.services.sending_health import SendingHealth
from core.services.suppression_list import block_bounced
from core.services.together import Together
from core.services.tools import Tools, persistently, settings_in
from core.services.uncertainty import Uncertainty

_EVIDENCE = 200
CROSSED_PAUSE_S = 1.0
"""A mail held back in the last moment is looked at again after so long, where its prospect still runs."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    outgoing: Outgoing
    reply: str
    at: datetime

    @property
    def sent(self) -> Delivery:
        """The delivery as the server's word makes it."""
        return self.as_sent(self.outgoing.delivery)

    def as_sent(self, delivery: Delivery) -> Delivery:
        wire_id = learned_id(self.reply, self.outgoing.mailbox.smtp_host)
        return replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.ACCEPTED),
            server_text=self.reply,
            sent_at=self.at,
            settled_by="server",
            wire_message_id=delivery.wire_message_id or (wire_id if wire_id != delivery.message_id else None),
        )


class SendResults:
    """Every method may be called for a row that is another attempt's by now: then it changes nothing."""

    def __init__(
        self,
        tools: Tools,
        progress: Progress,
        uncertainty: Uncertainty,
        sending: SendingHealth,
    ) -> None:
        self._tools = tools
        self._progress = progress
        self._uncertainty = uncertainty
        self._sending = sending
        self._learner = LimitLearner(tools)
        self._brakes = Brakes(tools)
        self._together = Together(self._record_accepted)

    async def accepted(self, outgoing: Outgoing, reply: str) -> None:
        """The server said 250 after the dot. Returns once that is committed."""
        one = _Accepted(outgoing, reply, self._tools.clock.now())
        if not await self._together.ask(outgoing.delivery.workspace, one):
            await persistently(lambda: self._record_one(one))

    async def _record_accepted(self, workspace: str, accepted: Sequence[_Accepted]) -> Sequence[bool]:
        """Which of them are recorded now."""
        candidates = [one for one in accepted if _is_plain(one.outgoing.delivery)]
        if not candidates:
            return [False] * len(accepted)
        recorded = await persistently(lambda: self._record_plain(workspace, candidates))
        return [one.outgoing.delivery.id in recorded for one in accepted]

    async def _record_plain(self, workspace: str, candidates: Sequence[_Accepted]) -> set[str]:
        async with self._tools.store.write(workspace) as uow:
            plain = await self._unchanged(uow, candidates)
            campaigns = await uow.campaigns.get_many({one.outgoing.delivery.campaign_id for one in plain})
            ledger, recorded = Ledger(self._progress), set[str]()
            for one in plain:
                if self._record(ledger, one, campaigns):
                    recorded.add(one.outgoing.delivery.id)
            await ledger.write(uow)
            uow.wake("outreach")
        return recorded

    async def _unchanged(self, uow: UnitOfWork, candidates: Sequence[_Accepted]) -> list[_Accepted]:
        """Those whose rows are as the claim left them. They are locked: what follows cannot lose a race."""
        deliveries = await uow.deliveries.lock([one.outgoing.delivery.id for one in candidates])
        enrollments = await uow.enrollments.lock([one.outgoing.enrollment.id for one in candidates])
        furthest = await uow.deliveries.furthest_stages([one.outgoing.enrollment.id for one in candidates])
        return [
            one
            for one in candidates
            if deliveries.get(one.outgoing.delivery.id) == one.outgoing.delivery.version
            and enrollments.get(one.outgoing.enrollment.id) == one.outgoing.enrollment.version
            and furthest.get(one.outgoing.enrollment.id) == one.outgoing.delivery.stage
        ]

    def _record(self, ledger: Ledger, one: _Accepted, campaigns: Mapping[str, Campaign]) -> bool:
        """Sent, and the next stage queued; False where that takes more than this."""
        enrollment, delivery = one.outgoing.enrollment, one.outgoing.delivery
        campaign = campaigns.get(delivery.campaign_id)
        if campaign is None or campaign.status in CLOSED_STATUSES or enrollment.stage != delivery.stage:
            return False
        evidence, position = one.reply[:_EVIDENCE], delivery.stage + 1
        stage = campaign.stage_at(position)
        if stage is None:
            ledger.save(delivery, one.sent)
            ledger.move(enrollment, ProspectEvent.COMPLETED, evidence=evidence)
            return True
        if stage.removed or stage.sender is not None or enrollment.mailbox_id is None:
            return False  # which stage, or whose mailbox that is, must be asked
        following = self._progress.queued(
            enrollment, campaign, one.outgoing.timezone, position, after=one.at, mailbox_id=enrollment.mailbox_id
        )
        if following.waiting_for is not None:
            return False  # shown Pending
        ledger.save(delivery, one.sent)
        ledger.add(following)
        ledger.move(enrollment, ProspectEvent.RELEASE, evidence=evidence, stage=position, next_at=following.due_at)
        return True

    async def _record_one(self, one: _Accepted) -> None:
        delivery, evidence = one.outgoing.delivery, one.reply[:_EVIDENCE]
        async with self._tools.store.write(delivery.workspace) as uow:
            current = await uow.deliveries.get(delivery.id)
            if current is None:
                return
            if current.state not in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
                # Given up meanwhile, or settled already by its copy in Sent or by an answer.
                await self._uncertainty.found(uow, current, evidence=evidence, settled_by="server")
                return
            sent = await self._progress.save(uow, one.as_sent(current))
            await self._progress.sent(uow, sent, evidence=evidence)

    async def not_begun(self, outgoing: Outgoing, *, pause_s: float = 0.0) -> None:
        """Nothing was said to the server: that was no attempt, and it took no place of any limit."""

        async def put_back(uow: UnitOfWork, current: Delivery) -> None:
            queued = replace(
                current,
                state=transition(current.state, DeliveryEvent.PUT_BACK),
                due_at=self._tools.clock.now() + timedelta(seconds=pause_s),
                attempts=max(0, current.attempts - 1),
            )
            await give_back(uow, [(outgoing.delivery, outgoing.mailbox)])
            await self._progress.requeue(uow, queued, evidence="not begun")

        await self._of_mine(outgoing, put_back)

    async def lost(self, outgoing: Outgoing, why: str) -> None:
        """It may have gone out: nobody knows."""

        async def undecided(uow: UnitOfWork, current: Delivery) -> None:
            await self._uncertainty.lost(uow, current, await settings_in(uow), why)

        await self._of_mine(outgoing, undecided)

    async def refused(self, outgoing: Outgoing, error: MailError) -> None:
        """The outcome is certain: it did not go out. Try again later, or fail with the server's words."""

        async def settle(uow: UnitOfWork, current: Delivery) -> None:
            decision = decide(
                error,
                attempts=current.attempts,
                was_full=said_full(current.server_text),
                random=self._tools.random(),
            )
            await give_back(uow, [(outgoing.delivery, outgoing.mailbox)])
            await self._apply(uow, outgoing, current, error, decision)

        await self._of_mine(outgoing, settle)

    async def _of_mine(self, outgoing: Outgoing, change: Callable[[UnitOfWork, Delivery], Awaitable[None]]) -> None:
        """Changes the row while it is still this attempt's: what a slow attempt learns must not undo a newer one."""
        sent = outgoing.delivery

        async def unit() -> None:
            async with self._tools.store.write(sent.workspace) as uow:
                current = await uow.deliveries.get(sent.id)
                if current is not None and current.state is DeliveryState.SENDING and current.token == sent.token:
                    await change(uow, current)

        await persistently(unit)

    async def _apply(
        self, uow: UnitOfWork, outgoing: Outgoing, current: Delivery, error: MailError, decision: Decision
    ) -> None:
        if isinstance(decision, Fail):
            await self._fail(uow, outgoing, current, error, decision)
        elif isinstance(decision, PutBack):
            await self._put_back(uow, current, error, decision)
        elif isinstance(decision, OwnLimit):
            await self._wait_for_host(uow, outgoing, current, error)

    async def _put_back(self, uow: UnitOfWork, current: Delivery, error: MailError, decision: PutBack) -> None:
        later = replace(
            current,
            state=transition(current.state, DeliveryEvent.PUT_BACK),
            due_at=self._tools.clock.now() + decision.after,
            server_text=error.raw,
        )
        queued = await self._progress.requeue(uow, later, evidence=error.raw[:_EVIDENCE])
        if decision.shown is not None:
            await self._progress.wait_until_due(uow, queued, decision.shown)

    async def _wait_for_host(self, uow: UnitOfWork, outgoing: Outgoing, current: Delivery, error: MailError) -> None:
        """The mailbox's own host wants less: nothing of it goes for a while, and that was no attempt at this mail."""
        later = replace(
            current,
            state=transition(current.state, DeliveryEvent.PUT_BACK),
            due_at=self._tools.clock.now(),  # it keeps its place: its mailbox rests
            server_text=error.raw,
            attempts=max(0, current.attempts - 1),
        )
        queued = await self._progress.requeue(uow, later, evidence=error.raw[:_EVIDENCE])
        await self._progress.wait_until_due(uow, queued, reason("provider_limit"))
        await self._learner.told(uow, outgoing.mailbox, error.raw)

    async def _fail(
        self, uow: UnitOfWork, outgoing: Outgoing, current: Delivery, error: MailError, decision: Fail
    ) -> None:
        state = transition(current.state, DeliveryEvent.REFUSED)
        failed = replace(current, state=state, reason=decision.reason.code, server_text=error.raw)
        failed = await self._progress.save(uow, failed)
        await self._progress.failed(uow, failed, decision.event, decision.reason, evidence=error.raw[:_EVIDENCE])
        if decision.event is ProspectEvent.HARD_BOUNCE:
            now = self._tools.clock.now()
            await self._brakes.bounced(uow, outgoing.mailbox.id, current.campaign_id, now, at_once=True)
            await block_bounced(uow, outgoing.recipient, at=now, evidence=error.raw)
        if isinstance(error, LoginRefusedError):
            await self._sending.broke(uow, outgoing.mailbox.id, error)
            uow.wake(f"sync:{outgoing.mailbox.id}")


def _is_plain(delivery: Delivery) -> bool:
    """A first try of a stage: nobody has a card of it that would have to change."""
    return delivery.series == 1 and not delivery.resends
