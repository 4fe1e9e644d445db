"""First sync of a mailbox on a real Dovecot, matched and stored in SQLite, beside imapclient, which stores nothing.

    python -m bench.first_sync [--messages 10000] [--rounds 5] [--matched 0.2]

``--matched`` is the share of messages whose sender is on a profile: their text is read and stored too. imapclient
reads every message's text. Rounds alternate; ratios within one run count. Processor time is this process's alone,
its database's thread included, Dovecot's not.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from bench.imap_wire import RITA, recruiting_mail, theirs
from bench.machine import conditions, need_dovecot
from core.assembly import make_engine, make_mail, make_tools, make_use_cases
from core.clock import SystemClock
from core.domain.account import Mailbox
from core.domain.actor import Actor, Role
from core.ports.mail import Endpoint, Tls
from core.services.connecting import ConnectRequest
from core.services.sync import SyncService
from core.settings import Settings
from storage.engine import open_store
from storage.sql_store import SqlStore
from tests.integration.mail.dovecot import Dovecot

WORKSPACE = "T0BENCH"
OPERATOR = Actor(WORKSPACE, "U0RITA", Role.ADMIN)
LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds on the wall, seconds of this process's processor time."""

    wall: float
    cpu: float


async def first_sync(dovecot: Dovecot, folder: Path, messages: int, matched: float) -> Taken:
    """From connecting to the green light, on a fresh database with the people already in it."""
    clock = SystemClock()
    url = f"sqlite+aiosqlite:///{folder / 'bench.db'}"
    async with await open_store(url, keys=["k" * 32], clock=clock, migrate=True) as store:
        tools = make_tools(store, clock)
        mail = make_mail(Settings(allow_private_mail_hosts=True, ca_file=str(dovecot.ca_file)), clock)
        uses = make_use_cases(tools, mail)
        await store.ensure_workspace(WORKSPACE, name="Bench", at=clock.now())
        rows = "".join(f"Person,{n},person{n}@candidates.example\n" for n in range(1, int(messages * matched) + 1))
        await uses.people.import_csv(OPERATOR, f"first_name,last_name,personal_email\n{rows}".encode())
        imap = Endpoint("localhost", dovecot.tls_port, Tls.SSL)
        request = ConnectRequest(RITA.username, RITA.username, RITA.password, imap, imap, send=False)
        mailbox = await uses.connecting.connect(OPERATOR, request)
        engine = make_engine(tools, mail, started_at=clock.now())
        began, cpu = clock.now(), time.process_time()
        caught_up = await _caught_up(engine.sync, store, mailbox.id)
        assert caught_up.last_sync_at is not None
        taken = Taken((caught_up.last_sync_at - began).total_seconds(), time.process_time() - cpu)
        await _check(store, mailbox.id, messages, int(messages * matched))
        return taken


async def _caught_up(sync: SyncService, store: SqlStore, mailbox_id: str) -> Mailbox:
    """Runs a session until its mailbox is green. Looks seldom, so that looking costs little: the row has the time."""
    session = asyncio.create_task(sync.run(WORKSPACE, mailbox_id))
    try:
        while not session.done():
            async with store.read(WORKSPACE) as uow:
                mailbox = await uow.mailboxes.get(mailbox_id)
            if mailbox is not None and mailbox.light == "green":
                return mailbox
            await asyncio.sleep(LOOK_EVERY)
        raise RuntimeError("the session ended before it had read everything") from session.exception()
    finally:
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)


async def _check(store: SqlStore, mailbox_id: str, messages: int, kept: int) -> None:
    """A figure counts only where all was read and the first and the last match are on their streams, with text."""
    async with store.read(WORKSPACE) as uow:
        inbox = next(one for one in await uow.folders.list(mailbox_id) if one.role == "inbox")
        assert inbox.uidnext == messages + 1, inbox
        for number in {1, kept} - {0}:
            person = await uow.people.by_address(f"person{number}@candidates.example")
            assert person is not None
            (line,) = await uow.messages.stream(person.id)
            assert line.text, line


def imapclient_reads(dovecot: Dovecot) -> Taken:
    """In a process of its own, so that its memory is not taken for ours."""
    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[Taken] = context.SimpleQueue()
    process = context.Process(target=_imapclient_reads, args=(dovecot, answers))
    process.start()
    process.join()
    return answers.get()


def _imapclient_reads(dovecot: Dovecot, answers: SimpleQueue[Taken]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(theirs(dovecot, tls=True, texts=True)())
    answers.put(Taken(time.perf_counter() - began, time.process_time() - cpu))


def measure(messages: int, rounds: int, matched: float) -> tuple[list[Taken], list[Taken]]:
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, Dovecot(Path(name)) as dovecot:
        dovecot.add_user(RITA.username, RITA.password)
        dovecot.deliver(RITA.username, map(recruiting_mail, range(1, messages + 1)))
        imapclient_reads(dovecot)  # Dovecot builds its index and cache
        ours, others = [], []
        for number in range(rounds):
            folder = Path(name) / f"round{number}"
            folder.mkdir()
            ours.append(asyncio.run(first_sync(dovecot, folder, messages, matched)))
            others.append(imapclient_reads(dovecot))
    return ours, others


def _line(who: str, rounds: Sequence[Taken], messages: int, what: str) -> str:
    wall = statistics.median(one.wall for one in rounds)
    cpu = statistics.median(one.cpu for one in rounds)
    return f"{who:11} {messages / wall:7,.0f} messages/s, {cpu / messages * 1e6:4.0f} µs of processor each: {what}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--matched", type=float, default=0.2)
    arguments = parser.parse_args()
    need_dovecot()
    ours, others = measure(arguments.messages, arguments.rounds, arguments.matched)
    ratio = statistics.median(theirs.wall / mine.wall for mine, theirs in zip(ours, others, strict=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"first sync of {arguments.messages:,} messages over TLS, {arguments.rounds} rounds ({conditions()})")
    print(_line("rethread", ours, arguments.messages, f"read, matched, stored ({arguments.matched:.0%} match)"))
    print(_line("imapclient", others, arguments.messages, "headers, structure and all texts read"))
    print(f"ratio {ratio:.2f} (median of the rounds), peak memory of this process {memory} MiB")


if __name__ == "__main__":
    main()
