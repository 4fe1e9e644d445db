"""Use cases that keep a note of what was asked and answer from memory: for tests of the faces alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.slack.uses import Services
from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.actor import Actor
from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage
from core.domain.delivery import Delivery, DeliveryState
from core.domain.dns_checks import DomainReport, Question, judge
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.lag import Lag, LagKind
from core.domain.people import Person, PersonAddress
from core.domain.workspace_settings import ALL, BY_KEY, parse_value
from core.errors import NotFoundError, RefusedError
from core.ports.storage import Activity, ProspectRow, StageCount, SyncLogEntry
from core.services.campaigns import CampaignLine, CampaignReport, Skipped
from core.services.people import EnrollmentLine, PersonReport
from core.services.prospects import RetryResult
from core.services.settings import SettingLine
from tests.fakes.reports import FakeReports
from tests.fakes.tasks import FakeTasks

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TEAM = "T0AGENCY"
PROMPTLY = Lag(0.0, LagKind.PROMPT, "up to date")


def a_mailbox(address: str = "rita@agency.test", owner: str = "U0RITA", **changes: Any) -> Mailbox:
    name = address.partition("@")[0]
    made = Mailbox(
        id=f"mailbox-{name}",
        workspace=TEAM,
        address=address,
        owner=owner,
        provider="other",
        username=address,
        imap_host="imap.agency.test",
        imap_port=993,
        imap_tls="ssl",
        smtp_host="smtp.agency.test",
        smtp_port=465,
        smtp_tls="ssl",
        send=True,
        capture=True,
        status=MailboxStatus.ACTIVE,
        version=3,
        created_at=NOW,
        last_sync_at=NOW,
    )
    return replace(made, **changes)


def broken(address: str = "rita@agency.test", owner: str = "U0RITA") -> Mailbox:
    fault = SyncFault("password", "AUTHENTICATIONFAILED Invalid credentials", "Press Reconnect.", NOW)
    return a_mailbox(address, owner, status=MailboxStatus.ERROR, fault=fault)


def a_campaign(name: str = "Backend engineers, autumn", owner: str | None = "U0RITA") -> Campaign:
    stages = (Stage(1, "email", Delay(), "Hello", "Hi"), Stage(2, "email", Delay(business_days=2), "", "Again"))
    return Campaign(
        f"campaign-{name.split(maxsplit=1)[0]}",
        TEAM,
        name,
        CampaignStatus.ACTIVE,
        1,
        NOW,
        ("rita@agency.test",),
        stages,
        owner,
    )


def a_row(status: ProspectStatus = ProspectStatus.BOUNCED, person: str = "Ben Carter") -> ProspectRow:
    return ProspectRow(
        "enrollment-1",
        person,
        "ben@candidates.example",
        status,
        "bounced",
        "The address does not exist.",
        "Give another address, then retry.",
        1,
        None,
        "delivery-1",
        DeliveryState.FAILED,
        2,
    )


@dataclass
class FakeMailboxes:
    """Mailboxes by id; ``asked`` keeps (what, user, id)."""

    mailboxes: list[Mailbox] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    failure: Exception | None = None
    switch_failure: Exception | None = None
    entries: list[SyncLogEntry] = field(default_factory=list)

    async def list(self, actor: Actor, *, mine: bool = False) -> list[Mailbox]:
        self._fail()
        return [one for one in self.mailboxes if not mine or one.owner == actor.user]

    async def find(self, actor: Actor, address: str) -> Mailbox:
        self._fail()
        for one in self.mailboxes:
            if one.address == address.lower():
                return one
        raise NotFoundError(f"No mailbox {address} is connected here.", fix="Did you mean rita@agency.test?")

    async def get(self, actor: Actor, mailbox_id: str) -> Mailbox:
        self._fail()
        for one in self.mailboxes:
            if one.id == mailbox_id:
                return one
        raise NotFoundError("This mailbox is not connected here any more.")

    async def request_resync(self, actor: Actor, mailbox_id: str) -> Mailbox:
        if any(what == "resync" and asked_id == mailbox_id for what, _, asked_id in self.asked):
            first = next(user for what, user, asked_id in self.asked if what == "resync" and asked_id == mailbox_id)
            raise RefusedError(f"It is being resynced already, asked by <@{first}> 5 s ago.", reason="resync_running")
        return await self._note("resync", actor, mailbox_id)

    async def resync_all(self, actor: Actor) -> Sequence[Mailbox]:
        return [await self._note("resync", actor, one.id) for one in self.mailboxes if one.light == "red"]

    async def refresh(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._note("refresh", actor, mailbox_id)

    async def pause(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._note("pause", actor, mailbox_id)

    async def resume(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._note("resume", actor, mailbox_id)

    async def set_switches(
        self, actor: Actor, mailbox_id: str, *, send: bool | None = None, capture: bool | None = None
    ) -> Mailbox:
        if self.switch_failure is not None:
            raise self.switch_failure
        mailbox = await self._note(f"send={send} capture={capture}", actor, mailbox_id)
        return replace(
            mailbox,
            send=mailbox.send if send is None else send,
            capture=mailbox.capture if capture is None else capture,
        )

    async def disconnect(self, actor: Actor, mailbox_id: str) -> Mailbox:
        return await self._note("disconnect", actor, mailbox_id)

    async def log(self, actor: Actor, mailbox_id: str, limit: int = 20) -> Sequence[SyncLogEntry]:
        return self.entries[:limit]

    async def _note(self, what: str, actor: Actor, mailbox_id: str) -> Mailbox:
        mailbox = await self.get(actor, mailbox_id)
        self.asked.append((what, actor.user, mailbox_id))
        return mailbox

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeConnecting:
    """Makes links; ``asked`` keeps (what, user, id)."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def issue_ticket(self, actor: Actor, mailbox_id: str | None = None) -> str:
        self.asked.append(("ticket", actor.user, mailbox_id or "new"))
        return f"{actor.workspace}.token-{len(self.asked)}"


