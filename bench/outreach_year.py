"""A season of outreach played through: ``python -m bench.outreach_year [--people 1000] [--days 45] [--seed 4]``.

Six stages (four mails, a text, a call that must be made) for a thousand people in seven time zones from six mailboxes
with ramp, spacing and windows, over holidays and changes of the clocks, with replies, bounces, absences, complaints,
pauses, crashes and retries: the real services on SQLite with a clock that is turned. Every promise is
judged at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.machine import conditions
from core.collector import collect_seldom
from storage.migrate import upgrade
from tests.simulation.judge import faults, unexplained
from tests.simulation.offices import Office
from tests.simulation.season import DAYS, Season, candidates
from tests.stores import open_with_workspaces


async def play(people: int, days: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as folder:
        file = Path(folder) / "rethread.db"
        url = f"sqlite+aiosqlite:///{file}"
        await upgrade(url)
        async with await open_with_workspaces(url) as store:
            season = Season(Office(store, file, seed, candidates(people)), days)
            began, processor = time.perf_counter(), time.process_time()
            await season.run()
            wall, processor = time.perf_counter() - began, time.process_time() - processor
            went, broken = len(season.office.hosts.journal), [*faults(season), *unexplained(season)]
            print(f"{people:,} people, {days} days, {went:,} mails and texts, {season.turns:,} turns of the clock:")
            print(f"{wall:.1f} s on the wall, {processor:.1f} s of processor ({conditions()})")
            print(", ".join(f"{count} {what}" for what, count in sorted(season.happened.items())))
            print("\n".join(broken) or "every promise kept, everybody ended in a state that is explained")
            assert not broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=4)
    collect_seldom()
    arguments = parser.parse_args()
    asyncio.run(play(arguments.people, arguments.days, arguments.seed))


if __name__ == "__main__":
    main()
