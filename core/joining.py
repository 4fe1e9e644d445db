"""The use cases, joined: what people and terminals may ask for. ``core.assembly`` calls it."""

from __future__ import annotations

from collections.abc import Mapping

from core.parts import MailWorld, UseCases
from core.services.address_checks import AddressChecks
from core.services.alert_desk import AlertDesk
from core.services.alerts import AlertService
from core.services.brakes import Brakes
from core.services.bulk_actions import BulkActions
from core.services.campaign_edits import CampaignEdits
from core.services.campaign_files import CampaignFiles
from core.services.campaign_overview import CampaignOverviews
from core.services.campaigns import CampaignService
from core.services.cards import CardWriter
from core.services.care import MailboxCare
from core.services.connecting import ConnectService
from core.services.credentials import CredentialService
from core.services.deliverability import DeliverabilityService
from core.services.discovery import Discovery
from core.services.email_log import EmailLog
from core.services.engagement import EngagementService
from core.services.holds import HoldService
from core.services.launch_check import LaunchCheck
from core.services.mailboxes import MailboxService
from core.services.manual_stages import TaskDesk
from core.services.metrics import MetricsService
from core.services.optouts import OptOutService
from core.services.people import PeopleService
from core.services.progress import Progress
from core.services.prospect_sheets import ProspectSheets
from core.services.prospects import ProspectService
from core.services.readings import ReadingService
from core.services.reports import ReportService
from core.services.seats import SeatService
from core.services.settings import SettingService
from core.services.signatures import SignatureService
from core.services.signin import SignInService
from core.services.submission import Submission
from core.services.suppression_list import SuppressionList
from core.services.tools import Tools
from core.services.trial_letter import TrialLetter
from core.services.trial_mail import TrialMail


def join_use_cases(
    tools: Tools, mail: MailWorld, credentials: CredentialService, versions: Mapping[str, str]
) -> UseCases:
    """One of each, sharing what they share. ``versions`` are the programs in use, for whoever is asked for help."""
    progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
    connecting = ConnectService(tools, mail.connector, mail.transport)
    submission = Submission(mail.transport, credentials)
    mailboxes = MailboxService(tools, alerts, submission)
    prospects, campaigns = ProspectService(tools, progress), CampaignService(tools, progress)
    metrics, domains = MetricsService(tools), DeliverabilityService(mail.resolver)
    desk = AlertDesk(tools, mailboxes, prospects, versions)
    trial = TrialMail(tools, mail.connector, submission)
    return UseCases(
        mailboxes=mailboxes,
        connecting=connecting,
        sign_in=SignInService(tools, mail.sign_in, connecting),
        people=PeopleService(tools),
        campaigns=campaigns,
        prospects=prospects,
        sheets=ProspectSheets(tools),
        bulk=BulkActions(tools, progress),
        edits=CampaignEdits(tools, progress),
        files=CampaignFiles(tools),
        overviews=CampaignOverviews(tools),
        launch=LaunchCheck(tools, domains, AddressChecks(mail.resolver), texts=mail.sms is not None),
        email_log=EmailLog(tools, progress),
        blocks=SuppressionList(tools, progress),
        settings=SettingService(tools),
        domains=domains,
        discovery=Discovery(mail.resolver, mail.autoconfig, mail.sign_in, safe=mail.sign_in_safe),
        readings=ReadingService(tools),
        seats=SeatService(tools, alerts),
        care=MailboxCare(tools, trial, desk, versions),
        alerts=desk,
        engagement=EngagementService(tools, mail.links.signer if mail.links else None, OptOutService(tools, progress)),
        metrics=metrics,
        reports=ReportService(metrics, campaigns),
        signatures=SignatureService(tools),
        trial_letters=TrialLetter(tools, mail.transport, mail.system),
        holds=HoldService(tools, Brakes(tools)),
        tasks=TaskDesk(tools, progress),
    )
