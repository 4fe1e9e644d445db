"""Proposes a mailbox's servers from its address, so that nobody has to know them (R59; RFC 6186, RFC 8314)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.domain.address import domain_of
from core.errors import MailError
from core.ports.mail import Endpoint, NameResolver, Tls

_IMAP = (("_imaps._tcp", Tls.SSL),)
_SMTP = (("_submissions._tcp", Tls.SSL), ("_submission._tcp", Tls.STARTTLS))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Servers to try; ``published`` is False where the domain names none and the usual names are guessed."""

    imap: Endpoint
    smtp: Endpoint
    published: bool


async def propose(resolver: NameResolver, address: str) -> Proposal:
    """What the domain publishes by SRV records, else imap.DOMAIN and smtp.DOMAIN on the ports of RFC 8314."""
    domain = domain_of(address)
    imap, smtp = await asyncio.gather(_published(resolver, domain, _IMAP), _published(resolver, domain, _SMTP))
    return Proposal(
        imap=imap or Endpoint(f"imap.{domain}", 993, Tls.SSL),
        smtp=smtp or Endpoint(f"smtp.{domain}", 465, Tls.SSL),
        published=imap is not None and smtp is not None,
    )


async def _published(resolver: NameResolver, domain: str, services: tuple[tuple[str, Tls], ...]) -> Endpoint | None:
    for service, tls in services:
        try:
            found = await resolver.srv(f"{service}.{domain}")
        except MailError:
            return None  # a resolver in trouble must not keep anybody from typing the servers
        if found:
            host, port = found[0]
            return Endpoint(host, port, tls)
    return None
