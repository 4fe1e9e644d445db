"""Keeps loops alive: a loop that raises is logged once, restarted with growing pauses, and never takes others down."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import structlog

_log = structlog.get_logger("supervisor")

LEASE = timedelta(seconds=30)
"""What was claimed longer ago and not renewed since belongs to a process that is dead."""
RENEW_EVERY = 10.0

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0


def next_pause(failures: int, random: float) -> float:
    """Seconds before a restart: full jitter under a bound that doubles (1 s to 5 min)."""
    bound = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE)
    return bound * (0.5 + random / 2)


def stop_on_signals(stop: asyncio.Event, *, within: float) -> None:
    """SIGTERM and SIGINT set ``stop``; a second one, or ``within`` seconds later, ends the process where it stands."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        loop.call_later(within, os._exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)


async def supervise(
    name: str, loop: Callable[[], Awaitable[None]], *, stop: asyncio.Event, random: Callable[[], float]
) -> None:
    """Runs ``loop`` until it returns or ``stop`` is set. Cancellation passes through."""
    failures = 0
    while not stop.is_set():
        try:
            await loop()
        except Exception:
            failures += 1
            pause = next_pause(failures, random())
            _log.exception("loop_failed", action="loop_failed", loop=name, failures=failures, pause_s=round(pause, 1))
            await wait_for(stop, pause)
        else:
            return


async def wait_for_either(stop: asyncio.Event, waiting: Coroutine[Any, Any, object]) -> None:
    """Waits until ``waiting`` returns, or for ``stop``, which cancels it: what takes long delays no end. Raises what
    ``waiting`` raises."""
    stopped, work = asyncio.create_task(stop.wait()), asyncio.create_task(waiting)
    try:
        done, _ = await asyncio.wait((stopped, work), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopped, work):
            task.cancel()
        await asyncio.gather(stopped, work, return_exceptions=True)
    if work in done:
        work.result()


async def wait_for(stop: asyncio.Event, seconds: float) -> bool:
    """Waits for ``stop`` or the time; True where it was stopped."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
    return stop.is_set()
