"""The answer to /mailbox check fits into Slack, whatever stands in DNS."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks.domain_check import domain_report
from core.domain.dns_checks import DomainReport, Finding, Verdict
from tests.unit.bot.facts import TEXTS
from tests.unit.bot.test_answers import no_bell
from tests.unit.bot.test_cards import all_text, assert_slack_takes

NAMES = ("mx", "spf", "dmarc", "dkim")


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(st.sampled_from(Verdict), min_size=4, max_size=4), st.integers(1, 300))
def test_any_report_fits(text: str, verdicts: list[Verdict], times: int) -> None:
    findings = [
        Finding(name, verdict, text * times, text * times, text * times)
        for name, verdict in zip(NAMES, verdicts, strict=True)
    ]
    card = domain_report(DomainReport("agency.test", "google", tuple(findings)))
    assert_slack_takes(card)
    no_bell(card)
    for name, verdict in zip(NAMES, verdicts, strict=True):
        assert f"{name.upper()}: {verdict.words}. " in all_text(card.blocks)


def test_the_worst_stands_first_and_nothing_to_do_has_no_advice() -> None:
    verdicts = (Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.OK)
    findings = [Finding(name, verdict, None, "Said.", "") for name, verdict in zip(NAMES, verdicts, strict=True)]
    report = DomainReport("agency.test", None, tuple(findings))
    assert domain_report(report).text == "Mail of agency.test: Wrong: DMARC. Could be better: SPF. Right: MX, DKIM."
    fine = DomainReport("agency.test", None, tuple(findings[:1]))
    assert "resync" not in all_text(domain_report(fine).blocks)