@dataclass
class FakeCampaigns:
    lines: list[CampaignLine] = field(default_factory=list)
    rows: list[ProspectRow] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def list(self, actor: Actor) -> list[CampaignLine]:
        return self.lines

    async def status(self, actor: Actor, name: str) -> CampaignReport:
        stages = [StageCount(1, 12, 3), StageCount(2, 4, 1)]
        return CampaignReport(self._named(name), self.rows, stages, people=len(self.rows), replied=1)

    async def start(self, actor: Actor, name: str) -> Campaign:
        self.asked.append(("start", actor.user, name))
        return self._named(name)

    async def pause(self, actor: Actor, name: str) -> Campaign:
        self.asked.append(("pause", actor.user, name))
        return self._named(name)

    def _named(self, name: str) -> Campaign:
        for line in self.lines:
            if line.campaign.name.lower() == name.lower():
                return line.campaign
        raise NotFoundError(f"There is no campaign {name[:100]!r}.", fix="See them with /outreach list.")


@dataclass
class FakeProspects:
    """``asked`` keeps (what, user, delivery id, version); a second press of the same version is refused."""

    asked: list[tuple[str, str, str, int]] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    result: RetryResult = field(default_factory=lambda: RetryResult(2, [Skipped("omar@x.example", "It has replied.")]))

    async def act_on_card(self, actor: Actor, event: ProspectEvent, delivery_id: str, version: int) -> Enrollment:
        self._once(event.value, actor, delivery_id, version)
        return Enrollment("enrollment-1", TEAM, "campaign-1", "person-1", None, ProspectStatus.ACTIVE, 1, 2, NOW)

    async def settle(self, actor: Actor, decision: str, delivery_id: str, version: int) -> Delivery:
        self._once(decision, actor, delivery_id, version)
        return Delivery(
            delivery_id, TEAM, "enrollment-1", "campaign-1", None, 1, 1, DeliveryState.SENT, version + 1, NOW, None
        )

    async def retry_all(self, actor: Actor, campaign_name: str | None) -> RetryResult:
        self.retried.append(campaign_name or "*")
        return self.result

    async def retry_heap(self, actor: Actor, campaign_id: str, why: str) -> RetryResult:
        self.retried.append(f"{campaign_id} {why}")
        return self.result

    async def retry_person(self, actor: Actor, email: str) -> RetryResult:
        self.retried.append(email)
        return self.result

    def _once(self, what: str, actor: Actor, delivery_id: str, version: int) -> None:
        for _, user, asked_id, asked_version in self.asked:
            if (asked_id, asked_version) == (delivery_id, version):
                raise RefusedError(f"<@{user}> was faster: this was settled already.", reason="race")
        self.asked.append((what, actor.user, delivery_id, version))


