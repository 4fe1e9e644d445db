"""Rethread's entry point and composition root: everything is joined here, and nothing imports it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.domain.ids import uuid7
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector
from core.mail.smtp import SmtpTransport
from core.mail.tls import make_tls_context
from core.ports.clock import Clock
from core.ports.mail import MailboxConnector, MailTransport
from core.ports.notifier import Notifier
from core.ports.storage import Store
from core.services.alerts import AlertService
from core.services.campaigns import CampaignService
from core.services.cards import CardWriter
from core.services.ingest import IngestService
from core.services.mailboxes import MailboxService
from core.services.notifications import NotificationService
from core.services.outreach import OutreachService
from core.services.people import PeopleService
from core.services.progress import Progress
from core.services.prospects import ProspectService
from core.services.settings import SettingService
from core.services.sync import SyncService
from core.services.tools import Tools
from core.services.undecided import UndecidedService
from core.settings import Settings
from core.workers.notifications import NotificationWorker
from core.workers.outreach import OutreachWorker
from core.workers.sync import SyncWorker


@dataclass(frozen=True, slots=True)
class MailWorld:
    """The adapters to the world of mail."""

    connector: MailboxConnector
    transport: MailTransport


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the faces may ask for."""

    mailboxes: MailboxService
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    settings: SettingService


@dataclass(frozen=True, slots=True)
class Engine:
    """The use cases of the workers, joined."""

    tools: Tools
    sync: SyncService
    outreach: OutreachService
    undecided: UndecidedService


def make_mail(settings: Settings, clock: Clock) -> MailWorld:
    """Real IMAP, SMTP and DNS, as the settings say."""
    context = make_tls_context(Path(settings.ca_file) if settings.ca_file else None)
    resolver = Resolver(clock, server=settings.dns)
    dialler = Dialler(resolver, allow_private=settings.allow_private_mail_hosts)
    return MailWorld(ImapConnector(dialler, context), SmtpTransport(dialler, context))


def make_tools(store: Store, clock: Clock) -> Tools:
    """The services' tools with the operating system's randomness."""
    return Tools(
        store=store,
        clock=clock,
        new_id=lambda: uuid7(clock.now(), os.urandom(10)),
        random=lambda: int.from_bytes(os.urandom(4), "big") / 2**32,
    )


def make_use_cases(tools: Tools, mail: MailWorld) -> UseCases:
    """Joins what people and terminals may ask for."""
    progress = Progress(tools, CardWriter(tools))
    return UseCases(
        mailboxes=MailboxService(tools, mail.connector, mail.transport, AlertService(tools)),
        people=PeopleService(tools),
        campaigns=CampaignService(tools, progress),
        prospects=ProspectService(tools, progress),
        settings=SettingService(tools),
    )


def make_engine(tools: Tools, mail: MailWorld, *, started_at: datetime) -> Engine:
    """Joins what runs by itself."""
    progress = Progress(tools, CardWriter(tools))
    outreach = OutreachService(tools, mail.transport, progress, started_at=started_at)
    ingest = IngestService(tools, progress, outreach)
    return Engine(
        tools=tools,
        sync=SyncService(tools, mail.connector, ingest, AlertService(tools)),
        outreach=outreach,
        undecided=UndecidedService(tools, mail.connector, outreach, progress),
    )


@dataclass(frozen=True, slots=True)
class Workers:
    """The loops over an engine."""

    sync: SyncWorker
    outreach: OutreachWorker
    notifications: NotificationWorker


def make_workers(engine: Engine, notifier: Notifier) -> Workers:
    """The loops that call the engine."""
    tools = engine.tools
    return Workers(
        sync=SyncWorker(tools.store, tools.clock, engine.sync, random=tools.random),
        outreach=OutreachWorker(tools.store, tools.clock, engine.outreach, engine.undecided),
        notifications=NotificationWorker(tools.store, tools.clock, NotificationService(tools, notifier)),
    )


Main = Callable[[list[str]], int]


if __name__ == "__main__":
    sys.exit(0)
