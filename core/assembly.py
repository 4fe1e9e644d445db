"""The engine, joined: adapters and services on any storage and any notifier. ``app.py`` brings those.

Imports stand inside the functions that need them, so that a command which needs little starts at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.parts import Engine, MailWorld, UseCases, Workers
from core.settings import Settings

__all__ = ["Engine", "MailWorld", "UseCases", "Workers"]

if TYPE_CHECKING:
    import ssl

    from core.domain.tracked_links import Links
    from core.ports.clock import Clock
    from core.ports.mail import Endpoint
    from core.ports.notifier import Notifier
    from core.ports.signin import SignInProvider
    from core.ports.sms import SmsTransport
    from core.ports.storage import Store
    from core.services.credentials import CredentialService
    from core.services.tools import Tools
    from core.services.trial_letter import SystemMailbox


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
        make_sms(settings, context),
    )


def make_links(settings: Settings) -> Links | None:
    """The links in our mails, signed with keys derived from the secret keys."""
    from core.domain.tracked_links import Links
    from core.domain.tracking_token import TokenSigner

    if not settings.secret_keys:
        return None
    return Links(TokenSigner(settings.secret_keys), settings.public_url, settings.allow_private_mail_hosts)


def make_sms(settings: Settings, context: ssl.SSLContext) -> SmsTransport | None:
    """The text message provider; None: this installation sends no texts."""
    if not settings.twilio.configured:
        return None
    from core.sms.http import SmsHttp
    from core.sms.twilio import TwilioSms

    account = settings.twilio
    return TwilioSms(account.sid, account.token, account.sender, SmsHttp(context), base=account.url)


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
    from core.joining import join_use_cases

    return join_use_cases(tools, mail, credentials or make_credentials(tools, mail), versions())


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
    from core.services.address_checks import AddressChecks
    from core.services.address_lookups import AddressLookups
    from core.services.alerts import AlertService
    from core.services.backfill import BackfillService
    from core.services.canaries import CanaryService
    from core.services.cards import CardWriter
    from core.services.filing import FilingService
    from core.services.ingest import IngestService
    from core.services.letters import LetterWriter
    from core.services.manual_stages import ManualStages
    from core.services.outreach import OutreachService
    from core.services.progress import Progress
    from core.services.sending_health import SendingHealth
    from core.services.submission import Submission
    from core.services.sync import SyncService
    from core.services.text_checks import TextChecks
    from core.services.undecided import UndecidedService

    progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
    credentials = credentials or make_credentials(tools, mail)
    submission = Submission(mail.transport, credentials)
    sending = SendingHealth(tools, submission, alerts)
    outreach = OutreachService(
        tools,
        submission,
        progress,
        sending,
        started_at=started_at,
        letters=LetterWriter(mail.links),
        validates=True,
        sms=mail.sms,
    )
    texts = TextChecks(tools, progress, mail.sms)
    ingest = IngestService(tools, progress, outreach, mail.links)
    sync = SyncService(tools, mail.connector, credentials, ingest, alerts, sending)
    return Engine(
        tools=tools,
        sync=sync,
        outreach=outreach,
        undecided=UndecidedService(tools, mail.connector, credentials, outreach, progress, texts),
        canaries=CanaryService(tools, submission, sync),
        backfill=BackfillService(tools, mail.connector, credentials, ingest),
        filing=FilingService(tools, mail.connector, credentials),
        addresses=AddressLookups(tools, AddressChecks(mail.resolver)),
        manual=ManualStages(tools, progress),
        texts=texts,
    )


def make_workers(engine: Engine, notifier: Notifier) -> Workers:
    """The loops that call the engine."""
    from core.services.brakes import Brakes
    from core.services.campaign_life import CampaignLife
    from core.services.expiry import ExpiryService
    from core.services.holds import HoldService
    from core.services.notifications import NotificationService
    from core.services.reminders import ReminderService
    from core.services.storms import StormService
    from core.workers.addresses import AddressWorker
    from core.workers.alerts import AlertWorker
    from core.workers.backfill import BackfillWorker
    from core.workers.canaries import CanaryWorker
    from core.workers.filing import FilingWorker
    from core.workers.holds import HoldWorker
    from core.workers.notifications import NotificationWorker
    from core.workers.outreach import OutreachWorker
    from core.workers.stages import StageWorker
    from core.workers.sync import SyncWorker

    tools = engine.tools
    return Workers(
        sync=SyncWorker(tools.store, tools.clock, engine.sync, random=tools.random),
        outreach=OutreachWorker(tools.store, tools.clock, engine.outreach, engine.undecided),
        notifications=NotificationWorker(tools.store, tools.clock, NotificationService(tools, notifier)),
        alerts=AlertWorker(tools.store, tools.clock, StormService(tools), ReminderService(tools), ExpiryService(tools)),
        canaries=CanaryWorker(tools.store, engine.canaries),
        backfill=BackfillWorker(tools.store, engine.backfill),
        filing=FilingWorker(tools.store, engine.filing),
        addresses=AddressWorker(tools.store, engine.addresses),
        holds=HoldWorker(tools.store, HoldService(tools, Brakes(tools)), CampaignLife(tools)),
        stages=StageWorker(tools.store, engine.manual, engine.texts),
    )
