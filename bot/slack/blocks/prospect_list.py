"""The Prospects window: who is where and why, a page at a time, to be filtered and acted upon (R141, R142, R159). Pure.

The window carries the question that it answers (``kept``); what is ticked comes back with each press.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Json
from bot.slack.blocks.prospect_words import implied, row_words
from bot.slack.blocks.text import escaped
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.domain.prospect_query import Page, ProspectQuery, ProspectSort
from core.domain.reasons import reason
from core.ports.storage import ProspectPage

ROWS: Final = 10
FAILED: Final = (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
ANY: Final = "ANY"
FAILED_CHOICE: Final = "FAILED"
TICKED: Final = "ticked"
EVERYBODY: Final = "all"
_WHICH_BLOCK: Final = "which"
_SORTS: Final = (
    ("In order of enrolment", ProspectSort.ADDED),
    ("By name", ProspectSort.NAME),
    ("By status", ProspectSort.STATUS),
    ("Next send first", ProspectSort.NEXT),
)
_MORE: Final = (
    ("Pause", "pause"),
    ("Unpause", "unpause"),
    ("Skip stage", "skip"),
    ("Move …", "move"),
    ("Remove", "remove"),
)


@dataclass(frozen=True, slots=True)
class ListView:
    """What the window shows: of which campaign, and which of its prospects."""

    campaign: str
    query: ProspectQuery = field(default_factory=lambda: ProspectQuery(page=Page(size=ROWS)))

    def keep(self) -> dict[str, str]:
        query = self.query
        kept = {
            "campaign": self.campaign,
            "statuses": ",".join(one.name for one in query.statuses),
            "reason": query.reason,
            "stage": str(query.stage or ""),
            "text": query.text[:200],
            "sort": query.sort.value,
            "reverse": "1" if query.reverse else "",
            "page": str(query.page.number),
        }
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def kept(cls, kept: Mapping[str, str]) -> ListView:
        """What ``keep`` made; what is missing or strange counts as not asked for."""
        names = kept.get("statuses", "").split(",")
        sort = kept.get("sort", "")
        query = ProspectQuery(
            statuses=tuple(ProspectStatus[name] for name in names if name in ProspectStatus.__members__),
            reason=kept.get("reason", ""),
            stage=_number(kept.get("stage", "")) or None,
            text=kept.get("text", ""),
            sort=ProspectSort(sort) if sort in set(ProspectSort) else ProspectSort.ADDED,
            reverse=bool(kept.get("reverse")),
            page=Page(max(1, _number(kept.get("page", ""))), ROWS),
        )
        return cls(kept.get("campaign", ""), query)

    def on_page(self, number: int) -> ListView:
        return replace(self, query=replace(self.query, page=Page(max(1, number), ROWS)))

    def of_status(self, choice: str) -> ListView:
        """A choice of the menu: one status, all that failed, or any."""
        statuses = {ANY: (), FAILED_CHOICE: FAILED}.get(choice)
        if statuses is None:
            statuses = (ProspectStatus[choice],) if choice in ProspectStatus.__members__ else ()
        return replace(self, query=replace(self.query, statuses=statuses, page=Page(size=ROWS)))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def list_window(
    view: ListView,
    campaign: Campaign,
    counts: Mapping[ProspectStatus, int],
    page: ProspectPage,
    versions: Mapping[str, int],
    now: datetime,
    notice: str = "",
) -> Form:
    """``counts`` are those of the whole campaign; ``notice`` is one of our own sentences on what just happened."""
    runs = campaign.status is CampaignStatus.ACTIVE
    blocks: list[Json] = [kit.markup(f":information_source: {escaped(notice, 600)}")] if notice else []
    blocks += [
        kit.markup(f"*{escaped(campaign.name, 200)}*\n{escaped(implied(campaign), 300)}"),
        kit.actions(_status_menu(view, counts), kit.button("Filter and sort …", ids.LIST_FILTER, encode("filter"))),
        kit.context(*_shown(view, page)),
    ]
    for row in page.rows:
        blocks.append(kit.markup(row_words(row, campaign, now, runs=runs)))
        blocks.append(_row_actions(row.enrollment_id, versions.get(row.enrollment_id, 0), row.person))
    blocks += _paging(view, page) + (_bulk(page.total) if page.rows else [])
    return Form(ids.WINDOW, "Prospects", blocks, submit="", close="Close", kept=view.keep())


def _shown(view: ListView, page: ProspectPage) -> list[str]:
    first = view.query.page.skipped
    if not page.rows:
        return ["Nobody matches." if page.total == 0 else "This page is empty."]
    parts = [f"{first + 1:,} to {first + len(page.rows):,} of {page.total:,}"]
    query = view.query
    if query.text:
        parts.append(f"name or address with “{escaped(query.text, 100)}”")
    if query.stage:
        parts.append(f"stage {query.stage}")
    if query.reason:
        parts.append(f"reason: {escaped(reason_title(query.reason), 100)}")
    if query.sort is not ProspectSort.ADDED or query.reverse:
        name = next(label for label, sort in _SORTS if sort is query.sort)
        parts.append(f"{name.lower()}{', backwards' if query.reverse else ''}")
    return parts


def reason_title(code: str) -> str:
    """The beginning of what is said of a reason."""
    try:
        return reason(code).text.partition(":")[0].rstrip(".")
    except KeyError:
        return code.replace("_", " ")


def _status_menu(view: ListView, counts: Mapping[ProspectStatus, int]) -> Json:
    failed = sum(counts.get(one, 0) for one in FAILED)
    choices = [(f"All statuses ({sum(counts.values()):,})", ANY), (f"Failed ({failed:,})", FAILED_CHOICE)]
    choices += [(f"{one.value} ({counts.get(one, 0):,})", one.name) for one in ProspectStatus]
    options = forms.made_options([(label, encode("status", 0, choice)) for label, choice in choices])
    chosen = ANY
    if view.query.statuses == FAILED:
        chosen = FAILED_CHOICE
    elif len(view.query.statuses) == 1:
        chosen = view.query.statuses[0].name
    begin = next(one for one in options if one["value"] == encode("status", 0, chosen))
    return {"type": "static_select", "action_id": ids.LIST_STATUS, "options": options, "initial_option": begin}


def _row_actions(enrollment_id: str, version: int, person: str) -> Json:
    """The tick carries the version that was shown: what changed since is not acted upon."""
    value = encode(enrollment_id, version)
    tick = {"type": "checkboxes", "action_id": ids.TICK, "options": forms.made_options([("Select", value)])}
    open_it = kit.button("Open", ids.PERSON_OPEN, value, spoken=f"Open {person}")
    return kit.actions(tick, open_it, block_id=f"row.{value}")


def _paging(view: ListView, page: ProspectPage) -> list[Json]:
    number, last = view.query.page.number, -(-page.total // ROWS)
    buttons = []
    if number > 1:
        buttons.append(kit.button("Previous page", ids.LIST_PREVIOUS, encode("page", number - 1)))
    if number < last:
        buttons.append(kit.button("Next page", ids.LIST_NEXT, encode("page", number + 1)))
    return [kit.actions(*buttons)] if buttons else []


def _bulk(total: int) -> list[Json]:
    which = forms.made_options(
        [("Those selected on this page", TICKED), (f"Select all {total:,} that match", EVERYBODY)]
    )
    return [
        kit.divider(),
        kit.actions(
            {"type": "radio_buttons", "action_id": ids.WHICH, "options": which, "initial_option": which[0]},
            block_id=_WHICH_BLOCK,
        ),
        kit.actions(
            kit.button("Retry stage", ids.BULK_RETRY, encode("bulk", 0, "retry"), style="primary"),
            kit.button("Mark finished", ids.BULK_FINISH, encode("bulk", 0, "finish")),
            kit.button("Export CSV", ids.BULK_EXPORT, encode("bulk", 0, "export")),
            kit.more_menu(ids.BULK_MORE, [(label, encode("bulk", 0, choice)) for label, choice in _MORE]),
        ),
    ]


def ticked(state: Mapping[str, object]) -> tuple[str, ...] | None:
    """The ticks' values in a window's state, or None where all that match are meant."""
    which = _element(state, _WHICH_BLOCK, ids.WHICH).get("selected_option")
    if isinstance(which, Mapping) and which.get("value") == EVERYBODY:
        return None
    found: list[str] = []
    for block in state:
        chosen = _element(state, block, ids.TICK).get("selected_options")
        for option in chosen if isinstance(chosen, list) else ():
            value = option.get("value") if isinstance(option, Mapping) else None
            if isinstance(value, str) and block == f"row.{value}":
                found.append(value)
    return tuple(found[:ROWS])


def _element(state: Mapping[str, object], block: str, action: str) -> Mapping[str, object]:
    elements = state.get(block)
    found = elements.get(action) if isinstance(elements, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def filter_form(view: ListView, campaign: Campaign, reasons: Sequence[str]) -> Form:
    """``reasons``: codes that somebody of this campaign has."""
    query = view.query
    stages = [(f"Stage {one.position}", str(one.position)) for one in campaign.stages if not one.removed]
    codes = dict.fromkeys([*reasons, *([query.reason] if query.reason else [])])
    blocks = [
        forms.choices(
            "statuses",
            "Status",
            [(one.value, one.name) for one in ProspectStatus],
            [one.name for one in query.statuses],
            placeholder="Any",
            optional=True,
        ),
        forms.text("text", "Name or address holds", query.text, most=200, optional=True),
        forms.choice("sort", "Sort", [(label, sort.value) for label, sort in _SORTS], query.sort.value),
        forms.ticks("reverse", "Order", [("Backwards", "1")], ["1"] if query.reverse else []),
    ]
    if stages:
        blocks.insert(1, _optional("stage", "Stage", stages, str(query.stage or "")))
    if codes:
        blocks.insert(1, _optional("reason", "Reason", [(reason_title(one), one) for one in codes], query.reason))
    return Form(ids.FILTER_FORM, "Filter and sort", blocks, submit="Show", kept=view.keep())


def _optional(name: str, label: str, options: Sequence[forms.Option], chosen: str) -> Json:
    return forms.choice(name, label, options, chosen, placeholder="Any", optional=True)


def of_filter(view: ListView, *, statuses: Sequence[str], values: Mapping[str, str], reverse: bool) -> ListView:
    """The question as the filter's window was filled in; from the first page."""
    kept = {
        "campaign": view.campaign,
        "statuses": ",".join(statuses),
        **{name: values.get(name, "") for name in ("reason", "stage", "text", "sort")},
        "reverse": "1" if reverse else "",
    }
    return ListView.kept(kept)
