"""What is known before a campaign starts, and when its mails will go (X4, X5, R216). Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from bot.slack.action_ids import CAMPAIGN_OPEN, CAMPAIGN_START_ANYWAY, START, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import count, escaped, local_time
from core.domain.campaign import CampaignStatus
from core.domain.content_lint import Finding
from core.domain.forecast import Forecast
from core.domain.moment import iso
from core.services.launch_check import STOP, WARN, LaunchReport, Problem

_SIGNS: Final = {STOP: ":octagonal_sign: *Stop*", WARN: ":warning: *Look*"}
_NOTE: Final = ":information_source: *Note*"
_PROBLEMS: Final = 15
_FINDINGS: Final = 6
_DAYS: Final = 7
_STAGES: Final = 4
_STARTABLE: Final = (CampaignStatus.DRAFT, CampaignStatus.PAUSED)


def preflight_card(report: LaunchReport, *, asked_to_start: bool = False) -> Card:
    """``asked_to_start``: somebody wanted to start it, and this stands in the way."""
    verdict = _verdict(report, asked_to_start=asked_to_start)
    stack = Stack(kit.header(f"Preflight: {report.campaign.name}"), kit.told(verdict), most_json=9_500)
    for problem in report.problems[:_PROBLEMS]:
        stack.add(_problem(problem))
    if len(report.problems) > _PROBLEMS:
        stack.add(kit.context(f"{len(report.problems) - _PROBLEMS} more: app.py campaign preflight names them all"))
    _add_findings(stack, report.lint)
    stack.add(kit.divider(), kit.markup(_outlook(report)))
    table = _days(report.forecast)
    if table:
        stack.add(kit.preformatted(table))
    blocks = [*stack.blocks, kit.actions(*_buttons(report))]
    return Card(kit.fallback(f"Preflight of {report.campaign.name}: {verdict}"), blocks)


def _verdict(report: LaunchReport, *, asked_to_start: bool) -> str:
    stops = sum(problem.severity == STOP for problem in report.problems)
    looks = sum(problem.severity == WARN for problem in report.problems)
    if stops:
        begin = "It was not started: " if asked_to_start else ""
        return f"{begin}{count(stops, 'problem')} will make mails fail" + (
            f", {looks} more to look at." if looks else "."
        )
    if looks:
        return f"Nothing will make mails fail; {count(looks, 'thing')} to look at."
    return "All is well: nothing is known that would make mails fail."


def _problem(problem: Problem) -> Json:
    lines = [f"{_SIGNS.get(problem.severity, _NOTE)}: {escaped(problem.text, 500)}"]
    if any(one not in problem.text for one in problem.examples):
        more = " …" if problem.count > len(problem.examples) else ""
        lines.append(f"For example: {escaped('; '.join(problem.examples), 400)}{more}")
    if problem.fix:
        lines.append(f"→ {escaped(problem.fix, 400)}")
    return kit.markup("\n".join(lines))


def _add_findings(stack: Stack, findings: Sequence[Finding]) -> None:
    """What the lint found, stage by stage, the heaviest first."""
    if not findings:
        return
    stack.add(kit.paragraph([kit.bold("The text, as a spam filter might read it")]))
    heaviest = sorted(findings, key=lambda one: (one.stage or 0, -one.weight))[:_FINDINGS]
    stack.add(kit.bullets([_finding(one) for one in heaviest]))
    if len(findings) > _FINDINGS:
        stack.add(kit.context(f"{len(findings) - _FINDINGS} more"))


def _finding(finding: Finding) -> str:
    where = f"Stage {finding.stage}: " if finding.stage else ""
    evidence = f" (“{finding.evidence[:60]}”)" if finding.evidence else ""
    return f"{where}{finding.text}{evidence} {finding.fix}"


def _outlook(report: LaunchReport) -> str:
    """“At these caps stage 1 ends Thursday 14:10; 430 people wait; 0 will fail” (X5)."""
    outlook = report.forecast
    lines = ["*Forecast*, at these limits and if nobody answers:"]
    lines += [f"• stage {stage} ends {_at(at)}" for stage, at in sorted(outlook.stage_ends.items())[:_STAGES]]
    if len(outlook.stage_ends) > _STAGES:
        lines.append(f"• the last of {len(outlook.stage_ends)} stages ends {_at(outlook.ends)}")
    if not outlook.stage_ends:
        lines.append("• nothing would go out")
    lines.append(f"• {count(outlook.waiting, 'person waits', 'people wait')} now; {outlook.failing:,} will fail")
    for stage, people in sorted(outlook.by_hand.items())[:_STAGES]:
        who = count(people, "person waits", "people wait")
        lines.append(f"• {who} at stage {stage} until you have done it; what follows is counted from then")
    if outlook.unfinished:
        lines.append(f"• {count(outlook.unfinished, 'person is', 'people are')} not reached within a year")
    return "\n".join(lines)


def _at(moment: datetime | None) -> str:
    """With the day of the week, which people plan by; in the reader's own time zone."""
    return local_time(iso(moment)).replace("{date_short_pretty} at {time}", "{date_long}, {time}")


def _days(outlook: Forecast) -> str:
    """The first days as a table: what goes, waits (for room or for a person) and fails."""
    by_day: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in outlook.lines:
        for place, number in enumerate((line.will_send, line.will_wait, line.will_fail)):
            by_day[line.date][place] += number
    if not by_day:
        return ""
    rows = [f"{'day':<12}{'go':>8}{'wait':>9}{'fail':>7}"]
    for day in sorted(by_day)[:_DAYS]:
        goes, waits, fails = by_day[day]
        rows.append(f"{day.strftime('%a %d %b'):<12}{goes:>8,}{waits:>9,}{fails:>7,}")
    if len(by_day) > _DAYS:
        rows.append(f"… until {max(by_day).strftime('%a %d %b %Y')}")
    return "\n".join(rows)


def _buttons(report: LaunchReport) -> list[Json]:
    campaign = report.campaign
    value = encode(campaign.id, campaign.version)
    opens = kit.button("Open the campaign", CAMPAIGN_OPEN, value)
    if campaign.status not in _STARTABLE:
        return [opens]
    people = count(report.people, "person", "people")
    if report.ok:
        asked = kit.confirm(f"Start {campaign.name}?", f"{people} will get its mails, beginning now.", "Start")
        return [kit.button("Start now", START, encode(campaign.id, campaign.version, CHECKED), style="primary",
                           confirm=asked), opens]  # fmt: skip
    asked = kit.confirm(
        "Start all the same?", f"{campaign.name}: what is named above will fail or wait.", "Start", danger=True
    )
    return [opens, kit.button("Start all the same", CAMPAIGN_START_ANYWAY, value, style="danger", confirm=asked)]


CHECKED: Final = "checked"
"""Said by the button of a report in which nothing stood in the way: it is not asked for twice."""
