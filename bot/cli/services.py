"""What commands need, and how each is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.actor import Actor
from core.ports.clock import Clock
from core.services.bulk_actions import BulkActions
from core.services.campaign_edits import CampaignEdits
from core.services.campaign_files import CampaignFiles
from core.services.campaigns import CampaignService
from core.services.care import MailboxCare
from core.services.connecting import ConnectService
from core.services.deliverability import DeliverabilityService
from core.services.email_log import EmailLog
from core.services.holds import HoldService
from core.services.launch_check import LaunchCheck
from core.services.mailboxes import MailboxService
from core.services.metrics import MetricsService
from core.services.people import PeopleService
from core.services.prospects import ProspectService
from core.services.readings import ReadingService
from core.services.reports import ReportService
from core.services.seats import SeatService
from core.services.settings import SettingService
from core.services.suppression_list import SuppressionList

Result = dict[str, Any] | list[dict[str, Any]]
Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Services:
    """What commands need. ``workspaces`` lists the ids there are; ``backup`` copies the database into a new file and
    raises a StorageError or RefusedError where it cannot."""

    mailboxes: MailboxService
    connecting: ConnectService
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    bulk: BulkActions
    edits: CampaignEdits
    files: CampaignFiles
    email_log: EmailLog
    launch: LaunchCheck
    blocks: SuppressionList
    holds: HoldService
    settings: SettingService
    domains: DeliverabilityService
    readings: ReadingService
    seats: SeatService
    care: MailboxCare
    metrics: MetricsService
    reports: ReportService
    clock: Clock
    workspaces: Callable[[], Awaitable[list[str]]]
    backup: Callable[[Path], Awaitable[None]]


Handler = Callable[[Services, Actor, Args], Awaitable[Result]]
