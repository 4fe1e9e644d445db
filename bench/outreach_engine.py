"""Campaign mail with all its bookkeeping: ``python -m bench.outreach_engine [--mails 5000] [--enrolled 100000]``.

One process with SQLite, every commit flushed to disk: mails that are due out of a large campaign are claimed through
every gate, written, handed to an SMTP server in a process of its own, and recorded; each prospect's next stage is
queued. No spacing, and limits that are counted but not reached. Then what a tick costs in which nothing is due, among
1,000, 100,000 and 1,000,000 prospects.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from bench.machine import conditions
from bench.outreach_send import SUBJECT, TEXT
from bench.smtp_sink import swallowing
from core.clock import SystemClock
from core.collector import collect_seldom
from core.domain.account import Mailbox, MailboxStatus
from core.domain.campaign import Delay, Stage
from core.ports.mail import Credentials
from core.services.alerts import AlertService
from core.services.cards import CardWriter
from core.services.credentials import CredentialService
from core.services.last_look import Departing
from core.services.outreach import OutreachService
from core.services.progress import Progress
from core.services.sending_health import SendingHealth
from core.services.submission import Submission
from core.services.tools import Tools
from core.services.undecided import UndecidedService
from core.workers.outreach import OutreachWorker
from storage.engine import open_store
from storage.sql_store import SqlStore
from tests.fakes.mail import FakeConnector, FakeProvider
from tests.stores import make_campaign, make_mailbox

WORKSPACE = "T1"
MAILBOXES = 10
_PATIENCE_S = 600
SETTINGS = {
    **{"spacing_min_s": 0, "spacing_max_s": 0, "daily_email_limit": 10_000_000},
    **{"mailbox_daily": 100_000, "mailbox_first_days": 0, "tracking": "off"},
}
FIELDS = (
    "'company', 'Lind & Sons ' || n, 'role', 'Senior Engineer', 'city', 'Basel', 'skill', 'Rust', "
    "'salary', '90,000 and 110,000', 'ref', '' || n"
)


def wire(moment: datetime) -> str:
    """As SQLite keeps it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


async def fill(store: SqlStore, file: Path, port: int, *, enrolled: int, due: int, now: datetime) -> None:
    """A campaign with so many prospects, the first ``due`` of whom are due; by SQL, for the services would take
    minutes."""
    await store.ensure_workspace(WORKSPACE, name="Bench", at=now)
    stages = (
        Stage(1, "email", Delay(), SUBJECT, TEXT),
        Stage(2, "email", Delay(timedelta(days=2)), body="Hi {{first_name}}, did you see my note?"),
    )
    async with store.write(WORKSPACE) as uow:
        for key, value in SETTINGS.items():
            await uow.settings.set(key, value, actor="bench", at=now)
        for number in range(MAILBOXES):
            await uow.mailboxes.add(_mailbox(number, port, now))
            await uow.mailboxes.put_credentials(f"mb{number}", Credentials(f"rita{number}@agency.test", "pw"))
        await uow.campaigns.add(make_campaign(workspace=WORKSPACE, stages=stages, created_at=now, definition={}))
    await asyncio.to_thread(_fill_rows, file, enrolled, due, wire(now), wire(now + timedelta(days=1)))


def _mailbox(number: int, port: int, now: datetime) -> Mailbox:
    address = f"rita{number}@agency.test"
    return make_mailbox(
        f"mb{number}",
        workspace=WORKSPACE,
        **{"address": address, "username": address, "created_at": now - timedelta(days=60)},
        **{"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "status": MailboxStatus.ACTIVE},
    )


def _fill_rows(file: Path, enrolled: int, due: int, now: str, later: str) -> None:
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {enrolled - 1}) "
    due_at = f"CASE WHEN n < {due} THEN '{now}' ELSE '{later}' END"
    address = "'maya' || n || '@candidates.example'"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for statement in (
            "INSERT INTO people (workspace, id, first_name, last_name, phone, timezone, created_at, updated_at, "
            f"fields) SELECT '{WORKSPACE}', 'p' || n, 'Maya', 'Lind ' || n, '', '', '{now}', '{now}', "
            f"json_object({FIELDS}) "
            "FROM numbers",
            'INSERT INTO person_addresses (workspace, key, loose_key, person_id, address, type, "primary", added_at, '
            f"position) SELECT '{WORKSPACE}', {address}, {address}, 'p' || n, {address}, 'personal', 1, '{now}', 1 "
            "FROM numbers",
            "INSERT INTO enrollments (workspace, id, campaign_id, person_id, mailbox_id, status, stage, version, "
            f"created_at, next_at) SELECT '{WORKSPACE}', 'e' || n, 'c1', 'p' || n, 'mb' || (n % {MAILBOXES}), "
            f"'Active', 1, 1, '{now}', {due_at} FROM numbers",
            "INSERT INTO deliveries (workspace, id, enrollment_id, campaign_id, mailbox_id, stage, series, "
            "first_touch, state, version, created_at, due_at, attempts, resends, checks, kind, bypass) SELECT "
            f"'{WORKSPACE}', 'd' || n, 'e' || n, 'c1', 'mb' || (n % {MAILBOXES}), 1, 1, 1, 'queued', 1, '{now}', "
            f"{due_at}, 0, 0, 0, 'email', 0 FROM numbers",
        ):
            connection.execute(numbers + statement)
    connection.close()


