"""campaign report at the terminal: figures for people and scripts, and the pictures as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.cli.render import render
from bot.cli.shapes import report as shape
from core.domain.figures import Report
from storage.sql_store import SqlStore
from tests.fakes.reports import FAILURES, FIGURES
from tests.integration.cli.conftest import Terminal, services_on
from tests.stores import add_prospect

T1 = ("--workspace", "T1")
NAME = "Backend engineers"


@pytest.fixture
async def engineers(terminal: Terminal, sqlite_store: SqlStore) -> Terminal:
    """A campaign with two people."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2)
    return terminal


async def test_figures_come_in_the_shape_of_metrics(engineers: Terminal) -> None:
    shown = await engineers.json("campaign", "report", NAME, *T1)
    assert shown["name"] == NAME
    assert shown["metrics"]["people"] == 2
    assert {"opened", "clicked", "downloaded", "replied", "stages"} <= set(shown["metrics"])
    assert (shown["failed"], shown["failures"], shown["days"]) == (0, [], [])
    assert "pictures" not in shown


async def test_pictures_are_written_where_the_person_is(engineers: Terminal, tmp_path: Path) -> None:
    into = tmp_path / "report"
    shown = await engineers.json("campaign", "report", NAME, "--pictures", str(into), *T1)
    assert shown["pictures"] == [str(into / "funnel.png"), str(into / "timeline.png")]
    for path in shown["pictures"]:
        with Image.open(path) as image:
            assert (image.format, image.width) == ("PNG", 1_640)


async def test_without_a_name_all_campaigns_are_one(engineers: Terminal) -> None:
    """Beyond R181."""
    assert await engineers.run("campaign", "report", *T1) == 0
    assert "1 campaign: 2 people, 0 reached, 0 failed" in engineers.out


async def test_a_folder_that_cannot_be_written_is_named(engineers: Terminal, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert await engineers.run("campaign", "report", NAME, "--pictures", str(taken), *T1) == 1
    assert "cannot be written" in engineers.err
    assert taken.read_text() == "a file"


async def test_a_campaign_that_is_not_there_fails(engineers: Terminal) -> None:
    assert await engineers.run("campaign", "report", "Nonesuch", *T1) == 1
    assert "There is no campaign" in engineers.err


def test_people_read_rates_stages_reasons_and_caveats() -> None:
    """R179, R180, R182, R183: campaign rates of those reached, stage rates of everybody."""
    text = render("campaign report", shape(Report(FIGURES, FAILURES)))
    lines = [line.split() for line in text.splitlines()]
    assert ["replied", "26", "14", "%"] in lines
    assert any(line[:3] == ["1", "180", "(90"] and line[-2:] == ["(8.5", "%)"] for line in lines)
    assert "22 opened, 4 clicked" in text
    assert "The address does not exist." in text
    assert "opens can be missing and can be false" in text
    assert "some replies did not sync" in text


def test_a_hostile_name_cannot_drive_the_terminal() -> None:
    one = shape(Report(replace(FIGURES, campaign="a\x1b[2Jb")))
    assert "\x1b" not in render("campaign report", one)
