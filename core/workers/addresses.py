"""The loop that looks up recipients' domains: woken when a mail waits for one."""

from __future__ import annotations

import asyncio

from core.ports.storage import Store
from core.services.address_lookups import AddressLookups
from core.workers.supervisor import wait_for_either

_LONGEST_SLEEP = 30.0


class AddressWorker:
    """Apart from sending: slow DNS delays nobody else's mail."""

    def __init__(self, store: Store, lookups: AddressLookups) -> None:
        self._store = store
        self._lookups = lookups

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            for workspace in await self._store.workspaces():
                await wait_for_either(stop, self._lookups.look_up(workspace))
            await wait_for_either(stop, self._store.wait("addresses", _LONGEST_SLEEP))
