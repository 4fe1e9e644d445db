"""Reports from memory, and a campaign whose figures show everything that a report can show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from core.domain.actor import Actor
from core.domain.figures import CampaignFigures, DayFigures, FailureCount, Report, StageFigures
from core.errors import NotFoundError

FIRST = StageFigures(
    1, "email", sent=180, opened=95, opened_machine=22, clicked=31, clicked_machine=4, downloaded=9, replied=17
)
FIGURES = CampaignFigures(
    "Köln – Інженери, autumn",
    people=200,
    recipients=180,
    stages=(FIRST, replace(FIRST, stage=2, sent=96, opened=40, clicked=6, downloaded=0, replied=9)),
    opened=101,
    opened_machine=22,
    clicked=33,
    clicked_machine=4,
    downloaded=9,
    replied=26,
    failed=7,
    days=tuple(
        DayFigures(date(2026, 11, 2) + timedelta(days=day), sent=23, replied=2 + day % 3, failed=day % 2)
        for day in range(12)
    ),
)
FAILURES = (
    FailureCount("bounced", "The address does not exist.", 5),
    FailureCount("email_limit", "The workspace's daily limit was reached.", 2),
)


@dataclass
class FakeReports:
    """``asked`` keeps (user, campaign), "" for all of the person's own."""

    report: Report = field(default_factory=lambda: Report(FIGURES, FAILURES))
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def campaign(self, actor: Actor, name: str) -> Report:
        self.asked.append((actor.user, name))
        if name.casefold() != self.report.figures.campaign.casefold():
            raise NotFoundError(f"There is no campaign “{name}”.", fix="Did you mean another?")
        return self.report

    async def mine(self, actor: Actor) -> Report:
        self.asked.append((actor.user, ""))
        return Report(replace(self.report.figures, campaign="2 campaigns", stages=()))
