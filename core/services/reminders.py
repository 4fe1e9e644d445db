"""What lasts is told again once a day while it is red, and mutes end (R2)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from core.domain.alert import Alert, days_of, mute_is_over, rests
from core.domain.cards import SyncReminder
from core.domain.moment import parse_iso
from core.domain.patience import Patience, tell_again
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard
from core.services.tools import Tools, persistently, settings_in

_REMINDED = ("sync", "storm")


def reminder_of(alert: Alert, now: datetime, *, changed: bool = False) -> SyncReminder:
    """The next reminder of a mailbox's alert or a storm's."""
    facts = alert.facts
    since = parse_iso(facts["since"]) or alert.opened_at
    return {
        "alert_id": alert.id,
        "mailbox_id": facts.get("mailbox_id", ""),
        "address": facts.get("address", ""),
        "owner": facts.get("owner", ""),
        "provider": facts.get("provider", "other"),
        "cause": facts["cause"],
        "title": facts["title"],
        "fix": facts["fix"],
        "since": facts["since"],
        "days": days_of(since, now),
        "reminders": facts.get("reminders", 0) + 1,
        "mailboxes": facts["total"] - facts["recovered"] if alert.kind == "storm" else 1,
        "changed": changed,
    }


class ReminderService:
    """Use case of the alert worker."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)

    async def tell_again(self, workspace: str) -> int:
        """Ends mutes whose time is over, and reminds of what is due: at most once per alert and period. Returns how
        many reminders went out."""
        async with self._tools.store.read(workspace) as uow:
            period = Patience(reminder_s=(await settings_in(uow)).seconds("remind_after_s"))
            waiting = [one for one in await uow.alerts.list_open() if self._has_news(one, period)]
        told = 0
        for alert in waiting:
            told += await persistently(partial(self._tell, workspace, alert.id, period))
        return told

    async def _tell(self, workspace: str, alert_id: str, period: Patience) -> int:
        async with self._tools.store.write(workspace) as uow:
            alert = await uow.alerts.get(alert_id)
            if alert is None or not alert.is_open:
                return 0
            alert = await self._without_past_mute(uow, alert)
            if not self._is_due(alert, period):
                return 0
            await self._board.remind(uow, alert, reminder_of(alert, self._tools.clock.now()))
        return 1

    async def _without_past_mute(self, uow: UnitOfWork, alert: Alert) -> Alert:
        if not mute_is_over(alert, self._tools.clock.now()):
            return alert
        return await self._board.change(uow, alert, {"muted_until": None})

    def _has_news(self, alert: Alert, period: Patience) -> bool:
        return mute_is_over(alert, self._tools.clock.now()) or self._is_due(alert, period)

    def _is_due(self, alert: Alert, period: Patience) -> bool:
        now = self._tools.clock.now()
        if alert.kind not in _REMINDED or rests(alert, now) or alert.facts.get("gathering"):
            return False
        told_at = parse_iso(alert.facts.get("told_at")) or alert.opened_at
        return tell_again(alert.facts["cause"], told_at, alert.facts["cause"], now, period)
