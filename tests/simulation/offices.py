"""A workspace of six mailboxes for a simulated half-quarter: the real services on SQLite, mail hosts in memory, a clock
that is turned, and a journal of everything that reached somebody."""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from core.domain.actor import Actor, Role
from core.errors import ConnectionLostError, MailError, OutcomeUnknownError, ServerRefusedError
from core.ports.mail import Credentials, Endpoint, SendReceipt, Tls
from core.ports.sms import SmsReceipt
from core.services.alerts import AlertService
from core.services.brakes import Brakes
from core.services.campaigns import CampaignService
from core.services.cards import CardWriter
from core.services.connecting import ConnectRequest, ConnectService
from core.services.credentials import CredentialService
from core.services.holds import HoldService
from core.services.ingest import IngestService
from core.services.manual_stages import ManualStages, TaskDesk
from core.services.outreach import OutreachService
from core.services.people import PeopleService
from core.services.progress import Progress
from core.services.prospects import ProspectService
from core.services.sending_health import SendingHealth
from core.services.settings import SettingService
from core.services.submission import Submission
from core.services.suppression_list import SuppressionList
from core.services.sync import SyncService
from core.services.text_checks import TextChecks
from core.services.tools import Tools
from core.services.undecided import UndecidedService
from storage.sql_store import SqlStore
from tests.fakes.mail import PASSWORD, FakeClient, FakeProvider
from tests.fakes.sms import FakeSms
from tests.stores import SteadyClock

ADA = Actor("T1", "U0ADA", Role.ADMIN)
BEGINS = datetime(2026, 9, 21, 5, tzinfo=UTC)
"""A Monday. Within 45 days the clocks change in Auckland, on Lord Howe, in Europe and in America."""
ZONES = (
    *("Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles"),
    *("Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland"),
)
MAILBOXES = (
    *("rita@agency.test", "omar@agency.test", "ines@agency.test", "paul@agency.test"),
    *("ola@partner.test", "tom@partner.test"),
)
FILES_NOTHING = "tom@partner.test"
AT_MICROSOFT = "omar@agency.test"
SETTINGS = {
    **{"spacing_min_s": 45, "spacing_max_s": 120, "settle_s": [60, 300, 900], "freshness_s": 3_600},
    **{"mailbox_first_daily": 40, "mailbox_first_days": 7, "mailbox_daily": 60, "ramp_percent": 10},
    **{"provider_per_minute": ["microsoft=1"], "company_daily": 6, "first_mails_daily": 130, "sms_daily": 110},
    **{"daily_email_limit": 1_000, "workspace_zone": "Europe/Berlin", "finish_undo_s": 120},
}
CAMPAIGNS = ("Autumn", "Harvest")
WINDOWS = {"Autumn": ("mon tue wed thu fri", "09:00", "17:00"), "Harvest": ("mon tue wed thu", "10:30", "16:00")}
DAYS_OFF = {"Autumn": [date(2026, 10, 9), date(2026, 10, 26)], "Harvest": [date(2026, 10, 12)]}
DELAYS = {2: "2bd", 3: "1d", 4: "3bd", 5: "1bd", 6: "2bd"}
KINDS = {1: "email", 2: "email", 3: "sms", 4: "email", 5: "call", 6: "email"}
_STAGE = re.compile(rb"\[stage (\d)\]")


def campaign_file(name: str) -> str:
    days, start, end = WINDOWS[name]
    off = f"[{', '.join(day.isoformat() for day in DAYS_OFF[name])}]"
    window = f"{{days: [{days.replace(' ', ', ')}], start: '{start}', end: '{end}'}}"
    lines = [f"name: {name}", "owner: U0ADA", "channel: C0REPLIES", "timezone: Europe/London"]
    lines += [f"from: [{', '.join(MAILBOXES)}]", f"window: {window}", f"holidays: {off}", "stages:"]
    lines += ['  - {kind: email, subject: "{{first_name}}, a role", body: "Hi {{first_name}} [stage 1]"}']
    for stage in range(2, 7):
        what = "note: Ring, required: true" if KINDS[stage] == "call" else f'body: "A word [stage {stage}]"'
        lines.append(f"  - {{kind: {KINDS[stage]}, delay: {DELAYS[stage]}, {what}}}")
    return "\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class Person:
    """One candidate, as the simulation knows them."""

    number: int
    campaign: str
    zone: str

    @property
    def email(self) -> str:
        return f"person{self.number}@company{self.number % 90}.example"

    @property
    def phone(self) -> str:
        return f"+44790{self.number:07}"


