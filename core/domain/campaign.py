"""Campaigns and their stages as values, and the campaign's life (R149..R162). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import RefusedError


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    ARCHIVED = "archived"


class CampaignEvent(StrEnum):
    START = "start"
    PAUSE = "pause"
    STOP = "stop"
    ARCHIVE = "archive"


TRANSITIONS: dict[CampaignEvent, dict[CampaignStatus, CampaignStatus]] = {
    CampaignEvent.START: {
        CampaignStatus.DRAFT: CampaignStatus.ACTIVE,
        CampaignStatus.PAUSED: CampaignStatus.ACTIVE,
    },
    CampaignEvent.PAUSE: {CampaignStatus.ACTIVE: CampaignStatus.PAUSED},
    CampaignEvent.STOP: {
        CampaignStatus.ACTIVE: CampaignStatus.STOPPED,
        CampaignStatus.PAUSED: CampaignStatus.STOPPED,
    },
    CampaignEvent.ARCHIVE: {
        CampaignStatus.DRAFT: CampaignStatus.ARCHIVED,
        CampaignStatus.PAUSED: CampaignStatus.ARCHIVED,
        CampaignStatus.STOPPED: CampaignStatus.ARCHIVED,
    },
}

CLOSED_STATUSES = frozenset((CampaignStatus.STOPPED, CampaignStatus.ARCHIVED))
"""Final: nothing more goes out, nobody can be added."""

_ADVICE = {
    CampaignEvent.ARCHIVE: "Stop or pause it first.",
    CampaignEvent.PAUSE: "Only a running campaign can be paused.",
    CampaignEvent.STOP: "Only a running or paused campaign can be stopped.",
    CampaignEvent.START: "Only a draft or a paused campaign can be started.",
}


def transition(status: CampaignStatus, event: CampaignEvent) -> CampaignStatus:
    """The status after an event. Raises RefusedError where the table has no such move."""
    try:
        return TRANSITIONS[event][status]
    except KeyError:
        raise RefusedError(
            f"The campaign is {status.value}. {_ADVICE[event]}", reason=f"campaign_{status.value}"
        ) from None


@dataclass(frozen=True, slots=True)
class Delay:
    """Time from the previous stage's completion: elapsed, or business days."""

    elapsed: timedelta = timedelta(0)
    business_days: int = 0

    def __str__(self) -> str:
        if self.business_days:
            return f"{self.business_days}bd"
        seconds = int(self.elapsed.total_seconds())
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if seconds and seconds % size == 0:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step. ``position`` counts from 1. ``sender`` overrides the campaign's and starts a new thread. ``removed``:
    deleted while people were in the campaign; it keeps its position, for what was sent of it, and nobody gets it any
    more."""

    position: int
    kind: str
    delay: Delay
    subject: str = ""
    body: str = ""
    html: str = ""
    note: str = ""
    required: bool = False
    sender: str | None = None
    attachments: tuple[str, ...] = ()
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with its stages. ``definition`` is the whole file as parsed, for a faithful export."""

    id: str
    workspace: str
    name: str
    status: CampaignStatus
    version: int
    created_at: datetime
    senders: tuple[str, ...]
    stages: tuple[Stage, ...]
    owner: str | None = None
    channel: str | None = None
    timezone: str | None = None
    email_priority: tuple[str, ...] = ("personal", "work", "other")
    definition: Mapping[str, Any] = field(default_factory=dict)
    shared: bool = False
    job: str = ""
    job_stage: str = ""

    def stage_at(self, position: int) -> Stage | None:
        """The stage at a position counted from 1, or None past the end."""
        return self.stages[position - 1] if 1 <= position <= len(self.stages) else None

    @property
    def live_stages(self) -> tuple[Stage, ...]:
        """Those that people still get."""
        return tuple(stage for stage in self.stages if not stage.removed)

    def number_of(self, position: int) -> int:
        """Which of the stages that people still get this one is, counted from 1, as cards tell it; a removed one counts
        as the one behind it."""
        live = self.live_stages
        return min(1 + sum(stage.position < position for stage in live), max(1, len(live)))

    @property
    def first_position(self) -> int:
        """Where new prospects begin."""
        return next((stage.position for stage in self.stages if not stage.removed), 1)

    def is_removed(self, position: int) -> bool:
        stage = self.stage_at(position)
        return stage is not None and stage.removed
