"""The Prospects window: pages, filters, and what is done with those that are ticked or match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.slack.action_ids import ButtonValue, decode
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card
from bot.slack.blocks.prospect_bulk import ACTS, ask_form, result_window
from bot.slack.blocks.prospect_list import FAILED_CHOICE, ListView, of_filter, ticked
from bot.slack.form_values import Faults, Values
from bot.slack.listeners.prospect_windows import Pressed, ProspectWindows
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer, Desk
from core.domain.actor import Actor
from core.domain.campaign import CLOSED_STATUSES
from core.domain.prospect_query import MOST_ON_A_PAGE, Page, ProspectQuery
from core.errors import RefusedError
from core.services.bulk_actions import Selection
from core.services.outcomes import Skipped

_CHANGED: Final = "has changed since you ticked it; look again, then act"
_TICK_FIRST: Final = "Select somebody first, or choose all that match."
_ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """``ticks`` None: all that ``view`` matches."""

    act: str
    view: ListView
    ticks: tuple[ButtonValue, ...] | None
    confirmed: bool
    to: str


class ProspectListButtons:
    """Raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, desk: Desk, outreach: Outreach, windows: ProspectWindows) -> None:
        self._desk, self._outreach, self._windows = desk, outreach, windows

    async def open(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._windows.show(actor, ListView(await self._windows.named_by(actor, pressed.value.id)))

    async def open_failed(self, actor: Actor, pressed: Pressed) -> Answer:
        view = ListView(await self._windows.named_by(actor, pressed.value.id))
        return await self._windows.show(actor, view.of_status(FAILED_CHOICE))

    async def page(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._windows.show(actor, pressed.view.on_page(pressed.value.version))

    async def status(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._windows.show(actor, pressed.view.of_status(pressed.value.choice))

    async def back(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._windows.show(actor, pressed.view)

    async def filter(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._windows.filter(actor, pressed.view)

    async def ask(self, actor: Actor, pressed: Pressed) -> Answer:
        """The question, with how many it is about."""
        view, act = pressed.view, pressed.value.choice
        ticks = ticked(pressed.state)
        if act not in ACTS or ticks == ():
            return await self._windows.show(actor, view, _TICK_FIRST)
        number = await self._outreach.bulk.count(actor, _selection(view, _decoded(ticks)))
        others = await self._others(actor, view.campaign) if act == "move" else []
        if act == "move" and not others:
            return await self._windows.show(actor, view, "There is no other campaign to move them to.")
        kept = view.keep() | {"ticks": _ALL if ticks is None else ",".join(ticks)}
        return ask_form(act, number, view.campaign, kept, others=others)

    async def _others(self, actor: Actor, name: str) -> list[tuple[str, str]]:
        lines = await self._outreach.lists.list(actor)
        campaigns = [line.campaign for line in lines if line.campaign.status not in CLOSED_STATUSES]
        return [(one.name, one.id) for one in campaigns if one.name != name]

    # Windows that were sent off

    def read_filter(self, values: Values, kept: Mapping[str, str]) -> ListView | Faults:
        chosen = {name: values.choice(name) for name in ("reason", "stage", "sort")} | {"text": values.text("text")}
        statuses, reverse = values.choices("statuses"), bool(values.choices("reverse"))
        return of_filter(ListView.kept(kept), statuses=statuses, values=chosen, reverse=reverse)

    async def filtered(self, actor: Actor, view: ListView) -> Answer:
        return await self._windows.show(actor, view)

    def read_bulk(self, values: Values, kept: Mapping[str, str]) -> BulkRequest | Faults:
        ticks = kept.get("ticks", "")
        confirmed, to = bool(values.choices("confirmed")), values.choice("to")
        if kept.get("act") == "move" and not to:
            return Faults({"to": "Choose a campaign."})
        chosen = None if ticks == _ALL else tuple(one for one in ticks.split(",") if one)
        return BulkRequest(kept.get("act", ""), ListView.kept(kept), _decoded(chosen), confirmed, to)

    async def do(self, actor: Actor, request: BulkRequest) -> Answer:
        """Whoever changed since the tick is left out, and named as such."""
        act = ACTS.get(request.act)
        if act is None:
            raise RefusedError("This window is from an older version of Rethread.", reason="view_stale")
        selection, changed = await self._unchanged(actor, request)
        kept = request.view.keep()
        if request.act == "export":
            return await self._export(actor, selection, kept)
        if request.act == "move":
            return await self._move(actor, request, selection, changed)
        assert act.event is not None
        done = await self._outreach.bulk.act(actor, act.event, selection, confirmed=request.confirmed)
        further = ""
        if request.act == "retry" and not request.confirmed and done.refused:
            further = "Give those whose address bounced another address, or retry again and tick “Retry all the same”."
        return result_window(request.act, done.done, [*changed, *done.refused], kept, further)

    async def _unchanged(self, actor: Actor, request: BulkRequest) -> tuple[Selection, list[Skipped]]:
        if request.ticks is None:
            return _selection(request.view, None), []
        now = await self._outreach.sheets.versions(actor, [one.id for one in request.ticks])
        same = tuple(one for one in request.ticks if now.get(one.id) == one.version)
        others = [one for one in request.ticks if one not in same and one.id in now]
        names = [(await self._outreach.sheets.of(actor, one.id)).person.name for one in others]
        return _selection(request.view, same), [Skipped(name, _CHANGED) for name in names]

    async def _export(self, actor: Actor, selection: Selection, kept: Mapping[str, str]) -> Form:
        number = await self._outreach.bulk.count(actor, selection)
        text = await self._outreach.bulk.export(actor, selection)
        title = f"Prospects of {selection.campaign}"[:100]
        await self._desk.hand_over(actor, "prospects.csv", title, text.encode("utf-8-sig"))
        return result_window("export", number, [], kept, "The file is in your direct messages with Rethread.")

    async def _move(
        self, actor: Actor, request: BulkRequest, selection: Selection, changed: list[Skipped]
    ) -> Card | Form:
        target = await self._windows.named_by(actor, request.to)
        chosen = selection.enrollment_ids
        wanted = await self._all_ids(actor, request.view) if chosen is None else list(chosen)
        moved = await self._outreach.lists.move(actor, selection.campaign, target, enrollment_ids=wanted)
        further = f"They are in {target} now."
        if moved.also_in:
            further += f" {len(moved.also_in):,} of them are in another running campaign as well."
        return result_window("move", moved.moved, [*changed, *moved.skipped], request.view.keep(), further)

    async def _all_ids(self, actor: Actor, view: ListView) -> list[str]:
        found: list[str] = []
        number, total = 1, 1
        while (number - 1) * MOST_ON_A_PAGE < total:
            query = replace(view.query, page=Page(number, MOST_ON_A_PAGE))
            page = await self._outreach.lists.prospects(actor, view.campaign, query)
            found.extend(row.enrollment_id for row in page.rows)
            number, total = number + 1, page.total
        return found


def _selection(view: ListView, ticks: tuple[ButtonValue, ...] | None) -> Selection:
    query: ProspectQuery = view.query
    return Selection(view.campaign, None if ticks is None else tuple(one.id for one in ticks), query)


def _decoded(ticks: tuple[str, ...] | None) -> tuple[ButtonValue, ...] | None:
    return None if ticks is None else tuple(decode(one) for one in ticks)
