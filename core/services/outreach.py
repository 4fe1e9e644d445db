"""Sends what is due: claim and gates in one transaction, then the network, then the result (journey 2 of the design).

Order that must not change: ``sending`` is committed before the server hears anything; silence after the message's last
byte is ``unknown``; only evidence or a person turns ``unknown`` into ``sent`` or back into ``queued``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.account import Mailbox
from core.domain.campaign import Campaign, Stage
from core.domain.compose import compose
from core.domain.delivery import Delivery, DeliveryEvent, DeliveryState, transition
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.domain.preflight import Facts, HoldBack, Postpone, Refuse, Send, check
from core.domain.reasons import reason, reason_of_refusal
from core.domain.smtp_reply import classify_reply
from core.domain.throttle import AT_ONCE, Slots
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import (
    InputError,
    LoginRefusedError,
    LostRaceError,
    MailError,
    OutcomeUnknownError,
    ServerRefusedError,
)
from core.ports.mail import Credentials
from core.ports.storage import DueDelivery, UnitOfWork
from core.services.cards import prospect_of
from core.services.letters import write_letter
from core.services.progress import Progress
from core.services.sending_health import SendingHealth
from core.services.submission import Submission
from core.services.tools import Tools, persistently, settings_in, to_the_end

_TRIES = 5
_BACK_OFF = (30.0, 120.0, 600.0, 1_800.0)
_RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is ``sending``: committed, frozen, ready for the wire."""

    delivery: Delivery
    mailbox: Mailbox
    recipient: str
    raw: bytes


