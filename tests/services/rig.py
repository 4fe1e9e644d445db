"""The engine's services on a real database and a provider in memory, moved step by step."""

from __future__ import annotations

import email
import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.domain.actor import Actor, Role
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectEvent
from core.domain.people import Person
from core.errors import ConnectionLostError
from core.ports.mail import Endpoint, Tls
from core.ports.signin import SignInProvider
from core.ports.storage import OutboxItem, Store
from core.services.alerts import AlertService
from core.services.campaigns import CampaignService
from core.services.cards import CardWriter
from core.services.connecting import ConnectRequest, ConnectService
from core.services.credentials import CredentialService
from core.services.ingest import IngestService
from core.services.mailboxes import MailboxService
from core.services.manual_stages import ManualStages, TaskDesk
from core.services.outreach import Outgoing, OutreachService
from core.services.people import PeopleService
from core.services.progress import Progress
from core.services.prospects import ProspectService
from core.services.sending_health import SendingHealth
from core.services.settings import SettingService
from core.services.submission import Submission
from core.services.sync import SyncService
from core.services.text_checks import TextChecks
from core.services.tools import Tools
from core.services.undecided import UndecidedService
from tests.fakes.mail import PASSWORD, FakeConnector, FakeProvider, FakeTransport
from tests.fakes.sms import FakeSms
from tests.stores import SteadyClock

RITA = Actor("T1", "U0RITA", Role.RECRUITER)
OMAR = Actor("T1", "U0OMAR", Role.RECRUITER)
ADA = Actor("T1", "U0ADA", Role.ADMIN)
VERA = Actor("T1", "U0VERA", Role.VIEWER)
SERVER = Endpoint("mail.agency.test", 993, Tls.SSL)
CAMPAIGN = "Autumn"
FILE = """\
name: Autumn
from: rita@agency.test
owner: U0RITA
channel: C0REPLIES
stages:
  - subject: "{{first_name}}, a role"
    body: Hi {{first_name}}
  - delay: 1h
    body: Did you see my note?
  - delay: 1h
    body: Last try
"""
# Spacing, warming up and the mailbox's own limit have tests of their own.
SETTINGS: dict[str, Any] = {
    **{"spacing_min_s": 0, "spacing_max_s": 0, "settle_s": [60, 300, 900]},
    **{"mailbox_first_days": 0, "mailbox_daily": 100_000},
}


def email_of(number: int) -> str:
    return f"person{number}@candidates.example"


def message_id(raw: bytes) -> str:
    return str(email.message_from_bytes(raw)["Message-ID"])


def make_sync(
    tools: Tools,
    connector: FakeConnector,
    transport: FakeTransport,
    ingest: IngestService,
    alerts: AlertService,
    providers: Mapping[str, SignInProvider] | None = None,
) -> SyncService:
    credentials = CredentialService(tools, providers or {})
    sending = SendingHealth(tools, Submission(transport, credentials), alerts)
    return SyncService(tools, connector, credentials, ingest, alerts, sending)


def make_outreach(
    tools: Tools, submission: Submission, progress: Progress, sms: FakeSms | None = None
) -> OutreachService:
    sending = SendingHealth(tools, submission, AlertService(tools))
    return OutreachService(tools, submission, progress, sending, started_at=tools.clock.now(), sms=sms)


