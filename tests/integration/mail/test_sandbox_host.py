"""Our adapters against the sandbox's mail host: pymap, aiosmtpd and a DNS server in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import ConnectionLostError, LoginRefusedError, MailError, ServerRefusedError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapClient, ImapConnector
from core.mail.smtp import SmtpTransport
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, MailboxEvent, Tls
from sandbox.mail import MailHost
from tests.integration.mail.conftest import QUICK

RITA = Credentials("rita@agency.test", "rita-mail-pass")
CLEO = "maya.lind@candidates.example"
RAW = (
    b"From: Rita <rita@agency.test>\r\nTo: maya.lind@candidates.example\r\nSubject: A role for you\r\n"
    b"Message-ID: <stage-1@agency.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Hi Maya\r\n"
)


def endpoint(address: str, tls: Tls) -> Endpoint:
    return Endpoint("localhost", int(address.rpartition(":")[2]), tls)


@dataclass
class World:
    host: MailHost
    connector: ImapConnector
    transport: SmtpTransport

    async def imap(self, credentials: Credentials = RITA) -> ImapClient:
        return await self.connector.connect(endpoint(self.host.imaps_address, Tls.SSL), credentials)

    async def send(self, to: str = CLEO) -> str:
        smtp = endpoint(self.host.smtps_address, Tls.SSL)
        receipt = await self.transport.send(smtp, RITA, sender=RITA.username, recipients=[to], raw=RAW)
        return receipt.reply


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with MailHost() as host:
        dialler = Dialler(Resolver(SystemClock()), allow_private=True)
        context = make_tls_context(Path(host.ca_file))
        transport = SmtpTransport(dialler, context)
        yield World(host, ImapConnector(dialler, context, timeouts=QUICK), transport)
        await transport.close()


async def test_what_is_sent_stands_in_sent_and_the_answer_ends_the_idle(world: World) -> None:
    assert (await world.send()).startswith("250")
    client = await world.imap()
    roles = {folder.role: folder.name for folder in await client.list_folders()}
    await client.select(roles["sent"])
    assert len(await client.search_message_id("stage-1@agency.test")) == 1
    snapshot = await client.select(roles["inbox"])
    idling = asyncio.create_task(client.idle(renew_after=30))
    await world.host.wait_idle(RITA.username)
    reply = (
        f"From: Maya <{CLEO}>\r\nTo: rita@agency.test\r\nSubject: Re: A role for you\r\n"
        "In-Reply-To: <stage-1@agency.test>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Yes, gladly</p>\r\n"
    ).encode()
    await world.host.deliver(reply, RITA.username)
    async with asyncio.timeout(30):
        assert await idling is MailboxEvent.CHANGED
    messages = [message async for batch in client.fetch(snapshot.uidnext) for message in batch]
    assert [b"In-Reply-To: <stage-1@agency.test>" in message.header for message in messages] == [True]
    assert list((await client.fetch_texts(messages)).values()) == [b"Yes, gladly\n"]
    await client.close()


async def test_many_messages_come_through_pipelined_commands(world: World) -> None:
    for number in range(450):
        await world.host.deliver(RAW.replace(b"stage-1", f"n{number}".encode()), RITA.username)
    client = await world.imap()
    await client.select("INBOX")
    texts: dict[int, bytes] = {}
    async for batch in client.fetch(1):
        texts |= await client.fetch_texts(batch)
    assert len(texts) == 450
    assert set(texts.values()) == {b"Hi Maya\n"}
    await client.close()


async def test_a_changed_password_ends_the_session_and_refuses_the_next_login(world: World) -> None:
    client = await world.imap()
    await client.select("INBOX")
    idling = asyncio.create_task(client.idle(renew_after=30))
    await world.host.wait_idle(RITA.username)
    await world.host.switch(RITA.username, "password", "another")
    async with asyncio.timeout(30):
        with pytest.raises(ConnectionLostError):
            await idling
    with pytest.raises(LoginRefusedError):
        await world.imap()
    with pytest.raises(LoginRefusedError):
        await world.send()


@pytest.mark.parametrize("kind", ["reject", "defer", "spam"])
async def test_a_refused_recipient_is_told_with_its_code(world: World, kind: str) -> None:
    world.host.refuse(CLEO, kind)
    with pytest.raises(ServerRefusedError) as refusal:
        await world.send()
    assert refusal.value.smtp_code is not None
    assert 400 <= refusal.value.smtp_code < 600


@pytest.mark.parametrize("kind", ["drop", "drop_before"])
async def test_a_dropped_connection_is_an_error_of_ours(world: World, kind: str) -> None:
    world.host.refuse(CLEO, kind)
    with pytest.raises(MailError):
        await world.send()


async def test_starttls_submission_carries_mail(world: World) -> None:
    smtp = endpoint(world.host.smtp_starttls_address, Tls.STARTTLS)
    await world.transport.verify(smtp, RITA)
    receipt = await world.transport.send(smtp, RITA, sender=RITA.username, recipients=[CLEO], raw=RAW)
    assert receipt.reply.startswith("250")


async def test_names_are_looked_up_at_the_hosts_dns(world: World) -> None:
    resolver = Resolver(SystemClock(), server=world.host.dns_address)
    assert await resolver.mx("agency.test")
    assert any(text.startswith("v=spf1") for text in await resolver.txt("agency.test"))
    assert await resolver.mx("no-such-domain.test") == []
    assert await resolver.addresses("127.0.0.1") == ["127.0.0.1"]
