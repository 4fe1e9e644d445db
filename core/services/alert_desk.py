"""What people do with alerts: acknowledge, assign, mute, resync a whole outage, escalate, retry what failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.domain.account import Mailbox
from core.domain.actor import Actor, Role, require_admin, require_mailbox, require_recruiter
from core.domain.alert import Alert, AlertState
from core.domain.enrollment import ProspectEvent
from core.domain.moment import iso, parse_iso
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard, decision, is_in_slack
from core.services.campaigns import Skipped
from core.services.escalation import EscalationPack, collect
from core.services.mailboxes import MailboxService
from core.services.prospects import ProspectService, RetryResult
from core.services.recovery import FailedStage, failed_stages
from core.services.tools import Tools, persistently

_MOST_HOURS: Final = 24 * 14
_SLACK_USER: Final = re.compile(r"[UW][A-Z0-9]{2,20}")
_BROKEN: Final = ("sync", "storm")


@dataclass(frozen=True, slots=True)
class RecoveryLine:
    """One stage that failed while the mailbox was down, and is failed still."""

    person: str
    email: str
    campaign: str
    stage: int
    failed_at: datetime


class AlertDesk:
    """Use cases of the alert cards' buttons. ``version`` is the one on the card that was looked at: where somebody has
    decided since, RefusedError says who was faster. Mailboxes are their owners', their assignees' and the admins'
    business; storms the admins'. ``versions`` names the programs in use, for the escalation pack.

    Every method raises NotFoundError, NotAllowedError and RefusedError.
    """

    def __init__(
        self, tools: Tools, mailboxes: MailboxService, prospects: ProspectService, versions: Mapping[str, str]
    ) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)
        self._mailboxes = mailboxes
        self._prospects = prospects
        self._versions = versions

    async def acknowledge(self, actor: Actor, alert_id: str, version: int) -> Alert:
        """No reminders until the cause changes."""
        facts = {"acknowledged_by": actor.user, "acknowledged_at": iso(self._tools.clock.now())}
        return await self._decide(actor, alert_id, version, facts, did="acknowledged it", kinds=_BROKEN)

    async def assign(self, actor: Actor, alert_id: str, version: int, to_user: str) -> Alert:
        """One mailbox's alert is this person's now, who is told by direct message. Raises InputError."""
        user = to_user.strip()
        if not _SLACK_USER.fullmatch(user):
            raise InputError(f"{user[:40]!r} is not a Slack user", field="to_user", fix="Mention the person: @name.")

        def changes(alert: Alert) -> dict[str, Any]:
            assignees = [one for one in alert.facts.get("assignees", ()) if one != user]
            return {"assigned_to": user, "assignees": [*assignees, user][-10:]}

        return await self._decide(actor, alert_id, version, changes, did=f"assigned it to <@{user}>", kinds=("sync",))

    async def mute(self, actor: Actor, alert_id: str, version: int, hours: float = 24) -> Alert:
        """Neither reminders nor new messages for so long, unless the cause changes. Raises InputError."""
        if not 0 < hours <= _MOST_HOURS:
            raise InputError(f"must be more than 0 and at most {_MOST_HOURS}", field="hours")
        until = iso(self._tools.clock.now() + timedelta(hours=hours))
        return await self._decide(actor, alert_id, version, {"muted_until": until}, did="muted it", kinds=_BROKEN)

    async def resync_storm(self, actor: Actor, alert_id: str, version: int) -> list[Mailbox]:
        """Asks for every mailbox that the storm still holds; returns those asked. Those under way are left alone."""

        def changes(alert: Alert) -> dict[str, Any]:
            if alert.facts["state"] == "resyncing":
                raise RefusedError("This is being resynced already.", reason="resync_running")
            return {"state": "resyncing", "actor": actor.user, "actor_at": iso(self._tools.clock.now())}

        await self._decide(
            actor, alert_id, version, changes, did="asked for a resync", kinds=("storm",), state=AlertState.RESYNCING
        )
        async with self._tools.store.read(actor.workspace) as uow:
            members = [one for one in await uow.alerts.list_open() if one.facts.get("folded") == alert_id]
        asked = []
        for member in members:
            try:
                asked.append(await self._mailboxes.request_resync(actor, member.facts["mailbox_id"]))
            except (RefusedError, NotFoundError):
                continue
        return asked

    async def escalate(self, actor: Actor, alert_id: str) -> EscalationPack:
        """All that somebody who is asked for help will ask back (R17, R25, R53)."""

        async def unit() -> EscalationPack:
            async with self._tools.store.write(actor.workspace) as uow:
                alert = await self._find(uow, actor, alert_id, _BROKEN)
                now = self._tools.clock.now()
                await uow.audit.add(at=now, actor=actor.user, action="alert.escalate", subject=alert.id)
                return await collect(uow, actor, alert, now=now, versions=self._versions)

        return await persistently(unit)

    async def retry_after_recovery(self, actor: Actor, alert_id: str, version: int) -> RetryResult:
        """Tries again every stage on the offer that is failed still, each by the rules of Retry; the card then says
        how many. A second click, or one after a crash, retries nothing twice."""
        failed = await self._offered(actor, alert_id, version)
        retried, refused = 0, list[Skipped]()
        for one in failed:
            try:
                await self._prospects.act_on_card(actor, ProspectEvent.RETRY, one.delivery.id, one.enrollment.version)
                retried += 1
            except (RefusedError, NotAllowedError, NotFoundError) as error:
                refused.append(Skipped(one.delivery.recipient or "", error.message))
        facts = {"state": "retried", "retried": retried, "refused": len(refused), **self._by(actor)}
        await self._decide(
            actor,
            alert_id,
            version,
            facts,
            did="retried what failed",
            kinds=("recovery",),
            state=AlertState.RESOLVED,
        )
        return RetryResult(retried, refused)

    async def review_recovery(self, actor: Actor, alert_id: str) -> list[RecoveryLine]:
        """What Retry all would try again, as of now."""
        async with self._tools.store.read(actor.workspace) as uow:
            alert = await self._find(uow, actor, alert_id, ("recovery",))
            failed = await _failed_on(uow, alert)
            people = await uow.people.get_many({one.enrollment.person_id for one in failed})
        lines = []
        for one in failed:
            person = people.get(one.enrollment.person_id)
            primary = person.primary.address if person and person.primary else ""
            lines.append(
                RecoveryLine(
                    person.name if person else "",
                    one.delivery.recipient or primary,
                    one.campaign.name,
                    one.delivery.stage,
                    one.failed_at,
                )
            )
        return lines

    async def leave_recovery(self, actor: Actor, alert_id: str, version: int) -> Alert:
        """Nothing is tried again; each failed stage keeps its own card."""
        facts = {"state": "left", **self._by(actor)}
        return await self._decide(
            actor, alert_id, version, facts, did="left it", kinds=("recovery",), state=AlertState.RESOLVED
        )

    def _by(self, actor: Actor) -> dict[str, Any]:
        return {"actor": actor.user, "actor_at": iso(self._tools.clock.now())}

    async def _offered(self, actor: Actor, alert_id: str, version: int) -> list[FailedStage]:
        async with self._tools.store.read(actor.workspace) as uow:
            alert = await self._find(uow, actor, alert_id, ("recovery",))
            _require_current(alert, version)
            return await _failed_on(uow, alert)

    async def _decide(
        self,
        actor: Actor,
        alert_id: str,
        version: int,
        changes: Mapping[str, Any] | Callable[[Alert], Mapping[str, Any]],
        *,
        did: str,
        kinds: tuple[str, ...],
        state: AlertState | None = None,
    ) -> Alert:
        async def unit() -> Alert:
            async with self._tools.store.write(actor.workspace) as uow:
                alert = await self._find(uow, actor, alert_id, kinds)
                _require_current(alert, version)
                facts = changes(alert) if callable(changes) else changes
                noted = {**facts, **decision(actor.user, did)}
                changed = await self._board.change(uow, alert, noted, state=state)
                action = f"alert.{did.split(maxsplit=1)[0]}"
                await uow.audit.add(at=self._tools.clock.now(), actor=actor.user, action=action, subject=alert.id)
                uow.wake("alerts")
                return changed

        return await persistently(unit)

    async def _find(self, uow: UnitOfWork, actor: Actor, alert_id: str, kinds: tuple[str, ...]) -> Alert:
        alert = await uow.alerts.get(alert_id)
        if alert is None or alert.kind not in kinds:
            raise NotFoundError("This alert does not exist here.", fix="Type /mailbox status to see what is broken.")
        if alert.kind == "storm":
            require_admin(actor)
            return alert
        require_recruiter(actor)
        mailbox = await uow.mailboxes.get(str(alert.facts["mailbox_id"]))
        if mailbox is None:
            raise NotFoundError("This mailbox is not connected here any more.")
        if actor.role is not Role.ADMIN and actor.user != alert.facts.get("assigned_to"):
            require_mailbox(actor, mailbox)
        return alert


def _require_current(alert: Alert, version: int) -> None:
    """Raises RefusedError, saying what happened since the card was drawn, and by whom."""
    if alert.is_open and alert.facts["version"] == version:
        return
    decided = alert.facts.get("decided")
    if decided:
        who = f"<@{decided['by']}>" if is_in_slack(decided["by"]) else str(decided["by"])
        raise RefusedError(f"This card is out of date: {who} was faster and {decided['did']}.", reason="stale")
    if not alert.is_open:
        raise RefusedError("This card is out of date: it is over already.", reason="stale")
    raise RefusedError(
        "This card is out of date: something else happened to it meanwhile.", reason="stale", fix="Look again."
    )


async def _failed_on(uow: UnitOfWork, offer: Alert) -> list[FailedStage]:
    since = parse_iso(offer.facts["since"]) or offer.opened_at
    return await failed_stages(uow, str(offer.facts["mailbox_id"]), since)
