"""Which mailboxes this process keeps, where several engines work on one database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.services.tools import Tools, persistently

_LEASE = timedelta(seconds=30)
_RENEW_S = 10.0


@dataclass(slots=True)
class _Held:
    """What was asked for at ``at`` on the monotonic clock, and what was given."""

    wanted: set[str]
    held: set[str]
    at: float


class MailboxLeases:
    """Takes and renews leases under a name of this process's own."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._holder = tools.new_id()
        self._known: dict[str, _Held] = {}

    async def held(self, workspace: str, wanted: set[str]) -> set[str]:
        """Those of the wanted mailboxes that are this process's; asks the database only now and then."""
        known = self._known.get(workspace)
        now = self._tools.clock.monotonic()
        # Whoever stands by asks each time: another process may have given its mailboxes back a moment ago.
        lacks = known is not None and known.held != wanted
        if known is None or lacks or known.wanted != wanted or now - known.at >= _RENEW_S:
            known = _Held(set(wanted), await self._take(workspace, wanted), now)
            self._known[workspace] = known
        return known.held

    async def _take(self, workspace: str, wanted: set[str]) -> set[str]:
        if not wanted:
            return set()
        now = self._tools.clock.now()

        async def unit() -> set[str]:
            async with self._tools.store.write(workspace) as uow:
                return await uow.leases.take(wanted, holder=self._holder, now=now, until=now + _LEASE)

        return await persistently(unit)

    async def give_back(self) -> None:
        """At the end of the process: others need not wait until the leases are over."""
        for workspace, known in self._known.items():
            if known.held:
                async with self._tools.store.write(workspace) as uow:
                    await uow.leases.give_back(known.held, holder=self._holder)
                    uow.wake("sync")
        self._known.clear()