@dataclass
class FakePeople:
    async def show(self, actor: Actor, email: str) -> PersonReport:
        if email != "ben@candidates.example":
            raise NotFoundError(f"Nobody here has the address {email}.")
        address = PersonAddress(email, email, "personal", True, NOW)
        person = Person("person-1", TEAM, "Ben", "Carter", "", "Europe/London", NOW, (address,))
        mail = Activity(NOW, "in", "reply", "Re: Hello", "Yes, let us talk", None, "rita@agency.test", "reply", None)
        return PersonReport(person, [mail], [EnrollmentLine("Backend engineers, autumn", "Replied", 1, None)])


@dataclass
class FakeSettings:
    """``note`` is what else every change of one has changed."""

    values: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    async def show(self, actor: Actor) -> list[SettingLine]:
        return [SettingLine(one, self.values.get(one.key, one.default), one.key not in self.values) for one in ALL]

    async def set(self, actor: Actor, key: str, text: str) -> SettingLine:
        self.values[key] = parse_value(key, text)
        return SettingLine(BY_KEY[key], self.values[key], False, self.note)


@dataclass
class FakeDomains:
    """The real rules on records given by (kind, name); what is not given does not exist."""

    records: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def check_domain(
        self, domain: str, selectors: Sequence[str] = (), *, connected: str | None = None
    ) -> DomainReport:
        self.asked.append((domain, connected))
        facts: dict[Question, tuple[str, ...] | None] = {}
        while True:
            report, wanted = judge(domain.rpartition("@")[2], facts, selectors=selectors, connected=connected)
            if not wanted:
                return report
            facts |= {question: self.records.get((question.kind.value, question.name), ()) for question in wanted}


@dataclass
class FakeHolds:
    """``lifted`` keeps (user, scope, id)."""

    lifted: list[tuple[str, str, str]] = field(default_factory=list)

    async def lift_brake(self, actor: Actor, scope: str, name: str) -> int:
        self.lifted.append((actor.user, scope, name))
        return 1


@dataclass(frozen=True)
class Pack:
    """The collected facts."""

    text: str = "Mailbox: rita@agency.test\nCause: password\nServer said: AUTHENTICATIONFAILED"


@dataclass(frozen=True)
class Failed:
    """A stage that failed while a mailbox was down."""

    campaign: str = "Backend engineers, autumn"
    person: str = "Ben Carter"
    email: str = "ben@candidates.example"
    stage: int = 2
    failed_at: datetime = NOW


@dataclass(frozen=True)
class MailOutcome:
    """What became of a test mail."""

    sent: bool
    to: str
    title: str = ""
    raw: str = "250 2.0.0 OK queued as 4F1"
    fix: str = ""
    arrival: str = ""


