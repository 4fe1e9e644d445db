"""Warns that a sign-in may end, counts down on the same card, and takes it back when the person has signed in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from core.domain.account import Mailbox
from core.domain.alert import Alert, AlertState
from core.domain.expiry import days_left, ends_at, is_near
from core.domain.moment import iso
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard
from core.services.tools import Tools, persistently, settings_in


@dataclass(frozen=True, slots=True)
class _Rule:
    """``days`` that a sign-in lasts, and how many of them before its end people are warned."""

    days: int
    ahead: int


class ExpiryService:
    """Use case of the alert worker."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)

    async def count_down(self, workspace: str) -> None:
        """One card per sign-in that ends soon, brought up to date. Where nothing changed, nothing is written."""
        async with self._tools.store.read(workspace) as uow:
            rule = await _rule(uow)
            mailboxes = await uow.mailboxes.list()
            cards = {one.key: one for one in await uow.alerts.list_open() if one.kind == "expiry"}
        changed = [one.id for one in mailboxes if self._has_news(one, cards.get(_key(one.id)), rule)]
        for mailbox_id in changed:
            await persistently(partial(self._one, workspace, mailbox_id))

    def _has_news(self, mailbox: Mailbox, alert: Alert | None, rule: _Rule) -> bool:
        facts = self._facts(mailbox, rule)
        if facts is None or alert is None:
            return (facts is None) != (alert is None)
        return any(alert.facts.get(name) != fact for name, fact in facts.items())

    async def _one(self, workspace: str, mailbox_id: str) -> None:
        async with self._tools.store.write(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
            if mailbox is None:
                return
            rule = await _rule(uow)
            alert, facts = await uow.alerts.current(_key(mailbox_id)), self._facts(mailbox, rule)
            if facts is not None and alert is None:
                await self._board.open(uow, _key(mailbox_id), facts)
            elif facts is not None and alert is not None:
                await self._board.change(uow, alert, facts)
            elif alert is not None:
                await self._board.change(uow, alert, self._over(mailbox, rule), state=AlertState.RESOLVED)

    def _facts(self, mailbox: Mailbox, rule: _Rule) -> dict[str, Any] | None:
        """What the card says now; None where there is nothing to warn of."""
        end, now = ends_at(mailbox, rule.days), self._tools.clock.now()
        if end is None or not is_near(end, now, rule.ahead):
            return None
        left = days_left(end, now)
        return {
            "state": "warned" if left else "ended",
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "provider": mailbox.provider,
            "ends_at": iso(end),
            "days_left": left,
        }

    def _over(self, mailbox: Mailbox, rule: _Rule) -> dict[str, Any]:
        """Signed in anew; or disconnected, which ends the sign-in itself."""
        end = ends_at(mailbox, rule.days)
        if end is None:
            return {"state": "ended"}
        return {"state": "renewed", "ends_at": iso(end), "days_left": days_left(end, self._tools.clock.now())}


async def _rule(uow: UnitOfWork) -> _Rule:
    settings = await settings_in(uow)
    return _Rule(int(settings["sign_in_days"]), int(settings["expiry_warning_days"]))


def _key(mailbox_id: str) -> str:
    return f"expiry:{mailbox_id}"
