"""Random breaks and recoveries: the channel never has two open cards of one cause and place, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.domain.account import MailboxStatus
from core.domain.alert import Alert
from core.domain.storm import NETWORK
from core.errors import RefusedError
from storage.sql_store import SqlStore
from tests.services.alert_rig import AWAY, SECRET, SHUT, WRONG, AlertRig
from tests.services.rig import ADA, Rig
from tests.stores import open_with_workspaces

PLACES = {"g0": "google", "g1": "google", "g2": "google", "g3": "google", "m0": "microsoft", "m1": "microsoft",
          "m2": "microsoft", "o0": "other"}  # fmt: skip
names = st.sampled_from(sorted(PLACES))
errors = st.sampled_from([WRONG, AWAY, AWAY, SHUT, SECRET])
OFF = (MailboxStatus.PAUSED, MailboxStatus.DISCONNECTED)


class Outages(RuleBasedStateMachine):
    """Mailboxes, people and the alert loop, in any order."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "rethread.db")
        self.store: SqlStore | None = None
        self.causes: dict[str, str] = {}  # of the mailboxes that are broken
        self.settled = True

    def teardown(self) -> None:
        if self.store is not None:
            self.do(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.store = self.do(open_with_workspaces(f"sqlite+aiosqlite:///{self.folder / 'rethread.db'}"))
        self.many = AlertRig.on(Rig.on(self.store))
        self.do(self.many.open())
        for name, provider in PLACES.items():
            self.do(self.many.add(name, provider=provider, address=f"{name}@{name[0]}.test"))

    @rule(name=names, error=errors)
    def breaks(self, name: str, error: Any) -> None:
        if self._status(name) in OFF:
            return
        self.do(self.many.break_(name, error))
        self.causes[name] = self.do(self.many.alert(name)).facts["cause"]
        self.settled = False

    @rule(some=st.lists(names, min_size=2, max_size=6, unique=True), error=errors)
    def outage(self, some: list[str], error: Any) -> None:
        for name in some:
            self.breaks(name, error)

    @rule(name=names)
    def mends(self, name: str) -> None:
        if name in self.causes:
            self.do(self.many.mend(name))
            del self.causes[name]
            self.settled = False

    @rule(name=names)
    def is_switched_off_and_on(self, name: str) -> None:
        mailboxes = self.many.rig.mailboxes
        if self._status(name) is MailboxStatus.PAUSED:
            self.do(mailboxes.resume(ADA, name))
        else:
            self.do(mailboxes.pause(ADA, name))
            self.causes.pop(name, None)
        self.settled = False

    @rule()
    def an_admin_resyncs(self) -> None:
        for storm in self._open("storm:"):
            try:
                self.do(self.many.desk.resync_storm(ADA, storm.id, storm.facts["version"]))
            except RefusedError:
                continue
        self.settled = False

    @rule(minutes=st.sampled_from([1, 8, 30, 1_500]))
    def time_passes(self, minutes: int) -> None:
        self.many.rig.clock.pass_time(minutes=minutes)
        self.settled = False

    @rule()
    def the_loop_looks(self) -> None:
        self.do(self.many.look())
        self.settled = True

    def _status(self, name: str) -> MailboxStatus:
        return MailboxStatus(self.do(self.many.rig.mailboxes.get(ADA, name)).status)

    def _open(self, kind: str) -> list[Alert]:
        found: list[Alert] = self.do(self.many.open_alerts(kind))
        return found

    @invariant()
    def every_broken_mailbox_has_one_alert_and_its_owner_a_card(self) -> None:
        if self.store is None:
            return
        singles = {one.facts["mailbox_id"]: one for one in self._open("sync:")}
        assert {name: one.facts["cause"] for name, one in singles.items()} == self.causes
        shown = {one.facts["alert_id"]: one.facts for one in self.do(self.many.direct("sync"))}
        for one in singles.values():
            assert shown[one.id]["cause"] == one.facts["cause"]
            assert shown[one.id]["folded"] is None

    @invariant()
    def no_cause_has_two_storms_of_one_scope(self) -> None:
        if self.store is not None:
            keys = Counter((one.facts["scope"], one.facts["cause"]) for one in self._open("storm:"))
            assert max(keys.values(), default=1) == 1

    @invariant()
    def the_channel_tells_of_each_trouble_exactly_once(self) -> None:
        """After a look: by its own card or by its storm's, never by both, and storms tell of nobody who is well."""
        if self.store is None or not self.settled:
            return
        storms = {one.id: one for one in self._open("storm:")}
        cards = {one.facts["alert_id"]: one.facts for one in self.do(self.many.in_channel("sync", "storm"))}
        members: dict[str, set[str]] = {storm: set() for storm in storms}
        for single in self._open("sync:"):
            folded = single.facts["folded"]
            if folded is None:
                assert cards[single.id]["folded"] is None
                assert cards[single.id]["cause"] == single.facts["cause"]
                continue
            assert single.facts["cause"] == storms[folded].facts["cause"]
            assert storms[folded].facts["scope"] in (single.facts["place"], NETWORK)
            assert cards.get(single.id, {"folded": folded})["folded"] == folded
            members[folded].add(single.facts["mailbox_id"])
        for storm, inside in members.items():
            shown = cards[storm]
            broken = {one["mailbox_id"] for one in shown["mailboxes"] if one["state"] != "recovered"}
            assert broken == inside
            assert (shown["total"] - shown["recovered"], bool(inside)) == (len(inside), True)
            assert shown["total"] == len({one["mailbox_id"] for one in shown["mailboxes"]})

    @invariant()
    def what_is_over_says_so(self) -> None:
        """No card in the channel goes on about a storm that has ended."""
        if self.store is None or not self.settled:
            return
        still_open = {one.id for one in self._open("storm:")}
        for card in self.do(self.many.in_channel("storm")):
            ended = card.facts["state"] in ("recovered", "closed")
            assert ended is (card.facts["alert_id"] not in still_open)


def test_outages_come_and_go_and_no_card_is_doubled_or_lost(sqlite_template: Path) -> None:
    """Many short histories; more of them with RETHREAD_HISTORIES."""
    machine = type("Machine", (Outages,), {"template": sqlite_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("RETHREAD_HISTORIES", "25")),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