@dataclass
class Rig:
    """One workspace with Rita's mailbox. Time stands still until told."""

    store: Store
    clock: SteadyClock
    provider: FakeProvider
    transport: FakeTransport
    connector: FakeConnector
    tools: Tools
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    mailboxes: MailboxService
    connecting: ConnectService
    settings: SettingService
    outreach: OutreachService
    undecided: UndecidedService
    sync: SyncService
    alerts: AlertService
    sms: FakeSms
    texts: TextChecks
    manual: ManualStages
    tasks: TaskDesk

    @classmethod
    def on(cls, store: Store) -> Rig:
        clock = SteadyClock()
        numbers = itertools.count(1)
        tools = Tools(store, clock, new_id=lambda: f"id{next(numbers):06}", random=lambda: 0.5)
        provider = FakeProvider(clock.now)
        transport, connector = FakeTransport(provider), FakeConnector(provider)
        credentials = CredentialService(tools, {})
        progress, alerts = Progress(tools, CardWriter(tools)), AlertService(tools)
        submission = Submission(transport, credentials)
        sms = FakeSms(clock.now)
        outreach, texts = make_outreach(tools, submission, progress, sms), TextChecks(tools, progress, sms)
        return cls(
            store=store,
            clock=clock,
            provider=provider,
            transport=transport,
            connector=connector,
            tools=tools,
            people=PeopleService(tools),
            campaigns=CampaignService(tools, progress),
            prospects=ProspectService(tools, progress),
            mailboxes=MailboxService(tools, alerts, submission),
            connecting=ConnectService(tools, connector, transport),
            settings=SettingService(tools),
            outreach=outreach,
            undecided=UndecidedService(tools, connector, credentials, outreach, progress, texts),
            sync=make_sync(tools, connector, transport, IngestService(tools, progress, outreach), alerts),
            alerts=alerts,
            sms=sms,
            texts=texts,
            manual=ManualStages(tools, progress),
            tasks=TaskDesk(tools, progress),
        )

    def restarted(self) -> None:
        """A new process: what the old one held in memory is gone."""
        credentials, progress = CredentialService(self.tools, {}), Progress(self.tools, CardWriter(self.tools))
        submission = Submission(self.transport, credentials)
        self.outreach = make_outreach(self.tools, submission, progress, self.sms)
        self.texts = TextChecks(self.tools, progress, self.sms)
        self.undecided = UndecidedService(self.tools, self.connector, credentials, self.outreach, progress, self.texts)
        ingest = IngestService(self.tools, progress, self.outreach)
        self.sync = make_sync(self.tools, self.connector, self.transport, ingest, self.alerts)

    async def open(self, **settings: Any) -> None:
        """Rita's mailbox connected and read once; settings without spacing."""
        await self.settings.seed("T1", {**SETTINGS, **settings})
        await self.connect()
        await self.read_mail()

    async def connect(self, address: str = "rita@agency.test", actor: Actor = RITA, **changes: Any) -> str:
        given: dict[str, Any] = {"username": address, "password": PASSWORD, "imap": SERVER, "smtp": SERVER, **changes}
        return (await self.connecting.connect(actor, ConnectRequest(address, **given))).id

    async def launch(self, people: int = 1, file: str = FILE, *, start: bool = True) -> None:
        await self.import_people(people)
        await self.campaigns.import_file(RITA, file)
        await self.campaigns.enroll(RITA, CAMPAIGN, [email_of(n + 1) for n in range(people)])
        if start:
            await self.campaigns.start(RITA, CAMPAIGN)

    async def import_people(self, people: int) -> None:
        lines = "".join(f"P{n + 1},{email_of(n + 1)}\n" for n in range(people))
        await self.people.import_csv(RITA, f"first_name,personal_email\n{lines}".encode())

    async def read_mail(self, address: str = "rita@agency.test") -> None:
        """One session: every folder to its end, then the connection breaks."""
        mailbox = await self.mailboxes.find(ADA, address)
        with suppress(ConnectionLostError):
            await self.sync.run("T1", mailbox.id)

    async def claim(self, limit: int = 50) -> list[Outgoing]:
        """The mails of a claim."""
        return [one for one in await self.outreach.claim("T1", limit=limit) if isinstance(one, Outgoing)]

    async def send_due(self) -> int:
        """Claims and delivers what is due; returns how many went on the wire."""
        outgoing = await self.outreach.claim("T1", limit=50)
        for one in outgoing:
            await self.outreach.deliver(one)
        return len(outgoing)

    async def follow_up(self) -> int:
        """An hour later, the mailbox just read: what is due goes."""
        self.clock.pass_time(hours=1)
        await self.read_mail()
        return await self.send_due()

    async def act(
        self, event: ProspectEvent, number: int = 1, actor: Actor = RITA, *, confirmed: bool = False
    ) -> Enrollment:
        return await self.prospects.act(actor, event, CAMPAIGN, email_of(number), confirmed=confirmed)

    async def prospect(self, number: int = 1) -> Enrollment:
        async with self.store.read("T1") as uow:
            campaign = await uow.campaigns.by_name(CAMPAIGN)
            person = await uow.people.by_address(email_of(number))
            assert campaign is not None
            assert person is not None
            found = await uow.enrollments.find(campaign.id, person.id)
        assert found is not None
        return found

    async def shows(self, number: int = 1) -> str:
        """Status, stage and reason code: what a person sees of a prospect."""
        one = await self.prospect(number)
        return f"{one.status.value} {one.stage} {one.reason.code if one.reason else ''}".strip()

    async def person(self, number: int = 1) -> Person:
        return (await self.people.show(ADA, email_of(number))).person

    async def deliveries(self, number: int = 1) -> list[Delivery]:
        """Of one prospect, in order of stage and series."""
        enrollment = await self.prospect(number)
        found = []
        async with self.store.read("T1") as uow:
            for row in await uow.deliveries.log(limit=10_000):
                delivery = await uow.deliveries.get(row.id)
                if delivery is not None and delivery.enrollment_id == enrollment.id:
                    found.append(delivery)
        return sorted(found, key=lambda one: (one.stage, one.series))

    async def states(self, number: int = 1) -> list[str]:
        return [f"{one.stage}.{one.series} {one.state.value}" for one in await self.deliveries(number)]

    async def events(self, number: int = 1) -> list[str]:
        enrollment = await self.prospect(number)
        async with self.store.read("T1") as uow:
            return [one.event for one in await uow.enrollments.events(enrollment.id)]

    async def cards(self, prefix: str = "") -> list[OutboxItem]:
        async with self.store.read("T1") as uow:
            return await uow.outbox.keys_with_prefix(prefix)

    async def card(self, prefix: str) -> OutboxItem:
        (card,) = await self.cards(prefix)
        return card


