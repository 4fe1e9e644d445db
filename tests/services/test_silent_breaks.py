"""Connections that stand while nothing comes of them (R4): given up, made anew, told where that lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from core.errors import ServerSilentError
from core.services.host_gate import AT_ONCE
from core.services.proof_of_life import ProofOfLife
from core.workers.sync import SyncWorker
from tests.services.held_session import DEADLINE, held, log_lines, passes, ritas
from tests.services.rig import Rig
from tests.stores import NOW

HOST = "mail.agency.test"


class LoopClock:
    """The event loop's own clock."""

    now = staticmethod(lambda: NOW)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


async def forever() -> None:
    await asyncio.Event().wait()


async def watched(proof: ProofOfLife, patience: float) -> float:
    """Watches a session that never ends; when it was given up."""
    session = asyncio.create_task(forever())
    with pytest.raises(ServerSilentError, match=f"no sign of life for {patience:g} s"):
        await proof.watch(session, patience)
    session.cancel()
    return asyncio.get_running_loop().time()


@pytest.mark.looptime
async def test_silence_is_borne_as_long_as_patience_lasts() -> None:
    began = asyncio.get_running_loop().time()
    assert await watched(ProofOfLife(LoopClock(), HOST), 100) == pytest.approx(began + 100, abs=1)


@pytest.mark.looptime
async def test_every_proof_of_life_begins_patience_anew() -> None:
    proof, began = ProofOfLife(LoopClock(), HOST), asyncio.get_running_loop().time()
    for second in (60, 120, 180):
        asyncio.get_running_loop().call_later(second, proof.given)
    assert await watched(proof, 100) == pytest.approx(began + 280, abs=1)


@pytest.mark.looptime
async def test_while_it_waits_for_something_of_our_own_a_session_is_not_silent() -> None:
    """A place at the host gate, behind a thousand others; then patience begins."""
    proof, began = ProofOfLife(LoopClock(), HOST), asyncio.get_running_loop().time()

    async def queue() -> None:
        with proof.suspended():
            await passes(1_000)

    waiting = asyncio.create_task(queue())
    assert await watched(proof, 100) == pytest.approx(began + 1_100, abs=1)
    await waiting


@pytest.mark.looptime
async def test_a_session_that_ends_is_watched_no_longer_and_its_errors_come_out() -> None:
    async def fail() -> None:
        await passes(10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ProofOfLife(LoopClock(), HOST).watch(asyncio.create_task(fail()), 100)


async def test_a_server_that_keeps_the_connection_and_says_nothing_is_given_up(rig: Rig) -> None:
    """The connection is closed, and the next one works."""
    await rig.open(stuck_after_s=1)
    rig.provider.stuck = asyncio.Event()
    session = asyncio.create_task(rig.sync.run("T1", (await ritas(rig)).id))
    await until(rig, lambda: rig.provider.stalled == 1)
    rig.clock.pass_time(seconds=60)
    with pytest.raises(ServerSilentError) as silent:
        await asyncio.wait_for(session, DEADLINE)
    assert silent.value.host == HOST
    rig.provider.stuck = None
    async with held(rig):
        assert (await ritas(rig)).light == "green"
    assert all(client.closed for client in rig.connector.opened)


async def test_silence_that_lasts_is_told_as_what_it_is(rig: Rig) -> None:
    """First with patience, then by a card; never as a password fault."""
    await rig.open(alert_tries=3, alert_after_s=600)
    mailbox = await ritas(rig)
    silent = ServerSilentError("TimeoutError: no sign of life for 1080 s", layer="imap", host=HOST)
    assert await rig.sync.failed("T1", mailbox.id, silent) is not None
    assert (await ritas(rig)).light == "green"
    for _ in range(2):
        rig.clock.pass_time(minutes=19)
        await rig.sync.failed("T1", mailbox.id, silent)
    broken = await ritas(rig)
    assert (broken.light, broken.fault and broken.fault.cause) == ("red", "no_sign_of_life")
    assert (await rig.card("sync:")).facts["cause"] == "no_sign_of_life"
    await rig.read_mail()
    assert (await rig.card("sync:")).facts["state"] == "recovered"


async def test_the_worker_makes_a_silent_connection_anew(rig: Rig) -> None:
    """By itself, after the pause of its cause; the log says why."""
    await rig.open(stuck_after_s=1, retry_first_s=0.1)
    rig.provider.stuck = asyncio.Event()
    rig.provider.pushes = asyncio.Queue()
    worker, stop = SyncWorker(rig.store, rig.clock, rig.sync, random=lambda: 0.5), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        await until(rig, lambda: rig.provider.stalled == 1)
        rig.clock.pass_time(seconds=60)
        rig.provider.stuck = None
        opened = len(rig.connector.opened)
        await until(rig, lambda: len(rig.connector.opened) > opened)
        assert "no_sign_of_life" in await log_lines(rig)
    finally:
        stop.set()
        await asyncio.wait_for(running, DEADLINE)


async def test_waiting_for_a_turn_at_the_host_is_no_silence(rig: Rig) -> None:
    """As when a thousand mailboxes come back after a restart of their server."""
    await rig.open(stuck_after_s=1)
    async with AsyncExitStack() as crowd:
        for _ in range(AT_ONCE):
            await crowd.enter_async_context(rig.sync._gate.turn(HOST))
        session = asyncio.create_task(rig.sync.run("T1", (await ritas(rig)).id))
        await rig.store.wait("test", 0.2)  # until it stands in the queue
        rig.clock.pass_time(seconds=600)
        done, _ = await asyncio.wait({session}, timeout=1.5)
        assert not done
    rig.provider.pushes = asyncio.Queue()
    await until(rig, lambda: rig.provider.listed == 2)
    session.cancel()
    await asyncio.gather(session, return_exceptions=True)


async def until(rig: Rig, found: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not found():
            await rig.store.wait("test", 0.01)