class OutreachService:
    """Use cases of the sending worker. ``started_at`` is when this process began to read mailboxes."""

    def __init__(
        self,
        tools: Tools,
        submission: Submission,
        progress: Progress,
        sending: SendingHealth,
        *,
        started_at: datetime,
    ) -> None:
        self._tools = tools
        self._submission = submission
        self._progress = progress
        self._sending = sending
        self._started_at = started_at

    async def recover(self, workspace: str, *, claimed_before: datetime | None = None) -> int:
        """What a dead process left in ``sending`` becomes ``unknown``; returns how many."""

        async def unit() -> int:
            async with self._tools.store.write(workspace) as uow:
                stale = await uow.deliveries.sending(claimed_before=claimed_before)
                settings = await settings_in(uow)
                for delivery in stale:
                    await self._lost(uow, delivery, settings, "the process ended while sending")
            return len(stale)

        return await persistently(unit)

    async def renew(self, under_way: Iterable[Outgoing]) -> None:
        """This process is alive and still at these: nobody may take them for a dead one's."""
        by_workspace: dict[str, list[str]] = {}
        for one in under_way:
            by_workspace.setdefault(one.delivery.workspace, []).append(one.delivery.id)
        for workspace, ids in by_workspace.items():
            async with self._tools.store.write(workspace) as uow:
                await uow.deliveries.renew(ids, self._tools.clock.now())

    async def claim(self, workspace: str, *, limit: int, under_way: Mapping[str, int] | None = None) -> list[Outgoing]:
        """Takes what is due through the gates; what comes back is committed as ``sending``. ``under_way`` counts the
        mails of each mailbox that are being handed over already."""
        return await persistently(lambda: self._claim(workspace, limit, under_way or {}))

    async def _claim(self, workspace: str, limit: int, under_way: Mapping[str, int]) -> list[Outgoing]:
        now = self._tools.clock.now()
        outgoing: list[Outgoing] = []
        async with self._tools.store.write(workspace) as uow:
            settings = await settings_in(uow)
            busy = [mailbox_id for mailbox_id, count in under_way.items() if count >= AT_ONCE]
            due = await uow.deliveries.claim_due(now, limit=limit, busy=busy)
            campaigns = await uow.campaigns.get_many({one.delivery.campaign_id for one in due})
            slots = Slots(settings, now, self._tools.random(), under_way)
            for claimed in due:
                campaign = campaigns[claimed.delivery.campaign_id]
                one = await self._with_sender(uow, claimed, campaign)
                if slots.free(one.mailbox):
                    sent = await self._through_gates(uow, one, campaign, settings, now)
                    if sent is not None:
                        outgoing.append(sent)
                        slots.take(sent.mailbox)
            for mailbox_id, next_send_at in slots.taken.items():
                await uow.mailboxes.reserve_slot(mailbox_id, next_send_at=next_send_at)
        return outgoing

    async def _with_sender(self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign) -> DueDelivery:
        """A prospect enrolled before any sender was connected gets one now, and keeps it for the whole thread."""
        if due.mailbox is not None or campaign.stage_at(due.delivery.stage) is None:
            return due
        mailbox = await self._progress.sender_for(uow, due.enrollment, campaign, due.delivery.stage)
        if mailbox is None:
            return due
        delivery = await self._progress.save(uow, replace(due.delivery, mailbox_id=mailbox.id))
        enrollment = due.enrollment
        if enrollment.mailbox_id is None and campaign.stages[delivery.stage - 1].sender is None:
            enrollment = replace(enrollment, mailbox_id=mailbox.id)
            if not await uow.enrollments.save(enrollment):
                raise LostRaceError
            enrollment = replace(enrollment, version=enrollment.version + 1)
        folders = tuple(await uow.folders.list(mailbox.id))
        return replace(due, delivery=delivery, enrollment=enrollment, mailbox=mailbox, folders=folders)

    async def _through_gates(
        self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign, settings: WorkspaceSettings, now: datetime
    ) -> Outgoing | None:
        stage = campaign.stage_at(due.delivery.stage)
        if stage is None:  # the campaign was shortened meanwhile
            await self._refuse(uow, due, Refuse(reason("canceled")))
            return None
        verdict = check(self._facts(due, campaign, stage, settings), now)
        if isinstance(verdict, Send):
            return await self._prepare(uow, due, campaign, stage, verdict, now)
        if isinstance(verdict, HoldBack):
            await self._hold_back(uow, due, verdict)
        elif isinstance(verdict, Postpone):
            await self._progress.save(uow, replace(due.delivery, due_at=verdict.until))
            moved = replace(due.enrollment, next_at=verdict.until)
            await uow.enrollments.save(moved)
        else:
            await self._refuse(uow, due, verdict)
        return None

    def _facts(self, due: DueDelivery, campaign: Campaign, stage: Stage, settings: WorkspaceSettings) -> Facts:
        return Facts(
            campaign=campaign,
            stage=stage,
            enrollment=due.enrollment,
            person=due.person,
            mailbox=due.mailbox,
            folders=due.folders,
            opens_thread=_opens_thread(due),
            read_since=self._started_at,
            freshness=timedelta(seconds=settings.seconds("freshness_s")),
        )

    async def _hold_back(self, uow: UnitOfWork, due: DueDelivery, verdict: HoldBack) -> None:
        await self._progress.wait(uow, due.delivery, due.enrollment, verdict.reason)
        if verdict.reason.code == "sync_behind" and due.mailbox is not None:
            uow.wake(f"sync:{due.mailbox.id}")

    async def _refuse(self, uow: UnitOfWork, due: DueDelivery, verdict: Refuse) -> None:
        state = transition(due.delivery.state, DeliveryEvent.REFUSED)
        failed = await self._progress.save(uow, replace(due.delivery, state=state, reason=verdict.reason.code))
        await self._progress.failed(
            uow, failed, ProspectEvent.NOT_DELIVERED, verdict.reason, evidence=verdict.reason.code
        )

    async def _prepare(
        self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign, stage: Stage, go: Send, now: datetime
    ) -> Outgoing | None:
        assert due.mailbox is not None  # the gates have seen it
        delivery = due.delivery
        frozen = await uow.deliveries.raw(delivery.id)
        try:
            letter = write_letter(due, campaign, stage, go.recipient, now)
            if isinstance(letter, HoldBack):
                await self._progress.wait(uow, delivery, due.enrollment, letter.reason)
                return None
            raw = frozen or compose(letter)
        except InputError as error:
            await self._refuse(uow, due, Refuse(reason("content_rejected", error.message)))
            return None
        sending = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.CLAIM),
            mailbox_id=due.mailbox.id,
            message_id=delivery.message_id or letter.message_id,
            subject=delivery.subject or letter.subject,
            recipient=delivery.recipient or go.recipient,
            token=self._tools.new_id(),
            claimed_at=now,
            attempts=delivery.attempts + 1,
            waiting_for=None,
            reason=None,
        )
        sending = await self._progress.save(uow, sending, raw=None if frozen else raw)
        if due.enrollment.status is ProspectStatus.PENDING:
            await self._progress.move(uow, due.enrollment, ProspectEvent.RELEASE, next_at=due.enrollment.next_at)
        return Outgoing(sending, due.mailbox, sending.recipient or go.recipient, raw)

    async def deliver(self, outgoing: Outgoing) -> None:
        """Hands one mail over and records what came of it. A cancelled call leaves ``unknown``, never a lost row."""
        credentials = await self._last_look(outgoing)
        if credentials is None:
            return
        try:
            receipt = await self._submission.send(outgoing.mailbox, credentials, outgoing.recipient, outgoing.raw)
        except OutcomeUnknownError as error:
            await self._record_lost(outgoing.delivery, error.raw)
        except MailError as error:
            await to_the_end(self._record_refusal(outgoing, error))
        except asyncio.CancelledError:
            await to_the_end(self._record_lost(outgoing.delivery, "sending was interrupted"))
            raise
        except Exception:
            # Unknown failure: temporary for reading, never for sending.
            await self._record_lost(outgoing.delivery, "an unexpected failure while sending")
            raise
        else:
            await to_the_end(self._record_sent(outgoing.delivery, receipt.reply))

    async def _last_look(self, outgoing: Outgoing) -> Credentials | None:
        """Directly before the network: the mailbox's credentials, or None where this mail is not to go any more.

        A reply, a pause or a removal may have come since the claim; a mailbox may have been disconnected.
        """
        delivery = outgoing.delivery
        try:
            async with self._tools.store.read(delivery.workspace) as uow:
                enrollment = await uow.enrollments.get(delivery.enrollment_id)
            if enrollment is not None and enrollment.status in _RUNNING:
                return await self._submission.credentials(outgoing.mailbox)
        except MailError as error:
            await to_the_end(self._record_refusal(outgoing, error))
            return None
        except asyncio.CancelledError:  # nothing has been said to the server: the next process sends it
            await to_the_end(self._record_not_begun(delivery))
            raise
        except Exception:  # a pause, so that what fails each time does not come back at once each time
            await to_the_end(self._record_not_begun(delivery, pause_s=_BACK_OFF[0]))
            raise
        await to_the_end(self._record_not_begun(delivery))
        return None

    async def _record_not_begun(self, delivery: Delivery, *, pause_s: float = 0.0) -> None:
        async def unit() -> None:
            async with self._tools.store.write(delivery.workspace) as uow:
                current = await self._mine(uow, delivery)
                if current is not None:
                    state = transition(current.state, DeliveryEvent.PUT_BACK)
                    due_at = self._tools.clock.now() + timedelta(seconds=pause_s)
                    queued = replace(current, state=state, due_at=due_at)
                    await self._progress.requeue(uow, queued, evidence="not begun")

        await persistently(unit)

    async def _mine(self, uow: UnitOfWork, delivery: Delivery) -> Delivery | None:
        """The row while it is still this attempt's: what a slow attempt learns must not undo a newer one."""
        current = await uow.deliveries.get(delivery.id)
        mine = current is not None and current.state is DeliveryState.SENDING and current.token == delivery.token
        return current if mine else None

    async def _record_sent(self, delivery: Delivery, reply: str) -> None:
        async def unit() -> None:
            async with self._tools.store.write(delivery.workspace) as uow:
                current = await uow.deliveries.get(delivery.id)
                if current is None:
                    return
                if current.state not in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
                    # Given up meanwhile, or settled already by its copy in Sent or by an answer.
                    await self.settle_found(uow, current, evidence=reply[:200], settled_by="server")
                    return
                sent = replace(
                    current,
                    state=transition(current.state, DeliveryEvent.ACCEPTED),
                    server_text=reply,
                    sent_at=self._tools.clock.now(),
                    settled_by="server",
                )
                sent = await self._progress.save(uow, sent)
                await self._progress.sent(uow, sent, evidence=reply[:200])

        await persistently(unit)

    async def _record_lost(self, delivery: Delivery, why: str) -> None:
        async def unit() -> None:
            async with self._tools.store.write(delivery.workspace) as uow:
                current = await self._mine(uow, delivery)
                if current is not None:
                    await self._lost(uow, current, await settings_in(uow), why)

        await persistently(unit)

    async def _lost(self, uow: UnitOfWork, delivery: Delivery, settings: WorkspaceSettings, why: str) -> None:
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
                uow, enrollment, ProspectEvent.WAIT, reason=reason("delivery_unknown"), evidence=why
            )
        uow.wake("checks")

    async def _record_refusal(self, outgoing: Outgoing, error: MailError) -> None:
        """The outcome is certain: it did not go out. Try again later, or fail with the server's words."""

        async def unit() -> None:
            async with self._tools.store.write(outgoing.delivery.workspace) as uow:
                current = await self._mine(uow, outgoing.delivery)
                if current is None:
                    return
                if isinstance(error, LoginRefusedError):
                    await self._fail(uow, current, ProspectEvent.NOT_DELIVERED, "email_not_synced", error)
                    await self._sending.broke(uow, outgoing.mailbox.id, error)
                    uow.wake(f"sync:{outgoing.mailbox.id}")
                elif isinstance(error, ServerRefusedError) and not _is_transient(error):
                    await self._fail_by_verdict(uow, current, error)
                elif current.attempts >= _TRIES:
                    await self._fail(uow, current, ProspectEvent.NOT_DELIVERED, "too_many_retries", error)
                else:
                    await self._put_back(uow, current, error)

        await persistently(unit)

    async def _put_back(self, uow: UnitOfWork, delivery: Delivery, error: MailError) -> None:
        pause = _BACK_OFF[min(delivery.attempts, len(_BACK_OFF)) - 1] * (0.7 + 0.6 * self._tools.random())
        later = replace(
            delivery,
            state=transition(delivery.state, DeliveryEvent.PUT_BACK),
            due_at=self._tools.clock.now() + timedelta(seconds=pause),
            server_text=error.raw,
        )
        await self._progress.requeue(uow, later, evidence=error.raw[:200])

    async def _fail(
        self, uow: UnitOfWork, delivery: Delivery, event: ProspectEvent, code: str, error: MailError
    ) -> None:
        state = transition(delivery.state, DeliveryEvent.REFUSED)
        failed = await self._progress.save(uow, replace(delivery, state=state, reason=code, server_text=error.raw))
        await self._progress.failed(uow, failed, event, reason(code), evidence=error.raw[:200])

    async def _fail_by_verdict(self, uow: UnitOfWork, delivery: Delivery, error: MailError) -> None:
        effect = classify_reply((error.smtp_code or 0, error.raw)).effect
        event = EVENT_BY_STATUS.get(effect.status or "", ProspectEvent.NOT_DELIVERED)
        why = reason_of_refusal(effect)
        state = transition(delivery.state, DeliveryEvent.REFUSED)
        failed = await self._progress.save(uow, replace(delivery, state=state, reason=why.code, server_text=error.raw))
        await self._progress.failed(uow, failed, event, why, evidence=error.raw[:200])

    async def settle_found(self, uow: UnitOfWork, delivery: Delivery, *, evidence: str, settled_by: str) -> bool:
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


EVENT_BY_STATUS = {
    ProspectStatus.BOUNCED.value: ProspectEvent.HARD_BOUNCE,
    ProspectStatus.SPAM.value: ProspectEvent.SPAM_BLOCK,
    ProspectStatus.NOT_DELIVERED.value: ProspectEvent.NOT_DELIVERED,
}


def _opens_thread(due: DueDelivery) -> bool:
    """A first mail, tried for the first time. A retry or a mail sent again follows something that may have been
    answered: it passes the freshness gate like a follow-up."""
    first = due.delivery.stage == 1 and due.delivery.series == 1 and not due.delivery.resends
    return first and not due.previous_message_ids


def _is_transient(error: ServerRefusedError) -> bool:
    if error.layer == "oauth":  # the sign-in service was busy: the mail server has not been asked yet
        return True
    return error.smtp_code is not None and 400 <= error.smtp_code < 500
