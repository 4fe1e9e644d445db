"""A campaign day by day: what went out and what failed above, who replied below, on one axis of days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.domain.figures import CampaignFigures, DayFigures
from core.pictures.canvas import BLUE, GREEN, INK, LINE, MARGIN, SOFT, VERMILION, WIDTH, Canvas, said_only

MOST_BARS: Final = 92
"""A quarter of a year; longer campaigns are shown in weeks or in longer spans."""
_LEFT: Final = MARGIN + 44
_ROOM: Final = WIDTH - MARGIN - _LEFT
_SENT_TOP: Final = 132
_SENT_HEIGHT: Final = 170
_REPLIES_TOP: Final = 362
_REPLIES_HEIGHT: Final = 90
_HEIGHT: Final = 506
_ROOM_FOR_FIGURES: Final = 32


@dataclass(frozen=True, slots=True)
class _Span:
    """The figures of one bar, from its first day on."""

    first: date
    sent: int
    replied: int
    failed: int


def timeline_png(figures: CampaignFigures) -> bytes:
    """A PNG, 1,640 pixels wide. Days without any figure between the first and the last are there, as gaps."""
    size, spans = _spans(figures.days)
    if not spans:
        return said_only(figures.campaign, "Nothing has happened yet, so there is nothing to show.")
    canvas = Canvas(_HEIGHT)
    canvas.title(figures.campaign, _subtitle(figures, size))
    most_sent = _ceiling(max(span.sent + span.failed for span in spans))
    most_replies = _ceiling(max(span.replied for span in spans))
    _panel(canvas, _SENT_TOP, _SENT_HEIGHT, most_sent, [(BLUE, "Sent"), (VERMILION, "Failed")])
    _panel(canvas, _REPLIES_TOP, _REPLIES_HEIGHT, most_replies, [(GREEN, "Replied")])
    for number, span in enumerate(spans):
        _bars(canvas, _LEFT + number * _slot(spans), _slot(spans), span, (most_sent, most_replies))
    _dates(canvas, spans)
    return canvas.png()


def _subtitle(figures: CampaignFigures, size: int) -> str:
    sent = sum(day.sent for day in figures.days)
    failed = sum(day.failed for day in figures.days)
    replied = sum(day.replied for day in figures.days)
    span = {1: "per day", 7: "per week"}.get(size, f"per {size} days")
    return f"{sent:,} sent, {failed:,} failed, {replied:,} replied; {span}"


def _spans(days: Sequence[DayFigures]) -> tuple[int, list[_Span]]:
    """Days per bar, and the bars from the first to the last day on which anything happened."""
    busy = [day for day in days if day.sent or day.replied or day.failed]
    if not busy:
        return 1, []
    first, last = min(day.date for day in busy), max(day.date for day in busy)
    length = (last - first).days + 1
    size = 1 if length <= MOST_BARS else 7 * math.ceil(length / MOST_BARS / 7)
    sums = [[0, 0, 0] for _ in range(math.ceil(length / size))]
    for day in busy:
        own = sums[(day.date - first).days // size]
        own[0], own[1], own[2] = own[0] + day.sent, own[1] + day.replied, own[2] + day.failed
    return size, [_Span(first + timedelta(days=number * size), *own) for number, own in enumerate(sums)]


def _panel(canvas: Canvas, top: float, height: float, highest: int, key: list[tuple[str, str]]) -> None:
    canvas.key(_LEFT, top - 26, key)
    for tick in _ticks(highest):
        y = top + height - height * tick / highest
        canvas.rule(_LEFT, y, _ROOM, INK if tick == 0 else LINE)
        canvas.text(_LEFT - 8, y, _short(tick), size=11, colour=SOFT, anchor="right")


def _ceiling(value: int) -> int:
    """The next round number above ``value``, with a little room for the figure over the highest bar; at least 2."""
    wanted = math.ceil(value * 1.1)
    power = int(10 ** (len(str(wanted)) - 1))
    steps: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10)
    return max(next(step * power for step in steps if step * power >= wanted), 2)


def _ticks(highest: int) -> list[int]:
    return [0, highest // 2, highest] if highest % 2 == 0 else [0, highest]


def _short(value: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if value >= 10 * size or (value >= size and value % (size // 10) == 0):
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return str(value)


def _bars(canvas: Canvas, left: float, slot: float, span: _Span, most: tuple[int, int]) -> None:
    """``most`` is what the full height of the upper and the lower panel stands for."""
    width = max(slot * 0.72, 1.0)
    x = left + (slot - width) / 2
    sent, failed = _SENT_HEIGHT * span.sent / most[0], _SENT_HEIGHT * span.failed / most[0]
    top = _SENT_TOP + _SENT_HEIGHT - sent - failed
    canvas.bar(x, top + failed, width, sent, BLUE)
    canvas.bar(x, top, width, failed, VERMILION)
    replied = _REPLIES_HEIGHT * span.replied / most[1]
    foot = _REPLIES_TOP + _REPLIES_HEIGHT
    canvas.bar(x, foot - replied, width, replied, GREEN)
    if slot < _ROOM_FOR_FIGURES:
        return
    above = [(span.sent, INK), (span.failed, VERMILION)]
    for line, (value, colour) in enumerate((value, colour) for value, colour in above if value):
        canvas.text(x + width / 2, top - 8 - 12 * line, _short(value), size=11, colour=colour, anchor="middle")
    if span.replied:
        canvas.text(x + width / 2, foot - replied - 8, _short(span.replied), size=11, anchor="middle")


def _slot(spans: list[_Span]) -> float:
    """Room of one bar: few bars stay slim and stand on the left, as the days to come will stand beside them."""
    return min(_ROOM / len(spans), 60)


def _dates(canvas: Canvas, spans: list[_Span]) -> None:
    slot = _slot(spans)
    every = math.ceil(64 / slot)
    if every > 3:
        every = 7 * math.ceil(every / 7)  # the same day of each week
    y = _REPLIES_TOP + _REPLIES_HEIGHT + 18
    years = spans[0].first.year != spans[-1].first.year
    for number in range(0, len(spans), every):
        day = spans[number].first
        x = _LEFT + (number + 0.5) * slot
        canvas.text(x, y, f"{day.day} {day:%b}", size=11, colour=SOFT, anchor="middle")
        if years:
            canvas.text(x, y + 14, str(day.year), size=11, colour=SOFT, anchor="middle")
