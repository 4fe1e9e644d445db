"""Replies, pauses and finishes that cross a mail between its claim and the wire; results that come together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectEvent
from core.errors import OutcomeUnknownError, RefusedError, ServerRefusedError, StorageError
from core.services.cards import CardWriter
from core.services.progress import Progress
from core.services.stop_set import StopSet
from core.services.together import Together
from tests.services.rig import Rig, answer
from tests.stores import open_with_workspaces


def test_a_stop_concerns_only_mails_claimed_before_it() -> None:
    """The version tells: who was claimed later has been looked at later."""
    stops = StopSet()
    stops.add("e1", version=5, at=100.0)
    assert stops.concerns("e1", version=4, claimed_at=99.0)
    assert not stops.concerns("e1", version=5, claimed_at=99.0)
    assert not stops.concerns("e2", version=1, claimed_at=99.0)


def test_a_stop_that_was_undone_holds_nobody_back_for_ever() -> None:
    """The transaction rolled back: a later claim saw the row as it is."""
    stops = StopSet()
    stops.add("e1", version=5, at=100.0)
    assert stops.concerns("e1", version=4, claimed_at=104.0)
    assert not stops.concerns("e1", version=4, claimed_at=106.0)


def test_the_set_does_not_grow_for_ever() -> None:
    stops = StopSet()
    for number in range(60_000):
        stops.add(f"e{number}", version=2, at=1.0)
    assert not stops.concerns("e1", version=1, claimed_at=1.0)
    assert stops.concerns("e59999", version=1, claimed_at=1.0)


async def test_who_comes_while_work_is_under_way_shares_the_next() -> None:
    """The first goes alone, at once; the others together."""
    began, go_on = asyncio.Event(), asyncio.Event()
    served: list[list[int]] = []

    async def work(_key: str, items: Sequence[int]) -> Sequence[int]:
        served.append(list(items))
        began.set()
        await go_on.wait()
        return [item * 2 for item in items]

    together = Together(work)
    first = asyncio.create_task(together.ask("T1", 1))
    await began.wait()
    others = [asyncio.create_task(together.ask("T1", number)) for number in (2, 3)]
    elsewhere = asyncio.create_task(together.ask("T2", 9))
    go_on.set()
    assert await asyncio.gather(first, *others, elsewhere) == [2, 4, 6, 18]
    assert sorted(served) == [[1], [2, 3], [9]]


async def test_what_fails_fails_for_those_who_shared_it_only() -> None:
    """The next ones are served."""

    async def work(_key: str, items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            raise ZeroDivisionError
        return items

    together = Together(work)
    with pytest.raises(ZeroDivisionError):
        await together.ask("T1", 1)
    assert await together.ask("T1", 2) == 2


async def test_what_the_database_does_not_take_of_one_fails_for_that_one_only() -> None:
    """Those who shared its transaction are served alone, each once."""
    began, go_on = asyncio.Event(), asyncio.Event()
    served: list[int] = []

    async def work(_key: str, items: Sequence[int]) -> Sequence[int]:
        began.set()
        await go_on.wait()
        if 3 in items:
            raise StorageError("The database did not take it.")
        served.extend(items)
        return [item * 2 for item in items]

    together = Together(work)
    first = asyncio.create_task(together.ask("T1", 1))
    await began.wait()
    others = [asyncio.create_task(together.ask("T1", number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)  # they have asked
    go_on.set()
    second, third, fourth = await asyncio.gather(*others, return_exceptions=True)
    assert (await first, second, fourth) == (2, 4, 8)
    assert isinstance(third, StorageError)
    assert served == [1, 2, 4]


async def test_results_that_come_together_share_a_transaction(rig: Rig) -> None:
    """However many they are: few statements, each stage queued once."""
    await rig.open()
    await rig.launch(4)
    outgoing = await rig.claim()
    assert len(outgoing) == 4
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await asyncio.gather(*(rig.outreach.deliver(one) for one in outgoing))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len([one for one in statements if one.startswith("BEGIN IMMEDIATE")]) <= 2
    for number in range(1, 5):
        assert await rig.states(number) == ["1.1 sent", "2.1 queued"]
        assert await rig.events(number) == ["release"]


async def test_a_race_on_one_row_undoes_no_other_result(rig_on_both: Rig) -> None:
    """One is paused, one refused, one lost while others are on the wire: each has its own end."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(4)
    outgoing = sorted(await rig.claim(), key=lambda one: one.recipient)
    all_on_wire, waiting = asyncio.Event(), 0

    async def wait_for_all() -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 2:  # as many as go at once
            await rig.act(ProspectEvent.PAUSE, 1)
            all_on_wire.set()
        await all_on_wire.wait()

    rig.provider.on_wire = wait_for_all
    rig.provider.outcomes = [
        None,
        None,
        ServerRefusedError("552 5.3.4 message too large", layer="smtp", smtp_code=552),
        OutcomeUnknownError("closed", layer="smtp"),
    ]
    await asyncio.gather(*(rig.outreach.deliver(one) for one in outgoing))
    ends = sorted([(await rig.states(number))[0] for number in range(1, 5)])
    assert ends == ["1.1 failed", "1.1 sent", "1.1 sent", "1.1 unknown"]
    assert (await rig.prospect(1)).status.value in ("Paused", "Not Delivered")


