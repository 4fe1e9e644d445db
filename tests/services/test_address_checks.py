"""What DNS says of a recipient's domain, asked through the port."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from core.domain.address_verdict import DomainMail
from core.errors import UnreachableError
from core.services.address_checks import AddressChecks


class TableResolver:
    """Implements ``ports.NameResolver`` on tables; a name in ``down`` gets no answer, one in ``silent`` never any."""

    def __init__(self) -> None:
        self.servers: dict[str, list[tuple[int, str]]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.texts: dict[str, list[str]] = {}
        self.down: set[str] = set()
        self.silent: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.under_way = self.most_at_once = 0

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        await self._asked(f"MX {domain}", domain)
        return self.servers.get(domain, [])

    async def txt(self, name: str) -> list[str]:
        await self._asked(f"TXT {name}", name)
        return self.texts.get(name, [])

    async def addresses(self, host: str) -> list[str]:
        await self._asked(f"A {host}", host)
        return self.hosts.get(host, [])

    async def srv(self, name: str) -> list[tuple[str, int]]:
        raise AssertionError("services are not asked for")

    async def _asked(self, question: str, name: str) -> None:
        self.asked[question] += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(0)
        if name in self.silent:
            await asyncio.Event().wait()
        self.under_way -= 1
        if name in self.down:
            raise UnreachableError("no answer", layer="dns")


@pytest.fixture
def resolver() -> TableResolver:
    return TableResolver()


async def test_a_mail_server_is_enough_and_nothing_more_is_asked(resolver: TableResolver) -> None:
    resolver.servers["candidates.example"] = [(10, "mx.candidates.example")]
    assert await AddressChecks(resolver).domain_mail("candidates.example") is DomainMail.MX
    assert list(resolver.asked) == ["MX candidates.example"]


@pytest.mark.parametrize("servers", [[(0, "")], [(0, ".")]])
async def test_a_null_mx_says_that_no_mail_is_taken(resolver: TableResolver, servers: list[tuple[int, str]]) -> None:
    """RFC 7505. Beside a real server it means nothing."""
    resolver.servers["no-mail.example"] = servers
    resolver.servers["odd.example"] = [*servers, (10, "mx.odd.example")]
    checks = AddressChecks(resolver)
    assert await checks.domain_mail("no-mail.example") is DomainMail.NULL_MX
    assert await checks.domain_mail("odd.example") is DomainMail.MX


async def test_a_domain_without_any_record_takes_no_mail(resolver: TableResolver) -> None:
    assert await AddressChecks(resolver).domain_mail("gone.example") is DomainMail.NONE


async def test_without_a_mail_server_the_domain_itself_may_take_mail(resolver: TableResolver) -> None:
    """RFC 5321 5.1; but not where its SPF says that it has nothing to do with mail."""
    for domain, texts in {
        "plain.example": [],
        "spf.example": ["v=spf1 a -all"],
        "never.example": ["V=SPF1  -ALL"],
    }.items():
        resolver.hosts[domain], resolver.texts[domain] = ["192.0.2.1"], texts
    checks = AddressChecks(resolver)
    assert await checks.domain_mail("plain.example") is DomainMail.MX
    assert await checks.domain_mail("spf.example") is DomainMail.MX
    assert await checks.domain_mail("never.example") is DomainMail.REJECT_ALL


async def test_trouble_with_dns_is_unknown_and_never_missing(resolver: TableResolver) -> None:
    resolver.down.add("broken.example")
    assert await AddressChecks(resolver).domain_mail("broken.example") is DomainMail.UNKNOWN


async def test_silence_of_dns_ends_as_unknown(resolver: TableResolver) -> None:
    resolver.silent.add("silent.example")
    assert await AddressChecks(resolver, seconds=0.01).domain_mail("silent.example") is DomainMail.UNKNOWN


async def test_many_domains_are_asked_for_once_each_and_a_few_at_a_time(resolver: TableResolver) -> None:
    domains = [f"d{number}.example" for number in range(40)]
    for domain in domains[:20]:
        resolver.servers[domain] = [(10, f"mx.{domain}")]
    resolver.down.add("d39.example")
    found = await AddressChecks(resolver, at_once=4).domains_mail(domains * 2)
    assert Counter(found.values()) == {DomainMail.MX: 20, DomainMail.NONE: 19, DomainMail.UNKNOWN: 1}
    assert set(resolver.asked.values()) == {1}
    assert 1 < resolver.most_at_once <= 4
