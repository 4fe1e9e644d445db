"""What every service is built with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.domain.workspace_settings import WorkspaceSettings
from core.errors import LostRaceError, StorageBusyError
from core.ports.clock import Clock
from core.ports.storage import Store, UnitOfWork
from core.services.stop_set import StopSet

_Result = TypeVar("_Result")
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Tools:
    """The database, the clock, a source of ids and one of randomness (0 to below 1); who stopped a moment ago."""

    store: Store
    clock: Clock
    new_id: Callable[[], str]
    random: Callable[[], float]
    stops: StopSet = field(default_factory=StopSet)


async def settings_in(uow: UnitOfWork) -> WorkspaceSettings:
    """The workspace's settings in force."""
    return WorkspaceSettings(await uow.settings.all())


async def persistently(unit: Callable[[], Awaitable[_Result]]) -> _Result:
    """Runs a whole unit of work again where somebody else changed a row first or the database was busy.

    Never around a network call. Raises what the last attempt raised.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await unit()
        except (LostRaceError, StorageBusyError):
            continue
    return await unit()


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Finishes ``work`` even where the caller is cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