def answer(
    to: bytes, *, sender: str = email_of(1), text: str = "Yes, gladly.", headers: Sequence[str] = (), number: int = 1
) -> bytes:
    """A mail in answer to one of ours."""
    lines = [
        f"From: Somebody <{sender}>",
        "To: rita@agency.test",
        f"Subject: Re: {email.message_from_bytes(to)['Subject']}",
        f"Message-ID: <answer-{number}@candidates.example>",
        f"In-Reply-To: {message_id(to)}",
        "Date: Tue, 01 Sep 2026 09:30:00 +0000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        *headers,
    ]
    return "\r\n".join([*lines, "", text, ""]).encode()


def report(on: bytes, *, status: str = "5.1.1", action: str = "failed", number: int = 1) -> bytes:
    """A delivery report on one of our mails (RFC 3464)."""
    recipient = email_of(1)
    words = "user unknown" if status == "5.1.1" else "mailbox is full"
    return f"""From: Mail Delivery System <mailer-daemon@agency.test>
To: rita@agency.test
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-{number}@agency.test>
Date: Tue, 01 Sep 2026 09:30:00 +0000
MIME-Version: 1.0
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

Your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.candidates.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {"550" if action == "failed" else "451"} {status} {words}

--b1
Content-Type: message/rfc822

{on.decode("ascii").replace(chr(13), "")}
--b1--
""".replace("\n", "\r\n").encode()


def complaint(on: bytes) -> bytes:
    """Abuse feedback on one of our mails (RFC 5965)."""
    return f"""From: <feedback@candidates.example>
To: rita@agency.test
Subject: FW: complaint
Message-ID: <complaint-1@candidates.example>
Date: Tue, 01 Sep 2026 09:30:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.

--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b1
Content-Type: message/rfc822

{on.decode("ascii").replace(chr(13), "")}
--b1--
""".replace("\n", "\r\n").encode()
