"""Matching a batch of 200 mails among ten thousand and among a million people: SQLite, both in the same run.

    python -m bench.matching [--people 10000 1000000] [--batches 200] [--known 0.5]

A batch is headers read, people and our own mail looked up, rules applied: what happens to each 200 mails before
anything is fetched or stored. ``--known`` is the share of senders who are on a profile, spread over all people.
Batches alternate between the databases. Told are medians, questions to the database a batch, and the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bench.machine import conditions
from core.assembly import make_engine, make_mail, make_tools
from core.clock import SystemClock
from core.domain.account import MailboxStatus
from core.domain.message import FetchedMessage
from core.services.ingest import IngestService
from core.services.received import FolderJob
from core.settings import Settings
from storage.engine import open_store
from storage.sql_store import SqlStore
from tests.stores import make_mailbox

WORKSPACE, BATCH = "T1", 200
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) "


class Case:
    """One database with its people, and what a batch took there: seconds on the wall, of processor, questions."""

    def __init__(self, people: int, ingest: IngestService, job: FolderJob) -> None:
        self.people, self._ingest, self._job = people, ingest, job
        self.walls: list[float] = []
        self.cpus: list[float] = []
        self.questions: list[int] = []
        self._asked = 0

    async def run(self, known: float, seed: int) -> None:
        """Raises AssertionError where somebody was not found."""
        chance = random.Random(seed)
        senders = [
            chance.randrange(self.people) if number < BATCH * known else self.people + number for number in range(BATCH)
        ]
        messages = [_message(number, sender) for number, sender in enumerate(senders, 1)]
        self._asked = 0
        event.listen(Engine, "before_cursor_execute", self._note)
        cpu, wall = time.process_time(), time.perf_counter()
        batch = await self._ingest.match(self._job, messages)
        self.walls.append(time.perf_counter() - wall)
        self.cpus.append(time.process_time() - cpu)
        event.remove(Engine, "before_cursor_execute", self._note)
        self.questions.append(self._asked)
        assert len(batch.matched) == int(BATCH * known), len(batch.matched)

    def _note(self, *_details: Any) -> None:
        self._asked += 1


def _message(uid: int, sender: int) -> FetchedMessage:
    header = (
        f"From: Person {sender} <person{sender}@candidates.example>\r\nTo: rita@agency.test\r\n"
        f"Subject: A question\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{uid}.{sender}@candidates.example>\r\n\r\n"
    )
    return FetchedMessage(uid, START, 2_000, frozenset(), header.encode())


async def prepare(folder: Path, people: int, stack: AsyncExitStack) -> Case:
    """A database with so many people, opened until the stack ends."""
    clock, file = SystemClock(), folder / f"{people}.db"
    store = await open_store(f"sqlite+aiosqlite:///{file}", keys=["k" * 32], clock=clock, migrate=True)
    await stack.enter_async_context(store)
    job = await _job(store)
    await asyncio.to_thread(_add_people, file, people)
    mail = make_mail(Settings(), clock)
    return Case(people, make_engine(make_tools(store, clock), mail, started_at=clock.now()).sync.ingest, job)


async def _job(store: SqlStore) -> FolderJob:
    await store.ensure_workspace(WORKSPACE, name="Bench", at=START)
    mailbox = make_mailbox("mb", workspace=WORKSPACE, address="rita@agency.test", status=MailboxStatus.HISTORICAL)
    async with store.write(WORKSPACE) as uow:
        await uow.mailboxes.add(mailbox)
        folder = await uow.folders.ensure(mailbox.id, "INBOX", "inbox")
    return FolderJob(mailbox, folder, 1, BATCH, None, frozenset({"rita@agency.test"}))


def _add_people(file: Path, people: int) -> None:
    """By SQL alone: a million through the services would take longer than everything else here."""
    numbers, at = NUMBERS.format(first=0, last=people - 1), START.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    with sqlite3.connect(file) as connection:
        connection.execute(
            f"{numbers} INSERT INTO people (workspace, id, first_name, last_name, phone, timezone, created_at, "
            f"updated_at, fields) SELECT ?, 'p' || n, 'Person', n, '', '', ?, ?, '{{}}' FROM numbers",
            (WORKSPACE, at, at),
        )
        address = "'person' || n || '@candidates.example'"
        connection.execute(
            f"{numbers} INSERT INTO person_addresses (workspace, key, loose_key, person_id, address, type, "
            f"\"primary\", added_at, position) SELECT ?, {address}, {address}, 'p' || n, {address}, "
            "'personal', 1, ?, 1 FROM numbers",
            (WORKSPACE, at),
        )
    connection.close()


async def measure(sizes: Sequence[int], batches: int, known: float) -> list[Case]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rethread-bench-")))
        cases = [await prepare(folder, people, stack) for people in sizes]
        for seed in range(batches):
            for case in cases:
                await case.run(known, seed)
        return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--known", type=float, default=0.5)
    arguments = parser.parse_args()
    cases = asyncio.run(measure(arguments.people, arguments.batches, arguments.known))
    print(
        f"matching {BATCH} mails, {arguments.known:.0%} from known people, {arguments.batches} batches ({conditions()})"
    )
    first = cases[0]
    for case in cases:
        wall, cpu = statistics.median(case.walls), statistics.median(case.cpus)
        ratio = statistics.median(mine / base for mine, base in zip(case.cpus, first.cpus, strict=True))
        print(
            f"{case.people:9,} people: {wall * 1_000:5.1f} ms, {cpu * 1_000:5.1f} ms of processor "
            f"({ratio:.2f} times the first), {max(case.questions)} questions"
        )


if __name__ == "__main__":
    main()