async def test_a_reply_that_is_being_stored_stops_the_mail_before_its_commit(rig: Rig) -> None:
    """Told inside the transaction: no commit can come first."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    (second,) = await rig.claim()
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    await rig.outreach.deliver(second)
    assert len(rig.provider.accepted) == 1
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert await rig.shows() == "Replied 2"


async def test_a_stop_by_another_process_is_seen_in_the_database(rig: Rig) -> None:
    """Nobody told this process; its look is older than a quarter of a second, so it asks."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    other = Rig.on(rig.store)
    other.clock.at = rig.clock.at
    await other.act(ProspectEvent.PAUSE)
    rig.clock.pass_time(seconds=0.3)
    await rig.outreach.deliver(one)
    assert rig.provider.accepted == []
    (delivery,) = await rig.deliveries()
    assert (delivery.state, delivery.waiting_for, delivery.attempts) == (DeliveryState.QUEUED, "paused", 0)


async def test_a_mail_held_back_at_the_last_moment_goes_when_it_may(rig: Rig) -> None:
    """Paused and unpaused between claim and wire: the next claim sends it, once."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    await rig.act(ProspectEvent.PAUSE)
    await rig.act(ProspectEvent.UNPAUSE)
    await rig.outreach.deliver(one)
    assert rig.provider.accepted == []
    rig.clock.pass_time(seconds=2)
    assert await rig.send_due() == 1
    assert len(rig.provider.accepted) == 1


async def test_a_stage_that_went_out_during_the_pause_cannot_be_skipped(rig: Rig) -> None:
    """Nothing would be skipped, and the ledger would say that it was."""
    await rig.open()
    await rig.launch()

    async def pause() -> None:
        await rig.act(ProspectEvent.PAUSE)

    rig.provider.on_wire = pause
    assert await rig.send_due() == 1
    assert await rig.states() == ["1.1 sent"]
    assert await rig.shows() == "Paused 1"
    with pytest.raises(RefusedError, match="Stage 1 has gone out already"):
        await rig.act(ProspectEvent.SKIP)
    assert "skip" not in await rig.events()
    await rig.act(ProspectEvent.UNPAUSE)
    await rig.act(ProspectEvent.SKIP)
    assert await rig.states() == ["1.1 sent", "2.1 skipped", "3.1 queued"]


@pytest.mark.postgres
async def test_a_prospect_whose_mail_is_being_claimed_is_not_removed(postgres_url: str) -> None:
    """The claim has not committed when the button is pressed, and changes nothing of the prospect itself."""
    async with await open_with_workspaces(postgres_url) as store:
        rig = Rig.on(store)
        await rig.open()
        await rig.launch()
        async with store.write("T1") as uow:
            (due,) = await uow.deliveries.claim_due(rig.clock.now(), limit=1)
            removing = asyncio.create_task(rig.act(ProspectEvent.REMOVE))
            await asyncio.wait({removing}, timeout=0.5)  # to its end, or to the lock that the claim holds
            claimed = replace(due.delivery, state=DeliveryState.SENDING, claimed_at=rig.clock.now())
            assert await uow.deliveries.save(claimed)
        with pytest.raises(RefusedError, match="being sent right now"):
            await removing
        assert await rig.states() == ["1.1 sending"]


@pytest.mark.postgres
async def test_an_unpause_while_a_mail_comes_back_leaves_nobody_waiting(postgres_url: str) -> None:
    """Put back into the queue as the prospect stands after the unpause, not as it stood before."""
    async with await open_with_workspaces(postgres_url) as store:
        rig = Rig.on(store)
        await rig.open()
        await rig.launch()
        (outgoing,) = await rig.claim()
        await rig.act(ProspectEvent.PAUSE)
        progress = Progress(rig.tools, CardWriter(rig.tools))

        async def come_back() -> None:
            async with store.write("T1") as uow:
                queued = replace(outgoing.delivery, state=DeliveryState.QUEUED)
                await progress.requeue(uow, queued, evidence="not sent")

        async with store.write("T1") as uow:
            await progress.move(uow, await rig.prospect(), ProspectEvent.UNPAUSE)
            coming = asyncio.create_task(come_back())
            await asyncio.wait({coming}, timeout=0.5)  # to its end, or to the lock that the unpause holds
        await coming
        assert [one.waiting_for for one in await rig.deliveries()] == [None]
