"""One action on many prospects: those selected, or all that match (R140..R142, R217)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from core.domain.actor import Actor, require_recruiter
from core.domain.csv_file import csv_text
from core.domain.enrollment import ProspectEvent
from core.domain.moment import iso
from core.domain.prospect_query import MOST_ON_A_PAGE, Page, ProspectQuery
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import ProspectRow, UnitOfWork
from core.services.campaign_lookup import find_campaign, main_addresses
from core.services.outcomes import BulkResult, Progressed, Skipped
from core.services.progress import Progress
from core.services.prospect_actions import ProspectActions
from core.services.tools import Tools, persistently

BULK_EVENTS: Final = (
    ProspectEvent.RETRY,
    ProspectEvent.RETRY_BYPASS,
    ProspectEvent.FINISH,
    ProspectEvent.UNDO_FINISH,
    ProspectEvent.PAUSE,
    ProspectEvent.UNPAUSE,
    ProspectEvent.SKIP,
    ProspectEvent.REMOVE,
)
_AT_A_TIME: Final = 50
"""Each costs several statements, and nobody else writes meanwhile."""
_HEADINGS: Final = ("name", "email", "status", "reason", "stage", "next_at")


@dataclass(frozen=True, slots=True)
class Selection:
    """Of one campaign: these prospects, or (None) all that ``query`` matches, whatever its page."""

    campaign: str
    enrollment_ids: tuple[str, ...] | None = None
    query: ProspectQuery = field(default_factory=ProspectQuery)


class BulkActions:
    """Each prospect by the same rules as alone; whoever cannot be changed is named, and stops nobody else."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._actions = ProspectActions(tools, progress)

    async def act(
        self,
        actor: Actor,
        event: ProspectEvent,
        selection: Selection,
        *,
        confirmed: bool = False,
        progressed: Progressed | None = None,
    ) -> BulkResult:
        """``progressed`` is told after each part: done, of how many. Raises NotFoundError, InputError for an action
        that is not offered for many."""
        require_recruiter(actor)
        if event not in BULK_EVENTS:
            raise InputError(f"{event.value} is done for one prospect at a time", field="action")
        ids = await self._selected(actor, selection)
        done, refused = 0, list[Skipped]()
        for start in range(0, len(ids), _AT_A_TIME):
            part = ids[start : start + _AT_A_TIME]
            changed, left_out = await persistently(partial(self._part, actor, event, part, confirmed))
            done += changed
            refused.extend(left_out)
            if progressed is not None:
                progressed(start + len(part), len(ids))
        return BulkResult(done, refused)

    async def count(self, actor: Actor, selection: Selection) -> int:
        """How many prospects a selection holds: what a question before the act must say."""
        return len(await self._selected(actor, selection))

    async def _selected(self, actor: Actor, selection: Selection) -> list[str]:
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, selection.campaign)
            if selection.enrollment_ids is None:
                return await uow.lists.prospect_ids(campaign.id, selection.query)
            known = await uow.enrollments.get_many(selection.enrollment_ids)
        mine = {one.id for one in known.values() if one.campaign_id == campaign.id}
        return [one for one in dict.fromkeys(selection.enrollment_ids) if one in mine]

    async def _part(
        self, actor: Actor, event: ProspectEvent, ids: Sequence[str], confirmed: bool
    ) -> tuple[int, list[Skipped]]:
        """A race with somebody else undoes the part as a whole; it is tried again then."""
        async with self._tools.store.write(actor.workspace) as uow:
            found, refusals = await uow.enrollments.get_many(ids), dict[str, str]()
            for enrollment_id in ids:
                enrollment = found.get(enrollment_id)
                if enrollment is None:
                    continue  # removed meanwhile
                try:
                    await self._actions.act(uow, actor, event, enrollment, confirmed=confirmed)
                except (RefusedError, NotAllowedError, NotFoundError) as error:
                    refusals[enrollment_id] = error.message
            names = await self._names(uow, list(refusals))
        return len(found) - len(refusals), [Skipped(names.get(one, ""), why) for one, why in refusals.items()]

    async def _names(self, uow: UnitOfWork, ids: list[str]) -> dict[str, str]:
        return await main_addresses(uow, ids) if ids else {}

    async def export(self, actor: Actor, selection: Selection) -> str:
        """The selection as CSV; no cell becomes a formula in a spreadsheet."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, selection.campaign)
            rows = await self._rows(uow, campaign.id, selection)
        return csv_text(
            _HEADINGS,
            [(row.person, row.email, row.status.value, row.reason_text, row.stage, iso(row.next_at)) for row in rows],
        )

    async def _rows(self, uow: UnitOfWork, campaign_id: str, selection: Selection) -> list[ProspectRow]:
        chosen = None if selection.enrollment_ids is None else set(selection.enrollment_ids)
        rows, number, total = list[ProspectRow](), 1, 1
        while (number - 1) * MOST_ON_A_PAGE < total:
            query = replace(selection.query if chosen is None else ProspectQuery(), page=Page(number, MOST_ON_A_PAGE))
            page = await uow.lists.prospects(campaign_id, query)
            rows.extend(row for row in page.rows if chosen is None or row.enrollment_id in chosen)
            number, total = number + 1, page.total
        return rows
