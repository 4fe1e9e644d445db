"""Which campaigns are listed, and in which order (R157, R158). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.errors import InputError


class CampaignSort(StrEnum):
    CREATED = "created"  # newest first
    STATUS = "status"  # running first
    NAME = "name"
    PROSPECTS = "prospects"  # most first
    STAGES = "stages"  # most first


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A campaign in a list, with how many prospects stand where."""

    campaign: Campaign
    counts: Mapping[ProspectStatus, int]

    @property
    def people(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class CampaignQuery:
    """What to list. Empty or None: no matter. ``job``, ``job_stage`` and ``text`` (in the name) find parts, in any
    case. Without ``sort`` the oldest come first, as they were made."""

    owners: tuple[str, ...] = ()
    statuses: tuple[CampaignStatus, ...] = ()
    shared: bool | None = None
    job: str = ""
    job_stage: str = ""
    text: str = ""
    sort: CampaignSort | None = None
    reverse: bool = False

    def of(self, lines: Iterable[CampaignLine]) -> list[CampaignLine]:
        """Those that are wanted, in order."""
        found = [line for line in lines if self._wants(line.campaign)]
        found.sort(key=lambda line: (line.campaign.created_at, line.campaign.id))
        if self.sort is not None:
            found.sort(key=_ORDERS[self.sort])
        return found[::-1] if self.reverse else found

    def _wants(self, campaign: Campaign) -> bool:
        return (
            (not self.owners or campaign.owner in self.owners)
            and (not self.statuses or campaign.status in self.statuses)
            and (self.shared is None or campaign.shared is self.shared)
            and _holds(campaign.job, self.job)
            and _holds(campaign.job_stage, self.job_stage)
            and _holds(campaign.name, self.text)
        )


_STATUS_ORDER: Final = tuple(CampaignStatus(name) for name in ("active", "paused", "draft", "stopped", "archived"))
_ORDERS: Final[dict[CampaignSort, Callable[[CampaignLine], Any]]] = {
    CampaignSort.CREATED: lambda line: -line.campaign.created_at.timestamp(),
    CampaignSort.STATUS: lambda line: _STATUS_ORDER.index(line.campaign.status),
    CampaignSort.NAME: lambda line: line.campaign.name.casefold(),
    CampaignSort.PROSPECTS: lambda line: -line.people,
    CampaignSort.STAGES: lambda line: -len(line.campaign.live_stages),
}


def campaign_statuses(names: Iterable[str]) -> tuple[CampaignStatus, ...]:
    """Statuses as people write them. Raises InputError naming those there are."""
    known = {status.value: status for status in CampaignStatus}
    found = []
    for name in names:
        status = known.get(name.strip().lower())
        if status is None:
            raise InputError(f"{name[:40]!r} is no status of a campaign", field="status", fix=", ".join(known))
        found.append(status)
    return tuple(found)


def _holds(text: str, part: str) -> bool:
    return part.strip().casefold() in text.casefold()
