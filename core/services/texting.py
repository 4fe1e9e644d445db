"""Hands texts to their provider and records what came of each, by the same rules as mails: ``sending`` is committed
before the request, silence is ``unknown``, and only evidence or a person settles that (R130..R132)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState, transition
from core.domain.send_policy import BACK_OFF, Fail, PutBack
from core.domain.text_policy import counts_as_attempt, decide_text, next_question
from core.errors import InputError, MailError, OutcomeUnknownError, UnreachableError
from core.ports.sms import SmsReceipt, SmsTransport
from core.ports.storage import NewActivity, NewMessage, UnitOfWork
from core.services.last_look import LastLook, OutgoingText
from core.services.limits import give_back
from core.services.progress import Progress
from core.services.send_results import CROSSED_PAUSE_S
from core.services.tools import Tools, persistently, settings_in, to_the_end
from core.services.uncertainty import Uncertainty

_EVIDENCE = 200
_ON_STREAM = "Text message"


class TextingService:
    """Use cases of the sending worker. ``transport`` None: this installation sends no texts."""

    def __init__(self, tools: Tools, progress: Progress, transport: SmsTransport | None, look: LastLook) -> None:
        self._tools = tools
        self._transport = transport
        self._look = look
        self.results = TextResults(tools, progress)

    async def deliver(self, outgoing: OutgoingText) -> None:
        """Hands one text over and records what came of it. A cancelled call leaves ``unknown``, never a lost row."""
        if not await self._may_go(outgoing):
            return
        try:
            receipt = await self._send(outgoing)
        except OutcomeUnknownError as error:
            await self.results.lost(outgoing, error.raw)
        except (MailError, InputError) as error:
            await to_the_end(self.results.refused(outgoing, error))
        except asyncio.CancelledError:
            await to_the_end(self.results.lost(outgoing, "sending was interrupted"))
            raise
        except Exception:
            # Unknown failure: never sent again without a look at the provider's list.
            await self.results.lost(outgoing, "an unexpected failure while sending")
            raise
        else:
            await to_the_end(self.results.accepted(outgoing, receipt))

    async def _send(self, outgoing: OutgoingText) -> SmsReceipt:
        if self._transport is None:  # claimed by an earlier process, which had an account
            raise UnreachableError("no text message provider is set up", layer="sms")
        return await self._transport.send(to=outgoing.recipient, text=outgoing.text, key=outgoing.delivery.id)

    async def _may_go(self, outgoing: OutgoingText) -> bool:
        """A reply, a pause or a removal may have come since the claim."""
        try:
            may_go = await self._look.may_go(outgoing)
        except asyncio.CancelledError:  # nothing has been said to the provider: the next process sends it
            await to_the_end(self.results.not_begun(outgoing))
            raise
        except Exception:
            await to_the_end(self.results.not_begun(outgoing, pause_s=BACK_OFF[0]))
            raise
        if not may_go:
            await to_the_end(self.results.not_begun(outgoing, pause_s=CROSSED_PAUSE_S))
        return may_go


class TextResults:
    """Every method may be called for a row that is another attempt's by now: then it changes nothing."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress
        self._uncertainty = Uncertainty(tools, progress)

    async def accepted(self, outgoing: OutgoingText, receipt: SmsReceipt) -> None:
        """The provider has it. Whether it arrives is asked later."""

        async def unit() -> None:
            async with self._tools.store.write(outgoing.delivery.workspace) as uow:
                current = await uow.deliveries.get(outgoing.delivery.id)
                if current is not None:
                    await self.took(
                        uow, current, receipt, settled_by="server", evidence=f"{receipt.id} {receipt.status}"
                    )

        await persistently(unit)

    async def took(
        self, uow: UnitOfWork, delivery: Delivery, receipt: SmsReceipt, *, settled_by: str, evidence: str
    ) -> bool:
        """Evidence that the provider has this text: sent, and on the person's stream. False where it was settled."""
        now = self._tools.clock.now()
        known = replace(
            delivery,
            wire_message_id=receipt.id,
            server_text=receipt.status,
            checks=0,
            next_check_at=next_question(now, 0),
        )
        if delivery.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
            state = transition(delivery.state, DeliveryEvent.ACCEPTED)
            sent = await self._progress.save(uow, replace(known, state=state, sent_at=now, settled_by=settled_by))
            await self._progress.sent(uow, sent, evidence=evidence)
        elif not await self._uncertainty.found(uow, known, evidence=evidence, settled_by=settled_by):
            return False
        await self._on_stream(uow, delivery)
        return True

    async def not_begun(self, outgoing: OutgoingText, *, pause_s: float = 0.0) -> None:
        """Nothing was said to the provider: that was no attempt, and it took no place of the limit."""

        async def put_back(uow: UnitOfWork, current: Delivery) -> None:
            queued = replace(
                current,
                state=transition(current.state, DeliveryEvent.PUT_BACK),
                due_at=self._tools.clock.now() + timedelta(seconds=pause_s),
                attempts=max(0, current.attempts - 1),
            )
            await give_back(uow, [(outgoing.delivery, None)])
            await self._progress.requeue(uow, queued, evidence="not begun")

        await self._of_mine(outgoing, put_back)

    async def lost(self, outgoing: OutgoingText, why: str) -> None:
        """The provider may have it: nobody knows."""

        async def undecided(uow: UnitOfWork, current: Delivery) -> None:
            await self._uncertainty.lost(uow, current, await settings_in(uow), why)

        await self._of_mine(outgoing, undecided)

    async def refused(self, outgoing: OutgoingText, error: MailError | InputError) -> None:
        """The outcome is certain: it did not go out. Try again later, or fail with the provider's words."""

        async def settle(uow: UnitOfWork, current: Delivery) -> None:
            decision = decide_text(error, attempts=current.attempts, random=self._tools.random())
            words = error.raw if isinstance(error, MailError) else error.message
            await give_back(uow, [(outgoing.delivery, None)])
            if isinstance(decision, Fail):
                await self._fail(uow, current, decision, words)
            else:
                await self._put_back(uow, current, decision, words)

        await self._of_mine(outgoing, settle)

    async def came_back(self, uow: UnitOfWork, sent: Delivery, receipt: SmsReceipt, decision: Fail) -> None:
        """The provider took it and has given it up since: Not Delivered, and what follows does not go."""
        words = " ".join(f"{receipt.error_code or ''} {receipt.error_text or receipt.status}".split())
        state = transition(sent.state, DeliveryEvent.BOUNCED)
        failed = replace(sent, state=state, reason=decision.reason.code, server_text=words, next_check_at=None)
        failed = await self._progress.save(uow, failed)
        await self._progress.failed(uow, failed, decision.event, decision.reason, evidence=words[:_EVIDENCE])

    async def _put_back(self, uow: UnitOfWork, current: Delivery, decision: PutBack, words: str) -> None:
        later = replace(
            current,
            state=transition(current.state, DeliveryEvent.PUT_BACK),
            due_at=self._tools.clock.now() + decision.after,
            server_text=words,
            attempts=current.attempts - (0 if counts_as_attempt(decision) else 1),
        )
        queued = await self._progress.requeue(uow, later, evidence=words[:_EVIDENCE])
        if decision.shown is not None:
            await self._progress.wait_until_due(uow, queued, decision.shown)

    async def _fail(self, uow: UnitOfWork, current: Delivery, decision: Fail, words: str) -> None:
        state = transition(current.state, DeliveryEvent.REFUSED)
        failed = replace(current, state=state, reason=decision.reason.code, server_text=words)
        failed = await self._progress.save(uow, failed)
        await self._progress.failed(uow, failed, decision.event, decision.reason, evidence=words[:_EVIDENCE])

    async def _of_mine(self, outgoing: OutgoingText, change: Callable[[UnitOfWork, Delivery], Awaitable[None]]) -> None:
        """Changes the row while it is still this attempt's."""
        sent = outgoing.delivery

        async def unit() -> None:
            async with self._tools.store.write(sent.workspace) as uow:
                current = await uow.deliveries.get(sent.id)
                if current is not None and current.state is DeliveryState.SENDING and current.token == sent.token:
                    await change(uow, current)

        await persistently(unit)

    async def _on_stream(self, uow: UnitOfWork, delivery: Delivery) -> None:
        """Beside the mails with this person. The stream is kept by mailbox: without a sender there is none."""
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        mailbox = await uow.mailboxes.get(enrollment.mailbox_id) if enrollment and enrollment.mailbox_id else None
        raw = await uow.deliveries.raw(delivery.id)
        if enrollment is None or mailbox is None or raw is None:
            return
        now, mark = self._tools.clock.now(), f"sms:{delivery.id}"
        message = NewMessage(
            id=self._tools.new_id(),
            mailbox_id=mailbox.id,
            fingerprint=mark,
            message_id=None,
            direction="out",
            kind="sms",
            at=now,
            sender=mailbox.address,
            recipients=(delivery.recipient or "",),
            subject=_ON_STREAM,
            in_reply_to=(),
            references=(),
            thread_id=None,
            text=raw.decode(),
        )
        await uow.messages.add([message])
        line = NewActivity(
            person_id=enrollment.person_id,
            fingerprint=mark,
            message_row_id=message.id,
            direction="out",
            kind="sms",
            rule="campaign",
            at=now,
            campaign_id=delivery.campaign_id,
            enrollment_id=enrollment.id,
        )
        await uow.messages.add_activities([line])
