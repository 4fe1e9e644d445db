"""What a check found, in words that a recruiter can act on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.domain.charset import one_line

MAX_SHOWN_RECORD: Final = 1_000
"""Characters; a DKIM record with a key of 4096 bits has about 760."""


PROPAGATION: Final = (
    "Records are changed where the domain's DNS is hosted. It can take a day until everybody sees the change; then "
    "check again, and resync a mailbox that is still red."
)
"""R64."""


class Verdict(StrEnum):
    """``UNKNOWN``: DNS gave no answer, or the record cannot be found by asking; it never means missing."""

    OK = "ok"
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"

    @property
    def words(self) -> str:
        """For people: the same words everywhere."""
        return _WORDS[self]


_WORDS: Final = {
    Verdict.OK: "right",
    Verdict.WARN: "could be better",
    Verdict.UNKNOWN: "not known",
    Verdict.FAIL: "wrong",
}
_SEVERITY: Final = (Verdict.OK, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that counts; OK for none."""
    return max(verdicts, key=_SEVERITY.index, default=Verdict.OK)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. ``name`` is mx, spf, dmarc or dkim; ``record`` what is published (None: nothing, or not
    known); ``detail`` says what that means, ``fix`` what to do, with the record to publish where it can be written."""

    name: str
    verdict: Verdict
    record: str | None
    detail: str
    fix: str


@dataclass(frozen=True, slots=True)
class DomainReport:
    """``provider`` is a key of ``providers.PROVIDERS``, None where unknown; ``findings`` stand in the order mx, spf,
    dmarc, dkim."""

    domain: str
    provider: str | None
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        return worst(finding.verdict for finding in self.findings)


class Notes:
    """Gathers a check's remarks and makes one finding of them."""

    def __init__(self) -> None:
        self._notes: list[tuple[Verdict, str, str]] = []

    def add(self, verdict: Verdict, detail: str, fix: str = "") -> None:
        """A remark; the same one twice is kept once."""
        note = (verdict, one_line(detail), one_line(fix))
        if note not in self._notes:
            self._notes.append(note)

    @property
    def verdict(self) -> Verdict:
        return worst(verdict for verdict, _, _ in self._notes)

    def finding(self, name: str, record: str | None) -> Finding:
        """The worst first, because that is what somebody must mend."""
        notes = sorted(self._notes, key=lambda note: _SEVERITY.index(note[0]), reverse=True)
        fixes = dict.fromkeys(fix for _, _, fix in notes if fix)
        detail = " ".join(text for _, text, _ in notes if text)
        return Finding(name, self.verdict, shown(record), detail, " ".join(fixes))


def shown(record: str | None) -> str | None:
    """A record as one harmless line of bounded length."""
    if record is None:
        return None
    line = one_line(record[: MAX_SHOWN_RECORD + 1])
    return line if len(line) <= MAX_SHOWN_RECORD else line[: MAX_SHOWN_RECORD - 1] + "…"
