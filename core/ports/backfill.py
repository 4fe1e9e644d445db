"""Old mail that is still to be looked for, as the services need it. Implemented in storage/."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

TOPIC: Final = "backfill"
"""The wake-up that says that there is something to look for."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Old mail of one address in one mailbox. ``done_at`` None: to be looked for, not before ``not_before``.

    ``there`` mails the server named, the newest ``looked_at`` of which were looked at; ``logged`` stand on a stream.
    """

    key: str
    mailbox_id: str
    address: str
    asked_at: datetime
    not_before: datetime
    tries: int = 0
    done_at: datetime | None = None
    there: int = 0
    looked_at: int = 0
    logged: int = 0


class BackfillStore(Protocol):
    async def ask(self, key: str, address: str, mailbox_ids: Collection[str], at: datetime) -> None:
        """One for each mailbox; what was asked for before begins anew."""
        ...

    async def due(self, now: datetime, *, limit: int = 20) -> list[Backfill]:
        """Those that may be looked for now, the longest waiting first."""
        ...

    async def of(self, keys: Collection[str]) -> list[Backfill]:
        """All of these address keys."""
        ...

    async def save(self, backfill: Backfill) -> bool:
        """False where it was asked for anew meanwhile, or is gone: then nothing changes."""
        ...

    async def forget_before(self, cutoff: datetime) -> int:
        """Those that were done before this moment; returns how many."""
        ...
