"""The real use cases behind the real face: only the mail hosts and DNS are played."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from bot.slack.uses import Building, Services
from core.clock import SystemClock
from core.domain.account import MailboxStatus
from core.domain.actor import Actor, Role
from core.joining import join_use_cases
from core.parts import MailWorld, UseCases
from core.ports.mail import Credentials, Endpoint, Tls
from core.services.credentials import CredentialService
from core.services.tools import Tools
from core.services.trial_letter import SystemMailbox
from storage.sql_store import SqlStore
from tests.fakes.mail import PASSWORD, FakeConnector, FakeProvider, FakeTransport
from tests.fakes.services import TEAM
from tests.services.test_address_checks import TableResolver
from tests.stores import NOW, make_mailbox

RITA = Actor(TEAM, "U0RITA", Role.RECRUITER, "rita@agency.test", "Rita Reed")
FILE = """\
name: Backend engineers, autumn
from: rita@agency.test
owner: U0RITA
timezone: Europe/London
window: {days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00"}
job: Backend engineer
stages:
  - subject: "{{first_name}}, a role for you?"
    body: Hi {{first_name}}, may I tell you about a role?
  - delay: 2d
    body: Did you see my note?
  - {kind: call, delay: 1bd, note: Ring them, required: true}
"""


@dataclass
class RealEngine:
    """One workspace with Rita's mailbox and some people."""

    store: SqlStore
    uses: UseCases
    services: Services
    resolver: TableResolver
    provider: FakeProvider

    async def people(self, number: int, domain: str = "candidates.example") -> list[str]:
        emails = [f"person{one}@{domain}" for one in range(1, number + 1)]
        lines = "".join(f"P{one},{email}\n" for one, email in enumerate(emails, 1))
        await self.uses.people.import_csv(RITA, f"first_name,personal_email\n{lines}".encode())
        return emails

    async def campaign(self, file: str = FILE, people: int = 0) -> str:
        """Its id."""
        made = await self.uses.campaigns.import_file(RITA, file)
        if people:
            await self.uses.campaigns.enroll(RITA, made.name, await self.people(people))
        return made.id

    async def stages(self, name: str) -> list[dict[str, Any]]:
        found = await self.uses.campaigns.status(RITA, name)
        return [dict(stage) for stage in found.campaign.definition["stages"]]


async def real_engine(store: SqlStore) -> RealEngine:
    await store.ensure_workspace(TEAM, name="Agency", at=NOW)
    clock, numbers = SystemClock(), itertools.count(1)
    tools = Tools(store, clock, new_id=lambda: f"id{next(numbers):06}", random=lambda: 0.5)
    provider, resolver = FakeProvider(clock.now), TableResolver()
    resolver.servers = {name: [(10, f"mx.{name}")] for name in ("candidates.example", "agency.test")}
    resolver.hosts["mx.agency.test"] = ["192.0.2.1"]
    resolver.texts = {"agency.test": ["v=spf1 mx -all"], "_dmarc.agency.test": ["v=DMARC1; p=quarantine"]}
    system = SystemMailbox("test@rethread.test", Endpoint("smtp.test", 465, Tls.SSL), Credentials("test", PASSWORD))
    mail = MailWorld(FakeConnector(provider), FakeTransport(provider), resolver, system=system)
    uses = join_use_cases(tools, mail, CredentialService(tools, {}), {})
    async with store.write(TEAM) as uow:
        for name in ("rita", "omar"):
            mailbox = make_mailbox(
                f"mailbox-{name}", workspace=TEAM, address=f"{name}@agency.test", owner=f"U0{name.upper()}",
                status=MailboxStatus.ACTIVE,
            )  # fmt: skip
            await uow.mailboxes.add(mailbox)
    return RealEngine(store, uses, _services(uses), resolver, provider)


def _services(uses: UseCases) -> Services:
    return Services(
        uses.mailboxes,
        uses.connecting,
        uses.campaigns,
        uses.prospects,
        uses.people,
        uses.settings,
        uses.domains,
        reports=uses.reports,
        building=Building(
            uses.campaigns, uses.people, uses.edits, uses.overviews, uses.launch, uses.trial_letters, uses.files
        ),
    )
