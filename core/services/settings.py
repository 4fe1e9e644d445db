"""Workspace settings: show and change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.actor import Actor, require_admin
from core.domain.workspace_settings import ALL, BY_KEY, Setting, WorkspaceSettings, parse_value
from core.ports.storage import UnitOfWork
from core.services.alerts import AlertService
from core.services.seats import SeatService
from core.services.tools import Tools, persistently


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting in force; ``note`` says what else a change of it has changed."""

    setting: Setting
    value: Any
    is_default: bool
    note: str = ""


class SettingService:
    """Everybody may look; admins change."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._seats = SeatService(tools, AlertService(tools))

    async def show(self, actor: Actor) -> list[SettingLine]:
        async with self._tools.store.read(actor.workspace) as uow:
            stored = WorkspaceSettings(await uow.settings.all())
        return [SettingLine(one, stored[one.key], stored.values.get(one.key) is None) for one in ALL]

    async def set(self, actor: Actor, key: str, text: str) -> SettingLine:
        """Raises InputError naming key, bounds and fix; NotAllowedError for everybody but admins."""
        require_admin(actor)
        value = parse_value(key, text)

        async def unit() -> str:
            async with self._tools.store.write(actor.workspace) as uow:
                return await self._set(uow, actor, key, value)

        note = await persistently(unit)
        setting = BY_KEY[key]
        return SettingLine(setting, setting.default if value is None else value, value is None, note)

    async def _set(self, uow: UnitOfWork, actor: Actor, key: str, value: Any) -> str:
        """What followed, in words: a new limit is in force at once."""
        now = self._tools.clock.now()
        await uow.settings.set(key, value, actor=actor.user, at=now)
        await uow.audit.add(at=now, actor=actor.user, action="setting.set", subject=key, facts={"value": value})
        uow.wake("sync")
        if key == "validation" and await uow.deliveries.release("risky_address", not_before=now):
            uow.wake("outreach")
        return (await self._seats.settle(uow)).words if key == "mailbox_limit" else ""

    async def seed(self, workspace: str, first_values: dict[str, Any]) -> None:
        """First values from the environment; a value set later by a person stays (contract)."""
        async with self._tools.store.write(workspace) as uow:
            stored = await uow.settings.all()
            for key, value in first_values.items():
                if value is not None and stored.get(key) is None:
                    await uow.settings.set(key, value, actor="environment", at=self._tools.clock.now())
