"""Rethread's entry point and composition root: everything is joined here, and nothing imports it.

Imports stand inside the functions that need them: a command that only talks to the running server must start at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.assembly import make_credentials, make_engine, make_mail, make_tools, make_use_cases, make_workers
from core.clock import SystemClock
from core.errors import DatabaseInUseError, RethreadError
from core.settings import Settings, parse, resolver_address

if TYPE_CHECKING:
    from bot.cli.executor import Services as CommandServices
    from bot.cli.grammar import Request
    from bot.cli.main import CheckLine
    from bot.slack.slack_app import SlackAccess, SlackFace
    from bot.slack.welcome import Welcome
    from bot.web.health import PartState
    from bot.web.metrics import Snapshot
    from core.assembly import Engine, UseCases, Workers
    from core.domain.dns_checks import DomainReport
    from core.ports.clock import Clock
    from core.services.tools import Tools
    from core.workers.sync import SyncWorker
    from storage.sql_store import SqlStore

SHUTDOWN_WITHIN = 25.0
_DATABASE_WITHIN = 10.0


def slack_access(settings: Settings) -> SlackAccess:
    """Tokens and addresses of the Slack app."""
    from bot.slack.slack_app import SlackAccess

    return SlackAccess(
        bot_token=settings.slack_bot_token,
        signing_secret=settings.slack_signing_secret,
        app_token=settings.slack_app_token,
        api_url=settings.slack_api_url,
        admins=settings.admins,
    )


def make_face(settings: Settings, tools: Tools, uses: UseCases) -> SlackFace:
    """Everything of ours that Slack sees."""
    from bot.slack.prospect_uses import outreach_of
    from bot.slack.slack_app import SlackFace
    from bot.slack.uses import Building, Services

    async def seen(workspace: str, key: str) -> bool:
        async with tools.store.write(workspace) as uow:
            return await uow.seen.first_time(key, tools.clock.now())

    services = Services(
        uses.mailboxes,
        uses.connecting,
        uses.campaigns,
        uses.prospects,
        uses.people,
        uses.settings,
        uses.domains,
        alerts=uses.alerts,
        care=uses.care,
        readings=uses.readings,
        discovery=uses.discovery,
        holds=uses.holds,
        reports=uses.reports,
        tasks=uses.tasks,
        outreach=outreach_of(uses, tools.clock),
        building=Building(
            uses.campaigns, uses.people, uses.edits, uses.overviews, uses.launch, uses.trial_letters, uses.files
        ),
    )
    return SlackFace(slack_access(settings), services, seen, tools.clock, public_url=settings.public_url)


def make_command_services(store: SqlStore, uses: UseCases, clock: Clock) -> CommandServices:
    """What the terminal's commands need."""
    from bot.cli.executor import Services

    return Services(
        mailboxes=uses.mailboxes,
        connecting=uses.connecting,
        people=uses.people,
        campaigns=uses.campaigns,
        prospects=uses.prospects,
        bulk=uses.bulk,
        edits=uses.edits,
        files=uses.files,
        email_log=uses.email_log,
        launch=uses.launch,
        blocks=uses.blocks,
        holds=uses.holds,
        settings=uses.settings,
        domains=uses.domains,
        readings=uses.readings,
        seats=uses.seats,
        care=uses.care,
        metrics=uses.metrics,
        reports=uses.reports,
        clock=clock,
        workspaces=store.workspaces,
        backup=store.backup,
    )


