"""The product's first sync of one mailbox, in a process that holds nothing but the product.

    python -m bench.product_sync prepare FOLDER --port 993 --ca FILE --people 2000
    python -m bench.product_sync run FOLDER --ca FILE --messages 10000 --people 2000

``prepare`` makes a database with the people and the mailbox, ``run`` reads the mailbox until its light is green and
prints one JSON line: seconds on the wall, seconds of processor, peak memory in MiB. Two processes, so that importing
the people does not count. Used by ``first_sync`` and ``far_sync``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from core.assembly import make_engine, make_mail, make_tools, make_use_cases
from core.clock import SystemClock
from core.collector import collect_seldom
from core.domain.account import Mailbox
from core.domain.actor import Actor, Role
from core.ports.mail import Endpoint, Tls
from core.services.connecting import ConnectRequest
from core.services.sync import SyncService
from core.settings import Settings
from storage.engine import open_store
from storage.sql_store import SqlStore

WORKSPACE = "T0BENCH"
OPERATOR = Actor(WORKSPACE, "U0RITA", Role.ADMIN)
USERNAME, PASSWORD = "rita@agency.test", "pw"
LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds on the wall, seconds of the process's processor time, its peak memory in MiB (0: not told)."""

    wall: float
    cpu: float
    memory: int = 0


def product(folder: Path, *, port: int, ca_file: Path, messages: int, people: int) -> Taken:
    """Prepares and runs in processes of their own. Raises CalledProcessError."""
    folder.mkdir()
    common = [str(folder), "--port", str(port), "--ca", str(ca_file), "--people", str(people)]
    begin = [sys.executable, "-m", "bench.product_sync"]
    subprocess.run([*begin, "prepare", *common], check=True)
    words = [*begin, "run", *common, "--messages", str(messages)]
    ended = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return Taken(**json.loads(ended.stdout))


async def prepare(arguments: argparse.Namespace) -> None:
    """A fresh database with the people and the mailbox."""
    clock = SystemClock()
    async with await open_store(_url(arguments), keys=["k" * 32], clock=clock, migrate=True) as store:
        await store.ensure_workspace(WORKSPACE, name="Bench", at=clock.now())
        uses = make_use_cases(make_tools(store, clock), make_mail(_settings(arguments), clock))
        rows = "".join(f"Person,{n},person{n}@candidates.example\n" for n in range(1, arguments.people + 1))
        await uses.people.import_csv(OPERATOR, f"first_name,last_name,personal_email\n{rows}".encode())
        imap = Endpoint("localhost", arguments.port, Tls.SSL)
        request = ConnectRequest(USERNAME, USERNAME, PASSWORD, imap, imap, send=False)
        await uses.connecting.connect(OPERATOR, request)


async def run(arguments: argparse.Namespace) -> Taken:
    """From connecting to the green light."""
    clock = SystemClock()
    async with await open_store(_url(arguments), keys=["k" * 32], clock=clock) as store:
        engine = make_engine(make_tools(store, clock), make_mail(_settings(arguments), clock), started_at=clock.now())
        collect_seldom()  # as the server does when everything is joined
        async with store.read(WORKSPACE) as uow:
            (mailbox,) = await uow.mailboxes.list()
        began, cpu = clock.now(), time.process_time()
        green = await _caught_up(engine.sync, store, mailbox.id)
        assert green.last_sync_at is not None
        taken = (green.last_sync_at - began).total_seconds(), time.process_time() - cpu
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        await _check(store, mailbox.id, arguments.messages, arguments.people)
        return Taken(*taken, memory)


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


def _url(arguments: argparse.Namespace) -> str:
    return f"sqlite+aiosqlite:///{arguments.folder / 'bench.db'}"


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(allow_private_mail_hosts=True, ca_file=str(arguments.ca))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prepare", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=993)
    parser.add_argument("--ca", type=Path, required=True, help="the file of the certificate authority, PEM")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=2_000)
    arguments = parser.parse_args()
    if arguments.step == "prepare":
        asyncio.run(prepare(arguments))
    else:
        print(json.dumps(asdict(asyncio.run(run(arguments)))))


if __name__ == "__main__":
    main()