@dataclass(frozen=True, slots=True)
class Went:
    """What was handed over. ``arrived`` False: the line broke, and the server took nothing: it counts all the same."""

    at: datetime
    mailbox: str
    email: str
    stage: int
    arrived: bool = True
    raw: bytes = b""


class _Client(FakeClient):
    """Finds a Message-ID as an index would."""

    async def search_message_id(self, message_id: str) -> list[int]:
        wanted = f"<{message_id}>".encode()
        return [uid for uid, (raw, _) in self._folder.messages.items() if wanted in raw]


@dataclass
class Hosts:
    """Every mail host, by login: implements MailTransport and MailboxConnector. ``trouble`` draws what becomes of a
    mail; ``stopped`` holds whom nothing may reach any more."""

    clock: SteadyClock
    chance: random.Random
    providers: dict[str, FakeProvider] = field(default_factory=dict)
    journal: list[Went] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    refuses: set[tuple[str, int]] = field(default_factory=set)

    def of(self, address: str) -> FakeProvider:
        if address not in self.providers:
            self.providers[address] = FakeProvider(self.clock.now, files_sent=address != FILES_NOTHING)
        return self.providers[address]

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        del endpoint
        (email,), found = recipients, _STAGE.search(raw)
        assert found is not None
        stage = int(found[1])
        outcome = self._outcome(email, stage)
        unknown = isinstance(outcome, OutcomeUnknownError)
        arrives = outcome is None or (unknown and self.chance.random() < 0.5)
        if outcome is None or unknown:
            self.hand_over(credentials.username, email, stage, raw, arrives=arrives)
        if outcome is not None:
            raise outcome
        del sender
        return SendReceipt("250 2.0.0 Ok: queued")

    def hand_over(self, mailbox: str, email: str, stage: int, raw: bytes, *, arrives: bool) -> None:
        """Nothing reaches whoever has stopped."""
        assert email not in self.stopped, f"{email} got stage {stage} although {self.stopped[email]}"
        if arrives:
            self.of(mailbox).take(raw)
        self.journal.append(Went(self.clock.now(), mailbox, email, stage, arrives, raw))

    def _outcome(self, email: str, stage: int) -> MailError | None:
        draw = self.chance.random()
        if (email, stage) in self.refuses:
            return ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)
        if draw < 0.010:
            return ServerRefusedError("451 4.3.0 try again later", layer="smtp", smtp_code=451)
        if draw < 0.014:
            return OutcomeUnknownError("connection closed after the last byte", layer="smtp")
        if draw < 0.017:
            return ServerRefusedError("552 5.3.4 message too large", layer="smtp", smtp_code=552)
        return None

    async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
        del endpoint
        self.of(credentials.username).check(credentials)

    async def connect(self, endpoint: Endpoint, credentials: Credentials) -> FakeClient:
        del endpoint
        provider = self.of(credentials.username)
        provider.check(credentials)
        return _Client(provider)

    async def close(self) -> None:
        return None


class Telephones(FakeSms):
    """The text message provider, with the same journal."""

    def __init__(self, hosts: Hosts, people: dict[str, Person]) -> None:
        super().__init__(hosts.clock.now)
        self._hosts, self._people = hosts, people

    async def send(self, *, to: str, text: str, key: str) -> SmsReceipt:
        person = self._people[to]
        assert person.email not in self._hosts.stopped, f"{person.email} got a text"
        self._hosts.journal.append(Went(self._hosts.clock.now(), "sms", person.email, 3))
        return await super().send(to=to, text=text, key=key)


