"""What Slack's listeners need from the rest of the program, named by them: the use cases and the desk they sit at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card
from bot.slack.form_values import SentFile
from bot.slack.prospect_uses import Outreach
from bot.slack.read_models import EscalationPack, FailedStage, MailTest, ProviderFound, Reading
from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.campaign_query import CampaignQuery
from core.domain.delivery import Delivery
from core.domain.dns_checks import DomainReport
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.figures import Report
from core.domain.ledger import LedgerLine
from core.ports.storage import SyncLogEntry
from core.services.campaign_overview import CampaignOverview, StagePreview
from core.services.campaigns import CampaignLine, CampaignReport
from core.services.launch_check import LaunchReport
from core.services.outcomes import EnrollResult, MoveResult
from core.services.people import ImportResult, PersonReport
from core.services.prospects import RetryResult
from core.services.settings import SettingLine
from core.services.trial_letter import TrialLetterResult

Seen = Callable[[str, str], Awaitable[bool]]
"""(workspace, key): True the first time; a repeated Slack delivery is answered, not done again."""


class MailboxUses(Protocol):
    """core.services.mailboxes.MailboxService, as far as Slack asks of it."""

    async def list(self, actor: Actor, *, mine: bool = False) -> Sequence[Mailbox]: ...
    async def find(self, actor: Actor, address: str) -> Mailbox: ...
    async def get(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def request_resync(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def resync_all(self, actor: Actor) -> Sequence[Mailbox]: ...
    async def refresh(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def pause(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def resume(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def set_switches(
        self, actor: Actor, mailbox_id: str, *, send: bool | None = None, capture: bool | None = None
    ) -> Mailbox: ...
    async def disconnect(self, actor: Actor, mailbox_id: str) -> Mailbox: ...
    async def log(self, actor: Actor, mailbox_id: str, limit: int = 20) -> Sequence[SyncLogEntry]: ...


class MailboxCareUses(Protocol):
    """core.services.care.MailboxCare."""

    async def send_test(self, actor: Actor, mailbox_id: str, to: str | None = None) -> MailTest: ...
    async def escalate_mailbox(self, actor: Actor, mailbox_id: str) -> EscalationPack: ...


class ReadingUses(Protocol):
    """How far mailboxes are read and why new mail is late, by mailbox id; those that nobody knows of are left out."""

    async def of(self, actor: Actor, mailboxes: Sequence[Mailbox]) -> Mapping[str, Reading]: ...


class AlertUses(Protocol):
    """core.services.alert_desk.AlertDesk. ``version`` is what the card showed: whoever was slower is refused."""

    async def acknowledge(self, actor: Actor, alert_id: str, version: int) -> object: ...
    async def assign(self, actor: Actor, alert_id: str, version: int, to_user: str) -> object: ...
    async def mute(self, actor: Actor, alert_id: str, version: int, hours: int = 24) -> object: ...
    async def resync_storm(self, actor: Actor, alert_id: str, version: int) -> Sequence[Mailbox]: ...
    async def escalate(self, actor: Actor, alert_id: str) -> EscalationPack: ...
    async def retry_after_recovery(self, actor: Actor, alert_id: str, version: int) -> object: ...
    async def review_recovery(self, actor: Actor, alert_id: str) -> Sequence[FailedStage]: ...
    async def leave_recovery(self, actor: Actor, alert_id: str, version: int) -> object: ...


class DiscoveryUses(Protocol):
    """core.services.discovery.Discovery. Raises InputError for what is no address."""

    async def of(self, address: str) -> ProviderFound: ...


class ConnectUses(Protocol):
    """core.services.connecting.ConnectService, as far as Slack asks of it."""

    async def issue_ticket(self, actor: Actor, mailbox_id: str | None = None) -> str: ...


class CampaignUses(Protocol):
    """core.services.campaigns.CampaignService."""

    async def list(self, actor: Actor) -> Sequence[CampaignLine]: ...
    async def status(self, actor: Actor, name: str) -> CampaignReport: ...
    async def start(self, actor: Actor, name: str) -> Campaign: ...
    async def pause(self, actor: Actor, name: str) -> Campaign: ...


class CampaignWork(CampaignUses, Protocol):
    """The same, with what campaigns are built and ended with."""

    async def list(self, actor: Actor, query: CampaignQuery | None = None) -> Sequence[CampaignLine]: ...
    async def stop(self, actor: Actor, name: str) -> Campaign: ...
    async def archive(self, actor: Actor, name: str) -> Campaign: ...
    async def duplicate(self, actor: Actor, name: str, new_name: str | None = None) -> Campaign: ...
    async def export(self, actor: Actor, name: str) -> str: ...
    async def import_file(self, actor: Actor, text: str, files: Mapping[str, bytes] | None = None) -> Campaign: ...
    async def enroll(self, actor: Actor, name: str, emails: Iterable[str]) -> EnrollResult: ...
    async def move(
        self, actor: Actor, from_name: str, to_name: str, *, statuses: Collection[ProspectStatus] = ()
    ) -> MoveResult: ...


class ImportUses(Protocol):
    """core.services.people.PeopleService, as far as lists of people go."""

    async def import_csv(self, actor: Actor, raw: bytes) -> ImportResult: ...


class EditUses(Protocol):
    """core.services.campaign_edits.CampaignEdits."""

    async def change_stage(self, actor: Actor, name: str, position: int, changes: Mapping[str, Any]) -> Campaign: ...
    async def add_stage(self, actor: Actor, name: str, stage: Mapping[str, Any]) -> Campaign: ...
    async def delete_stage(self, actor: Actor, name: str, position: int, *, skip: bool = False) -> Campaign: ...
    async def change_details(self, actor: Actor, name: str, changes: Mapping[str, Any]) -> Campaign: ...


class OverviewUses(Protocol):
    """core.services.campaign_overview.CampaignOverviews."""

    async def campaign(self, actor: Actor, campaign_id: str) -> Campaign: ...
    async def of(self, actor: Actor, campaign_id: str) -> CampaignOverview: ...
    async def preview(self, actor: Actor, campaign_id: str, position: int) -> StagePreview: ...


class LaunchUses(Protocol):
    """core.services.launch_check.LaunchCheck."""

    async def preflight(self, actor: Actor, name: str) -> LaunchReport: ...


class TrialUses(Protocol):
    """core.services.trial_letter.TrialLetter."""

    async def send_test(
        self, actor: Actor, campaign_name: str, position: int, to: str | None = None
    ) -> TrialLetterResult: ...


class FileUses(Protocol):
    """core.services.campaign_files.CampaignFiles."""

    async def put(self, actor: Actor, campaign_name: str, file_name: str, content: bytes) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Building:
    """What campaigns are built with, looked at before they start, and tried."""

    campaigns: CampaignWork
    people: ImportUses
    edits: EditUses
    overviews: OverviewUses
    launch: LaunchUses
    trials: TrialUses
    files: FileUses


class ProspectUses(Protocol):
    """core.services.prospects.ProspectService."""

    async def act_on_card(
        self, actor: Actor, event: ProspectEvent, delivery_id: str, version: int, *, confirmed: bool = False
    ) -> Enrollment: ...
    async def settle(self, actor: Actor, decision: str, delivery_id: str, version: int) -> Delivery: ...
    async def retry_all(self, actor: Actor, campaign_name: str | None) -> RetryResult: ...
    async def retry_heap(self, actor: Actor, campaign_id: str, why: str) -> RetryResult: ...
    async def retry_person(self, actor: Actor, email: str) -> RetryResult: ...


class TaskUses(Protocol):
    """core.services.manual_stages.TaskDesk: calls and tasks, by the delivery that their card names."""

    async def done(self, actor: Actor, delivery_id: str) -> Delivery: ...
    async def skip(self, actor: Actor, delivery_id: str) -> Delivery: ...
    async def they(self, actor: Actor, how: str, delivery_id: str) -> Enrollment: ...
    async def history(self, actor: Actor, delivery_id: str) -> Sequence[LedgerLine]: ...


class PeopleUses(Protocol):
    """core.services.people.PeopleService."""

    async def show(self, actor: Actor, email: str) -> PersonReport: ...


class SettingUses(Protocol):
    """core.services.settings.SettingService."""

    async def show(self, actor: Actor) -> Sequence[SettingLine]: ...
    async def set(self, actor: Actor, key: str, text: str) -> SettingLine: ...


class DomainUses(Protocol):
    """core.services.deliverability.DeliverabilityService."""

    async def check_domain(
        self, domain: str, selectors: Sequence[str] = (), *, connected: str | None = None
    ) -> DomainReport: ...


class HoldUses(Protocol):
    """core.services.holds.HoldService."""

    async def lift_brake(self, actor: Actor, scope: str, name: str) -> int: ...


class ReportUses(Protocol):
    """core.services.reports.ReportService."""

    async def campaign(self, actor: Actor, name: str) -> Report: ...
    async def mine(self, actor: Actor) -> Report: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case that Slack offers. What is None is not offered: its commands say so, its buttons are none."""

    mailboxes: MailboxUses
    connecting: ConnectUses
    campaigns: CampaignUses
    prospects: ProspectUses
    people: PeopleUses
    settings: SettingUses
    domains: DomainUses
    alerts: AlertUses | None = None
    care: MailboxCareUses | None = None
    readings: ReadingUses | None = None
    discovery: DiscoveryUses | None = None
    holds: HoldUses | None = None
    reports: ReportUses | None = None
    tasks: TaskUses | None = None
    building: Building | None = None
    outreach: Outreach | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, and so how its answer can reach the person.

    ``key`` is what Slack repeats when it delivers the same request again. ``home`` is True on the Home tab; ``window``
    is the id of the window in which something was pressed.
    """

    workspace: str
    user: str
    key: str | None = None
    channel: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    home: bool = False
    window: str | None = None

    def in_window(self, view: str) -> Origin:
        """The same, to be answered in that window."""
        return replace(self, window=view, trigger_id=None)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG to be posted. ``described`` is its alternative text, at most 1,000 characters."""

    name: str
    title: str
    described: str
    content: bytes


