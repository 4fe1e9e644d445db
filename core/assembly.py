"""The engine, joined: adapters and services on any storage and any notifier. ``app.py`` brings those.

Imports stand inside the functions that need them, so that a command which needs little starts at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    import ssl

    from core.domain.tracked_links import Links
    from core.ports.clock import Clock
    from core.ports.mail import Endpoint, MailboxConnector, MailTransport, NameResolver
    from core.ports.notifier import Notifier
    from core.ports.signin import SignInProvider
    from core.ports.storage import Store
    from core.services.alert_desk import AlertDesk
    from core.services.backfill import BackfillService
    from core.services.bulk_actions import BulkActions
    from core.services.campaign_edits import CampaignEdits
    from core.services.campaign_files import CampaignFiles
    from core.services.campaigns import CampaignService
    from core.services.canaries import CanaryService
    from core.services.care import MailboxCare
    from core.services.connecting import ConnectService
    from core.services.credentials import CredentialService
    from core.services.deliverability import DeliverabilityService
    from core.services.discovery import AutoconfigSource, Discovery
    from core.services.email_log import EmailLog
    from core.services.engagement import EngagementService
    from core.services.holds import HoldService
    from core.services.mailboxes import MailboxService
    from core.services.metrics import MetricsService
    from core.services.outreach import OutreachService
    from core.services.people import PeopleService
    from core.services.prospects import ProspectService
    from core.services.readings import ReadingService
    from core.services.reports import ReportService
    from core.services.seats import SeatService
    from core.services.settings import SettingService
    from core.services.signatures import SignatureService
    from core.services.signin import SignInService
    from core.services.suppression_list import SuppressionList
    from core.services.sync import SyncService
    from core.services.tools import Tools
    from core.services.trial_letter import SystemMailbox, TrialLetter
    from core.services.undecided import UndecidedService
    from core.workers.alerts import AlertWorker
    from core.workers.backfill import BackfillWorker
    from core.workers.canaries import CanaryWorker
    from core.workers.holds import HoldWorker
    from core.workers.notifications import NotificationWorker
    from core.workers.outreach import OutreachWorker
    from core.workers.sync import SyncWorker


@dataclass(frozen=True, slots=True)
class MailWorld:
    """The adapters to the world of mail. ``links`` stand in our mails; ``system`` is the address of test letters."""

    connector: MailboxConnector
    transport: MailTransport
    resolver: NameResolver
    sign_in: Mapping[str, SignInProvider] = field(default_factory=dict)
    autoconfig: AutoconfigSource | None = None
    sign_in_safe: bool = True  # whether a browser can come back from signing in
    links: Links | None = None
    system: SystemMailbox | None = None


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the faces may ask for."""

    mailboxes: MailboxService
    connecting: ConnectService
    sign_in: SignInService
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    bulk: BulkActions
    edits: CampaignEdits
    files: CampaignFiles
    email_log: EmailLog
    blocks: SuppressionList
    settings: SettingService
    domains: DeliverabilityService
    discovery: Discovery
    alerts: AlertDesk
    readings: ReadingService
    seats: SeatService
    care: MailboxCare
    engagement: EngagementService
    metrics: MetricsService
    reports: ReportService
    signatures: SignatureService
    trial_letters: TrialLetter
    holds: HoldService


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs by itself."""

    tools: Tools
    sync: SyncService
    outreach: OutreachService
    undecided: UndecidedService
    canaries: CanaryService
    backfill: BackfillService


@dataclass(frozen=True, slots=True)
class Workers:
    """The loops over an engine."""

    sync: SyncWorker
    outreach: OutreachWorker
    notifications: NotificationWorker
    alerts: AlertWorker
    canaries: CanaryWorker
    backfill: BackfillWorker
    holds: HoldWorker


def make_mail(settings: Settings, clock: Clock) -> MailWorld:
    """Real IMAP, SMTP, DNS and sign-in, as the settings say."""
    from core.mail.autoconfig import AutoconfigHttp
    from core.mail.dialler import Dialler
    from core.mail.dns import Resolver
    from core.mail.imap import ImapConnector
    from core.mail.smtp import SmtpTransport
    from core.mail.tls import make_tls_context
    from core.services.signin import is_safe

    context = make_tls_context(Path(settings.ca_file) if settings.ca_file else None)
    resolver = Resolver(clock, server=settings.dns)
    dialler = Dialler(resolver, allow_private=settings.allow_private_mail_hosts)
    return MailWorld(
        ImapConnector(dialler, context),
        SmtpTransport(dialler, context),
        resolver,
        make_sign_in(settings, context, clock),
        AutoconfigHttp(resolver, context, allow_private=settings.allow_private_mail_hosts),
        is_safe(settings.public_url),
        make_links(settings),
        make_system_mailbox(settings),
    )


def make_links(settings: Settings) -> Links | None:
    """The links in our mails, signed with keys derived from the secret keys."""
    from core.domain.tracked_links import Links
    from core.domain.tracking_token import TokenSigner

    if not settings.secret_keys:
        return None
    return Links(TokenSigner(settings.secret_keys), settings.public_url, settings.allow_private_mail_hosts)


def make_system_mailbox(settings: Settings) -> SystemMailbox | None:
    """The address that test letters come from, where the operator has set one up."""
    from core.ports.mail import Credentials, Endpoint, Tls
    from core.services.trial_letter import SystemMailbox

    mail = settings.system_mail
    if not mail.configured or mail.smtp is None:
        return None
    credentials = Credentials(mail.username or mail.address, mail.password)
    return SystemMailbox(mail.address, Endpoint(*mail.smtp, Tls(mail.tls)), credentials)


def make_sign_in(settings: Settings, context: ssl.SSLContext, clock: Clock) -> Mapping[str, SignInProvider]:
    """The providers that this installation has an OAuth client at, by name."""
    providers: dict[str, SignInProvider] = {}
    if settings.google.configured:
        from core.mail import oauth_google
        from core.mail.oauth_http import SignInHttp

        google = settings.google
        providers["google"] = oauth_google.GoogleSignIn(
            google.client_id,
            google.client_secret,
            SignInHttp(context),
            clock,
            base=google.base,
            imap=_moved(oauth_google.IMAP, google.imap),
            smtp=_moved(oauth_google.SMTP, google.smtp),
        )
    if settings.microsoft.configured:
        from core.mail import oauth_microsoft
        from core.mail.oauth_http import SignInHttp

        microsoft = settings.microsoft
        providers["microsoft"] = oauth_microsoft.MicrosoftSignIn(
            microsoft.client_id,
            microsoft.client_secret,
            SignInHttp(context),
            clock,
            authority=microsoft.base,
            tenant=microsoft.tenant,
            imap=_moved(oauth_microsoft.IMAP, microsoft.imap),
            smtp=_moved(oauth_microsoft.SMTP, microsoft.smtp),
        )
    return providers


def _moved(real: Endpoint, to: tuple[str, int] | None) -> Endpoint:
    """Another host and port, secured as the provider's own."""
    return replace(real, host=to[0], port=to[1]) if to else real


