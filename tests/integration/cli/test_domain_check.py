"""``domain check`` and ``mailbox check``: a real resolver, a name server with faults, the terminal's words."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.dns_checks import DomainReport, Verdict
from core.errors import InputError
from core.mail.dns import Resolver
from core.services.deliverability import DeliverabilityService
from sandbox.mail.dns_server import DnsServer, Zones
from storage.sql_store import SqlStore
from tests.integration.cli.conftest import Terminal, services_on
from tests.journeys.process import Product
from tests.stores import SteadyClock, make_mailbox

CHECKS = ("mx", "spf", "dmarc", "dkim")


@pytest.fixture
def zones() -> Zones:
    return Zones()


@pytest.fixture
async def dns(zones: Zones) -> AsyncIterator[str]:
    server = DnsServer(zones)
    port = await server.listen("127.0.0.1", 0)
    yield f"127.0.0.1:{port}"
    await server.close()


def service(dns: str, *, timeout: float = 3.0, seconds: float = 12.0) -> DeliverabilityService:
    return DeliverabilityService(Resolver(SteadyClock(), server=dns, timeout=timeout), seconds=seconds)


def verdicts(report: DomainReport) -> dict[str, str]:
    return {one.name: one.verdict.value for one in report.findings}


async def test_the_sample_sender_is_set_up_right(dns: str) -> None:
    report = await service(dns).check_domain("agency.test")
    assert verdicts(report) == dict.fromkeys(CHECKS, "ok")


async def test_records_taken_away_are_missed_and_written_out(dns: str, zones: Zones) -> None:
    """R63, R191: each by itself."""
    zones.break_domain("agency.test", "spf")
    report = await service(dns).check_domain("agency.test")
    assert verdicts(report) == {"mx": "ok", "spf": "fail", "dmarc": "ok", "dkim": "ok"}
    assert report.findings[1].fix.endswith("v=spf1 mx ~all")
    zones.break_domain("agency.test", "dmarc")
    report = await service(dns).check_domain("agency.test")
    assert verdicts(report) == {"mx": "ok", "spf": "ok", "dmarc": "fail", "dkim": "ok"}
    assert "v=DMARC1; p=none" in report.findings[2].fix


async def test_a_domain_that_does_not_exist_has_nothing(dns: str, zones: Zones) -> None:
    zones.break_domain("agency.test", "nxdomain")
    report = await service(dns).check_domain("agency.test")
    assert verdicts(report) == {"mx": "fail", "spf": "fail", "dmarc": "fail", "dkim": "unknown"}


async def test_a_name_server_in_trouble_leaves_everything_unknown(dns: str, zones: Zones) -> None:
    zones.break_domain("agency.test", "servfail")
    report = await service(dns, timeout=0.5).check_domain("agency.test")
    assert verdicts(report) == dict.fromkeys(CHECKS, "unknown")


async def test_a_silent_name_server_is_given_up_in_time(dns: str, zones: Zones) -> None:
    """The deadline holds although every single look-up would wait longer."""
    zones.break_domain("agency.test", "silent")
    async with asyncio.timeout(5):
        report = await service(dns, timeout=30, seconds=0.3).check_domain("agency.test")
    assert verdicts(report) == dict.fromkeys(CHECKS, "unknown")


async def test_answers_that_came_before_the_deadline_count(dns: str, zones: Zones) -> None:
    """Only the included record is silent: it alone is unknown."""
    zones.set("agency.test", "TXT", '"v=spf1 mx include:slow.example -all"')
    zones.break_domain("slow.example", "silent")
    report = await service(dns, timeout=30, seconds=1).check_domain("agency.test")
    assert verdicts(report) == {"mx": "ok", "spf": "unknown", "dmarc": "ok", "dkim": "ok"}


async def test_look_ups_are_bounded(dns: str, zones: Zones) -> None:
    """A record that names many others must not make us ask for all of them."""
    texts = " ".join(f'"{f"a:h{n}.example ":<14}"' for n in range(150))
    zones.set("agency.test", "TXT", f'"v=spf1 " {texts} "-all"')
    report = await service(dns).check_domain("agency.test")
    assert report.findings[1].verdict == "fail"
    asked = {name for name, _ in zones.questions if name.startswith("h")}
    assert 10 < len(asked) <= 40


@pytest.mark.parametrize(
    ("domain", "provider", "spf"),
    [
        ("google-hosted.example", "google", Verdict.OK),
        ("microsoft-hosted.example", "microsoft", Verdict.OK),
        ("google-with-outlook.example", "google", Verdict.FAIL),
        ("two-spf.example", None, Verdict.FAIL),
        ("no-policy.example", None, Verdict.FAIL),
    ],
)
async def test_the_provider_is_found_and_spf_must_agree(
    dns: str, domain: str, provider: str | None, spf: Verdict
) -> None:
    """R55, R56, R57."""
    report = await service(dns).check_domain(domain)
    assert (report.provider, report.findings[1].verdict) == (provider, spf)


async def test_a_null_mx_takes_no_mail(dns: str) -> None:
    report = await service(dns).check_domain("no-mail.example")
    assert report.findings[0].verdict == "fail"
    assert "null MX" in report.findings[0].detail


@pytest.mark.parametrize(
    ("domain", "selectors"),
    [("not a domain", ()), ("agency", ()), ("agency.test", ("a b",)), ("agency.test", ("s",) * 11)],
)
async def test_what_cannot_be_asked_is_refused_in_words(dns: str, domain: str, selectors: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        await service(dns).check_domain(domain, selectors)


async def test_the_terminal_shows_verdicts_first_and_json_whole(terminal: Terminal, dns: str, zones: Zones) -> None:
    """R208; neither database nor settings are opened."""
    terminal.dns = dns
    zones.break_domain("agency.test", "dmarc")
    document = await terminal.json("domain", "check", "agency.test", "--selector", "default")
    assert document["domain"] == "agency.test"
    assert document["verdict"] == "fail"
    assert document["spf"] == {
        "verdict": "ok",
        "record": "v=spf1 mx -all",
        "detail": "SPF is right (1 of 10 look-ups).",
        "fix": "",
    }
    assert [document[name]["verdict"] for name in CHECKS] == ["ok", "ok", "fail", "ok"]
    assert await terminal.run("domain", "check", "agency.test") == 0
    lines = terminal.out.splitlines()
    assert lines[0] == "agency.test: wrong"
    assert "SPF: right. SPF is right (1 of 10 look-ups)." in lines
    assert any(line.startswith("  To do: Publish this TXT record at _dmarc.agency.test: v=DMARC1;") for line in lines)
    assert "check again, and resync" in lines[-1]  # R64
    assert terminal.opened == 0


async def test_the_whole_program_needs_no_setting_but_the_name_server(tmp_path: Path, dns: str) -> None:
    """Nor a database: it leaves nothing behind. A mistake in that one setting is told, and ends with 2."""
    product = Product({"PATH": os.environ["PATH"], "RETHREAD_DNS": dns}, tmp_path)
    assert (await product.ask("domain", "check", "agency.test"))["verdict"] == "ok"
    assert os.listdir(tmp_path) == []
    wrong = await product.run("domain", "check", "agency.test", environment={"RETHREAD_DNS": "nowhere"})
    assert wrong.code == 2
    assert "RETHREAD_DNS" in wrong.err


async def test_the_terminal_refuses_what_is_no_domain(terminal: Terminal, dns: str) -> None:
    terminal.dns = dns
    assert await terminal.run("domain", "check", "agency") == 1
    assert "is not a domain name" in terminal.err


async def test_a_mailbox_s_domain_is_checked_with_its_provider(
    terminal: Terminal, sqlite_store: SqlStore, dns: str
) -> None:
    """R54: connected at one provider, mail taken by another."""
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("m1", address="rita@google-hosted.example", provider="microsoft"))
    terminal.services = replace(services_on(sqlite_store), domains=service(dns))
    document = await terminal.json("mailbox", "check", "rita@google-hosted.example", "--workspace", "T1")
    assert document["address"] == "rita@google-hosted.example"
    assert document["provider"] == "google"
    assert document["mx"]["verdict"] == "warn"
    assert "connected at Microsoft" in document["mx"]["detail"]
    assert await terminal.run("mailbox", "check", "nobody@agency.test", "--workspace", "T1") == 1
