"""Warns that a sign-in may end, counts down on the same card, and takes it back when the person has signed in."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from core.domain.account import Mailbox
from core.domain.alert import Alert, AlertState
from core.domain.expiry import days_left, ends_at, is_near
from core.domain.moment import iso
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard
from core.services.tools import Tools, persistently, settings_in


class ExpiryService:
    """Use case of the alert worker."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)

    async def count_down(self, workspace: str) -> None:
        """One card per sign-in that ends soon, brought up to date."""
        async with self._tools.store.read(workspace) as uow:
            settings = await settings_in(uow)
            days, ahead = int(settings["sign_in_days"]), int(settings["expiry_warning_days"])
            mailboxes = {one.id: one for one in await uow.mailboxes.list()}
            warned = {one.facts["mailbox_id"] for one in await uow.alerts.list_open() if one.kind == "expiry"}
        now = self._tools.clock.now()
        for mailbox in mailboxes.values():
            end = ends_at(mailbox, days)
            if mailbox.id in warned or (end is not None and is_near(end, now, ahead)):
                await persistently(partial(self._one, workspace, mailbox.id, days, ahead))

    async def _one(self, workspace: str, mailbox_id: str, days: int, ahead: int) -> None:
        async with self._tools.store.write(workspace) as uow:
            mailbox = await uow.mailboxes.get(mailbox_id)
            if mailbox is None:
                return
            end, now = ends_at(mailbox, days), self._tools.clock.now()
            alert = await uow.alerts.current(_key(mailbox_id))
            if end is not None and is_near(end, now, ahead):
                await self._warn(uow, mailbox, alert, end)
            elif alert is not None:
                # Disconnecting ends the sign-in itself.
                state = "ended" if end is None else "renewed"
                until = {} if end is None else {"ends_at": iso(end), "days_left": days_left(end, now)}
                await self._board.change(uow, alert, {"state": state, **until}, state=AlertState.RESOLVED)

    async def _warn(self, uow: UnitOfWork, mailbox: Mailbox, alert: Alert | None, end: datetime) -> None:
        left = days_left(end, self._tools.clock.now())
        facts: dict[str, Any] = {
            "state": "warned" if left else "ended",
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "provider": mailbox.provider,
            "ends_at": iso(end),
            "days_left": left,
        }
        if alert is None:
            await self._board.open(uow, _key(mailbox.id), facts)
        else:
            await self._board.change(uow, alert, facts)


def _key(mailbox_id: str) -> str:
    return f"expiry:{mailbox_id}"