class Counted(OutreachService):
    """Tells when ``wanted`` results are committed: asking the database again and again would be measured too."""

    wanted = 0

    @cached_property
    def over(self) -> asyncio.Event:
        return asyncio.Event()

    async def deliver(self, outgoing: Departing) -> None:
        await super().deliver(outgoing)
        self.wanted -= 1
        if self.wanted == 0:
            self.over.set()


def engine(
    store: SqlStore, clock: SystemClock, *, at_once: int, connections: int
) -> tuple[Tools, OutreachWorker, Counted]:
    """The sending half of the product."""
    import ssl

    from core.assembly import make_tools
    from core.mail.dialler import Dialler
    from core.mail.dns import Resolver
    from core.mail.smtp import SmtpTransport

    tools = make_tools(store, clock)
    dialler = Dialler(Resolver(clock), allow_private=True)
    transport = SmtpTransport(dialler, ssl.create_default_context(), connections_per_mailbox=connections)
    credentials = CredentialService(tools, {})
    submission = Submission(transport, credentials)
    progress = Progress(tools, CardWriter(tools))
    sending = SendingHealth(tools, submission, AlertService(tools))
    outreach = Counted(tools, submission, progress, sending, started_at=clock.now(), at_once=at_once)
    undecided = UndecidedService(tools, FakeConnector(FakeProvider(clock.now)), credentials, outreach, progress)
    worker = OutreachWorker(store, clock, outreach, undecided, capacity=at_once * MAILBOXES)
    return tools, worker, outreach


async def _sent(store: SqlStore) -> dict[str, int]:
    async with store.read(WORKSPACE) as uow:
        return {state.value: count for state, count in (await uow.reports.delivery_counts()).items()}


async def send_all(folder: Path, port: int, *, enrolled: int, mails: int, at_once: int) -> tuple[float, float]:
    """Seconds on the wall and of this process's processor until the last result is committed."""
    clock, file = SystemClock(), folder / f"send{time.time_ns()}.db"
    async with await open_store(f"sqlite+aiosqlite:///{file}", keys=["k" * 32], clock=clock, migrate=True) as store:
        await fill(store, file, port, enrolled=enrolled, due=mails, now=datetime.now(UTC))
        _, worker, outreach = engine(store, clock, at_once=at_once, connections=1)
        outreach.wanted, stop = mails, asyncio.Event()
        began, cpu = time.perf_counter(), time.process_time()
        running = asyncio.create_task(worker.run(stop))
        async with asyncio.timeout(_PATIENCE_S):
            await outreach.over.wait()
        taken = time.perf_counter() - began, time.process_time() - cpu
        stop.set()
        await running
        counts = await _sent(store)
        assert counts["sent"] == mails, counts
        assert counts["queued"] == enrolled, counts
        return taken


async def ticks(folder: Path, sizes: Sequence[int], rounds: int) -> list[tuple[int, float, float]]:
    """Prospects, and the median seconds of looking for work and of a claim that finds none."""
    found = []
    async with AsyncExitStack() as stack:
        for size in sizes:
            clock, file = SystemClock(), folder / f"tick{size}.db"
            opened = await open_store(f"sqlite+aiosqlite:///{file}", keys=["k" * 32], clock=clock, migrate=True)
            store = await stack.enter_async_context(opened)
            await fill(store, file, 1, enrolled=size, due=0, now=datetime.now(UTC))
            _, _, outreach = engine(store, clock, at_once=4, connections=1)
            looks, claims = list[float](), list[float]()
            for _ in range(rounds):
                began = time.perf_counter()
                assert await store.workspaces_with_work("outreach", clock.now()) == []
                looked = time.perf_counter()
                assert await outreach.claim(WORKSPACE, limit=200) == []
                looks.append(looked - began)
                claims.append(time.perf_counter() - looked)
            found.append((size, statistics.median(looks), statistics.median(claims)))
    return found


async def measure(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name:
        folder, mails, enrolled = Path(name), arguments.mails, arguments.enrolled
        with swallowing() as port:
            taken = [
                await send_all(folder, port, enrolled=enrolled, mails=mails, at_once=arguments.at_once)
                for _ in range(arguments.rounds)
            ]
        if taken:
            wall, cpu = (statistics.median(part) for part in zip(*taken, strict=True))
            print(
                f"{mails:,} of {enrolled:,} prospects: {mails / wall:,.0f} mails/s, {wall / mails * 1e6:,.0f} µs each, "
                f"{cpu / mails * 1e6:,.0f} µs of processor (median of {arguments.rounds}; {conditions()})"
            )
        for size, look, claim in await ticks(folder, arguments.prospects, 200):
            print(f"{size:9,} prospects, nothing due: look {look * 1e3:.2f} ms, claim {claim * 1e3:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=5_000)
    parser.add_argument("--enrolled", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=20, help="mails of one mailbox under way")
    parser.add_argument("--prospects", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    collect_seldom()
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
