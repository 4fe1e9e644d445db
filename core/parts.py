"""What the engine is joined of: the world of mail, the use cases, what runs by itself, and its loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.domain.tracked_links import Links
    from core.ports.mail import MailboxConnector, MailTransport, NameResolver
    from core.ports.signin import SignInProvider
    from core.ports.sms import SmsTransport
    from core.services.address_lookups import AddressLookups
    from core.services.alert_desk import AlertDesk
    from core.services.backfill import BackfillService
    from core.services.bulk_actions import BulkActions
    from core.services.campaign_edits import CampaignEdits
    from core.services.campaign_files import CampaignFiles
    from core.services.campaign_overview import CampaignOverviews
    from core.services.campaigns import CampaignService
    from core.services.canaries import CanaryService
    from core.services.care import MailboxCare
    from core.services.connecting import ConnectService
    from core.services.deliverability import DeliverabilityService
    from core.services.discovery import AutoconfigSource, Discovery
    from core.services.email_log import EmailLog
    from core.services.engagement import EngagementService
    from core.services.filing import FilingService
    from core.services.holds import HoldService
    from core.services.launch_check import LaunchCheck
    from core.services.mailboxes import MailboxService
    from core.services.manual_stages import ManualStages, TaskDesk
    from core.services.metrics import MetricsService
    from core.services.outreach import OutreachService
    from core.services.people import PeopleService
    from core.services.prospect_sheets import ProspectSheets
    from core.services.prospects import ProspectService
    from core.services.readings import ReadingService
    from core.services.reports import ReportService
    from core.services.seats import SeatService
    from core.services.settings import SettingService
    from core.services.signatures import SignatureService
    from core.services.signin import SignInService
    from core.services.suppression_list import SuppressionList
    from core.services.sync import SyncService
    from core.services.text_checks import TextChecks
    from core.services.tools import Tools
    from core.services.trial_letter import SystemMailbox, TrialLetter
    from core.services.undecided import UndecidedService
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


@dataclass(frozen=True, slots=True)
class MailWorld:
    """The adapters to the world of mail. ``links`` stand in our mails; ``system`` is the address of test letters;
    ``sms`` the text message provider, where there is an account."""

    connector: MailboxConnector
    transport: MailTransport
    resolver: NameResolver
    sign_in: Mapping[str, SignInProvider] = field(default_factory=dict)
    autoconfig: AutoconfigSource | None = None
    sign_in_safe: bool = True  # whether a browser can come back from signing in
    links: Links | None = None
    system: SystemMailbox | None = None
    sms: SmsTransport | None = None


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the faces may ask for."""

    mailboxes: MailboxService
    connecting: ConnectService
    sign_in: SignInService
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    sheets: ProspectSheets
    bulk: BulkActions
    edits: CampaignEdits
    files: CampaignFiles
    overviews: CampaignOverviews
    launch: LaunchCheck
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
    tasks: TaskDesk


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs by itself."""

    tools: Tools
    sync: SyncService
    outreach: OutreachService
    undecided: UndecidedService
    canaries: CanaryService
    backfill: BackfillService
    filing: FilingService
    addresses: AddressLookups
    manual: ManualStages
    texts: TextChecks


@dataclass(frozen=True, slots=True)
class Workers:
    """The loops over an engine."""

    sync: SyncWorker
    outreach: OutreachWorker
    notifications: NotificationWorker
    alerts: AlertWorker
    canaries: CanaryWorker
    backfill: BackfillWorker
    filing: FilingWorker
    addresses: AddressWorker
    holds: HoldWorker
    stages: StageWorker
