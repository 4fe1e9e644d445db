"""The provider in memory that the services' tests lean on behaves as the real adapters do on a real mail host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from core.clock import SystemClock
from core.errors import LoginRefusedError, OutcomeUnknownError, ServerRefusedError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector
from core.mail.smtp import SmtpTransport
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, MailboxClient, MailboxConnector, MailTransport, Tls
from sandbox.mail import MailHost
from tests.fakes.mail import PASSWORD, FakeConnector, FakeProvider, FakeTransport
from tests.integration.mail.conftest import QUICK

RITA, MAYA = "rita@agency.test", "maya.lind@candidates.example"


def mail(number: int, text: str = "Hi Maya") -> bytes:
    return (
        f"From: Rita <{RITA}>\r\nTo: {MAYA}\r\nSubject: A role, {number}\r\nMessage-ID: <m{number}@agency.test>\r\n"
        "Date: Tue, 01 Sep 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@dataclass
class World:
    """Either side, with what a test needs to move it."""

    imap: Endpoint
    smtp: Endpoint
    good: Credentials
    connector: MailboxConnector
    transport: MailTransport
    deliver: Callable[[bytes], Awaitable[object]]
    refuse_next: Callable[[str], None]
    files_sent: Callable[[bool], Awaitable[None]]
    accepted: Callable[[], int]

    async def open(self) -> MailboxClient:
        return await self.connector.connect(self.imap, self.good)

    async def send(self, raw: bytes) -> str:
        receipt = await self.transport.send(self.smtp, self.good, sender=RITA, recipients=[MAYA], raw=raw)
        return receipt.reply


async def _in_memory() -> AsyncIterator[World]:
    provider = FakeProvider(lambda: datetime(2026, 9, 1, 9, tzinfo=UTC))
    nowhere = Endpoint("mail.agency.test", 993, Tls.SSL)

    async def deliver(raw: bytes) -> int:
        return provider.arrive(raw)

    def refuse_next(kind: str) -> None:
        lost = OutcomeUnknownError("lost", layer="smtp")
        refused = ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)
        provider.outcomes = [lost if kind == "drop" else refused]

    async def files_sent(on: bool) -> None:
        provider.files_sent = on

    yield World(
        nowhere, nowhere, Credentials(RITA, PASSWORD), FakeConnector(provider), FakeTransport(provider),
        deliver, refuse_next, files_sent, lambda: len(provider.accepted),
    )  # fmt: skip


async def _on_the_wire() -> AsyncIterator[World]:
    async with MailHost() as host:
        dialler = Dialler(Resolver(SystemClock()), allow_private=True)
        context = make_tls_context(None)
        transport = SmtpTransport(dialler, context)

        def at(address: str) -> Endpoint:
            return Endpoint("127.0.0.1", int(address.rpartition(":")[2]), Tls.NONE)

        async def deliver(raw: bytes) -> object:
            return await host.deliver(raw, RITA)

        async def files_sent(on: bool) -> None:
            await host.switch(RITA, "files_sent", on)

        yield World(
            at(host.imap_address), at(host.smtp_address), Credentials(RITA, host.account(RITA).password),
            ImapConnector(dialler, context, timeouts=QUICK), transport,
            deliver, lambda kind: host.refuse(MAYA, kind), files_sent, lambda: len(host.accepted),
        )  # fmt: skip
        await transport.close()


@pytest.fixture(params=[_in_memory, _on_the_wire], ids=["in memory", "on the wire"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async for one in request.param():
        yield one


async def test_folders_have_their_roles(world: World) -> None:
    """An inbox, a Sent and a junk folder at least, each once."""
    client = await world.open()
    roles = [one.role for one in await client.list_folders() if one.selectable]
    assert {"inbox", "sent", "junk"} <= set(roles)
    await client.close()


async def test_messages_are_numbered_fetched_and_read(world: World) -> None:
    """UIDs ascend from the first asked for; headers, texts and raw bytes are those of the mail."""
    for number in (1, 2, 3):
        await world.deliver(mail(number, f"text {number}"))
    client = await world.open()
    before = await client.select("INBOX")
    batches = [batch async for batch in client.fetch(before.uidnext - 2)]
    messages = [one for batch in batches for one in batch]
    assert [one.uid for one in messages] == [before.uidnext - 2, before.uidnext - 1]
    assert b"Message-ID: <m3@agency.test>" in messages[1].header
    texts = await client.fetch_texts(messages)
    assert texts[messages[0].uid].strip() == b"text 2"
    assert mail(3, "text 3").strip() in await client.fetch_raw(messages[1].uid)
    assert [batch async for batch in client.fetch(before.uidnext)] == []
    await client.close()


async def test_status_and_select_tell_the_same_numbers(world: World) -> None:
    """And new mail moves UIDNEXT, not UIDVALIDITY."""
    await world.deliver(mail(1))
    client = await world.open()
    await client.select("INBOX")
    sent = (await client.status("Sent")).uidnext
    await world.send(mail(2))
    after = await client.status("Sent")
    assert after.uidnext == sent + 1
    selected = await client.select("Sent")
    assert (selected.uidvalidity, selected.uidnext) == (after.uidvalidity, after.uidnext)
    await client.close()


@pytest.mark.parametrize("on", [True, False])
async def test_what_is_accepted_is_filed_or_not(world: World, on: bool) -> None:
    """The copy in Sent is found by its Message-ID; without filing there is none."""
    await world.files_sent(on)
    reply = await world.send(mail(7))
    assert reply
    client = await world.open()
    await client.select("Sent")
    assert len(await client.search_message_id("m7@agency.test")) == int(on)
    assert await client.search_message_id("never@agency.test") == []
    await client.close()


async def test_mail_of_an_address_is_found_by_who_wrote_it_and_who_got_it(world: World) -> None:
    """To, Cc and From, in any capitals; a longer address that holds this one is found too, and others are not."""
    copied = mail(2).replace(f"To: {MAYA}".encode(), f"To: omar@agency.test\r\nCc: Maya <{MAYA.upper()}>".encode())
    longer = mail(3).replace(f"To: {MAYA}".encode(), f"To: x{MAYA}".encode())
    client = await world.open()
    before = (await client.select("INBOX")).uidnext
    for raw in (mail(1), copied, longer, mail(4).replace(MAYA.encode(), b"ben@candidates.example")):
        await world.deliver(raw)
    await client.select("INBOX")
    assert [uid - before for uid in await client.search_address(MAYA) if uid >= before] == [0, 1, 2]
    assert [uid - before for uid in await client.search_address(RITA) if uid >= before] == [0, 1, 2, 3]
    assert await client.search_address("nobody@candidates.example") == []
    await client.close()


async def test_a_wrong_password_is_refused_on_both_sides(world: World) -> None:
    """As a refusal of the login, and nothing is taken."""
    wrong = Credentials(RITA, "wrong")
    with pytest.raises(LoginRefusedError):
        await world.connector.connect(world.imap, wrong)
    with pytest.raises(LoginRefusedError):
        await world.transport.verify(world.smtp, wrong)
    with pytest.raises(LoginRefusedError):
        await world.transport.send(world.smtp, wrong, sender=RITA, recipients=[MAYA], raw=mail(1))
    assert world.accepted() == 0
    await world.transport.verify(world.smtp, world.good)


async def test_a_refusal_says_its_code(world: World) -> None:
    """Certain, and nothing was taken."""
    world.refuse_next("reject")
    with pytest.raises(ServerRefusedError) as refused:
        await world.send(mail(1))
    assert refused.value.smtp_code == 550
    assert world.accepted() == 0


async def test_a_lost_answer_is_unknown_though_the_mail_was_taken(world: World) -> None:
    """Silence after the last byte; the copy in Sent tells the truth."""
    world.refuse_next("drop")
    with pytest.raises(OutcomeUnknownError):
        await world.send(mail(9))
    client = await world.open()
    await client.select("Sent")
    assert len(await client.search_message_id("m9@agency.test")) == 1
    await client.close()
