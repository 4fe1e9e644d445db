"""Sends what is due: claim and gates in one transaction, then the network, then the result (journey 2 of the design).

Order that must not change: ``sending`` is committed before the server hears anything; silence after the message's last
byte is ``unknown``; only evidence or a person turns ``unknown`` into ``sent`` or back into ``queued``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime

from core.domain.delivery import Delivery
from core.domain.send_policy import BACK_OFF, EVENT_BY_STATUS
from core.domain.throttle import AT_ONCE, CONNECTIONS
from core.errors import MailError, OutcomeUnknownError
from core.ports.mail import Credentials, SendReceipt
from core.ports.sms import SmsTransport
from core.ports.storage import UnitOfWork
from core.services.claiming import Claiming
from core.services.last_look import Departing, LastLook, Outgoing, OutgoingText
from core.services.letters import LetterWriter
from core.services.limits import LimitKeeper
from core.services.progress import Progress
from core.services.send_results import CROSSED_PAUSE_S, SendResults
from core.services.sending_health import SendingHealth
from core.services.submission import Submission
from core.services.text_gate import TextGate
from core.services.texting import TextingService
from core.services.tools import Tools, persistently, settings_in, to_the_end
from core.services.uncertainty import Uncertainty

__all__ = ["EVENT_BY_STATUS", "Outgoing", "OutreachService"]


class OutreachService:
    """Use cases of the sending worker. ``started_at`` is when this process began to read mailboxes, ``at_once`` how
    many mails of a mailbox may be under way, ``validates`` whether this process looks addresses up in DNS, ``sms`` the
    text message provider, where there is one."""

    def __init__(
        self,
        tools: Tools,
        submission: Submission,
        progress: Progress,
        sending: SendingHealth,
        *,
        started_at: datetime,
        letters: LetterWriter | None = None,
        limits: LimitKeeper | None = None,
        sms: SmsTransport | None = None,
        at_once: int = AT_ONCE,
        validates: bool = False,
    ) -> None:
        self._tools = tools
        self._submission = submission
        self._look = LastLook(tools, submission)
        # As many as the mailbox has connections: who waits is looked at when its turn has come, not before.
        self._at_work = max(CONNECTIONS, at_once // 2)
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._texting = TextingService(tools, progress, sms, self._look)
        self._uncertainty = Uncertainty(tools, progress)
        self._results = SendResults(tools, progress, self._uncertainty, sending)
        self._claiming = Claiming(
            tools,
            progress,
            letters or LetterWriter(),
            limits or LimitKeeper(),
            TextGate(progress, configured=sms is not None),
            started_at=started_at,
            at_once=at_once,
            validates=validates,
        )

    async def recover(self, workspace: str, *, claimed_before: datetime | None = None) -> int:
        """What a dead process left in ``sending`` becomes ``unknown``; returns how many."""

        async def unit() -> int:
            async with self._tools.store.write(workspace) as uow:
                stale = await uow.deliveries.sending(claimed_before=claimed_before)
                settings = await settings_in(uow)
                for delivery in stale:
                    await self._uncertainty.lost(uow, delivery, settings, "the process ended while sending")
            return len(stale)

        return await persistently(unit)

    async def renew(self, under_way: Iterable[Departing]) -> None:
        """This process is alive and still at these: nobody may take them for a dead one's."""
        by_workspace: dict[str, list[str]] = {}
        for one in under_way:
            by_workspace.setdefault(one.delivery.workspace, []).append(one.delivery.id)
        for workspace, ids in by_workspace.items():
            async with self._tools.store.write(workspace) as uow:
                await uow.deliveries.renew(ids, self._tools.clock.now())

    async def claim(self, workspace: str, *, limit: int, under_way: Mapping[str, int] | None = None) -> list[Departing]:
        """Takes what is due through the gates; what comes back is committed as ``sending``. ``under_way`` counts the
        mails of each mailbox that are being handed over already."""
        return await persistently(lambda: self._claiming.claim(workspace, limit, under_way or {}))

    async def deliver(self, outgoing: Departing) -> None:
        """Hands one mail or text over and records what came of it. A cancelled call leaves ``unknown``, never a lost
        row."""
        if isinstance(outgoing, OutgoingText):
            await self._texting.deliver(outgoing)
        else:
            await self._deliver_mail(outgoing)

    async def _deliver_mail(self, outgoing: Outgoing) -> None:
        turn = self._turns.setdefault(outgoing.mailbox.id, asyncio.Semaphore(self._at_work))
        try:
            await turn.acquire()
        except asyncio.CancelledError:  # nothing has been said to the server: the next process sends it
            await to_the_end(self._results.not_begun(outgoing))
            raise
        try:
            outcome = await self._hand_over(outgoing)
        finally:
            turn.release()
        if isinstance(outcome, SendReceipt):
            await to_the_end(self._results.accepted(outgoing, outcome.reply))
        elif isinstance(outcome, OutcomeUnknownError):
            await self._results.lost(outgoing, outcome.raw)
        elif outcome is not None:
            await to_the_end(self._results.refused(outgoing, outcome))

    async def _hand_over(self, outgoing: Outgoing) -> SendReceipt | MailError | None:
        """What came of it, for the caller to record; None where this mail does not go now."""
        credentials = await self._ready(outgoing)
        if credentials is None:
            return None
        try:
            return await self._submission.send(outgoing.mailbox, credentials, outgoing.recipient, outgoing.raw)
        except MailError as error:
            return error
        except asyncio.CancelledError:
            await to_the_end(self._results.lost(outgoing, "sending was interrupted"))
            raise
        except Exception:
            # Unknown failure: temporary for reading, never for sending.
            await self._results.lost(outgoing, "an unexpected failure while sending")
            raise

    async def _ready(self, outgoing: Outgoing) -> Credentials | None:
        """Directly before the network: the mailbox's credentials, or None where this mail does not go now.

        A reply, a pause or a removal may have come since the claim; a mailbox may have been disconnected.
        """
        try:
            found: Credentials | MailError
            try:
                found = await self._look.credentials(outgoing.mailbox)
            except MailError as error:
                found = error
            may_go = await self._look.may_go(outgoing)
        except asyncio.CancelledError:  # nothing has been said to the server: the next process sends it
            await to_the_end(self._results.not_begun(outgoing))
            raise
        except Exception:  # a pause, so that what fails each time does not come back at once each time
            await to_the_end(self._results.not_begun(outgoing, pause_s=BACK_OFF[0]))
            raise
        if not may_go:
            await to_the_end(self._results.not_begun(outgoing, pause_s=CROSSED_PAUSE_S))
            return None
        if isinstance(found, MailError):
            await to_the_end(self._results.refused(outgoing, found))
            return None
        return found

    async def settle_found(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str, settled_by: str) -> bool:
        """Evidence that an undecided mail went out (its Sent copy, a reply, a report). False where it was settled."""
        return await self._uncertainty.found(uow, delivery, evidence=evidence, settled_by=settled_by)

    async def hold(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str) -> None:
        """Nobody but a person can decide: the card asks."""
        await self._uncertainty.hold(uow, delivery, evidence=evidence)

    async def resend(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str) -> None:
        """Believed absent on evidence: queued again under the same Message-ID."""
        await self._uncertainty.resend(uow, delivery, evidence=evidence)
