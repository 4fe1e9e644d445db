"""What every service is built with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.workspace_settings import WorkspaceSettings
from core.ports.clock import Clock
from core.ports.storage import Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class Tools:
    """The database, the clock, a source of ids and one of randomness (0 to below 1)."""

    store: Store
    clock: Clock
    new_id: Callable[[], str]
    random: Callable[[], float]


async def settings_in(uow: UnitOfWork) -> WorkspaceSettings:
    """The workspace's settings in force."""
    return WorkspaceSettings(await uow.settings.all())
