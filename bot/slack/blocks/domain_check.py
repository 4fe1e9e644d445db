"""Whether a domain's mail is set up right: the verdicts in words first, then each record and what to do. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import escaped
from core.domain.dns_checks import PROPAGATION, DomainReport, Finding, Verdict
from core.domain.providers import facts

_MOST_WORDS: Final = 600
_WORST_FIRST: Final = (Verdict.FAIL, Verdict.WARN, Verdict.UNKNOWN, Verdict.OK)


def domain_report(report: DomainReport) -> Card:
    """For the one person who asked: records are public, and still nobody else's business here."""
    title, summary = f"Mail of {report.domain}", _summary(report)
    opening = [kit.strong(summary)]
    if report.provider:
        opening.append(kit.glue(f" The mail is at {facts(report.provider).label}."))
    stack = Stack(kit.header(title), kit.paragraph(opening))
    for finding in report.findings:
        stack.add(*_finding(finding))
    if any(finding.verdict in (Verdict.WARN, Verdict.FAIL) for finding in report.findings):
        stack.add(kit.context(escaped(PROPAGATION, 300)))
    return Card(kit.fallback(f"{title}: {summary}"), stack.blocks)


def _summary(report: DomainReport) -> str:
    """``Wrong: DMARC. Right: MX, SPF, DKIM.``"""
    named = {
        verdict: ", ".join(finding.name.upper() for finding in report.findings if finding.verdict is verdict)
        for verdict in _WORST_FIRST
    }
    return " ".join(f"{verdict.words.capitalize()}: {names}." for verdict, names in named.items() if names)


def _finding(finding: Finding) -> list[Json]:
    lines = [[kit.strong(f"{finding.name.upper()}: {finding.verdict.words}. "), kit.words(finding.detail, _MOST_WORDS)]]
    if finding.fix:
        lines.append([kit.glue("To do: "), kit.words(finding.fix, _MOST_WORDS)])
    return [kit.paragraph(*lines), *([kit.machine_words(finding.record, 300)] if finding.record else [])]
