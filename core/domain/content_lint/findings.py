"""What the lint says, and how findings add up. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

THRESHOLD: Final = 5.0
"""SpamAssassin's default ``required_score``: from here on it calls a mail spam."""
WARN_FROM: Final = 2.5
"""Half of it (ours): one unlucky word more, or a sender that is not well known, makes up the rest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. ``stage`` is its position, None where it is about the whole campaign or a single mail;
    ``text`` says what, ``fix`` what to do, ``evidence`` the words that gave rise to it (at most 120 characters)."""

    code: str
    weight: float
    text: str
    fix: str
    evidence: str = ""
    stage: int | None = None


class Severity(StrEnum):
    OK = "ok"
    WARN = "warn"
    HIGH = "high"


def score(findings: Iterable[Finding]) -> float:
    """The weight of the worst single mail; what is about the whole campaign counts for each of its mails."""
    sums: defaultdict[int | None, float] = defaultdict(float)
    for finding in findings:
        sums[finding.stage] += finding.weight
    of_all = sums.pop(None, 0.0)
    return round(of_all + max(sums.values(), default=0.0), 2)


def severity(findings: Iterable[Finding]) -> Severity:
    """High from ``THRESHOLD`` on, a warning from half of it."""
    total = score(findings)
    return Severity.HIGH if total >= THRESHOLD else Severity.WARN if total >= WARN_FROM else Severity.OK


def sample(text: str) -> str:
    """The beginning of ``text`` on one line, as evidence."""
    line = " ".join(text[:400].split())
    return line if len(line) <= 120 else f"{line[:119]}…"
