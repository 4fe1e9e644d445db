"""Looks up the domains that waiting mails would go to, and lets those mails go on (R198)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.domain.address import domain_of
from core.domain.address_verdict import DomainMail
from core.services.address_checks import AddressChecks
from core.services.address_facts import CHECKED_WITHIN
from core.services.tools import Tools, persistently

_AT_A_TIME: Final = 500
_ASK_AGAIN: Final = timedelta(hours=1)
"""How long "DNS gave no answer" counts: nobody waits for it, but it is not kept for a week either."""


class AddressLookups:
    """``checks`` asks DNS; what it says is kept for a week."""

    def __init__(self, tools: Tools, checks: AddressChecks) -> None:
        self._tools = tools
        self._checks = checks

    async def look_up(self, workspace: str) -> int:
        """Every domain that a mail waits for; returns how many were looked up. The network is asked in between two
        transactions, never inside one."""
        async with self._tools.store.read(workspace) as uow:
            waiting = await uow.deliveries.waiting_addresses("address_check", limit=_AT_A_TIME)
            domains = {domain_of(address) for address in waiting}
            known = await uow.domain_checks.known(domains, self._tools.clock.now() - CHECKED_WITHIN)
        if not waiting:
            return 0
        found = await self._checks.domains_mail(sorted(domains - known.keys()))
        await persistently(lambda: self._store(workspace, found))
        return len(found)

    async def _store(self, workspace: str, found: dict[str, DomainMail]) -> None:
        now = self._tools.clock.now()
        sure = {domain: mail.value for domain, mail in found.items() if mail is not DomainMail.UNKNOWN}
        unsure = {domain: mail.value for domain, mail in found.items() if mail is DomainMail.UNKNOWN}
        async with self._tools.store.write(workspace) as uow:
            await uow.domain_checks.put_many(sure, now)
            await uow.domain_checks.put_many(unsure, now - CHECKED_WITHIN + _ASK_AGAIN)
            await uow.deliveries.release("address_check", not_before=now)
            uow.wake("outreach")
