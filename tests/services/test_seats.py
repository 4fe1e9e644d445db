"""The workspace's limit on mailboxes: first come, first served, whatever happens in whatever order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxStatus
from core.domain.moment import iso
from core.errors import NotAllowedError, RefusedError, UnreachableError
from core.services.seats import SeatService
from storage.sql_store import SqlStore
from tests.services.rig import ADA, OMAR, RITA, Rig
from tests.stores import open_with_workspaces

AWAY = UnreachableError("[Errno 111] Connection refused", layer="socket", host="mail.agency.test")
RITAS, OMARS, THIRD = "rita@agency.test", "omar@agency.test", "jobs@agency.test"


async def status(rig: Rig, address: str) -> str:
    return (await rig.mailboxes.find(ADA, address)).status.value


async def full(rig: Rig, limit: int = 1) -> None:
    """Rita and Omar want to be synced, one minute apart."""
    await rig.settings.set(ADA, "mailbox_limit", str(limit))
    await rig.connect(RITAS)
    rig.clock.pass_time(minutes=1)
    await rig.connect(OMARS, OMAR)


async def act(rig: Rig, verb: str, address: str) -> Mailbox:
    mailbox = await rig.mailboxes.find(ADA, address)
    done: Mailbox = await getattr(rig.mailboxes, verb)(ADA, mailbox.id)
    return done


async def give_up(rig: Rig, address: str) -> None:
    """Two days without an answer."""
    mailbox = await rig.mailboxes.find(ADA, address)
    await rig.sync.failed("T1", mailbox.id, AWAY)
    rig.clock.pass_time(days=2)
    await rig.sync.failed("T1", mailbox.id, AWAY)


async def test_beyond_the_limit_a_mailbox_is_tried_stored_and_waits(rig: Rig) -> None:
    """Its password is proved right and kept; nothing of it is read."""
    await full(rig)
    assert (await status(rig, RITAS), await status(rig, OMARS)) == ("connecting", "pending")
    assert len(rig.connector.opened) == 2
    async with rig.store.read("T1") as uow:
        waiting = await rig.mailboxes.find(ADA, OMARS)
        assert (await uow.mailboxes.credentials(waiting.id)).password
    assert [mailbox_id for _, mailbox_id in await rig.sync.runnable()] == [(await rig.mailboxes.find(ADA, RITAS)).id]
    seats = await SeatService(rig.tools, rig.alerts).of(OMAR)
    assert (seats.used, seats.limit, seats.waiting) == (1, 1, 1)
    with pytest.raises(RefusedError, match="waits for a free seat"):
        await act(rig, "request_resync", OMARS)


@pytest.mark.parametrize("verb", ["disconnect", "pause"])
async def test_a_seat_that_comes_free_goes_to_whoever_waits_longest(rig: Rig, verb: str) -> None:
    """Omar came before the third, and sync hears of it."""
    await full(rig)
    rig.clock.pass_time(minutes=1)
    await rig.connect(THIRD)
    await rig.store.wait("sync", 0)
    await act(rig, verb, RITAS)
    assert (await status(rig, OMARS), await status(rig, THIRD)) == ("connecting", "pending")
    assert await rig.store.wait("sync", 0)


async def test_a_mailbox_given_up_after_two_days_leaves_its_seat(rig: Rig) -> None:
    """It holds none; restarted by hand it waits for its turn, its card closed (R33, R213)."""
    await full(rig)
    await give_up(rig, RITAS)
    assert (await status(rig, RITAS), await status(rig, OMARS)) == ("connection_issue", "connecting")
    assert [found for _, found in await rig.sync.runnable()] == [(await rig.mailboxes.find(ADA, OMARS)).id]
    assert (await act(rig, "request_resync", RITAS)).status is MailboxStatus.PENDING
    assert {card.facts["state"] for card in await rig.cards("sync:")} == {"closed"}
    await act(rig, "disconnect", OMARS)
    assert await status(rig, RITAS) == "connecting"
    await rig.read_mail(RITAS)
    assert await status(rig, RITAS) == "active"


async def test_a_mailbox_restarted_by_hand_has_its_two_days_again(rig: Rig) -> None:
    """With a seat free it is red until it works, and one more failure does not end it."""
    await rig.connect(RITAS)
    await give_up(rig, RITAS)
    restarted = await act(rig, "request_resync", RITAS)
    assert (restarted.status, restarted.failing_since) == (MailboxStatus.ERROR, None)
    assert await rig.sync.failed("T1", restarted.id, AWAY) is not None
    assert await status(rig, RITAS) == "error"


async def test_a_mailbox_given_up_is_not_refreshed(rig: Rig) -> None:
    """Nothing tries it before somebody says Resync."""
    await rig.connect(RITAS)
    await give_up(rig, RITAS)
    with pytest.raises(RefusedError) as refused:
        await act(rig, "refresh", RITAS)
    assert "resync" in refused.value.fix


async def test_raising_the_limit_lets_in_whoever_waits(rig: Rig) -> None:
    """And says who that was."""
    await full(rig)
    line = await rig.settings.set(ADA, "mailbox_limit", "2")
    assert line.note == "Now synced: omar@agency.test."
    assert await status(rig, OMARS) == "connecting"


async def test_without_a_limit_nobody_waits(rig: Rig) -> None:
    """Zero, as the default is."""
    await full(rig)
    await rig.settings.set(ADA, "mailbox_limit", "default")
    assert await status(rig, OMARS) == "connecting"


async def test_lowering_the_limit_makes_the_latest_wait(rig: Rig) -> None:
    """Said in the answer; an alert of theirs ends without a recovery."""
    await full(rig, limit=2)
    omars = await rig.mailboxes.find(ADA, OMARS)
    await rig.mailboxes.request_resync(OMAR, omars.id)
    await rig.sync.failed("T1", omars.id, AWAY)
    assert await status(rig, OMARS) == "error"
    line = await rig.settings.set(ADA, "mailbox_limit", "1")
    assert line.note == "Waiting for a seat from now on: omar@agency.test."
    waiting = await rig.mailboxes.find(ADA, OMARS)
    assert (waiting.status, waiting.fault, waiting.failing_since) == (MailboxStatus.PENDING, None, None)
    assert {card.facts["state"] for card in await rig.cards("sync:")} == {"closed"}


async def test_going_on_after_a_pause_may_mean_waiting(rig: Rig) -> None:
    """Somebody else took the seat meanwhile."""
    await full(rig)
    await act(rig, "pause", RITAS)
    assert await status(rig, OMARS) == "connecting"
    assert (await act(rig, "resume", RITAS)).status is MailboxStatus.PENDING
    await act(rig, "pause", OMARS)
    assert await status(rig, RITAS) == "connecting"


async def test_reconnecting_keeps_the_seat(rig: Rig) -> None:
    """A new password costs nobody their place (R49)."""
    await full(rig)
    await rig.connect(RITAS)
    assert (await status(rig, RITAS), await status(rig, OMARS)) == ("connecting", "pending")
    await rig.connect(OMARS, OMAR)
    assert await status(rig, OMARS) == "pending"


async def test_only_an_admin_changes_the_limit(rig: Rig) -> None:
    with pytest.raises(NotAllowedError):
        await rig.settings.set(RITA, "mailbox_limit", "5")


async def test_mailboxes_connected_at_one_moment_never_share_the_last_seat(rig_on_both: Rig) -> None:
    """Six people press Connect together, two seats are there; then two leave together."""
    rig = rig_on_both
    await rig.settings.set(ADA, "mailbox_limit", "2")
    addresses = [f"recruiter{number}@agency.test" for number in range(6)]
    await asyncio.gather(*(rig.connect(address) for address in addresses))
    seated = [one for one in await rig.mailboxes.list(ADA) if one.status in SEATED_STATUSES]
    assert len(seated) == 2
    await asyncio.gather(*(rig.mailboxes.disconnect(ADA, one.id) for one in seated))
    statuses = [one.status for one in await rig.mailboxes.list(ADA)]
    assert statuses.count(MailboxStatus.CONNECTING) == 2
    assert statuses.count(MailboxStatus.PENDING) == 2


ADDRESSES = [f"recruiter{number}@agency.test" for number in range(5)]
VERBS = ["pause", "resume", "disconnect", "request_resync"]


class Seats(RuleBasedStateMachine):
    """People connect, pause, leave and come back, servers die, admins change their mind."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "rethread.db")
        self.store: SqlStore | None = None
        self.limit = 0

    def teardown(self) -> None:
        if self.store is not None:
            self.do(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize(limit=st.integers(1, 3))
    def begin(self, limit: int) -> None:
        """Everybody at once, more than there are seats."""
        self.store = self.do(open_with_workspaces(f"sqlite+aiosqlite:///{self.folder / 'rethread.db'}"))
        self.rig = Rig.on(self.store)
        self.set_limit(limit)
        for address in ADDRESSES:
            self.connect(address)

    @rule(address=st.sampled_from(ADDRESSES))
    def connect(self, address: str) -> None:
        self.rig.clock.pass_time(minutes=1)
        self.do(self.rig.connect(address, ADA))

    @rule(limit=st.integers(0, 4))
    def set_limit(self, limit: int) -> None:
        self.do(self.rig.settings.set(ADA, "mailbox_limit", str(limit)))
        self.limit = limit

    @rule(address=st.sampled_from(ADDRESSES), verb=st.sampled_from(VERBS))
    def somebody_does(self, address: str, verb: str) -> None:
        self.rig.clock.pass_time(minutes=1)
        self.do(self._if_there(address, lambda rig: act(rig, verb, address)))

    @rule(address=st.sampled_from(ADDRESSES))
    def its_server_is_gone(self, address: str) -> None:
        self.do(self._if_there(address, lambda rig: give_up(rig, address)))

    async def _if_there(self, address: str, work: Any) -> None:
        if any(one.address == address for one in await self.rig.mailboxes.list(ADA)):
            try:
                await work(self.rig)
            except RefusedError:
                return

    @invariant()
    def seats_are_kept_full_and_never_beyond(self) -> None:
        """Never more than the limit; nobody waits beside a free seat."""
        if self.store is None:
            return
        mailboxes = self.do(self.rig.mailboxes.list(ADA))
        seated = [one for one in mailboxes if one.status in SEATED_STATUSES]
        waiting = [one for one in mailboxes if one.status is MailboxStatus.PENDING]
        shown = [(one.address, one.status.value, iso(one.created_at)) for one in mailboxes]
        assert not self.limit or len(seated) <= self.limit, shown
        assert not waiting or (self.limit and len(seated) == self.limit), shown


def test_any_history_of_seats(sqlite_template: Path) -> None:
    """Connecting, pausing, leaving, failing for days, new limits, in any order."""
    Seats.template = sqlite_template
    run_state_machine_as_test(
        Seats,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