def make_tools(store: Store, clock: Clock) -> Tools:
    """The services' tools with the operating system's randomness."""
    from core.domain.ids import uuid7
    from core.services.tools import Tools

    return Tools(
        store=store,
        clock=clock,
        new_id=lambda: uuid7(clock.now(), os.urandom(10)),
        random=lambda: int.from_bytes(os.urandom(4), "big") / 2**32,
    )


def make_credentials(tools: Tools, mail: MailWorld) -> CredentialService:
    """One for a process, so that a token is never renewed twice at once."""
    from core.services.credentials import CredentialService

    return CredentialService(tools, mail.sign_in)


def make_use_cases(tools: Tools, mail: MailWorld, credentials: CredentialService | None = None) -> UseCases:
    """Joins what people and terminals may ask for."""
    from core.services.alert_desk import AlertDesk
    from core.services.alerts import AlertService
    from core.services.brakes import Brakes
    from core.services.bulk_actions import BulkActions
    from core.services.campaign_edits import CampaignEdits
    from core.services.campaign_files import CampaignFiles
    from core.services.campaigns import CampaignService
    from core.services.cards import CardWriter
    from core.services.care import MailboxCare
    from core.services.connecting import ConnectService
    from core.services.deliverability import DeliverabilityService
    from core.services.discovery import Discovery
    from core.services.email_log import EmailLog
    from core.services.engagement import EngagementService
    from core.services.holds import HoldService
    from core.services.mailboxes import MailboxService
    from core.services.metrics import MetricsService
    from core.services.optouts import OptOutService
    from core.services.people import PeopleService
    from core.services.progress import Progress
    from core.services.prospects import ProspectService
    from core.services.readings import ReadingService
    from core.services.reports import ReportService
    from core.services.seats import SeatService
    from core.services.settings import SettingService
    from core.services.signatures import SignatureService
    from core.services.signin import SignInService
    from core.services.submission import Submission
    from core.services.suppression_list import SuppressionList
    from core.services.trial_letter import TrialLetter
    from core.services.trial_mail import TrialMail

    progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
    connecting = ConnectService(tools, mail.connector, mail.transport)
    submission = Submission(mail.transport, credentials or make_credentials(tools, mail))
    mailboxes = MailboxService(tools, alerts, submission)
    prospects, campaigns = ProspectService(tools, progress), CampaignService(tools, progress)
    metrics = MetricsService(tools)
    desk = AlertDesk(tools, mailboxes, prospects, versions())
    trial = TrialMail(tools, mail.connector, submission)
    return UseCases(
        mailboxes=mailboxes,
        connecting=connecting,
        sign_in=SignInService(tools, mail.sign_in, connecting),
        people=PeopleService(tools),
        campaigns=campaigns,
        prospects=prospects,
        bulk=BulkActions(tools, progress),
        edits=CampaignEdits(tools, progress),
        files=CampaignFiles(tools),
        email_log=EmailLog(tools, progress),
        blocks=SuppressionList(tools, progress),
        settings=SettingService(tools),
        domains=DeliverabilityService(mail.resolver),
        discovery=Discovery(mail.resolver, mail.autoconfig, mail.sign_in, safe=mail.sign_in_safe),
        readings=ReadingService(tools),
        seats=SeatService(tools, alerts),
        care=MailboxCare(tools, trial, desk, versions()),
        alerts=desk,
        engagement=EngagementService(tools, mail.links.signer if mail.links else None, OptOutService(tools, progress)),
        metrics=metrics,
        reports=ReportService(metrics, campaigns),
        signatures=SignatureService(tools),
        trial_letters=TrialLetter(tools, mail.transport, mail.system),
        holds=HoldService(tools, Brakes(tools)),
    )


