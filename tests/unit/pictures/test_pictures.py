"""The pictures of a report: they hold what they should, whatever the campaign is called and however much it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor

from core.domain.figures import CampaignFigures, DayFigures, StageFigures
from core.pictures import funnel_png, timeline_png
from core.pictures.canvas import BLUE, GREEN, GREY, PALE_SKY, PURPLE, SKY, VERMILION
from core.pictures.lettering import drawable

MONDAY = date(2026, 11, 2)
FIRST = StageFigures(1, "email", sent=80, opened=40, opened_machine=20, clicked=10, clicked_machine=2, replied=8)
CAMPAIGN = CampaignFigures(
    "Backend engineers, autumn",
    people=100,
    recipients=80,
    stages=(FIRST, replace(FIRST, stage=2, sent=40)),
    opened=40,
    opened_machine=20,
    clicked=10,
    replied=20,
    failed=3,
    days=tuple(DayFigures(MONDAY + timedelta(days=day), sent=20, replied=5, failed=1) for day in range(4)),
)

Draw = Callable[[CampaignFigures], bytes]
BOTH = pytest.mark.parametrize("draw", [funnel_png, timeline_png])


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return image.convert("RGB")


def coloured(png: bytes) -> Counter[tuple[int, ...]]:
    """How many pixels have which colour."""
    return Counter({colour: count for count, colour in opened(png).getcolors(maxcolors=1 << 24) or ()})  # type: ignore[misc]


def pixels(png: bytes, colour: str) -> int:
    return coloured(png)[ImageColor.getrgb(colour)]


@BOTH
def test_a_picture_is_twice_as_dense_as_it_is_wide(draw: Draw) -> None:
    """1,640 pixels for 820 logical ones, and small enough to be posted."""
    png = draw(CAMPAIGN)
    assert opened(png).width == 1_640
    assert len(png) < 500_000


def test_bars_of_the_funnel_are_as_long_as_their_figures() -> None:
    """People, sent to and replied stand as 100 : 80 : 20; the small bars of the stages add to theirs."""
    without = replace(CAMPAIGN, stages=())
    people, sent, replied = (pixels(funnel_png(without), colour) for colour in (GREY, BLUE, GREEN))
    assert sent / people == pytest.approx(0.8, abs=0.02)
    assert replied / people == pytest.approx(0.2, abs=0.02)
    assert pixels(funnel_png(CAMPAIGN), BLUE) > sent


def test_likely_machines_are_shown_apart_and_paler() -> None:
    png = funnel_png(replace(CAMPAIGN, stages=()))
    assert pixels(png, PALE_SKY) / pixels(png, SKY) == pytest.approx(0.5, abs=0.05)
    assert pixels(funnel_png(replace(CAMPAIGN, stages=(), opened_machine=0)), PALE_SKY) == 0


def test_downloads_have_a_bar_only_where_there_are_any() -> None:
    assert pixels(funnel_png(CAMPAIGN), PURPLE) == 0
    assert pixels(funnel_png(replace(CAMPAIGN, downloaded=30)), PURPLE) > 1_000


def test_each_stage_has_a_row_up_to_twenty() -> None:
    heights = [
        opened(funnel_png(replace(CAMPAIGN, stages=tuple(replace(FIRST, stage=n + 1) for n in range(count))))).height
        for count in (1, 2, 8, 20, 50)
    ]
    assert heights[1] - heights[0] == 96
    assert heights == sorted(heights)
    assert heights[3] == heights[4]


def test_the_timeline_shows_what_went_what_failed_and_who_replied() -> None:
    png = timeline_png(CAMPAIGN)
    sent, failed, replied = (pixels(png, colour) for colour in (BLUE, VERMILION, GREEN))
    assert sent > 10 * failed > 0
    assert replied > 0


def test_one_busy_day_in_a_year_of_silence_is_still_seen() -> None:
    """Spans grow until the bars fit; nothing is dropped between them."""
    ends = (DayFigures(MONDAY, sent=1), DayFigures(MONDAY + timedelta(days=400), sent=10_000, failed=10_000))
    png = timeline_png(replace(CAMPAIGN, days=ends))
    assert pixels(png, BLUE) > 500
    assert pixels(png, VERMILION) > 500


@pytest.mark.parametrize("length", [1, 5, 60, 92, 93, 300, 5_000])
def test_a_timeline_of_any_length_fits(length: int) -> None:
    days = tuple(DayFigures(MONDAY + timedelta(days=day), sent=day % 7, replied=1) for day in range(length))
    assert opened(timeline_png(replace(CAMPAIGN, days=days))).size == (1_640, 1_012)


@BOTH
def test_a_campaign_without_figures_says_so_in_a_small_picture(draw: Draw) -> None:
    empty = CampaignFigures("Nothing yet", people=0, recipients=0)
    assert opened(draw(empty)).height < 300
    quiet = replace(empty, days=(DayFigures(MONDAY), DayFigures(MONDAY + timedelta(days=1))))
    assert opened(draw(quiet)).height < 300


NAMES = [
    "x" * 5_000,
    "Köln – Bauleitung",
    "קמפיין סתיו",
    "حملة الخريف",
    "🚀🎉",
    "Hiring 🚀 now",
    "秋の採用",
    "",
    "\u202eevil\r\n\x00",
]


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_no_name_breaks_a_picture(draw: Draw, name: str) -> None:
    """Long, right to left, of pictures only: the same size, and ink where the title stands, within the margins."""
    image = opened(draw(replace(CAMPAIGN, campaign=name)))
    assert image.size == opened(draw(CAMPAIGN)).size
    title = image.crop((0, 40, 1_640, 110)).convert("L").point(lambda value: 255 if value < 128 else 0)
    box = title.getbbox()
    assert box is not None
    assert box[0] >= 60
    assert box[2] <= 1_580


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("Köln – „Straße“ … 20 €", "Köln – „Straße“ … 20 €"),
        ("Łódź, jesień", "Łódź, jesień"),
        ("Осень, Київ", "Осень, Київ"),
        ("Αθήνα", "Αθήνα"),
        ("Ko\u0308ln\t2", "Köln 2"),
        ("Ｂｅｒｌｉｎ", "Berlin"),
        ("Hiring 🚀 now", "Hiring now"),
        ("Nurses שלום for the whole north", "Nurses for the whole north"),
        ("קמפיין סתיו 2", ""),
        ("秋の採用", ""),
        ("\u202eevil\r\n\x00", "evil"),
        ("🚀", ""),
        ("2026", "2026"),
    ],
)
def test_a_name_is_drawn_in_letters_that_the_font_has_or_not_at_all(name: str, drawn: str) -> None:
    assert drawable(name) == drawn


counts = st.integers(0, 10**9)
stages = st.builds(StageFigures, st.integers(1, 99), st.text(max_size=9), *[counts] * 7)
days = st.builds(DayFigures, st.dates(), counts, counts, counts)


@settings(max_examples=8, deadline=None)
@given(
    st.builds(
        CampaignFigures, st.text(max_size=99), counts, counts, st.lists(stages, max_size=4).map(tuple),
        *[counts] * 5, st.lists(days, max_size=5).map(tuple),
    )
)  # fmt: skip
def test_no_figures_break_a_picture(figures: CampaignFigures) -> None:
    """Also those that cannot be: more replies than people, days in any order, years apart."""
    assert opened(funnel_png(figures)).width == opened(timeline_png(figures)).width == 1_640
