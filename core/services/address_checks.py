"""Asks DNS whether a recipient's domain takes mail at all (R198); what follows is ``core.domain.address_verdict``."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from core.domain.address_verdict import DomainMail
from core.errors import MailError
from core.ports.mail import NameResolver


class AddressChecks:
    """Public records only: nothing is stored, and no server of the recipient's is spoken to."""

    def __init__(self, resolver: NameResolver, *, seconds: float = 10.0, at_once: int = 16) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._at_once = at_once

    async def domain_mail(self, domain: str) -> DomainMail:
        """Whether ``domain`` (ASCII) takes mail. Trouble with DNS, or no answer in time, is UNKNOWN; never raises
        MailError."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._look_up(domain)
        except (MailError, TimeoutError):
            return DomainMail.UNKNOWN

    async def domains_mail(self, domains: Collection[str]) -> dict[str, DomainMail]:
        """The same for many domains, a few at a time; each is asked for once."""
        turns = asyncio.Semaphore(self._at_once)
        found: dict[str, DomainMail] = {}

        async def look(domain: str) -> None:
            async with turns:
                found[domain] = await self.domain_mail(domain)

        async with asyncio.TaskGroup() as group:
            for domain in dict.fromkeys(domains):
                group.create_task(look(domain))
        return found

    async def _look_up(self, domain: str) -> DomainMail:
        servers = await self._resolver.mx(domain)
        if servers:
            named = any(host.strip(".") for _, host in servers)
            return DomainMail.MX if named else DomainMail.NULL_MX
        # RFC 5321 5.1: without MX the domain's own address is its mail server, unless it says that it never mails.
        if not await self._resolver.addresses(domain):
            return DomainMail.NONE
        texts = await self._resolver.txt(domain)
        never = any(text.lower().split() == ["v=spf1", "-all"] for text in texts)
        return DomainMail.REJECT_ALL if never else DomainMail.MX
