"""How a domain's records are gathered: few questions at once, each once, and not for ever."""

from __future__ import annotations

import asyncio
from collections import Counter

from core.errors import UnreachableError
from core.services.deliverability import DeliverabilityService


class CountingResolver:
    """Implements ``ports.NameResolver`` on TXT records; every answer takes some turns of the loop."""

    def __init__(self, texts: dict[str, list[str]] | None = None, *, down: bool = False) -> None:
        self.texts, self.down = texts or {}, down
        self.asked: Counter[str] = Counter()
        self.under_way = self.most_at_once = 0

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        await self._asked(f"MX {domain}")
        return [(10, f"mail.{domain}")]

    async def txt(self, name: str) -> list[str]:
        await self._asked(f"TXT {name}")
        return self.texts.get(name, [])

    async def addresses(self, host: str) -> list[str]:
        await self._asked(f"A {host}")
        return ["192.0.2.1"]

    async def srv(self, name: str) -> list[tuple[str, int]]:
        raise AssertionError("services are not asked for")

    async def _asked(self, question: str) -> None:
        self.asked[question] += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        self.under_way -= 1
        if self.down:
            raise UnreachableError("no answer", layer="dns")


async def test_few_questions_are_under_way_at_once_and_each_is_asked_once() -> None:
    resolver = CountingResolver({"agency.example": ["v=spf1 mx include:a.example include:a.example -all"]})
    await DeliverabilityService(resolver).check_domain("agency.example")
    assert 1 < resolver.most_at_once <= 8
    assert set(resolver.asked.values()) == {1}


async def test_no_domain_makes_us_ask_more_than_120_questions() -> None:
    """Even one whose every policy record leads on: 8 levels of DMARC, 40 of SPF, 10 selectors, 5 report domains."""
    long = ".".join("abcdefgh") + ".agency.example"
    texts = {long: ["v=spf1 " + " ".join(f"include:i{n}.example" for n in range(200)) + " -all"]}
    texts |= {f"i{n}.example": ["v=spf1 a -all"] for n in range(200)}
    resolver = CountingResolver(texts)
    report = await DeliverabilityService(resolver).check_domain(long)
    assert report.findings[1].verdict == "fail"
    assert 30 < len(resolver.asked) <= 120


async def test_what_a_failing_resolver_says_is_unknown() -> None:
    report = await DeliverabilityService(CountingResolver(down=True)).check_domain("agency.example")
    assert {one.verdict.value for one in report.findings} == {"unknown"}
