"""Looking after one mailbox: a test mail (R18), and the facts for whoever is asked for help (R17, R25)."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.account import Mailbox
from core.domain.actor import Actor, require_mailbox
from core.domain.alert import Alert, AlertState
from core.domain.moment import iso
from core.ports.storage import UnitOfWork
from core.services.alert_desk import AlertDesk
from core.services.escalation import EscalationPack, collect
from core.services.mailboxes import get_mailbox
from core.services.tools import Tools
from core.services.trial_mail import TrialMail, TrialResult


class MailboxCare:
    """Use cases of whoever doubts a mailbox. Every method raises NotFoundError, NotAllowedError. ``versions`` names the
    programs in use."""

    def __init__(self, tools: Tools, trial: TrialMail, desk: AlertDesk, versions: Mapping[str, str]) -> None:
        self._tools = tools
        self._trial = trial
        self._desk = desk
        self._versions = versions

    async def send_test(self, actor: Actor, mailbox_id: str, to: str | None = None) -> TrialResult:
        """As ``TrialMail.send_test``."""
        return await self._trial.send_test(actor, mailbox_id, to)

    async def escalate_mailbox(self, actor: Actor, mailbox_id: str) -> EscalationPack:
        """The facts of its open alert; without one, of a mailbox of which no fault is known."""
        async with self._tools.store.read(actor.workspace) as uow:
            mailbox = await get_mailbox(uow, mailbox_id)
            alert = await uow.alerts.current(f"sync:{mailbox.id}")
            if alert is None:
                require_mailbox(actor, mailbox)
                return await self._without_fault(uow, actor, mailbox)
        return await self._desk.escalate(actor, alert.id)

    async def _without_fault(self, uow: UnitOfWork, actor: Actor, mailbox: Mailbox) -> EscalationPack:
        now = self._tools.clock.now()
        facts = {
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "provider": mailbox.provider,
            "cause": "none",
            "title": "Rethread knows of no fault",
            "raw": "",
            "fix": "Say in your own words what you see, and what you expected.",
            "since": iso(now),
        }
        calm = Alert("", mailbox.workspace, f"sync:{mailbox.id}", AlertState.OPEN, 1, now, facts)
        return await collect(uow, actor, calm, now=now, versions=self._versions)
