"""DNS look-ups on dnspython. A time-out is an error that says so; only a server's "no" means missing."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from core.errors import UnreachableError
from core.ports.clock import Clock

_SHORTEST_TTL, _LONGEST_TTL = 30.0, 3_600.0
_CACHE_SIZE = 4_096


class Resolver:
    """Implements ``ports.NameResolver``. ``server`` is "host:port" (an IP address) in place of the system's own; its
    answers are kept exactly as long as they say, those of the system's servers at least half a minute."""

    def __init__(self, clock: Clock, *, server: str | None = None, timeout: float = 5.0) -> None:
        self._clock = clock
        self._server = server
        self._timeout = timeout
        self._least_ttl = _SHORTEST_TTL if server is None else 0.0
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._cache: OrderedDict[tuple[str, str], tuple[float, list[Any]]] = OrderedDict()

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        """(preference, host) in order; a null MX (RFC 7505) is (0, "")."""
        found = await self._lookup(
            domain, "MX", lambda record: (record.preference, record.exchange.to_text(omit_final_dot=True).strip("."))
        )
        return sorted(found)

    async def txt(self, name: str) -> list[str]:
        """Each record's strings joined, as SPF and DKIM read them (RFC 7208 3.3)."""
        return await self._lookup(name, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace"))

    async def srv(self, name: str) -> list[tuple[str, int]]:
        """(host, port) by priority, the heavier weight first (RFC 2782); "." means: no such service here."""
        found = await self._lookup(
            name,
            "SRV",
            lambda one: (one.priority, -one.weight, one.target.to_text(omit_final_dot=True), one.port),
        )
        return [(host, port) for _, _, host, port in sorted(found) if host not in (".", "")]

    async def addresses(self, host: str) -> list[str]:
        """IPv4 first, then IPv6. One kind is enough: some name servers never answer questions for the other."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        if host.rstrip(".").lower() == "localhost":  # RFC 6761 6.3: never asked of DNS
            return ["127.0.0.1", "::1"]
        answers = await asyncio.gather(
            self._lookup(host, "A", lambda record: str(record.address)),
            self._lookup(host, "AAAA", lambda record: str(record.address)),
            return_exceptions=True,
        )
        found = [address for answer in answers if isinstance(answer, list) for address in answer]
        failure = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if failure is not None and not found:
            raise failure
        return found

    async def _lookup(self, name: str, kind: str, convert: Callable[[Any], Any]) -> list[Any]:
        key = (name.rstrip(".").lower(), kind)
        kept = self._cache.get(key)
        if kept is not None and kept[0] > self._clock.monotonic():
            return list(kept[1])
        found, ttl = await self._ask(key[0], kind, convert)
        self._cache[key] = (self._clock.monotonic() + ttl, found)
        self._cache.move_to_end(key)
        while len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return list(found)

    async def _ask(self, name: str, kind: str, convert: Callable[[Any], Any]) -> tuple[list[Any], float]:
        try:
            absolute = dns.name.from_text(name, origin=dns.name.root)
        except (dns.exception.DNSException, UnicodeError):
            return [], _SHORTEST_TTL
        try:
            answer = await self._client().resolve(absolute, kind, lifetime=self._timeout)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            # Somebody who has just made the record must not wait for us to forget that there was none.
            return [], self._least_ttl
        except (dns.exception.DNSException, OSError) as error:
            raise UnreachableError(str(error), layer="dns", host=name[:253]) from error
        ttl = min(max(float(answer.rrset.ttl if answer.rrset else 0), self._least_ttl), _LONGEST_TTL)
        return [convert(record) for record in answer], ttl

    def _client(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            client = dns.asyncresolver.Resolver(configure=self._server is None)
            if self._server is not None:
                host, _, port = self._server.rpartition(":")
                client.nameservers = [dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))]
            self._resolver = client
        return self._resolver
