"""The real sign-in adapters and services, against the sandbox's stand-ins of Google and Microsoft, on SQLite."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from core.assembly import MailWorld, UseCases, make_mail, make_tools, make_use_cases
from core.clock import SystemClock
from core.domain.account import Mailbox
from core.domain.actor import Actor, Role
from core.errors import RethreadError
from core.ports.mail import Credentials
from core.services.connecting import ConnectRequest
from core.services.credentials import CredentialService
from core.services.signin import Started
from core.settings import parse
from sandbox.demo import sign_in_environment
from sandbox.mail import AccountSeed, MailHost
from sandbox.signin import SignInHost
from storage.sql_store import SqlStore

RITA = Actor("T1", "U0RITA", Role.RECRUITER)
OMAR = Actor("T1", "U0OMAR", Role.RECRUITER)
ADA = Actor("T1", "U0ADA", Role.ADMIN)
ADDRESSES = {"google": "rita@sprout.test", "microsoft": "rita@meridian.test"}
OTHERS = {"google": "omar@sprout.test", "microsoft": "omar@meridian.test"}


@dataclass
class Agency:
    """A workspace whose people sign in; ``uses`` and ``credentials`` are the product's own."""

    host: SignInHost
    mail: MailHost
    store: SqlStore
    world: MailWorld
    uses: UseCases
    credentials: CredentialService
    http: aiohttp.ClientSession

    @staticmethod
    def callback(provider: str) -> str:
        return f"http://127.0.0.1:3000/oauth/{provider}/callback"

    async def begin(self, provider: str, address: str = "", *, ticket: str = "", send: bool = True) -> Started:
        ticket = ticket or await self.uses.connecting.issue_ticket(RITA)
        address = address or ADDRESSES[provider]
        return await self.uses.sign_in.begin(ticket, provider, address, redirect_uri=self.callback(provider), send=send)

    async def press(self, started: Started, **form: str) -> dict[str, str]:
        """What the browser brings back after a button of the provider's page was pressed."""
        async with self.http.post(started.url, data=form, allow_redirects=False) as answer:
            return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    async def finish(self, provider: str, started: Started, told: dict[str, str], *, verifier: str = "") -> Mailbox:
        return await self.uses.sign_in.finish(
            provider,
            told["state"],
            told["code"],
            verifier=verifier or started.verifier,
            redirect_uri=self.callback(provider),
        )

    async def sign_in(self, provider: str, address: str = "", *, ticket: str = "", account: str = "") -> Mailbox:
        """All the way, from the link to the connected mailbox."""
        started = await self.begin(provider, address, ticket=ticket)
        told = await self.press(started, account=account or address or ADDRESSES[provider])
        return await self.finish(provider, started, told)

    async def refusal(self, provider: str, **how: str) -> RethreadError:
        """The error that a sign-in ends with."""
        with pytest.raises(RethreadError) as refused:
            await self.sign_in(provider, **how)
        return refused.value

    def turn(self, provider: str, switch: str, value: object = True, target: str = "") -> None:
        self.host.turn(provider, target or ADDRESSES[provider], switch, value)

    async def mailboxes(self) -> list[Mailbox]:
        return list(await self.uses.mailboxes.list(ADA))

    async def stored(self, mailbox: Mailbox) -> Credentials:
        async with self.store.read("T1") as uow:
            return await uow.mailboxes.credentials(mailbox.id)

    def by_password(self, provider: str, password: str) -> ConnectRequest:
        """At the provider's own servers."""
        service, address = self.world.sign_in[provider], ADDRESSES[provider]
        return ConnectRequest(address, address, password, service.imap, service.smtp)


@pytest.fixture
async def agency(sqlite_store: SqlStore) -> AsyncIterator[Agency]:
    async with MailHost() as mail, SignInHost(mail) as host:
        for provider in ("google", "microsoft"):
            mail.add_account(AccountSeed(OTHERS[provider], "Omar Odell", "recruiter", "x", provider=provider))
        settings = parse(
            {
                **sign_in_environment(host),
                "RETHREAD_CA_FILE": mail.ca_file,
                "RETHREAD_DNS": mail.dns_address,
                "RETHREAD_ALLOW_PRIVATE_MAIL_HOSTS": "1",
                "RETHREAD_SECRET_KEYS": "k" * 32,
            },
            needs_slack=False,
        )
        clock = SystemClock()
        tools, world = make_tools(sqlite_store, clock), make_mail(settings, clock)
        uses = make_use_cases(tools, world)
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=mail.ca_file))
        async with aiohttp.ClientSession(connector=trusting) as http:
            yield Agency(host, mail, sqlite_store, world, uses, CredentialService(tools, world.sign_in), http)
        await world.transport.close()
