"""Which prospects and which lines of the Email Log are shown, in which order, a page at a time (R159, R163). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.domain.delivery import SHOWN, DeliveryState
from core.domain.enrollment import ProspectStatus
from core.errors import InputError

MOST_ON_A_PAGE: Final = 1_000


class ProspectSort(StrEnum):
    ADDED = "added"  # in order of enrolment
    NAME = "name"
    STATUS = "status"
    NEXT = "next"  # whose next stage is due soonest; those without one last


@dataclass(frozen=True, slots=True)
class Page:
    """``number`` counts from 1."""

    number: int = 1
    size: int = 100

    def __post_init__(self) -> None:
        if self.number < 1 or not 1 <= self.size <= MOST_ON_A_PAGE:
            raise InputError(f"pages count from 1 and hold 1 to {MOST_ON_A_PAGE} lines", field="page")

    @property
    def skipped(self) -> int:
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class ProspectQuery:
    """Which prospects of a campaign. Empty: no matter. ``reason`` is a reason code; ``text`` is part of a name or an
    address, in any case."""

    statuses: tuple[ProspectStatus, ...] = ()
    reason: str = ""
    stage: int | None = None
    text: str = ""
    sort: ProspectSort = ProspectSort.ADDED
    reverse: bool = False
    page: Page = Page()


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines of the Email Log. Empty: no matter. ``person`` is part of a name or an address, in any case."""

    campaign: str = ""
    states: tuple[DeliveryState, ...] = ()
    person: str = ""
    page: Page = Page(size=500)


def prospect_statuses(names: Iterable[str]) -> tuple[ProspectStatus, ...]:
    """Statuses as people write them, with blanks, "-" or "_". Raises InputError naming those there are."""
    known = {status.value.lower(): status for status in ProspectStatus}
    found = []
    for name in names:
        status = known.get(" ".join(name.lower().replace("_", " ").replace("-", " ").split()))
        if status is None:
            fix = ", ".join(one.value for one in ProspectStatus)
            raise InputError(f"{name[:40]!r} is no status of a prospect", field="status", fix=fix)
        found.append(status)
    return tuple(found)


def log_states(name: str) -> tuple[DeliveryState, ...]:
    """The states behind a status of the Email Log as shown, such as Waiting. Raises InputError."""
    if not name.strip():
        return ()
    states = tuple(one for one, shown in SHOWN.items() if shown.lower() == name.strip().lower())
    if not states:
        fix = ", ".join(sorted(set(SHOWN.values())))
        raise InputError(f"{name[:40]!r} is no status of the Email Log", field="status", fix=fix)
    return states