class Server:
    """The running product, from settings to a clean end."""

    def __init__(self, settings: Settings) -> None:
        from core.workers.watch import LoopWatch

        self._settings = settings
        self._clock = SystemClock()
        self._stop = asyncio.Event()
        self._role = settings.role
        self._watch = LoopWatch(self._clock)
        self._working = False
        self._sync: SyncWorker | None = None

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; a second signal ends the process at once. Returns the exit status."""
        from bot.slack.welcome import Welcome
        from core.collector import collect_seldom
        from core.workers.supervisor import stop_on_signals, wait_for_either
        from storage.engine import ALL_TOPICS

        stop_on_signals(self._stop, within=SHUTDOWN_WITHIN)
        async with AsyncExitStack() as closing:
            topics = ALL_TOPICS if self._engine_here else ()
            store = await closing.enter_async_context(await self._database(topics))
            tools, mail = make_tools(store, self._clock), make_mail(self._settings, self._clock)
            closing.push_async_callback(mail.transport.close)
            credentials = make_credentials(tools, mail)
            uses = make_use_cases(tools, mail, credentials)
            face = make_face(self._settings, tools, uses)
            await closing.enter_async_context(self._web(store, uses, face))
            welcome = Welcome(face, store, uses.settings, self._settings, self._clock, listen=self._bot_here)
            await wait_for_either(self._stop, welcome.first(self._stop))
            if not self._stop.is_set():
                await closing.enter_async_context(self._commands(store, uses))
                engine = make_engine(tools, mail, started_at=self._clock.now(), credentials=credentials)
                collect_seldom()
                await self._work(store, engine, face, welcome, uses)
        return 0

    async def _database(self, topics: Collection[str]) -> SqlStore:
        """A command may hold the database for a moment: it is waited for. Another server is not."""
        from bot.cli.control import is_served
        from core.workers.supervisor import wait_for

        path, deadline = control_path(), self._clock.monotonic() + _DATABASE_WITHIN
        while True:
            try:
                return await open_database(self._settings, self._clock, topics)
            except DatabaseInUseError:
                if (path and is_served(path)) or self._clock.monotonic() > deadline or await wait_for(self._stop, 0.1):
                    raise

    @property
    def _engine_here(self) -> bool:
        return self._role in ("all", "engine")

    @property
    def _bot_here(self) -> bool:
        return self._role in ("all", "bot")

    async def _work(self, store: SqlStore, engine: Engine, face: SlackFace, welcome: Welcome, uses: UseCases) -> None:
        from core.workers.engagement import EngagementWorker
        from core.workers.housekeeping import HousekeepingWorker
        from core.workers.supervisor import supervise

        workers = make_workers(engine, face.notifier)
        loops: dict[str, Callable[[asyncio.Event], Awaitable[None]]] = {
            "watch": self._watch.run,
            "slack": welcome.until_done,
            "engagement": EngagementWorker(uses.engagement).run,
        }
        if self._engine_here:
            self._sync = workers.sync
            await self._recover(workers)
            loops |= {
                "sync": workers.sync.run,
                "outreach": workers.outreach.run,
                "checks": workers.outreach.run_checks,
                "notifications": workers.notifications.run,
                "alerts": workers.alerts.run,
                "holds": workers.holds.run,
                "check mails": workers.canaries.run,
                "backfill": workers.backfill.run,
                "filing": workers.filing.run,
                "addresses": workers.addresses.run,
                "stages": workers.stages.run,
                "sending leases": workers.outreach.run_leases,
                "posting leases": workers.notifications.run_leases,
                "housekeeping": HousekeepingWorker(store, self._clock, store.checkpoint).run,
            }
        async with asyncio.TaskGroup() as group:
            for name, loop in loops.items():
                work = supervise(name, partial(loop, self._stop), stop=self._stop, random=engine.tools.random)
                group.create_task(work, name=name)
            self._working = True
            log("ready", role=self._role, database=self._settings.database_url.split(":", 1)[0])
            await self._stop.wait()
            self._working = False
            log("stopping")
            await face.stop()

    async def _recover(self, workers: Workers) -> None:
        """What a dead process left behind. SQLite admits one process, so whatever is under way there is dead."""
        from core.workers.supervisor import LEASE

        alone = self._settings.is_sqlite
        await workers.outreach.recover(claimed_before=None if alone else self._clock.now() - LEASE)
        await workers.notifications.recover(alone=alone)

    @asynccontextmanager
    async def _web(self, store: SqlStore, uses: UseCases, face: SlackFace) -> AsyncIterator[None]:
        from bot.web.health import Health
        from bot.web.metrics import Metrics
        from bot.web.server import build_application, connect_pages, link_pages, serve_web

        connect, sign_in = connect_pages(
            uses.connecting,
            uses.discovery,
            uses.sign_in,
            uses.seats,
            self._clock,
            public_url=self._settings.public_url,
            allow_plain=self._settings.allow_private_mail_hosts,
        )
        application = build_application(
            connect=connect,
            sign_in=sign_in,
            links=link_pages(uses.engagement, self._clock, public_url=self._settings.public_url),
            health=Health(loop_lag=self._watch.lag, parts=partial(self._parts, store, face)),
            metrics=Metrics(partial(self._numbers, store)),
            slack=face.handle_http if self._bot_here and not self._settings.slack_app_token else None,
            https=self._settings.public_url.startswith("https:"),
        )
        async with serve_web(application, self._settings.host, self._settings.port):
            yield

    async def _parts(self, store: SqlStore, face: SlackFace) -> dict[str, PartState]:
        from bot.web.health import PartState

        slack = await face.healthy() if self._bot_here else True
        await store.ping()
        return {
            "database": PartState(ok=True, detail="written and read"),
            "slack": PartState(ok=slack, detail="connected" if slack else "not connected"),
            "work": PartState(ok=self._working, detail="running" if self._working else "starting or stopping"),
        }

    async def _numbers(self, store: SqlStore) -> Snapshot:
        from bot.web.metrics import Snapshot

        mail, cards = Counter[str](), Counter[str]()
        for workspace in await store.workspaces():
            async with store.read(workspace) as uow:
                mail.update({state.value: count for state, count in (await uow.reports.delivery_counts()).items()})
                cards.update(await uow.outbox.count_by_state())
        sessions = self._sync.sessions if self._sync else 0
        return Snapshot(mail, cards, sessions, self._watch.lag())

    @asynccontextmanager
    async def _commands(self, store: SqlStore, uses: UseCases) -> AsyncIterator[None]:
        """Carries out the terminal's commands, because SQLite admits no second process."""
        from bot.cli.control import socket_path
        from bot.cli.control_server import serve_control
        from bot.cli.executor import answer

        database = self._settings.sqlite_path
        if database is None:
            yield
            return
        services = make_command_services(store, uses, self._clock)

        async def handle(request: Request, workspace: str | None) -> Any:
            return await answer(services, request, workspace)

        async with serve_control(socket_path(database), handle):
            yield


