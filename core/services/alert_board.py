"""The alerts and the copies of their cards: whoever changes an alert changes every place where people read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.domain.alert import Alert, AlertState, card_of
from core.domain.cards import SyncReminder
from core.domain.moment import iso
from core.errors import LostRaceError, RefusedError
from core.ports.storage import UnitOfWork
from core.services.tools import Tools, settings_in


class AlertBoard:
    """Works in the caller's transaction. Every change is a compare-and-set and raises LostRaceError where somebody was
    faster: the caller's whole unit is to be tried again."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def open(self, uow: UnitOfWork, key: str, facts: Mapping[str, Any]) -> Alert:
        """A new alert, shown at once."""
        alert_id = self._tools.new_id()
        noted = {**facts, "alert_id": alert_id, "version": 1}
        alert = Alert(alert_id, uow.workspace, key, AlertState.OPEN, 1, self._tools.clock.now(), noted)
        try:
            await uow.alerts.add(alert)
        except RefusedError as somebody_opened_it:
            raise LostRaceError from somebody_opened_it
        await self.show(uow, alert)
        return alert

    async def change(
        self,
        uow: UnitOfWork,
        alert: Alert,
        facts: Mapping[str, Any],
        *,
        state: AlertState | None = None,
        key: str | None = None,
        decides: bool = True,
    ) -> Alert:
        """Sets these facts; what stays the same is neither written nor shown. ``decides``: whoever looks at the card as
        it was must look again before pressing a button."""
        state, key = state or alert.state, key or alert.key
        if (state, key) == (alert.state, alert.key) and all(alert.facts.get(name) == facts[name] for name in facts):
            return alert
        if decides:
            # Who decided last is known only where a person did.
            facts = {"decided": None, **facts, "version": alert.version + 1}
        resolved_at = self._tools.clock.now() if state is AlertState.RESOLVED else None
        changed = replace(alert, key=key, state=state, facts={**alert.facts, **facts}, resolved_at=resolved_at)
        if not await uow.alerts.save(changed):
            raise LostRaceError
        changed = replace(changed, version=alert.version + 1)
        await self.show(uow, changed)
        return changed

    async def show(self, uow: UnitOfWork, alert: Alert) -> None:
        """Hands the newest facts to the outbox, for every copy that is to be there and says something else yet."""
        for audience, destination in (await self._places(uow, alert)).items():
            key, facts = f"{alert.kind}:{alert.id}:{audience}", _copy_for(alert, audience)
            known = await uow.outbox.by_key(key)
            if known is None and audience == "admins" and _is_told_elsewhere(alert):
                continue
            if known is None or known.facts != facts or known.destination != destination:
                now = self._tools.clock.now()
                await uow.outbox.put(key, destination=destination, kind=alert.kind, facts=facts, at=now)
                uow.wake("notifications")

    async def remind(self, uow: UnitOfWork, alert: Alert, reminder: SyncReminder) -> Alert:
        """A short message beside the card, since nobody is told of an edit; and the card says how often."""
        number, now = reminder["reminders"], self._tools.clock.now()
        for audience, destination in (await self._places(uow, alert)).items():
            if audience == "admins" and _is_told_elsewhere(alert):
                continue
            key = f"reminder:{alert.id}:{number}:{audience}"
            await uow.outbox.put(key, destination=destination, kind="sync_reminder", facts=reminder, at=now)
            uow.wake("notifications")
        return await self.change(uow, alert, {"reminders": number, "told_at": iso(now)}, decides=False)

    async def _places(self, uow: UnitOfWork, alert: Alert) -> dict[str, str]:
        """Audience to destination. Whoever connected at the terminal is nobody in Slack."""
        channel = (await settings_in(uow))["alert_channel"] or alert.facts.get("fallback_channel")
        owner = alert.facts.get("owner")
        people = {"owner": owner} | {f"to-{user}": user for user in alert.facts.get("assignees", ()) if user != owner}
        places = {audience: f"user:{user}" for audience, user in people.items() if is_in_slack(user)}
        # How long a person's sign-in lasts is that person's business.
        if channel and not (alert.kind == "expiry" and places):
            places["admins"] = str(channel)
        return places


def decision(user: str, did: str) -> dict[str, Any]:
    """For the facts of a change that a person made: whoever comes too late is told who was faster, and with what."""
    return {"decided": {"by": user, "did": did}}


def is_in_slack(user: str | None) -> bool:
    return bool(user) and str(user).startswith(("U", "W"))


def _copy_for(alert: Alert, audience: str) -> dict[str, Any]:
    """A person's copy tells the mailbox's own story also while the channel reads of the whole outage, and offers what
    this person may do."""
    facts = card_of(alert)
    if audience != "admins" and alert.kind == "sync":
        assignee = "assignee" if audience == f"to-{alert.facts.get('assigned_to')}" else "onlooker"
        facts |= {"folded": None, "reader": "owner" if audience == "owner" else assignee}
    return facts


def _is_told_elsewhere(alert: Alert) -> bool:
    """On a storm's card, or on one that is about to be made."""
    return alert.facts.get("folded") is not None or bool(alert.facts.get("gathering"))
