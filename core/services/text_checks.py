"""Asks the text message provider: whether a text of unknown outcome was taken, and what became of those it took.

The provider's list names every text that it took: absent at every look means that it was not taken, and the text goes
again. Where the list cannot be read, a person decides (policy ``undecided_policy``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import ProspectEvent
from core.domain.send_policy import Fail
from core.domain.sms_codes import classify
from core.domain.text_policy import LONGEST_TRY, SETTLED_STATUSES, next_question
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import MailError, SmsRefusedError
from core.ports.sms import SmsReceipt, SmsTransport
from core.ports.storage import UnitOfWork
from core.services.progress import Progress
from core.services.texting import TextResults
from core.services.tools import Tools, persistently, settings_in
from core.services.uncertainty import Uncertainty

_MOST_RESENDS = 3
_MOST_BLIND_LOOKS = 10
_NO_LIST = "The text message provider's list could not be read."
_GONE_AGAIN = "It is not in the provider's list, and it has been sent again several times already."


class TextChecks:
    """Use cases of the housekeeping of texts. ``transport`` None: nobody can be asked."""

    def __init__(self, tools: Tools, progress: Progress, transport: SmsTransport | None) -> None:
        self._tools = tools
        self._progress = progress
        self._transport = transport
        self._uncertainty = Uncertainty(tools, progress)
        self._results = TextResults(tools, progress)

    async def settle(self, workspace: str, delivery: Delivery) -> None:
        """Looks one text of unknown outcome up, and decides."""
        read, receipt = await self._look(workspace, delivery)

        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                current = await uow.deliveries.get(delivery.id)
                if current is not None and current.state is DeliveryState.UNKNOWN:
                    await self._decide(uow, current, receipt, await settings_in(uow), read=read)

        await persistently(unit)

    async def ask_due(self, workspace: str) -> int:
        """What became of the texts that the provider took; returns how many were asked about."""
        if self._transport is None:
            return 0
        now = self._tools.clock.now()
        async with self._tools.store.read(workspace) as uow:
            due = await uow.stages.texts_to_ask(now)
        for delivery in due:
            await self._ask(self._transport, workspace, delivery, now)
        return len(due)

    async def _look(self, workspace: str, delivery: Delivery) -> tuple[bool, SmsReceipt | None]:
        """Whether the provider's list was read, and what it says of this text."""
        async with self._tools.store.read(workspace) as uow:
            raw = await uow.deliveries.raw(delivery.id)
        if self._transport is None or raw is None or delivery.recipient is None:
            return False, None
        since = (delivery.claimed_at or delivery.created_at) - LONGEST_TRY
        try:
            return True, await self._transport.lookup(to=delivery.recipient, text=raw.decode(), since=since)
        except MailError:
            return False, None

    async def _decide(
        self,
        uow: UnitOfWork,
        delivery: Delivery,
        receipt: SmsReceipt | None,
        settings: WorkspaceSettings,
        *,
        read: bool,
    ) -> None:
        settle, looks = settings.settle(), delivery.checks + 1
        if receipt is not None:
            evidence = f"found in the provider's list: {receipt.id}"
            await self._results.took(uow, delivery, receipt, settled_by="provider_list", evidence=evidence)
        elif looks < (len(settle) if read else max(len(settle), _MOST_BLIND_LOOKS)):
            later = self._tools.clock.now() + timedelta(seconds=_pause(settle, looks))
            await self._progress.save(uow, replace(delivery, checks=looks, next_check_at=later))
        elif read and delivery.resends < _MOST_RESENDS:
            await self._uncertainty.resend(uow, delivery, evidence="absent from the provider's list")
        else:
            await self._by_policy(uow, delivery, settings, evidence=_GONE_AGAIN if read else _NO_LIST)

    async def _by_policy(
        self, uow: UnitOfWork, delivery: Delivery, settings: WorkspaceSettings, *, evidence: str
    ) -> None:
        policy = settings["undecided_policy"]
        if policy == "assume_sent":
            await self._uncertainty.found(uow, delivery, evidence="assumed by policy", settled_by="policy")
        elif policy == "resend" and delivery.resends < _MOST_RESENDS:
            await self._uncertainty.resend(uow, delivery, evidence="sent again by policy")
        else:
            await self._uncertainty.hold(uow, delivery, evidence=evidence)

    async def _ask(self, transport: SmsTransport, workspace: str, delivery: Delivery, now: datetime) -> None:
        receipt: SmsReceipt | None = None
        gone = delivery.wire_message_id is None
        if delivery.wire_message_id is not None:
            try:
                receipt = await transport.fetch(delivery.wire_message_id)
            except SmsRefusedError as error:
                gone = error.status == 404
            except MailError:  # it is asked again
                pass

        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                current = await uow.deliveries.get(delivery.id)
                if current is not None and current.version == delivery.version:
                    await self._learn(uow, current, receipt, now, gone=gone)

        await persistently(unit)

    async def _learn(
        self, uow: UnitOfWork, delivery: Delivery, receipt: SmsReceipt | None, now: datetime, *, gone: bool
    ) -> None:
        if receipt is not None and receipt.failed:
            failed = Fail(ProspectEvent.NOT_DELIVERED, classify(receipt.error_code).reason)
            await self._results.came_back(uow, delivery, receipt, failed)
            return
        settled = gone or (receipt is not None and receipt.status in SETTLED_STATUSES)
        asked = delivery.checks + 1
        later = None if settled else next_question(delivery.sent_at or now, asked)
        words = receipt.status if receipt is not None else delivery.server_text
        await self._progress.save(uow, replace(delivery, checks=asked, next_check_at=later, server_text=words))


def _pause(settle: tuple[float, ...], looks: int) -> float:
    """Seconds to the next look: the planned gaps, then the last gap again."""
    index = min(looks, len(settle) - 1)
    return max(settle[index] - settle[index - 1], settle[0]) if index else settle[0]
