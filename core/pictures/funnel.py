"""The funnel of a campaign: from all its people to those who replied, whole and by stage (R178..R180)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.domain.figures import CampaignFigures, Metric, StageFigures, percent, share
from core.pictures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARGIN,
    ORANGE,
    PALE_ORANGE,
    PALE_SKY,
    PURPLE,
    SKY,
    SOFT,
    TRACK,
    WIDTH,
    Canvas,
    said_only,
)
from core.pictures.lettering import drawable

MOST_STAGES: Final = 20
_TOP: Final = 104
_STEP: Final = 40
_LABEL: Final = 106
_FIGURES: Final = 190
_ROW: Final = 48
_FOOT: Final = 64
_NAMES: Final[dict[Metric, str]] = {
    "sent": "Sent",
    "opened": "Opened",
    "clicked": "Clicked",
    "downloaded": "Downloaded",
    "replied": "Replied",
}
_COLOURS: Final[dict[Metric, str]] = {
    "sent": BLUE,
    "opened": SKY,
    "clicked": ORANGE,
    "downloaded": PURPLE,
    "replied": GREEN,
}
_PALE: Final[dict[Metric, str]] = {"opened": PALE_SKY, "clicked": PALE_ORANGE}


@dataclass(frozen=True, slots=True)
class _Step:
    """One bar: its length is ``count`` of all people, with ``machine`` paler behind it."""

    label: str
    colour: str
    count: int
    told: str
    machine: int = 0
    pale: str = TRACK


def funnel_png(figures: CampaignFigures) -> bytes:
    """A PNG, 1,640 pixels wide: bars for the whole campaign, then a row for each stage (the first twenty)."""
    if not figures.people:
        return said_only(figures.campaign, "Nobody is in this campaign yet, so there is nothing to show.")
    steps = list(_steps(figures))
    stages = figures.stages[:MOST_STAGES]
    below = _TOP + len(steps) * _STEP
    height = below + (64 + len(stages) * _ROW if stages else 0) + _FOOT
    canvas = Canvas(round(height))
    canvas.title(figures.campaign, _subtitle(figures))
    for number, step in enumerate(steps):
        _bar(canvas, _TOP + number * _STEP, step, figures.people)
    if stages:
        _stages(canvas, below + 28, figures, stages)
    _foot(canvas, height - _FOOT + 22, figures)
    return canvas.png()


def _subtitle(figures: CampaignFigures) -> str:
    if not figures.recipients:
        return f"{_people(figures.people)}; nothing has been sent yet."
    failed = f"; {figures.failed:,} failed" if figures.failed else ""
    return f"{_people(figures.people)}, {figures.recipients:,} reached so far{failed}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _steps(figures: CampaignFigures) -> Iterator[_Step]:
    yield _Step("People", GREY, figures.people, f"{figures.people:,}")
    reached = percent(share(figures.recipients, figures.people))
    yield _Step("Sent to", BLUE, figures.recipients, f"{figures.recipients:,}  ({reached})")
    machines = {"opened": figures.opened_machine, "clicked": figures.clicked_machine}
    for metric in ("opened", "clicked", "downloaded", "replied"):
        count: int = getattr(figures, metric)
        if metric == "downloaded" and not count:
            continue
        told = f"{count:,}  ({percent(figures.rate(metric))})"
        yield _Step(_NAMES[metric], _COLOURS[metric], count, told, machines.get(metric, 0), _PALE.get(metric, TRACK))


def _bar(canvas: Canvas, top: float, step: _Step, people: int) -> None:
    left, room = MARGIN + _LABEL, WIDTH - 2 * MARGIN - _LABEL - _FIGURES
    canvas.text(MARGIN, top + 14, step.label, size=15)
    canvas.bar(left, top, room, 28, TRACK)
    own = room * share(step.count, people)
    canvas.bar(left, top, own, 28, step.colour)
    canvas.bar(left + own, top, min(room - own, room * share(step.machine, people)), 28, step.pale)
    canvas.text(left + room + 14, top + (14 if not step.machine else 7), step.told, size=15, bold=True)
    if step.machine:
        canvas.text(left + room + 14, top + 23, f"+ {step.machine:,} likely by machines", size=11, colour=SOFT)


def _stages(canvas: Canvas, top: float, figures: CampaignFigures, stages: tuple[StageFigures, ...]) -> None:
    metrics = _metrics(stages)
    column = (WIDTH - 2 * MARGIN - _LABEL) / len(metrics)
    canvas.rule(MARGIN, top - 14, WIDTH - 2 * MARGIN)
    canvas.text(MARGIN, top + 10, "By stage", size=13, colour=SOFT)
    for number, metric in enumerate(metrics):
        canvas.text(MARGIN + _LABEL + number * column, top + 10, _NAMES[metric], size=13, colour=SOFT)
    for row, stage in enumerate(stages):
        y = top + 28 + row * _ROW
        canvas.text(MARGIN, y + 11, f"{stage.stage}. {_kind(stage.kind)}", size=14)
        for number, metric in enumerate(metrics):
            _cell(canvas, MARGIN + _LABEL + number * column, y, column - 18, figures, stage, metric)


def _kind(kind: str) -> str:
    name = drawable(kind)[:10] or "stage"
    return "SMS" if name == "sms" else name.capitalize()


def _metrics(stages: tuple[StageFigures, ...]) -> list[Metric]:
    downloads: list[Metric] = ["downloaded"] if any(stage.downloaded for stage in stages) else []
    return ["sent", "opened", "clicked", *downloads, "replied"]


def _cell(
    canvas: Canvas, x: float, y: float, room: float, figures: CampaignFigures, stage: StageFigures, metric: Metric
) -> None:
    count: int = getattr(stage, metric)
    canvas.text(x, y + 9, f"{count:,}", size=14, bold=True)
    told = percent(figures.stage_rate(stage, metric))
    canvas.text(x + canvas.width(f"{count:,}", 14, bold=True) + 8, y + 9, told, size=12, colour=SOFT if count else GREY)
    machine = {"opened": stage.opened_machine, "clicked": stage.clicked_machine}.get(metric, 0)
    own = room * share(count, figures.people)
    canvas.bar(x, y + 22, room, 8, TRACK)
    canvas.bar(x, y + 22, own, 8, _COLOURS[metric])
    canvas.bar(x + own, y + 22, min(room - own, room * share(machine, figures.people)), 8, _PALE.get(metric, TRACK))


def _foot(canvas: Canvas, y: float, figures: CampaignFigures) -> None:
    canvas.text(
        MARGIN,
        y,
        "Whole campaign: share of the people reached, in any stage.  By stage: share of all people in the campaign.",
        size=11.5,
        colour=SOFT,
    )
    canvas.text(
        MARGIN,
        y + 18,
        "Opened and clicked: likely by people; paler: likely by mail systems. Opens can be missed and can be false.",
        size=11.5,
        colour=SOFT,
    )
    hidden = len(figures.stages) - MOST_STAGES
    if hidden > 0:
        canvas.text(WIDTH - MARGIN, y - 20, f"and {hidden} more stages", size=12, colour=INK, anchor="right")
