"""What people look up page by page, and who stands where."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.delivery import DeliveryState
from core.domain.prospect_query import LogQuery, ProspectQuery
from core.ports.storage.outreach import ProspectRow


@dataclass(frozen=True, slots=True)
class ProspectPage:
    """One page of prospects; ``total`` counts all that match."""

    rows: Sequence[ProspectRow]
    total: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the Email Log (R163). ``kind`` is the stage's; ``bypass``: tried although validation spoke against
    the address (R143)."""

    id: str
    enrollment_id: str
    campaign: str
    email: str
    person: str
    stage: int
    kind: str
    state: DeliveryState
    version: int
    reason: str | None
    server_text: str | None
    at: datetime
    due_at: datetime | None
    message_id: str | None
    subject: str | None
    bypass: bool
    settled_by: str | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the Email Log; ``more``: there are older lines."""

    rows: Sequence[LogLine]
    more: bool


class ListStore(Protocol):
    """Read-only."""

    async def prospects(self, campaign_id: str, query: ProspectQuery) -> ProspectPage: ...
    async def prospect_ids(self, campaign_id: str, query: ProspectQuery) -> list[str]:
        """Enrollment ids of all that match, in the query's order; its page does not matter."""
        ...

    async def email_log(self, query: LogQuery, *, campaign_id: str | None = None) -> LogPage:
        """Newest first. ``campaign_id`` in place of the query's name."""
        ...

    async def standing_at(self, campaign_id: str, stage: int) -> list[str]:
        """Enrollment ids of those that are Active, Pending or Paused at a stage, or have an open delivery of it."""
        ...

    async def running_elsewhere(self, person_ids: Collection[str], *, but: str) -> dict[str, list[str]]:
        """By person id the names of other campaigns, running or paused, that go on for this person (Active, Pending,
        Paused); people without any are left out."""
        ...

    async def people_at(self, domains: Collection[str]) -> dict[str, str]:
        """Address keys at these domains, with the person's id."""
        ...
