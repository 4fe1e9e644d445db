"""Broken-sync alerts: one per mailbox, opened or refreshed, spoken only on change, resolved in place (X10)."""

from __future__ import annotations

from typing import Any

from core.domain.account import Mailbox, MailboxStatus
from core.domain.alert import Alert, AlertState, is_silenced, minutes_of
from core.domain.cards import SyncCard
from core.domain.diagnosis import CauseClass, Diagnosis
from core.domain.moment import iso, parse_iso
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard, decision
from core.services.diagnose import recalled
from core.services.recovery import RecoveryOffers
from core.services.reminders import reminder_of
from core.services.storms import StormService, place_of
from core.services.tools import Tools

_RESYNCS_REMEMBERED = 20


class AlertService:
    """What the sync says of a mailbox, in the caller's transaction: units that call it are tried again on
    LostRaceError."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)
        self._storms = StormService(tools)
        self._offers = RecoveryOffers(tools)

    async def broke(self, uow: UnitOfWork, mailbox: Mailbox, diagnosis: Diagnosis, *, side: str = "reading") -> None:
        """Opens the mailbox's alert, or refreshes it where cause, status or state changed. ``side``: reading, or
        sending where only that fails; while reading fails too, the card speaks of that."""
        alert = await uow.alerts.current(_key(mailbox))
        told = _told_of(mailbox, diagnosis, side)
        if alert is None:
            await self._open(uow, mailbox, told)
        elif side == "reading" or alert.facts.get("side") == "sending" or mailbox.streak == 0:
            await self._refresh(uow, alert, told)

    async def _open(self, uow: UnitOfWork, mailbox: Mailbox, told: dict[str, Any]) -> None:
        now = str(iso(self._tools.clock.now()))
        since = str(iso(mailbox.failing_since)) if mailbox.failing_since else now
        # Failures of an outage before this one that nobody has decided about are offered again after this one.
        left = await self._offers.supersede(uow, mailbox.id)
        facts = {**_blank(mailbox, since), **told, "began_at": since, "told_at": now, "failures_since": left or since}
        facts |= await self._storms.place(uow, facts)
        await self._board.open(uow, _key(mailbox), facts)
        uow.wake("alerts")

    async def _refresh(self, uow: UnitOfWork, alert: Alert, told: dict[str, Any]) -> None:
        if _noticed(told) == _noticed({**alert.facts}):
            return
        if told["cause"] == alert.facts["cause"]:
            await self._board.change(uow, alert, told, state=AlertState.OPEN)
            uow.wake("alerts")
            return
        now = self._tools.clock.now()
        facts = {**told, **_SPOKEN_OF_BY_NOBODY, "began_at": iso(now)}
        facts |= await self._storms.place(uow, {**alert.facts, **facts})
        changed = await self._board.change(uow, alert, facts, state=AlertState.OPEN)
        if is_silenced(alert, now):
            # Silence was for the old cause. An edited card notifies nobody.
            await self._board.remind(uow, changed, reminder_of(changed, now, changed=True))
        uow.wake("alerts")

    async def resync_requested(self, uow: UnitOfWork, mailbox: Mailbox, actor: str) -> None:
        """The card says at once that somebody pressed Resync, and loses its button."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is not None:
            at = iso(self._tools.clock.now())
            tried = [*alert.facts.get("tried", ()), {"by": actor, "at": at}][-_RESYNCS_REMEMBERED:]
            facts = {"state": "resyncing", "actor": actor, "actor_at": at, "tried": tried}
            facts |= decision(actor, "asked for a resync")
            await self._board.change(uow, alert, facts, state=AlertState.RESYNCING)
            uow.wake("alerts")

    async def recovered(self, uow: UnitOfWork, mailbox: Mailbox, *, caught_up: int, failed_meanwhile: int) -> None:
        """Resolves the alert, and offers to retry what failed meanwhile (X3); resolving nothing is no error. That mail
        is read again does not mend sending."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is None:
            return
        if mailbox.send_fault is not None:
            await self._refresh(
                uow, alert, _told_of(mailbox, recalled(mailbox.send_fault, provider=mailbox.provider), "sending")
            )
            return
        now = self._tools.clock.now()
        since = parse_iso(alert.facts["since"]) or now
        facts = {
            "state": "recovered",
            "status": mailbox.status.value,
            "recovered_at": iso(now),
            "down_minutes": minutes_of(since, now),
            "caught_up": caught_up,
            "failed_meanwhile": failed_meanwhile,
        }
        changed = await self._board.change(uow, alert, facts, state=AlertState.RESOLVED)
        if failed_meanwhile:
            await self._offers.offer(uow, mailbox, changed)
        uow.wake("alerts")

    async def closed(self, uow: UnitOfWork, mailbox: Mailbox) -> None:
        """The mailbox was paused or disconnected: its alert ends without a recovery."""
        alert = await uow.alerts.current(_key(mailbox))
        if alert is not None:
            facts = {"state": "closed", "status": mailbox.status.value}
            await self._board.change(uow, alert, facts, state=AlertState.RESOLVED)
        if mailbox.status is MailboxStatus.DISCONNECTED:
            await self._offers.supersede(uow, mailbox.id)
        uow.wake("alerts")


_SPOKEN_OF_BY_NOBODY = {
    "acknowledged_by": None,
    "acknowledged_at": None,
    "muted_until": None,
}


def _key(mailbox: Mailbox) -> str:
    return f"sync:{mailbox.id}"


def _blank(mailbox: Mailbox, since: str) -> SyncCard:
    return {
        "state": "broken",
        "alert_id": "",
        "version": 1,
        "mailbox_id": mailbox.id,
        "address": mailbox.address,
        "owner": mailbox.owner,
        "cause": "",
        "title": "",
        "raw": "",
        "fix": "",
        "who": "",
        "since": since,
        "last_sync_at": None,
        "actor": None,
        "actor_at": None,
        "recovered_at": None,
        "down_minutes": None,
        "caught_up": 0,
        "failed_meanwhile": 0,
        "side": "reading",
        "status": "",
        "provider": "",
        "sign_in": "",
        "forward": None,
        "obsolete": None,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "assigned_to": None,
        "muted_until": None,
        "reminders": 0,
        "folded": None,
        "reader": "admins",
    }


def _told_of(mailbox: Mailbox, diagnosis: Diagnosis, side: str) -> dict[str, Any]:
    """What a failure says, in the card's words; with the engine's own notes (class, place)."""
    return {
        "state": "broken",
        "actor": None,
        "actor_at": None,
        "cause": diagnosis.cause,
        "title": _title(diagnosis),
        "raw": diagnosis.raw,
        "fix": diagnosis.fix,
        "who": diagnosis.who,
        "forward": diagnosis.forward,
        "obsolete": diagnosis.obsolete,
        "last_sync_at": iso(mailbox.last_sync_at),
        "side": side,
        "status": mailbox.status.value,
        "provider": mailbox.provider,
        "sign_in": mailbox.sign_in,
        "klass": diagnosis.klass,
        "place": place_of(mailbox),
    }


def _title(diagnosis: Diagnosis) -> str:
    """Of our own registration nobody here can mend anything (ruling on R26)."""
    if diagnosis.klass == CauseClass.OUR_APP.value:
        return f"Connection interrupted, contact support ({diagnosis.title})"
    return diagnosis.title


def _noticed(facts: dict[str, Any]) -> tuple[Any, ...]:
    """What people would notice: server texts differ in ids and times from try to try."""
    return facts["state"], facts["cause"], facts.get("side"), facts.get("status")
