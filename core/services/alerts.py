"""Broken-sync alerts: one per cause, opened or refreshed, spoken only on change, resolved in place (X10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from core.domain.account import Mailbox
from core.domain.alert import Alert, AlertState
from core.domain.cards import SyncCard
from core.domain.diagnosis import Diagnosis
from core.domain.moment import iso, parse_iso
from core.ports.storage import UnitOfWork
from core.services.tools import Tools, settings_in


class AlertService:
    """Keeps the registry and hands the newest facts to the outbox, in the caller's transaction."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def broke(self, uow: UnitOfWork, mailbox: Mailbox, diagnosis: Diagnosis) -> None:
        """Opens the mailbox's alert, or refreshes it where cause, words or state changed."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is None:
            alert = self._opened(mailbox, diagnosis)
            await uow.alerts.add(alert)
            await self._publish(uow, alert)
            return
        facts = {**alert.facts, **_diagnosed(mailbox, diagnosis), "state": "broken", "actor": None, "actor_at": None}
        if _told(facts) != _told(alert.facts):
            await self._change(uow, replace(alert, state=AlertState.OPEN, facts=facts))

    async def resync_requested(self, uow: UnitOfWork, mailbox: Mailbox, actor: str) -> None:
        """The card says at once that somebody pressed Resync, and loses its button."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is not None:
            at = iso(self._tools.clock.now())
            facts = {**alert.facts, "state": "resyncing", "actor": actor, "actor_at": at}
            await self._change(uow, replace(alert, state=AlertState.RESYNCING, facts=facts))

    async def recovered(self, uow: UnitOfWork, mailbox: Mailbox, *, caught_up: int, failed_meanwhile: int) -> None:
        """Resolves the alert; resolving nothing is no error."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is None:
            return
        now = self._tools.clock.now()
        facts = {
            **alert.facts,
            "state": "recovered",
            "recovered_at": iso(now),
            "down_minutes": _minutes_since(str(alert.facts["since"]), now),
            "caught_up": caught_up,
            "failed_meanwhile": failed_meanwhile,
        }
        await self._change(uow, replace(alert, state=AlertState.RESOLVED, facts=facts, resolved_at=now))

    async def closed(self, uow: UnitOfWork, mailbox: Mailbox) -> None:
        """The mailbox was paused or disconnected: its alert ends without a recovery."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is not None:
            facts = {**alert.facts, "state": "closed"}
            now = self._tools.clock.now()
            await self._change(uow, replace(alert, state=AlertState.RESOLVED, facts=facts, resolved_at=now))

    def _opened(self, mailbox: Mailbox, diagnosis: Diagnosis) -> Alert:
        now = self._tools.clock.now()
        alert_id = self._tools.new_id()
        facts: SyncCard = {
            "state": "broken",
            "alert_id": alert_id,
            "version": 1,
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "cause": diagnosis.cause,
            "title": diagnosis.title,
            "raw": diagnosis.raw,
            "fix": diagnosis.fix,
            "who": diagnosis.who,
            "since": str(iso(mailbox.failing_since or now)),
            "last_sync_at": iso(mailbox.last_sync_at),
            "actor": None,
            "actor_at": None,
            "recovered_at": None,
            "down_minutes": None,
            "caught_up": 0,
            "failed_meanwhile": 0,
            "side": "reading",
            "status": mailbox.status.value,
            "provider": mailbox.provider,
            "sign_in": mailbox.sign_in,
            "forward": diagnosis.forward,
            "obsolete": diagnosis.obsolete,
            "acknowledged_by": None,
            "acknowledged_at": None,
            "assigned_to": None,
            "muted_until": None,
            "reminders": 0,
            "folded": None,
        }
        return Alert(alert_id, mailbox.workspace, _key(mailbox), AlertState.OPEN, 1, now, dict(facts))

    async def _change(self, uow: UnitOfWork, alert: Alert) -> None:
        # The card's version is the alert's version once saved: buttons carry it back.
        changed = replace(alert, facts={**alert.facts, "version": alert.version + 1})
        if await uow.alerts.save(changed):
            await self._publish(uow, changed)

    async def _publish(self, uow: UnitOfWork, alert: Alert) -> None:
        now = self._tools.clock.now()
        channel = (await settings_in(uow))["alert_channel"]
        destinations = {"owner": f"user:{alert.facts['owner']}"}
        if channel:
            destinations["admins"] = str(channel)
        for audience, destination in destinations.items():
            if destination.startswith("user:") and not destination.startswith(("user:U", "user:W")):
                continue  # connected at the terminal, for nobody in Slack
            await uow.outbox.put(
                f"sync:{alert.id}:{audience}", destination=destination, kind="sync", facts=alert.facts, at=now
            )
        uow.wake("notifications")


def _key(mailbox: Mailbox) -> str:
    return f"sync:{mailbox.id}"


def _diagnosed(mailbox: Mailbox, diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "cause": diagnosis.cause,
        "title": diagnosis.title,
        "raw": diagnosis.raw,
        "fix": diagnosis.fix,
        "who": diagnosis.who,
        "last_sync_at": iso(mailbox.last_sync_at),
    }


def _told(facts: Any) -> tuple[Any, ...]:
    """What people would notice: server texts differ in ids and times from try to try."""
    return facts["state"], facts["cause"]


def _minutes_since(since: str, now: datetime) -> int:
    began = parse_iso(since) or now
    return max(0, round((now - began).total_seconds() / 60))
