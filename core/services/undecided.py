"""Settles sends of which nobody knows whether they went out, by looking into the mailbox's Sent folder.

Found means sent. Absence means something only where the server demonstrably files what it accepts: a control mail, one
that the same server acknowledged, must be there. Then, absent at every look, the mail is sent again under the same
Message-ID. Without such proof a person decides (policy ``undecided_policy``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from core.domain.account import Mailbox, MailboxStatus
from core.domain.delivery import Delivery, DeliveryState
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import MailError, NotFoundError
from core.ports.filing import FilingHabit
from core.ports.mail import MailboxClient, MailboxConnector
from core.ports.storage import UnitOfWork
from core.services.credentials import CredentialService
from core.services.mailboxes import endpoint_imap
from core.services.outreach import OutreachService
from core.services.progress import Progress
from core.services.text_checks import TextChecks
from core.services.tools import Tools, persistently, settings_in

_MOST_RESENDS = 3
_MOST_BLIND_LOOKS = 10


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look into Sent has shown. ``filing`` is True where a mail of ours lies there, which only the server can
    have put there; ``controlled`` where there was an acknowledged mail to look for."""

    found: bool
    filing: bool
    controlled: bool


class UndecidedService:
    """Use case of the housekeeping of ``unknown`` deliveries."""

    def __init__(
        self,
        tools: Tools,
        connector: MailboxConnector,
        credentials: CredentialService,
        outreach: OutreachService,
        progress: Progress,
        texts: TextChecks | None = None,
    ) -> None:
        self._tools = tools
        self._texts = texts or TextChecks(tools, progress, None)
        self._connector = connector
        self._credentials = credentials
        self._outreach = outreach
        self._progress = progress

    async def settle_due(self, workspace: str) -> int:
        """Looks up every undecided delivery whose look is due; returns how many were looked at."""
        async with self._tools.store.read(workspace) as uow:
            due = await uow.deliveries.checks_due(self._tools.clock.now())
        by_mailbox: dict[str | None, list[Delivery]] = {}
        for text in (one for one in due if one.kind == "sms"):
            await self._texts.settle(workspace, text)
        for delivery in (one for one in due if one.kind != "sms"):
            by_mailbox.setdefault(delivery.mailbox_id, []).append(delivery)
        for mailbox_id, deliveries in by_mailbox.items():
            await self._settle_mailbox(workspace, mailbox_id, deliveries)
        return len(due)

    async def _settle_mailbox(self, workspace: str, mailbox_id: str | None, deliveries: list[Delivery]) -> None:
        looks: dict[str, _Look] | None = None
        async with self._tools.store.read(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id) if mailbox_id else None
            control = await uow.deliveries.latest_accepted(mailbox.id) if mailbox else []
        if mailbox is not None and mailbox.status is not MailboxStatus.DISCONNECTED:
            try:
                looks = await self._look(workspace, mailbox, deliveries, control)
            except (MailError, NotFoundError):  # not readable now, or its credentials are gone
                looks = None
            if looks and await self._copies_are_ours(workspace, mailbox):
                looks = {one: replace(look, filing=look.found) for one, look in looks.items()}
        for delivery in deliveries:
            look = None if looks is None else looks.get(delivery.id)
            await self._decide(workspace, delivery.id, look)

    async def _copies_are_ours(self, workspace: str, mailbox: Mailbox) -> bool:
        """Then what lies in Sent does not show that the server files there. Asked after the look: what was filed in the
        meantime was said to be ours before."""
        async with self._tools.store.read(workspace) as uow:
            filing = (await uow.filings.of([mailbox.id])).get(mailbox.id)
        return filing is not None and filing.habit is FilingHabit.OURS

    async def _look(
        self, workspace: str, mailbox: Mailbox, deliveries: list[Delivery], control: list[Delivery]
    ) -> dict[str, _Look] | None:
        credentials = await self._credentials.of(workspace, mailbox)
        client = await self._connector.connect(endpoint_imap(mailbox), credentials)
        try:
            sent = next((one.name for one in await client.list_folders() if one.role == "sent"), None)
            if sent is None:
                return None
            await client.select(sent)
            found = {one.id: await _is_there(client, one) for one in deliveries}
            filing = any(found.values())
            for delivery in control:
                filing = filing or await _is_there(client, delivery)
            return {one: _Look(there, filing, bool(control)) for one, there in found.items()}
        finally:
            await client.close()

    async def _decide(self, workspace: str, delivery_id: str, look: _Look | None) -> None:
        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                delivery = await uow.deliveries.get(delivery_id)
                if delivery is not None and delivery.state is DeliveryState.UNKNOWN:
                    await self._apply(uow, delivery, look, await settings_in(uow))

        await persistently(unit)

    async def _apply(
        self, uow: UnitOfWork, delivery: Delivery, look: _Look | None, settings: WorkspaceSettings
    ) -> None:
        settle, looks = settings.settle(), delivery.checks + 1
        if look is not None and look.found:
            await self._outreach.settle_found(
                uow, delivery, evidence="found in the Sent folder", settled_by="sent_folder"
            )
        elif looks < _looks_needed(look, len(settle)):
            later = self._tools.clock.now() + timedelta(seconds=_pause(settle, looks))
            await self._progress.save(uow, replace(delivery, checks=looks, next_check_at=later))
        elif look is not None and look.filing and delivery.resends < _MOST_RESENDS:
            await self._outreach.resend(
                uow, delivery, evidence="absent from Sent, where the server files what it takes"
            )
        else:
            await self._by_policy(uow, delivery, look, settings)

    async def _by_policy(
        self, uow: UnitOfWork, delivery: Delivery, look: _Look | None, settings: WorkspaceSettings
    ) -> None:
        policy = settings["undecided_policy"]
        if policy == "assume_sent":
            await self._outreach.settle_found(uow, delivery, evidence="assumed by policy", settled_by="policy")
        elif policy == "resend" and delivery.resends < _MOST_RESENDS:
            await self._outreach.resend(uow, delivery, evidence="sent again by policy")
        else:
            await self._outreach.hold(uow, delivery, evidence=_evidence(look))


async def _is_there(client: MailboxClient, delivery: Delivery) -> bool:
    return bool(delivery.message_id and await client.search_message_id(delivery.message_id))


def _looks_needed(look: _Look | None, planned: int) -> int:
    """A Sent folder that cannot be read, or nothing acknowledged yet to compare with, is worth some more patience."""
    return planned if look is not None and (look.controlled or look.filing) else max(planned, _MOST_BLIND_LOOKS)


def _pause(settle: tuple[float, ...], looks: int) -> float:
    """Seconds to the next look: the planned gaps, then the last gap again."""
    index = min(looks, len(settle) - 1)
    return max(settle[index] - settle[index - 1], settle[0]) if index else settle[0]


def _evidence(look: _Look | None) -> str:
    if look is None:
        return "The mailbox's Sent folder could not be read."
    if not look.filing:
        return "It is not in the Sent folder, but this server does not file every mail there, so that proves nothing."
    return "It was not found in the Sent folder, and it has been sent again several times already."