def log(action: str, **facts: Any) -> None:
    """One line about a transition."""
    import structlog

    structlog.get_logger("app").info(action, action=action, **facts)


async def open_database(settings: Settings, clock: Clock, serves: Collection[str] = ()) -> SqlStore:
    """SQLite is brought to the newest schema on opening; PostgreSQL only by ``migrate``. ``serves`` names the kinds of
    work that this process does. Raises StorageError kinds."""
    from storage.engine import open_store

    return await open_store(
        settings.database_url,
        keys=settings.secret_keys,
        clock=clock,
        migrate=settings.is_sqlite,
        dispatcher=settings.dispatcher,
        topics=serves,
    )


async def check() -> Sequence[CheckLine]:
    """What works and what does not. Raises SettingsError before anything else is looked at."""
    from bot.cli.checks import checks

    settings = parse(os.environ)
    probes = {"database": _probe_database, "slack": _probe_slack, "dns": _probe_dns}
    return await checks(settings, {name: partial(probe, settings) for name, probe in probes.items()})


async def check_domain(domain: str, selectors: Sequence[str]) -> DomainReport:
    """Needs no setting but RETHREAD_DNS. Raises SettingsError, InputError."""
    from core.mail.dns import Resolver
    from core.services.deliverability import DeliverabilityService

    resolver = Resolver(SystemClock(), server=resolver_address(os.environ))
    return await DeliverabilityService(resolver).check_domain(domain, selectors)


async def _probe_database(settings: Settings) -> str:
    from bot.cli.control import is_served, socket_path

    path = settings.sqlite_path
    if path is not None and is_served(socket_path(path)):
        return "in use by the running server"
    async with await open_database(settings, SystemClock()) as store:
        await store.ping()
    return "written and read"


async def _probe_slack(settings: Settings) -> str:
    from bot.slack.slack_app import identify, require_scopes, web_client

    identity = await identify(web_client(slack_access(settings), settings.slack_bot_token))
    require_scopes(identity)
    return f"{identity.name} ({identity.workspace})"


async def _probe_dns(settings: Settings) -> str:
    from core.mail.dns import Resolver

    # A name that cannot exist (RFC 6761): "there is none" is an answer, silence is not.
    await Resolver(SystemClock(), server=settings.dns).txt("rethread.invalid")
    return f"{settings.dns or 'the system resolver'} answers"


def serve(role: str | None) -> int:
    """Runs the product; the exit status."""
    from core.logs import configure

    settings = parse({**os.environ, **({"RETHREAD_ROLE": role} if role else {})})
    configure()
    try:
        return asyncio.run(Server(settings).run())
    except* RethreadError as group:
        raise group.exceptions[0] from None


async def migrate() -> Mapping[str, Any]:
    """Brings the database to the newest schema."""
    from storage.migrate import current, upgrade

    settings = parse(os.environ, needs_slack=False)
    before = await current(settings.database_url)
    return {"before": before, "after": await upgrade(settings.database_url)}


@asynccontextmanager
async def open_services() -> AsyncIterator[CommandServices]:
    """The use cases on a database opened in this process."""
    from core.logs import configure

    settings, clock = parse(os.environ, needs_slack=False), SystemClock()
    configure()
    async with await open_database(settings, clock) as store:
        mail = make_mail(settings, clock)
        try:
            yield make_command_services(store, make_use_cases(make_tools(store, clock), mail), clock)
        finally:
            await mail.transport.close()


def control_path() -> Path | None:
    """Where the running server takes commands; None on PostgreSQL."""
    from bot.cli.control import socket_path

    database = parse(os.environ, needs_slack=False).sqlite_path
    return socket_path(database) if database else None


def main(argv: Sequence[str]) -> int:
    """The command line."""
    from bot.cli.main import Operations, run

    return run(
        argv,
        Operations(serve, migrate, check, check_domain, control_path, open_services),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