Answer = Card | Form | None
"""A card is shown to the person who asked, a form opens as a window; None where nothing is to be said."""

Story = Callable[[Actor], Awaitable[Answer]]
"""Calls a use case and presents."""


Show = Callable[[Mapping[str, Any] | None], Awaitable[None]]
"""Acknowledges a window that was sent off: this view stands in its place, or none."""


class Desk(Protocol):
    """Serves acknowledged requests: who asks, once only, and every failure told. Raises nothing."""

    async def serve(self, body: dict[str, Any], story: Story, *, opening: str = "") -> None:
        """For a person's command, click or view. ``opening`` is the title of the window that stands at once where the
        story takes longer than Slack lets anybody open one."""
        ...

    async def fill(self, body: dict[str, Any], story: Story, show: Show) -> None:
        """For a window that was sent off and stays: ``show`` acknowledges with the answer, or with the window again and
        what went wrong."""
        ...

    async def zone_of(self, workspace: str, user: str) -> str:
        """The time zone (IANA) of a person's Slack profile; empty where it says none. Raises SlackError kinds."""
        ...

    async def welcome_once(self, body: dict[str, Any], channel: str, card: Card) -> None:
        """Posts a card where nobody asked, once per channel."""
        ...

    async def post_once(self, actor: Actor, key: str, channel: str, card: Card) -> bool:
        """Posts a card in a person's name, once per key; False where that was done before. Raises SlackError kinds."""
        ...

    async def share(self, actor: Actor, channel: str | None, card: Card, pictures: Sequence[Picture]) -> Card | None:
        """Posts a card and pictures for everybody in a conversation, in a direct message where the bot is not in it.
        Returns what the person should know of how that went. Raises SlackError kinds where nothing was posted."""
        ...

    async def hand_over(self, actor: Actor, name: str, title: str, content: bytes) -> None:
        """Gives a person a file, in their direct messages. Raises SlackError kinds."""
        ...

    async def fetch(self, file: SentFile, most: int) -> bytes:
        """The bytes of a file that was given in a window. Raises InputError over ``most``, SlackError kinds."""
        ...

    async def publish_home(self, actor: Actor, view: dict[str, Any]) -> None:
        """Shows a person's Home tab. Raises SlackError kinds."""
        ...


@dataclass(frozen=True, slots=True)
class Connect:
    """Where the one-time page is. ``secure`` is False where that is neither HTTPS nor this machine."""

    public_url: str
    secure: bool

    def page(self, token: str, actor: Actor | None = None, address: str | None = None) -> str:
        """The address of one ticket's page; with an actor, the form begins with what Slack's profile says of them, and
        with the address that they typed."""
        known = {"address": address or actor.email, "name": actor.name} if actor else {}
        filled = urlencode({key: value for key, value in known.items() if value})
        return f"{self.public_url}/connect/{token}" + (f"?{filled}" if filled else "")