@dataclass(frozen=True)
class Found:
    """Where an address's mail is."""

    provider: str = "google"
    label: str = "Google"
    how: tuple[str, ...] = ("MX is aspmx.l.google.com",)
    sign_in: str = "google"
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a mailbox is read."""

    history_left: int = 0
    matched: int | None = None
    strangers: int | None = None
    lag: Lag = PROMPTLY


@dataclass
class FakeAlerts:
    """``asked`` keeps (what, user, alert, version, further); a second press of the same version is refused."""

    asked: list[tuple[str, str, str, int, str]] = field(default_factory=list)
    resynced: list[Mailbox] = field(default_factory=lambda: [broken()])
    failed: list[Failed] = field(default_factory=lambda: [Failed()])
    pack: Pack = field(default_factory=Pack)
    refusal: Exception | None = None

    async def acknowledge(self, actor: Actor, alert_id: str, version: int) -> None:
        self._once("acknowledge", actor, alert_id, version)

    async def assign(self, actor: Actor, alert_id: str, version: int, to_user: str) -> None:
        self._once("assign", actor, alert_id, version, to_user)

    async def mute(self, actor: Actor, alert_id: str, version: int, hours: int = 24) -> None:
        self._once("mute", actor, alert_id, version, str(hours))

    async def resync_storm(self, actor: Actor, alert_id: str, version: int) -> list[Mailbox]:
        self._once("resync_storm", actor, alert_id, version)
        return self.resynced

    async def escalate(self, actor: Actor, alert_id: str) -> Pack:
        self._refuse()
        self.asked.append(("escalate", actor.user, alert_id, 0, ""))
        return self.pack

    async def retry_after_recovery(self, actor: Actor, alert_id: str, version: int) -> None:
        self._once("retry", actor, alert_id, version)

    async def review_recovery(self, actor: Actor, alert_id: str) -> list[Failed]:
        self._refuse()
        return self.failed

    async def leave_recovery(self, actor: Actor, alert_id: str, version: int) -> None:
        self._once("leave", actor, alert_id, version)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def _once(self, what: str, actor: Actor, alert_id: str, version: int, further: str = "") -> None:
        self._refuse()
        for _, user, asked_id, asked_version, _ in self.asked:
            if (asked_id, asked_version) == (alert_id, version):
                raise RefusedError(f"<@{user}> was faster: look at the card again.", reason="race")
        self.asked.append((what, actor.user, alert_id, version, further))


@dataclass
class FakeCare:
    """Test mails and collected facts of a mailbox."""

    result: MailOutcome | None = None
    pack: Pack = field(default_factory=Pack)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def send_test(self, actor: Actor, mailbox_id: str, to: str | None = None) -> MailOutcome:
        self.asked.append((actor.user, mailbox_id, to or "its own choice"))
        return self.result or MailOutcome(True, to or "omar@agency.test")

    async def escalate_mailbox(self, actor: Actor, mailbox_id: str) -> Pack:
        self.asked.append((actor.user, mailbox_id, "escalate"))
        return self.pack


@dataclass
class FakeReadings:
    known: dict[str, Progress] = field(default_factory=dict)

    async def of(self, actor: Actor, mailboxes: Sequence[Mailbox]) -> dict[str, Progress]:
        return self.known


@dataclass
class FakeDiscovery:
    found: Found = field(default_factory=Found)
    failure: Exception | None = None

    async def of(self, address: str) -> Found:
        if self.failure is not None:
            raise self.failure
        return self.found


@dataclass
class FakeServices:
    """All of them; ``uses`` is what the face is given."""

    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    connecting: FakeConnecting = field(default_factory=FakeConnecting)
    campaigns: FakeCampaigns = field(default_factory=FakeCampaigns)
    prospects: FakeProspects = field(default_factory=FakeProspects)
    people: FakePeople = field(default_factory=FakePeople)
    settings: FakeSettings = field(default_factory=FakeSettings)
    domains: FakeDomains = field(default_factory=FakeDomains)

    alerts: FakeAlerts | None = field(default_factory=FakeAlerts)
    care: FakeCare | None = field(default_factory=FakeCare)
    holds: FakeHolds | None = field(default_factory=FakeHolds)
    readings: FakeReadings | None = field(default_factory=FakeReadings)
    discovery: FakeDiscovery | None = None
    reports: FakeReports | None = field(default_factory=FakeReports)
    tasks: FakeTasks | None = field(default_factory=FakeTasks)

    @property
    def uses(self) -> Services:
        return Services(
            self.mailboxes,
            self.connecting,
            self.campaigns,
            self.prospects,
            self.people,
            self.settings,
            self.domains,
            self.alerts,
            self.care,
            self.readings,
            self.discovery,
            self.holds,
            self.reports,
            self.tasks,
        )


class FirstTimes:
    """A memory of requests, as storage keeps it."""

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()

    async def __call__(self, workspace: str, key: str) -> bool:
        first = (workspace, key) not in self.known
        self.known.add((workspace, key))
        return first
