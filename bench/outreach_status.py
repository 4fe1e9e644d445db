"""What ``/outreach status`` costs in a large campaign: ``python -m bench.outreach_status [--prospects 100000]``.

One campaign of so many prospects and ten times as many lines in its Email Log, a tenth of the people answering, on
SQLite in a file; the questions that the command asks, each time in a unit of its own, as the command does.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.grown_campaign import CAMPAIGN, STAGES, WORKSPACE, campaign, grow
from bench.machine import conditions
from core.clock import SystemClock
from core.domain.actor import operator
from core.services.metrics import MetricsService
from core.services.tools import Tools
from storage.engine import open_store
from storage.migrate import upgrade


async def main() -> None:
    arguments = _arguments()
    print(conditions())
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.database or Path(folder) / "bench.db"
        url = f"sqlite+aiosqlite:///{path}"
        if not path.exists():
            began = time.perf_counter()
            await upgrade(url)
            async with await open_store(url, keys=["k" * 32], clock=SystemClock()) as store:
                await store.ensure_workspace(WORKSPACE, name="Bench", at=SystemClock().now())
                async with store.write(WORKSPACE) as uow:
                    await uow.campaigns.add(campaign())
            grow(path, arguments.prospects)
            print(f"{arguments.prospects:,} prospects, {arguments.prospects * STAGES:,} log rows", end="")
            print(f" written in {time.perf_counter() - began:.0f} s")
        async with await open_store(url, keys=["k" * 32], clock=SystemClock()) as store:
            metrics = MetricsService(Tools(store, SystemClock(), new_id=str, random=lambda: 0.5))
            actor = operator(WORKSPACE)
            await _measure("status", lambda: metrics.status(actor, CAMPAIGN, limit=25), arguments.rounds)
            await _measure("report", lambda: metrics.campaign(actor, CAMPAIGN), max(3, arguments.rounds // 20))


async def _measure(name: str, ask: Callable[[], Awaitable[object]], rounds: int) -> None:
    spent, cpu = list[float](), time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        spent.append((time.perf_counter() - began) * 1e3)
    used = (time.process_time() - cpu) / rounds * 1e3
    p50, p99 = statistics.median(spent), sorted(spent)[min(rounds - 1, int(rounds * 0.99))]
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms; the first, which counts all, {spent[0]:.0f} ms", end="")
    print(f"; {used:.1f} ms of processor each")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prospects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", type=Path, help="keep the grown database here, and use it the next time")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
