"""The figures of a campaign and the rates made of them (R174..R182). Pure.

Counts are of distinct people. ``opened`` and ``clicked`` are likely people; ``opened_machine`` and ``clicked_machine``
those of whom only a mail system is likely to have done it, so that the two never hold the same person. Opens may be
missed and may be false (R175, R182): they are shown and decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Metric = Literal["sent", "opened", "clicked", "downloaded", "replied"]
Engagement = Literal["opened", "clicked", "downloaded", "replied"]
ENGAGED: Final[tuple[Engagement, ...]] = ("opened", "clicked", "downloaded", "replied")

CAVEATS: Final = (
    "An open is noted once for each person and mail, not how often; mail systems open mails too, and others hide that "
    "a person did, so opens can be missing and can be false.",
    "A low reply rate although people answered means that some replies did not sync: see /mailbox status.",
)
"""What the figures cannot tell (R175, R182, R183); every report says so."""


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage: to how many people it went, and what they did with it. ``stage`` counts from 1."""

    stage: int
    kind: str
    sent: int = 0
    opened: int = 0
    opened_machine: int = 0
    clicked: int = 0
    clicked_machine: int = 0
    downloaded: int = 0
    replied: int = 0


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day: mails that went out, people who replied, sends that failed."""

    date: date
    sent: int = 0
    replied: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """A whole campaign. ``people`` are all who are in it, ``recipients`` those who got at least one stage; the others
    count who did it in any stage. ``days`` need be neither complete nor in order."""

    campaign: str
    people: int
    recipients: int
    stages: tuple[StageFigures, ...] = ()
    opened: int = 0
    clicked: int = 0
    downloaded: int = 0
    replied: int = 0
    failed: int = 0
    days: tuple[DayFigures, ...] = ()
    opened_machine: int = 0
    clicked_machine: int = 0

    def stage_rate(self, stage: StageFigures, metric: Metric) -> float:
        """Share of all people in the campaign (R179), 0 to 1: later stages are lower, above all while it still runs."""
        count: int = getattr(stage, metric)
        return share(count, self.people)

    def rate(self, metric: Engagement) -> float:
        """Share of the recipients who did it in any stage (R180), 0 to 1."""
        count: int = getattr(self, metric)
        return share(count, self.recipients)


def share(part: int, whole: int) -> float:
    """``part`` of ``whole`` as 0 to 1; nothing of nothing is 0."""
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0


def percent(value: float) -> str:
    """A share as people read it: “12 %”, “3.4 %” below ten, “<0.1 %” where it is more than nothing."""
    if 0 < value < 0.001:
        return "<0.1 %"
    if value >= 0.0995 or value == 0:
        # Nearly all is not all.
        return "99 %" if 0.99 < value < 1 else f"{value * 100:.0f} %"
    return f"{value * 100:.1f} %"


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many people failed for a reason; ``code`` is empty for all that the others leave."""

    code: str
    text: str
    people: int


@dataclass(frozen=True, slots=True)
class Report:
    """``failures``: most frequent first; their sum is the number of prospects whose status is a failure now. Empty
    across campaigns."""

    figures: CampaignFigures
    failures: tuple[FailureCount, ...] = ()
