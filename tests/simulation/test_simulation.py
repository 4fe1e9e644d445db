"""Forty-five days of outreach in seconds: every promise holds at every send, and everybody ends in an explained state.

``python -m bench.outreach_year`` runs the same with a thousand people; RETHREAD_SEASON_SEED plays another season.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from storage.sql_store import SqlStore
from tests.simulation.judge import faults, unexplained
from tests.simulation.offices import Office, Went
from tests.simulation.season import Season, candidates

PEOPLE = 50
SEED = int(os.environ.get("RETHREAD_SEASON_SEED", "4"))


@pytest.fixture
async def season(sqlite_store: SqlStore, tmp_path: Path) -> Season:
    played = Season(Office(sqlite_store, tmp_path / "rethread.db", SEED, candidates(PEOPLE)))
    await played.run()
    return played


async def test_forty_five_days_of_fifty_people(season: Season) -> None:
    """I1 to I3 and I7, over windows in seven zones, holidays, clock changes, crashes, replies and people's acts."""
    assert faults(season) == []
    assert unexplained(season) == []
    for what in ("reply", "out of office", "pause", "call", "crash"):
        assert season.happened[what], f"no {what}: nothing was tried"
    _the_judge_sees(season)


def _the_judge_sees(season: Season) -> None:
    """A second copy, a mail at night and one too early are faults."""
    journal = season.office.hosts.journal
    first = next(one for one in journal if one.stage == 1 and one.arrived)
    early = next(number for number, one in enumerate(journal) if _follows(season, one))
    its_first = next(one for one in journal if (one.email, one.stage) == (journal[early].email, 1))
    for number, wrong, told in (
        (len(journal), first, "arrived 2 times"),
        (len(journal), replace(first, at=first.at + timedelta(hours=12)), "got stage 1 at"),
        (early, replace(journal[early], at=its_first.at), "not before"),
    ):
        right = journal[number : number + 1]
        journal[number : number + 1] = [wrong]
        assert any(told in one for one in faults(season)), told
        journal[number : number + 1] = right


def _follows(season: Season, mail: Went) -> bool:
    """A second stage, sent once after a first that was sent once."""
    theirs = sorted(one.stage for one in season.office.hosts.journal if one.email == mail.email)
    return mail.stage == 2 and theirs[:2] == [1, 2] and theirs.count(2) == 1
