"""A whole engine on real IMAP, SMTP and a real database, with a notifier that writes down instead of posting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core.assembly import (
    MailWorld,
    UseCases,
    Workers,
    make_engine,
    make_mail,
    make_tools,
    make_use_cases,
    make_workers,
)
from core.clock import SystemClock
from core.domain.actor import Actor, Role
from core.ports.mail import Endpoint, Tls
from core.ports.notifier import MessageRef
from core.ports.storage import Store
from core.services.connecting import ConnectRequest
from core.settings import Settings, TwilioAccount, parse
from core.workers.watch import LoopWatch
from sandbox.demo import sign_in_environment
from sandbox.mail import MailHost
from sandbox.signin import SignInHost
from sandbox.sms import SmsHost

WORKSPACE = "T0AGENCY"
RITA = Actor(WORKSPACE, "U0RITA", Role.RECRUITER)
ADA = Actor(WORKSPACE, "U0ADA", Role.ADMIN)
DEADLINE = 60.0

QUICK = {
    "spacing_min_s": 0,
    "spacing_max_s": 0,
    "settle_s": [0.3, 0.6, 0.9],
    "poll_sent_s": 0.5,
    "retry_first_s": 0.1,
    "retry_most_s": 1,
    "alert_after_s": 0,
    "alert_channel": "C0ALERTS",
    "reply_channel": "C0REPLIES",
    # Limits and brakes have tests of their own.
    "mailbox_first_days": 0,
    "mailbox_daily": 100_000,
    "brake_mailbox_percent": 0,
    "brake_campaign_percent": 0,
    # An answer from a machine changes nothing here; what it may hold back has tests of its own.
    "out_of_office": "log",
}


@dataclass
class NotedCard:
    """What a card shows now, and how often it was changed."""

    destination: str
    kind: str
    facts: Mapping[str, Any]
    updates: int = 0


@dataclass
class NotingNotifier:
    """Implements ``core.ports.notifier.Notifier``: keeps cards by their place."""

    cards: dict[str, NotedCard] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def post(
        self, workspace: str, *, destination: str, kind: str, facts: Mapping[str, Any], key: str
    ) -> MessageRef:
        del workspace, key
        ts = f"{len(self.cards) + 1}.000"
        self.cards[ts] = NotedCard(destination, kind, facts)
        await self._tell()
        return MessageRef(destination, ts)

    async def update(self, workspace: str, ref: MessageRef, *, kind: str, facts: Mapping[str, Any]) -> None:
        del workspace
        # One that an earlier process posted is known by its place alone.
        card = self.cards.setdefault(ref.ts, NotedCard(ref.channel, kind, facts))
        card.facts, card.updates = facts, card.updates + 1
        await self._tell()

    async def find(self, workspace: str, *, destination: str, key: str, since: datetime) -> MessageRef | None:
        del workspace, destination, key, since
        return None

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def of(self, kind: str, destination: str | None = None) -> list[NotedCard]:
        return [c for c in self.cards.values() if c.kind == kind and destination in (None, c.destination)]

    async def wait(self, found: Callable[[], Any], what: str) -> Any:
        """What ``found`` finds, as soon as it finds it. Fails after the deadline, saying what was missing."""
        try:
            async with asyncio.timeout(DEADLINE), self.changed:
                await self.changed.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"no {what}; cards: {list(self.cards.values())}") from None
        return found()


@dataclass
class Rig:
    """The parts of a running engine."""

    store: Store
    host: MailHost
    uses: UseCases
    notifier: NotingNotifier
    world: MailWorld
    workers: Workers
    watch: LoopWatch

    async def connect(self, address: str = "rita@agency.test", actor: Actor = RITA) -> Any:
        password = self.host.account(address).password
        return await self.uses.connecting.connect(actor, request(self.host, address, password))

    async def until(self, found: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Asks until the answer is true; fails after the deadline, saying what was missing and what is told."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not (answer := await found()):
                    await self.store.wait("test", 0.02)
        except TimeoutError:
            told = list(self.notifier.cards.values())
            raise AssertionError(f"not within {DEADLINE} s: {what}; cards: {told}") from None
        return answer

    async def light(self, address: str, light: str) -> Any:
        async def lit() -> Any:
            mailbox = await self.uses.mailboxes.find(ADA, address)
            return mailbox if mailbox.light == light else None

        return await self.until(lit, f"{address} {light}")

    async def prospect(self, campaign: str, email: str, status: str) -> Any:
        seen: Any = None

        async def there() -> Any:
            nonlocal seen
            report = await self.uses.campaigns.status(ADA, campaign)
            seen = next((one for one in report.prospects if one.email == email), None)
            return seen if seen is not None and seen.status.value == status else None

        try:
            return await self.until(there, f"{email} {status} in {campaign}")
        except AssertionError as error:
            error.add_note(f"last seen: {seen}")
            raise


def endpoint(address: str) -> Endpoint:
    host, _, port = address.rpartition(":")
    return Endpoint(host, int(port), Tls.NONE)


def request(host: MailHost, address: str, password: str) -> ConnectRequest:
    return ConnectRequest(address, address, password, endpoint(host.imap_address), endpoint(host.smtp_address))


@asynccontextmanager
async def running(
    store: Store, host: MailHost, *, signin: SignInHost | None = None, sms: SmsHost | None = None, **changes: Any
) -> AsyncIterator[Rig]:
    """An engine at work until the block ends; with ``signin`` it has an OAuth client at Google and Microsoft, with
    ``sms`` an account at a text message provider."""
    clock = SystemClock()
    tools = make_tools(store, clock)
    mail = make_mail(_with_texts(_settings(host, signin), sms), clock)
    uses = make_use_cases(tools, mail)
    await store.ensure_workspace(WORKSPACE, name="Agency", at=clock.now())
    await uses.settings.seed(WORKSPACE, {**QUICK, **changes})
    notifier = NotingNotifier()
    workers = make_workers(make_engine(tools, mail, started_at=clock.now()), notifier)
    rig = Rig(store, host, uses, notifier, mail, workers, LoopWatch(clock))
    stop = asyncio.Event()
    await workers.outreach.recover(claimed_before=None)
    loops = [asyncio.create_task(loop(stop)) for loop in _loops(rig)]
    try:
        yield rig
    finally:
        stop.set()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await mail.transport.close()


def _loops(rig: Rig) -> Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]]:
    workers = rig.workers
    return (
        rig.watch.run,
        workers.sync.run,
        workers.outreach.run,
        workers.outreach.run_checks,
        workers.notifications.run,
        workers.alerts.run,
        workers.addresses.run,
        workers.stages.run,
    )


def _with_texts(settings: Settings, sms: SmsHost | None) -> Settings:
    if sms is None:
        return settings
    return replace(settings, twilio=TwilioAccount(sms.account_sid, sms.auth_token, sms.number, sms.url))


def _settings(host: MailHost, signin: SignInHost | None) -> Settings:
    if signin is None:
        return Settings(allow_private_mail_hosts=True, dns=host.dns_address)
    return parse(
        {
            **sign_in_environment(signin),
            "RETHREAD_CA_FILE": host.ca_file,
            "RETHREAD_DNS": host.dns_address,
            "RETHREAD_ALLOW_PRIVATE_MAIL_HOSTS": "1",
            "RETHREAD_SECRET_KEYS": "k" * 32,
        },
        needs_slack=False,
    )
