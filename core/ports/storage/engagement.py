"""Opens, clicks, downloads; and the files that campaigns send along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Engagement:
    """The first time that a message was opened, a link of it clicked or a file of it downloaded (R175, R176). ``kind``:
    open, click or download; ``target`` the link or file ("" for an open); ``machine``: likely not a person."""

    delivery_id: str
    kind: str
    target: str
    machine: bool
    at: datetime
    enrollment_id: str
    campaign_id: str
    stage: int
    agent: str = ""


@dataclass(frozen=True, slots=True)
class EngagementCount:
    """Distinct prospects of a stage (None: of any stage) with at least one engagement of a kind."""

    stage: int | None
    kind: str
    machine: bool
    people: int


class EngagementStore(Protocol):
    async def note(self, engagement: Engagement) -> bool:
        """Kept once per (delivery, kind, target, machine); False where it was there."""
        ...

    async def of_delivery(self, delivery_id: str) -> list[Engagement]: ...
    async def counts(self, campaign_id: str) -> list[EngagementCount]:
        """Per stage and over any stage. A prospect who was seen as a person and as a machine counts as a person."""
        ...


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A file that a campaign's stages attach by name."""

    campaign_id: str
    name: str
    content_type: str
    size: int
    sha256: str
    at: datetime
    content: bytes


class CampaignFileStore(Protocol):
    async def put(self, file: CampaignFile) -> None:
        """Replaces one of the same name."""
        ...

    async def get(self, campaign_id: str, name: str) -> CampaignFile | None: ...
    async def names(self, campaign_id: str) -> Sequence[str]: ...
    async def many(self, campaign_id: str, names: Sequence[str]) -> list[CampaignFile]: ...
    async def remove(self, campaign_id: str, name: str) -> bool: ...
