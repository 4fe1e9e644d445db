"""Random histories of one small campaign: what must hold holds after every step.

I1 no stage is taken by the server twice without a person's retry; I2 stages go out in order and none is left out
unless a person skipped it; I3 nothing goes out after a stop was committed; and no row is left that nobody will wake.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.errors import MailError, OutcomeUnknownError, RefusedError, ServerRefusedError, UnreachableError
from storage.sql_store import SqlStore
from tests.services.rig import CAMPAIGN, RITA, Rig, answer, email_of, message_id, report
from tests.stores import open_with_workspaces

PEOPLE = 2
ENDED = (ProspectStatus.REPLIED, ProspectStatus.COMPLETE)
RUNNING = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)
REASONED = (ProspectStatus.PENDING, ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED)
OUTCOMES: list[MailError | None] = [
    None,
    None,
    OutcomeUnknownError("lost", layer="smtp"),
    ServerRefusedError("451 4.3.0 later", layer="smtp", smtp_code=451),
    ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550),
    ServerRefusedError("552 5.2.2 mailbox full", layer="smtp", smtp_code=552),
    UnreachableError("no route", layer="socket"),
]
numbers = st.integers(1, PEOPLE)


class History(RuleBasedStateMachine):
    """Steps as they may come in any order: workers, people, servers, crashes."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "rethread.db")
        self.store: SqlStore | None = None
        self.claimed: list[Any] = []
        self.answered: Counter[int] = Counter()
        self.stopped: dict[int, int] = {}  # copies accepted for a prospect when its stop was committed
        self.excused: Counter[int] = Counter()  # mails on the wire at that moment may still cross

    def teardown(self) -> None:
        if self.store is not None:
            self.do(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize(
        files_sent=st.booleans(),
        takes_lost=st.booleans(),
        policy=st.sampled_from(["hold", "resend"]),
        first=st.sampled_from(OUTCOMES),
    )
    def begin(self, files_sent: bool, takes_lost: bool, policy: str, first: MailError | None) -> None:
        # A server that takes what it loses the answer of, and files nothing, cannot be asked: then only "hold" is safe.
        safe = policy if files_sent or not takes_lost else "hold"
        url = f"sqlite+aiosqlite:///{self.folder / 'rethread.db'}"
        self.store = self.do(open_with_workspaces(url))
        self.rig = Rig.on(self.store)
        self.rig.provider.files_sent, self.rig.provider.takes_lost = files_sent, takes_lost
        self.do(self.rig.open(undecided_policy=safe))
        self.do(self.rig.launch(PEOPLE))
        self.send(first)

    # -- workers

    @rule(limit=st.integers(1, PEOPLE))
    def claim(self, limit: int) -> None:
        self.claimed += self.do(self.rig.claim(limit=limit))

    @rule(outcome=st.sampled_from(OUTCOMES))
    def send(self, outcome: MailError | None) -> None:
        """An hour later, the mailbox just read: what is due goes, the first of it with this outcome."""
        self.rig.clock.pass_time(minutes=65)
        self.read_mail()
        self.claim(PEOPLE)
        while self.claimed:
            self.deliver(outcome)
            outcome = None

    @precondition(lambda self: self.claimed)
    @rule(outcome=st.sampled_from(OUTCOMES))
    def deliver(self, outcome: MailError | None) -> None:
        self.rig.provider.outcomes = [outcome]
        self.do(self.rig.outreach.deliver(self.claimed.pop(0)))
        self.rig.provider.outcomes = []

    @precondition(lambda self: self.claimed)
    @rule(reached=st.booleans())
    def crash(self, reached: bool) -> None:
        """The process dies with mails on the wire; the server may have taken the first of them."""
        if reached:
            self.rig.provider.take(self.claimed[0].raw)
        self.claimed = []
        self.rig.restarted()
        self.do(self.rig.outreach.recover("T1"))

    @rule()
    def read_mail(self) -> None:
        self.do(self.rig.read_mail())
        for number in range(1, PEOPLE + 1):
            self._note_stop(number)

    @rule(minutes=st.sampled_from([1, 20, 65, 600]))
    def wait(self, minutes: int) -> None:
        self.rig.clock.pass_time(minutes=minutes)
        self.do(self.rig.undecided.settle_due("T1"))

    # -- candidates and servers

    @rule(number=numbers)
    def reply(self, number: int) -> None:
        theirs = self._copies(number)
        if theirs:
            self.answered[number] += 1
            mark = 100 * number + self.answered[number]
            self.rig.provider.arrive(answer(theirs[-1], sender=email_of(number), number=mark))

    @rule(number=numbers, status=st.sampled_from(["5.1.1", "5.2.2"]))
    def bounce(self, number: int, status: str) -> None:
        theirs = self._copies(number)
        if theirs:
            self.answered[number] += 1
            mark = 100 * number + self.answered[number]
            self.rig.provider.arrive(report(theirs[-1], status=status, number=mark))

    # -- people

    @rule(
        number=numbers,
        event=st.sampled_from(
            [
                *(ProspectEvent.PAUSE, ProspectEvent.UNPAUSE, ProspectEvent.UNPAUSE, ProspectEvent.UNPAUSE),
                *(ProspectEvent.RETRY, ProspectEvent.RETRY, ProspectEvent.RETRY, ProspectEvent.RETRY),
                *(ProspectEvent.SKIP, ProspectEvent.FINISH, ProspectEvent.THEY_CALLED, ProspectEvent.RETRY_BYPASS),
            ]
        ),
    )
    def act(self, number: int, event: ProspectEvent) -> None:
        try:
            self.do(self.rig.act(event, number, confirmed=True))
        except RefusedError:
            return
        self._note_stop(number)

    @rule(number=numbers)
    def finish_and_undo(self, number: int) -> None:
        """A slip of the hand leaves nothing behind: prospect and deliveries stand as they stood."""
        before = self._standing(number)
        try:
            self.do(self.rig.act(ProspectEvent.FINISH, number))
        except RefusedError:
            return
        self.do(self.rig.act(ProspectEvent.UNDO_FINISH, number))
        assert self._standing(number) == before

    @rule(number=numbers)
    def undo(self, number: int) -> None:
        """Whenever it comes: within the window and with nothing since, or refused."""
        try:
            self.do(self.rig.act(ProspectEvent.UNDO_FINISH, number))
        except RefusedError:
            return
        self._note_stop(number)

    @rule(number=numbers)
    def out_of_office(self, number: int) -> None:
        theirs = self._copies(number)
        if theirs:
            self.answered[number] += 1
            note = answer(
                theirs[-1],
                sender=email_of(number),
                text="I am back on 3 September.",
                headers=["Auto-Submitted: auto-replied"],
                number=100 * number + self.answered[number],
            )
            self.rig.provider.arrive(note)

    @rule(decision=st.sampled_from(["sent", "resend", "drop"]))
    def settle(self, decision: str) -> None:
        for card in self.do(self.rig.cards("uncertain:")):
            if card.facts["state"] == "held" and (decision != "resend" or not self._is_out(card.facts["delivery_id"])):
                try:
                    self.do(self.rig.prospects.settle(RITA, decision, card.facts["delivery_id"], card.facts["version"]))
                except RefusedError:
                    continue

    @rule(pause=st.sampled_from([True, False, False]))
    def campaign(self, pause: bool) -> None:
        try:
            self.do((self.rig.campaigns.pause if pause else self.rig.campaigns.start)(RITA, CAMPAIGN))
        except RefusedError:
            return

    # -- what must hold

    @invariant()
    def everything_holds(self) -> None:
        if self.store is None:
            return
        taken = Counter(message_id(raw) for raw in self.rig.provider.accepted)
        assert [one for one, count in taken.items() if count > 1] == []  # I1
        for number, before in self.stopped.items():  # I3
            assert len(self._copies(number)) <= before + self.excused[number]
        for enrollment, deliveries in self.do(self._snapshot()):
            self._series_grow_after_an_end(deliveries)
            self._stages_without_gap(enrollment, deliveries)
            self._somebody_wakes(enrollment, deliveries)

    def _series_grow_after_an_end(self, deliveries: list[Delivery]) -> None:
        """I1: what may be out has no second series beside it."""
        for earlier, later in pairwise(deliveries):
            if earlier.stage == later.stage:
                assert earlier.state.value in ("failed", "cancelled", "skipped"), (earlier, later)

    def _stages_without_gap(self, enrollment: Enrollment, deliveries: list[Delivery]) -> None:
        """I2: every stage before the present one had its turn."""
        stages = {one.stage for one in deliveries}
        assert stages == set(range(1, len(stages) + 1))
        assert enrollment.stage in stages

    def _somebody_wakes(self, enrollment: Enrollment, deliveries: list[Delivery]) -> None:
        """A running prospect has one open delivery, a Pending one a reason; an ended one has nothing queued."""
        unsettled = [one for one in deliveries if one.state.value in ("queued", "sending", "unknown", "held")]
        assert len(unsettled) <= 1
        if enrollment.status in RUNNING:
            assert unsettled, (enrollment, deliveries)
        heard_elsewhere = enrollment.status is ProspectStatus.PAUSED and enrollment.reason is not None
        assert heard_elsewhere or (enrollment.reason is not None) == (enrollment.status in REASONED), enrollment
        if enrollment.status is ProspectStatus.ACTIVE:
            assert unsettled[0].state.value in ("queued", "sending"), (enrollment, unsettled)
            assert unsettled[0].waiting_for is None, (enrollment, unsettled)
        queued = [one for one in unsettled if one.state.value == "queued"]
        if queued and enrollment.status not in RUNNING:
            assert (enrollment.status, queued[0].waiting_for) == (ProspectStatus.PAUSED, "paused")

    async def _snapshot(self) -> list[tuple[Enrollment, list[Delivery]]]:
        assert self.store is not None
        found: defaultdict[str, list[Delivery]] = defaultdict(list)
        async with self.store.read("T1") as uow:
            for row in await uow.deliveries.log(limit=10_000):
                if delivery := await uow.deliveries.get(row.id):
                    found[delivery.enrollment_id].append(delivery)
            enrollments = await uow.enrollments.get_many(found)
        return [(one, sorted(found[one.id], key=lambda d: (d.stage, d.series))) for one in enrollments.values()]

    # -- helpers

    def _copies(self, number: int) -> list[bytes]:
        return [raw for raw in self.rig.provider.accepted if email_of(number).encode() in raw]

    def _standing(self, number: int) -> tuple[Any, ...]:
        """All that a finish touches, but for versions. What a stage waits for is asked anew when it is due."""
        enrollment, deliveries = self.do(self.rig.prospect(number)), self.do(self.rig.deliveries(number))
        kept = {"paused", "campaign"}
        queue = [
            replace(one, version=0, waiting_for=one.waiting_for if one.waiting_for in kept else None)
            for one in deliveries
        ]
        return replace(enrollment, version=0), queue

    def _is_out(self, delivery_id: str) -> bool:
        """Whether the server has a mail of which the card asks: a person looks before pressing Send again."""

        async def ours() -> str:
            assert self.store is not None
            async with self.store.read("T1") as uow:
                delivery = await uow.deliveries.get(delivery_id)
            return f"<{delivery.message_id}>" if delivery else ""

        wanted = self.do(ours())
        return any(message_id(raw) == wanted for raw in self.rig.provider.accepted)

    def _note_stop(self, number: int) -> None:
        enrollment = self.do(self.rig.prospect(number))
        if enrollment.status in (*ENDED, ProspectStatus.PAUSED):
            if number not in self.stopped:
                self.stopped[number] = len(self._copies(number))
                # A crash may show later that a claimed mail was taken before the stop.
                self.excused[number] = sum(1 for one in self.claimed if one.delivery.enrollment_id == enrollment.id)
        else:
            self.stopped.pop(number, None)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_random_histories(sqlite_template: Path) -> None:
    """A few seconds in the normal run; RETHREAD_HISTORIES=500 for a long one."""
    machine = type("SeededHistory", (History,), {"template": sqlite_template})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=int(os.environ.get("RETHREAD_HISTORIES", "15")),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
