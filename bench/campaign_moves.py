"""Pausing, starting and stopping a large campaign, and what others wait meanwhile:
``python -m bench.campaign_moves [--prospects 100000]``.

One campaign on SQLite in a file, every prospect with a stage in the queue. While the campaign moves, somebody else
writes one row in a transaction of its own every 20 ms, as replies and results do.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import conditions
from bench.outreach_engine import WORKSPACE, fill
from core.clock import SystemClock
from core.domain.actor import Actor, operator
from core.domain.campaign import CampaignEvent
from core.services.campaign_life import CampaignLife
from core.services.tools import Tools
from storage.engine import open_store
from storage.sql_store import SqlStore

_PACE_S = 0.02
_CAMPAIGN = "Backend engineers"


async def _others(store: SqlStore, stop: asyncio.Event) -> list[float]:
    """Seconds that each write of another took."""
    waited = list[float]()
    while not stop.is_set():
        began = time.perf_counter()
        async with store.write(WORKSPACE) as uow:
            await uow.mailboxes.touch("mb0", last_sync_at=datetime.now(UTC))
        waited.append(time.perf_counter() - began)
        await asyncio.sleep(_PACE_S)
    return waited


async def _move(store: SqlStore, life: CampaignLife, actor: Actor, event: CampaignEvent) -> None:
    stop = asyncio.Event()
    others = asyncio.create_task(_others(store, stop))
    began, cpu = time.perf_counter(), time.process_time()
    await life.move(actor, _CAMPAIGN, event)
    taken, used = time.perf_counter() - began, time.process_time() - cpu
    stop.set()
    waits = sorted(await others)
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    print(
        f"{event.value}: {taken:.1f} s, {used:.1f} s of processor; {len(waits)} writes of others meanwhile: "
        f"p50 {statistics.median(waits) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, most {waits[-1] * 1e3:.0f} ms"
    )


async def measure(prospects: int) -> None:
    clock = SystemClock()
    print(f"{prospects:,} prospects; {conditions()}")
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as folder:
        file = Path(folder) / "bench.db"
        async with await open_store(f"sqlite+aiosqlite:///{file}", keys=["k" * 32], clock=clock, migrate=True) as store:
            await fill(store, file, 1, enrolled=prospects, due=0, now=datetime.now(UTC))
            async with store.write(WORKSPACE) as uow:
                (campaign,) = await uow.campaigns.list()
                await uow.campaigns.replace(replace(campaign, senders=("rita0@agency.test",)))
            life = CampaignLife(Tools(store, clock, new_id=str, random=lambda: 0.5))
            for event in (CampaignEvent.PAUSE, CampaignEvent.START, CampaignEvent.STOP):
                await _move(store, life, operator(WORKSPACE), event)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prospects", type=int, default=100_000)
    asyncio.run(measure(parser.parse_args().prospects))


if __name__ == "__main__":
    main()
