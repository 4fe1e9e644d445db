"""A thousand mailboxes over TLS, each waiting for news in IDLE, in one process; the server is a real Dovecot.

    python -m bench.idle_mailboxes [--mailboxes 1000] [--rest 30] [--engine]

Told are: how long until all are up (at most 20 connections a second are opened), what each takes in memory beyond a
process that has connected once, how much of a core the process takes at rest, and how long until all are back after
the server was restarted. Without ``--engine`` the IMAP client alone, with it the whole engine: a session each over
SQLite, with the checks of life, the polling of Sent and Junk, and the leases.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

from core.assembly import make_engine, make_mail, make_tools, make_use_cases
from core.clock import SystemClock
from core.domain.actor import Actor, Role
from core.errors import MailError
from core.mail.imap import ImapConnector
from core.ports.mail import Credentials, Endpoint, Tls
from core.services.connecting import ConnectRequest
from core.services.host_gate import HostGate
from core.settings import Settings
from core.workers.sync import SyncWorker
from storage.engine import open_store
from storage.sql_store import SqlStore

WORKSPACE, PASSWORD = "T0BENCH", "pw"
OPERATOR = Actor(WORKSPACE, "U0RITA", Role.ADMIN)
LONGEST = 300.0
RENEW_AFTER = 540.0
_TOLD = "told: "
CountUp = Callable[[], Awaitable[int]]


def address(number: int) -> str:
    return f"recruiter{number}@agency.test"


@asynccontextmanager
async def clients(arguments: argparse.Namespace) -> AsyncIterator[CountUp]:
    """The IMAP client alone: connect, select, wait; connect anew after any error."""
    clock = SystemClock()
    connector, gate = make_mail(_settings(arguments), clock).connector, HostGate()
    assert isinstance(connector, ImapConnector)
    up: set[int] = set()
    keepers = [asyncio.create_task(_keep(connector, gate, arguments, n, up)) for n in range(arguments.mailboxes)]

    async def count() -> int:
        return len(up)

    try:
        yield count
    finally:
        for one in keepers:
            one.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(
    connector: ImapConnector, gate: HostGate, arguments: argparse.Namespace, number: int, up: set[int]
) -> None:
    endpoint = Endpoint("localhost", arguments.port, Tls.SSL)
    while True:
        with suppress(MailError):
            async with gate.turn(endpoint.host):
                client = await connector.connect(endpoint, Credentials(address(number), PASSWORD))
            try:
                await client.select("INBOX")
                up.add(number)
                while True:
                    await client.idle(renew_after=RENEW_AFTER)
            finally:
                up.discard(number)
                client.abort()


@asynccontextmanager
async def engine(arguments: argparse.Namespace) -> AsyncIterator[CountUp]:
    """The whole engine over SQLite. A mailbox is up when it was read to its end after the last loss."""
    clock = SystemClock()
    url = f"sqlite+aiosqlite:///{arguments.folder / 'bench.db'}"
    async with await open_store(url, keys=["k" * 32], clock=clock, migrate=True) as store:
        tools, mail = make_tools(store, clock), make_mail(_settings(arguments), clock)
        uses = make_use_cases(tools, mail)
        await store.ensure_workspace(WORKSPACE, name="Bench", at=clock.now())
        endpoint = Endpoint("localhost", arguments.port, Tls.SSL)
        for number in range(arguments.mailboxes):
            who = address(number)
            await uses.connecting.connect(OPERATOR, ConnectRequest(who, who, PASSWORD, endpoint, endpoint, send=False))
        sync = make_engine(tools, mail, started_at=clock.now()).sync
        worker = SyncWorker(store, clock, sync, random=tools.random)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        try:
            yield lambda: _count_green(store)
        finally:
            stop.set()
            await asyncio.gather(running, return_exceptions=True)


async def _count_green(store: SqlStore) -> int:
    """Mailboxes that are green and in no streak of failures."""
    async with store.read(WORKSPACE) as uow:
        return sum(1 for one in await uow.mailboxes.list() if one.light == "green" and not one.streak)


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(allow_private_mail_hosts=True, ca_file=str(arguments.ca))


async def hold(arguments: argparse.Namespace) -> dict[str, float]:
    """Runs inside the measured process; asks its parent for the restart by printing a line."""
    await _warm_up(arguments)
    before = _resident_kib()
    began = time.monotonic()
    async with (engine if arguments.engine else clients)(arguments) as count:
        connected = time.monotonic() - began
        told = {"set_up": connected, "up": await _until(count, arguments.mailboxes) - began - connected}
        gc.collect()
        told["kib"] = (_resident_kib() - before) / arguments.mailboxes
        cpu, rest = time.process_time(), time.monotonic()
        await asyncio.sleep(arguments.rest)
        told["share"] = (time.process_time() - cpu) / (time.monotonic() - rest)
        lost = time.monotonic()
        print("restart", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        told["back"] = await _until(count, arguments.mailboxes) - lost
        told["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told


async def _warm_up(arguments: argparse.Namespace) -> None:
    """One connection: what a process needs for the first of them is not told as the price of each."""
    connector = make_mail(_settings(arguments), SystemClock()).connector
    endpoint = Endpoint("localhost", arguments.port, Tls.SSL)
    client = await connector.connect(endpoint, Credentials(address(0), PASSWORD))
    await client.close()


async def _until(count: CountUp, wanted: int) -> float:
    """The moment at which all were up. Raises TimeoutError."""
    deadline = time.monotonic() + LONGEST
    while await count() < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{await count()} of {wanted} mailboxes are up")
        await asyncio.sleep(0.25)
    return time.monotonic()


def _resident_kib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def measure(mailboxes: int, rest: float, *, with_engine: bool) -> dict[str, float]:
    """Starts Dovecot and the measured process, restarts Dovecot when asked. Raises RuntimeError."""
    from bench.many_users import ManyUsers

    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, ExitStack() as stack:
        dovecot = ManyUsers(Path(name))
        stack.enter_context(dovecot)
        dovecot.add_users([address(number) for number in range(mailboxes)], PASSWORD)
        words = [sys.executable, "-m", "bench.idle_mailboxes", "--hold", "--folder", name]
        words += ["--mailboxes", str(mailboxes), "--rest", str(rest), "--port", str(dovecot.tls_port)]
        words += ["--ca", str(dovecot.ca_file), *(["--engine"] if with_engine else [])]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(_TOLD):
                    told: dict[str, float] = json.loads(line.removeprefix(_TOLD))
                    return told
                if line == "restart\n":  # all other lines are the engine's log
                    dovecot.restart()
                    process.stdin.write("\n")
                    process.stdin.flush()
    raise RuntimeError("the measured process ended early")


def main() -> None:
    from bench.machine import conditions, need_dovecot

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mailboxes", type=int, default=1_000)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds of rest that are measured")
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--hold", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ca", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.hold:
        print(_TOLD + json.dumps(asyncio.run(hold(arguments))), flush=True)
        return
    need_dovecot()
    told = measure(arguments.mailboxes, arguments.rest, with_engine=arguments.engine)
    what = "the whole engine" if arguments.engine else "the IMAP client alone"
    print(f"{arguments.mailboxes:,} mailboxes over TLS in IDLE, {what} ({conditions()})")
    print(f"all up after {told['up']:.1f} s, back {told['back']:.1f} s after the server's restart began")
    print(
        f"{told['kib']:.0f} KiB each, {told['share']:.2%} of a core at rest ({arguments.rest:g} s), "
        f"peak memory of the process {told['peak_mib']:.0f} MiB"
    )


if __name__ == "__main__":
    main()