def versions() -> Mapping[str, str]:
    """The programs in use, for whoever is asked for help."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("rethread")
    except PackageNotFoundError:  # run from its folder
        own = "from source"
    return {"Rethread": own, "Python": platform.python_version(), "system": platform.system()}


def make_engine(
    tools: Tools, mail: MailWorld, *, started_at: datetime, credentials: CredentialService | None = None
) -> Engine:
    """Joins what runs by itself."""
    from core.services.alerts import AlertService
    from core.services.backfill import BackfillService
    from core.services.canaries import CanaryService
    from core.services.cards import CardWriter
    from core.services.ingest import IngestService
    from core.services.letters import LetterWriter
    from core.services.outreach import OutreachService
    from core.services.progress import Progress
    from core.services.sending_health import SendingHealth
    from core.services.submission import Submission
    from core.services.sync import SyncService
    from core.services.undecided import UndecidedService

    progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
    credentials = credentials or make_credentials(tools, mail)
    submission = Submission(mail.transport, credentials)
    sending = SendingHealth(tools, submission, alerts)
    outreach = OutreachService(
        tools, submission, progress, sending, started_at=started_at, letters=LetterWriter(mail.links)
    )
    ingest = IngestService(tools, progress, outreach, mail.links)
    sync = SyncService(tools, mail.connector, credentials, ingest, alerts, sending)
    return Engine(
        tools=tools,
        sync=sync,
        outreach=outreach,
        undecided=UndecidedService(tools, mail.connector, credentials, outreach, progress),
        canaries=CanaryService(tools, submission, sync),
        backfill=BackfillService(tools, mail.connector, credentials, ingest),
    )


def make_workers(engine: Engine, notifier: Notifier) -> Workers:
    """The loops that call the engine."""
    from core.services.brakes import Brakes
    from core.services.expiry import ExpiryService
    from core.services.holds import HoldService
    from core.services.notifications import NotificationService
    from core.services.reminders import ReminderService
    from core.services.storms import StormService
    from core.workers.alerts import AlertWorker
    from core.workers.backfill import BackfillWorker
    from core.workers.canaries import CanaryWorker
    from core.workers.holds import HoldWorker
    from core.workers.notifications import NotificationWorker
    from core.workers.outreach import OutreachWorker
    from core.workers.sync import SyncWorker

    tools = engine.tools
    return Workers(
        sync=SyncWorker(tools.store, tools.clock, engine.sync, random=tools.random),
        outreach=OutreachWorker(tools.store, tools.clock, engine.outreach, engine.undecided),
        notifications=NotificationWorker(tools.store, tools.clock, NotificationService(tools, notifier)),
        alerts=AlertWorker(tools.store, tools.clock, StormService(tools), ReminderService(tools), ExpiryService(tools)),
        canaries=CanaryWorker(tools.store, engine.canaries),
        backfill=BackfillWorker(tools.store, engine.backfill),
        holds=HoldWorker(tools.store, HoldService(tools, Brakes(tools))),
    )
