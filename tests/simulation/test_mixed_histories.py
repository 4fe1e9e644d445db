"""Random histories in which everything mixes: mails, texts and calls, windows in several zones, limits, brakes, stops
and absences, edits of a running campaign, skips, retries that bypass validation, crashes. Judged after every step."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.domain.enrollment import ProspectEvent
from core.errors import RefusedError
from core.services.campaign_edits import CampaignEdits
from core.services.cards import CardWriter
from core.services.progress import Progress
from storage.sql_store import SqlStore
from tests.simulation.judge import faults
from tests.simulation.offices import ADA, CAMPAIGNS, Office
from tests.simulation.season import Season, candidates
from tests.stores import open_with_workspaces

PEOPLE = 5
numbers = st.integers(0, PEOPLE - 1)


class MixedHistory(RuleBasedStateMachine):
    """One step is hours of a season, or what somebody does in between."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.store: SqlStore | None = None

    def teardown(self) -> None:
        if self.store is not None:
            self.season.office.rows.close()
            self.do(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        try:
            return self.runner.run(work)
        except RefusedError:  # not legal now, and told
            return None

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        path = self.folder / "rethread.db"
        shutil.copy(self.template, path)
        self.store = self.do(open_with_workspaces(f"sqlite+aiosqlite:///{path}"))
        assert self.store is not None
        self.season = Season(Office(self.store, path, seed, candidates(PEOPLE)))
        self.do(self.season.office.open())

    @rule(hours=st.sampled_from([1, 9, 26, 26, 50, 74]), crash=st.sampled_from([False, False, True]))
    def hours_pass(self, hours: int, crash: bool) -> None:
        if crash:
            self.do(self.season.crash())
        self.do(self.season.play_until(self.season.office.clock.now() + timedelta(hours=hours)))
        self.season.office.clock.pass_time(hours=hours)

    @rule(
        number=numbers,
        event=st.sampled_from(
            [
                *(ProspectEvent.PAUSE, ProspectEvent.UNPAUSE, ProspectEvent.SKIP, ProspectEvent.RETRY),
                *(ProspectEvent.RETRY_BYPASS, ProspectEvent.THEY_TEXTED, ProspectEvent.FINISH),
                ProspectEvent.UNDO_FINISH,
            ]
        ),
    )
    def a_person_acts(self, number: int, event: ProspectEvent) -> None:
        self.do(self.season.act(event, self.season.office.people[number].email, event.value))

    @rule()
    def the_desk_is_worked_off(self) -> None:
        self.do(self.season.calls())
        self.do(self.season.settle_cards())

    @rule(begins=st.booleans())
    def everything_stops_or_goes_on(self, begins: bool) -> None:
        holds = self.season.office.holds
        self.do(holds.stop_everything(ADA) if begins else holds.resume_everything(ADA))

    @rule(begins=st.booleans())
    def somebody_is_away_or_back(self, begins: bool) -> None:
        holds = self.season.office.holds
        self.do(holds.away(ADA, None) if begins else holds.back(ADA))

    @rule(limit=st.sampled_from([1, 2, 1_000]))
    def the_days_limit_changes(self, limit: int) -> None:
        self.do(self.season.limit(limit))

    @rule(name=st.sampled_from(CAMPAIGNS), pause=st.booleans())
    def a_campaign_pauses_or_starts(self, name: str, pause: bool) -> None:
        campaigns = self.season.office.campaigns
        self.do((campaigns.pause if pause else campaigns.start)(ADA, name))

    @rule(name=st.sampled_from(CAMPAIGNS), stage=st.sampled_from([2, 3, 4, 6]), text=st.sampled_from(["A", "Another"]))
    def a_stage_is_worded_anew(self, name: str, stage: int, text: str) -> None:
        tools = self.season.office.tools
        edits = CampaignEdits(tools, Progress(tools, CardWriter(tools)))
        self.do(edits.change_stage(ADA, name, stage, {"body": f"{text} word [stage {stage}]"}))

    @invariant()
    def every_promise_is_kept(self) -> None:
        if self.store is not None:
            assert faults(self.season) == []


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_mixed_histories(sqlite_template: Path) -> None:
    """A few seconds in the normal run; RETHREAD_HISTORIES=500 for a long one."""
    machine = type("SeededMixedHistory", (MixedHistory,), {"template": sqlite_template})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=int(os.environ.get("RETHREAD_HISTORIES", "4")),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
