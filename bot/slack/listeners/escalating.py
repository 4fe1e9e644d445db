"""The collected facts for whoever can help: shown to copy, and posted where the admins read (R17, R25, R53)."""

from __future__ import annotations

import secrets

from bot.slack.action_ids import ButtonValue
from bot.slack.blocks import mailbox_reports
from bot.slack.blocks.kit import Card
from bot.slack.listeners.mailbox_facts import setting
from bot.slack.read_models import EscalationPack
from bot.slack.uses import Desk, Services
from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.errors import RefusedError


class Escalations:
    """Every method raises RethreadError kinds."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._desk, self._services = desk, services

    async def of_alert(self, actor: Actor, alert_id: str, version: int) -> Card:
        """From a card."""
        return mailbox_reports.escalation(await self._alert_pack(actor, alert_id), alert_id, _mark(), version=version)

    async def of_mailbox(self, actor: Actor, mailbox: Mailbox) -> Card:
        """From a command."""
        return mailbox_reports.escalation(await self._mailbox_pack(actor, mailbox.id), mailbox.id, _mark())

    async def post_alert(self, actor: Actor, value: ButtonValue) -> Card:
        return await self._post(actor, value, await self._alert_pack(actor, value.id))

    async def post_mailbox(self, actor: Actor, value: ButtonValue) -> Card:
        return await self._post(actor, value, await self._mailbox_pack(actor, value.id))

    async def _post(self, actor: Actor, value: ButtonValue, pack: EscalationPack) -> Card:
        channel = await setting(self._services, actor, "alert_channel")
        if not isinstance(channel, str) or not channel:
            fix = "An admin sets one with /mailbox settings alert_channel #channel. Until then, copy the text."
            raise RefusedError("This workspace has no alert channel.", reason="no_channel", fix=fix)
        if not await self._desk.post_once(actor, value.choice, channel, mailbox_reports.escalated(pack, actor.user)):
            raise RefusedError("It was posted from this window already.", reason="posted", fix="Look into the channel.")
        return mailbox_reports.escalation_posted(channel)

    async def _alert_pack(self, actor: Actor, alert_id: str) -> EscalationPack:
        if self._services.alerts is None:
            raise _not_here()
        return await self._services.alerts.escalate(actor, alert_id)

    async def _mailbox_pack(self, actor: Actor, mailbox_id: str) -> EscalationPack:
        if self._services.care is None:
            raise _not_here()
        return await self._services.care.escalate_mailbox(actor, mailbox_id)


def _mark() -> str:
    """Tells one window from the next, so that a double click posts once."""
    return secrets.token_hex(8)


def _not_here() -> RefusedError:
    return RefusedError("Rethread cannot collect facts here.", reason="not_offered", fix="Type /mailbox log instead.")
