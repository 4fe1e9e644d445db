"""What storing costs per message: ``python -m bench.store_ingest [--messages 10000] [--postgres] [--rounds 5]``.

Each write unit takes one batch of 200: every message recorded as seen, every message kept with one line on a
person's stream, the checkpoint moved. A disk with real flushes; medians of rounds on fresh files.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.clock import SystemClock
from core.domain.account import Mailbox, MailboxStatus
from core.domain.people import PersonAddress
from core.ports.storage import NewActivity, NewMessage, NewPerson, SeenMessage
from storage.engine import open_store
from storage.migrate import upgrade
from storage.sql_store import SqlStore
from tests.stores import make_mailbox

WORKSPACE, BATCH, PEOPLE = "T1", 200, 500
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


async def main() -> None:
    arguments = _arguments()
    rounds = [await _round(arguments.messages, postgres=arguments.postgres) for _ in range(arguments.rounds)]
    wall, cpu = (statistics.median(part) / arguments.messages * 1e6 for part in zip(*rounds, strict=True))
    kind = "PostgreSQL" if arguments.postgres else "SQLite"
    rate = f"{1e6 / wall:,.0f} messages/s"
    print(f"{kind}: {wall:.1f} µs a message, {cpu:.1f} µs of it our CPU, {rate} (median of {arguments.rounds})")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database; SQLite in a temporary file otherwise")
    return parser.parse_args()


async def _round(count: int, *, postgres: str | None) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        url = postgres or f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        await upgrade(url)
        async with await open_store(url, keys=["k" * 32], clock=SystemClock()) as store:
            return await _ingest(store, count, run=f"{time.time_ns()}")


async def _ingest(store: SqlStore, count: int, *, run: str) -> tuple[float, float]:
    """Seconds on the wall and of this process's CPU."""
    folder_id = await _world(store, run)
    batches = [_batch(run, start, min(BATCH, count - start)) for start in range(0, count, BATCH)]
    began, cpu_began = time.perf_counter(), time.process_time()
    for seen, messages, activities in batches:
        async with store.write(WORKSPACE) as uow:
            await uow.messages.record_seen(folder_id, 1, seen, START)
            await uow.messages.add(messages)
            await uow.messages.add_activities(activities)
            await uow.folders.advance(folder_id, uidvalidity=1, uidnext=seen[-1].uid + 1, exists=count)
    return time.perf_counter() - began, time.process_time() - cpu_began


async def _world(store: SqlStore, run: str) -> str:
    await store.ensure_workspace(WORKSPACE, name="Bench", at=START)
    people = [(f"{run}-p{n}", _person(run, n)) for n in range(PEOPLE)]
    async with store.write(WORKSPACE) as uow:
        await uow.mailboxes.add(_mailbox(run))
        await uow.people.add_many(people, START)
        return (await uow.folders.ensure(f"{run}-mb", "INBOX", "inbox")).id


def _person(run: str, number: int) -> NewPerson:
    address = f"p{number}-{run}@candidates.example"
    return NewPerson("Cleo", "Candidate", "", "", (PersonAddress(address, address, "personal", True, START),))


def _mailbox(run: str) -> Mailbox:
    address = f"rita-{run}@agency.test"
    return make_mailbox(f"{run}-mb", workspace=WORKSPACE, address=address, status=MailboxStatus.HISTORICAL)


def _batch(run: str, start: int, size: int) -> tuple[list[SeenMessage], list[NewMessage], list[NewActivity]]:
    numbers = range(start, start + size)
    seen = [SeenMessage(number + 1, number.to_bytes(32, "big")) for number in numbers]
    return seen, [_message(run, number) for number in numbers], [_activity(run, number) for number in numbers]


def _message(run: str, number: int) -> NewMessage:
    return NewMessage(
        id=f"{run}-m{number}",
        mailbox_id=f"{run}-mb",
        fingerprint=f"{run}-fp{number}",
        message_id=f"{run}.{number}@candidates.example",
        direction="in",
        kind="reply",
        at=START + timedelta(minutes=number),
        sender=f"p{number % PEOPLE}@candidates.example",
        recipients=("rita@agency.test",),
        subject="Re: A role at Initech",
        in_reply_to=(f"{number}@agency.test",),
        references=(f"{number}@agency.test",),
        thread_id=None,
        text="Thank you for your message. " * 40,
    )


def _activity(run: str, number: int) -> NewActivity:
    return NewActivity(
        person_id=f"{run}-p{number % PEOPLE}",
        fingerprint=f"{run}-fp{number}",
        message_row_id=f"{run}-m{number}",
        direction="in",
        kind="reply",
        rule="in_reply_to",
        at=START + timedelta(minutes=number),
    )


if __name__ == "__main__":
    asyncio.run(main())