class Rows:
    """Looks into the database file from outside, as the product's own services would have to be asked one by one."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def moment(self, statement: str) -> datetime | None:
        ((found,),) = self.ask(statement)
        return datetime.fromisoformat(str(found)).replace(tzinfo=UTC) if found else None

    def close(self) -> None:
        self._connection.close()


@dataclass
class Office:
    """The services of one process, made anew when it dies."""

    store: SqlStore
    path: Path
    seed: int
    people: list[Person]

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.clock = SteadyClock(BEGINS)
        self.chance = random.Random(self.seed)
        self.hosts = Hosts(self.clock, random.Random(self.seed + 1))
        self.sms = Telephones(self.hosts, {one.phone: one for one in self.people})
        self.tools = Tools(self.store, self.clock, lambda: f"id{next(numbers):07}", self.chance.random)
        self.rows = Rows(self.path)
        self.read_at: dict[str, datetime] = defaultdict(lambda: BEGINS)
        self.begin_process()

    def begin_process(self) -> None:
        """What the process before held in memory is gone."""
        tools, credentials = self.tools, CredentialService(self.tools, {})
        progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
        submission = Submission(self.hosts, credentials)
        sending = SendingHealth(tools, submission, alerts)
        self.outreach = OutreachService(tools, submission, progress, sending, started_at=self.clock.now(), sms=self.sms)
        self.texts = TextChecks(tools, progress, self.sms)
        self.undecided = UndecidedService(tools, self.hosts, credentials, self.outreach, progress, self.texts)
        ingest = IngestService(tools, progress, self.outreach)
        self.sync = SyncService(tools, self.hosts, credentials, ingest, alerts, sending)
        self.manual, self.tasks = ManualStages(tools, progress), TaskDesk(tools, progress)
        self.prospects, self.campaigns = ProspectService(tools, progress), CampaignService(tools, progress)
        self.holds, self.blocks = HoldService(tools, Brakes(tools)), SuppressionList(tools, progress)
        self.settings = SettingService(tools)
        self.connecting = ConnectService(tools, self.hosts, self.hosts)
        self.read_at.clear()

    async def open(self) -> None:
        """Six mailboxes, read once; everybody enrolled and both campaigns started."""
        await self.settings.seed("T1", SETTINGS)
        for address in MAILBOXES:
            host = "outlook.office365.com" if address == AT_MICROSOFT else "mail.agency.test"
            server = Endpoint(host, 993, Tls.SSL)
            await self.connecting.connect(ADA, ConnectRequest(address, address, PASSWORD, server, server))
            await self.read(address)
        lines = [f"P{one.number},{one.email},{one.phone},{one.zone}" for one in self.people]
        table = "\n".join(["first_name,personal_email,phone,timezone", *lines, ""])
        await PeopleService(self.tools).import_csv(ADA, table.encode())
        for name in CAMPAIGNS:
            await self.campaigns.import_file(ADA, campaign_file(name))
            await self.campaigns.enroll(ADA, name, [one.email for one in self.people if one.campaign == name])
            await self.campaigns.start(ADA, name)

    async def read(self, address: str) -> None:
        """One session: every folder to its end."""
        async with self.store.read("T1") as uow:
            mailbox = await uow.mailboxes.by_address(address)
        assert mailbox is not None
        with suppress(ConnectionLostError):
            await self.sync.run("T1", mailbox.id)
        self.read_at[address] = self.clock.now()

    def statuses(self, emails: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Status and reason of each, as committed."""
        marks = ", ".join("?" * len(emails))
        rows = self.rows.ask(
            "SELECT a.address, e.status, coalesce(e.reason_code, '') FROM person_addresses a JOIN enrollments e "
            f"ON e.workspace = a.workspace AND e.person_id = a.person_id WHERE a.address IN ({marks})",
            *emails,
        )
        return {str(email): (str(status), str(why)) for email, status, why in rows}
