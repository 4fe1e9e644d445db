"""Our client against a real Dovecot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from core.clock import SystemClock
from core.errors import LoginRefusedError, ServerRefusedError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapClient, ImapConnector
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, MailboxEvent, Tls
from tests.integration.mail.conftest import QUICK
from tests.integration.mail.dovecot import Dovecot, require_dovecot

pytestmark = pytest.mark.dovecot

RITA = Credentials("rita@agency.test", "pw")


def mail(number: int, *, extra: str = "", body: str = "Hello =C3=A4") -> bytes:
    return (
        f"From: Cleo <cleo@candidates.example>\r\nTo: rita@agency.test\r\nSubject: Hi {number}\r\n"
        f"Message-ID: <m{number}@candidates.example>\r\nX-Rethread-Delivery: d{number}\r\n{extra}"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{body} {number}\r\n"
    ).encode()


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    require_dovecot()
    with Dovecot(tmp_path_factory.mktemp("mail")) as server:
        server.add_user(RITA.username, RITA.password)
        server.deliver(RITA.username, map(mail, range(1, 1_151)))
        yield server


def connector(dovecot: Dovecot) -> ImapConnector:
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    return ImapConnector(dialler, make_tls_context(dovecot.ca_file), timeouts=QUICK)


def endpoint(dovecot: Dovecot) -> Endpoint:
    return Endpoint("localhost", dovecot.tls_port, Tls.SSL)


@pytest.fixture
async def client(dovecot: Dovecot) -> AsyncIterator[ImapClient]:
    client = await connector(dovecot).connect(endpoint(dovecot), RITA)
    yield client
    await client.close()


async def test_every_message_comes_once_in_batches_of_five_hundred(client: ImapClient) -> None:
    snapshot = await client.select("INBOX")
    batches = [[message.uid for message in batch] async for batch in client.fetch(1)]
    assert [len(batch) for batch in batches[:2]] == [500, 500]
    uids = [uid for batch in batches for uid in batch]
    assert uids == list(range(1, snapshot.uidnext))
    assert len(uids) == snapshot.exists


async def test_many_folders_are_glanced_at_in_one_question(client: ImapClient, dovecot: Dovecot) -> None:
    """Names that need quoting and encoding are told apart; a folder that is not there is left out."""
    names = ["Candidates", "Grüße & more", 'The "best"', "a (b)"]
    for name in names:
        await client._run("CREATE", client._quoted(name))
    await client.list_folders()
    told = await client.glance(["INBOX", *names, "Nowhere"])
    assert set(told) == {"INBOX", *names}
    assert told["INBOX"].exists == (await client.select("INBOX")).exists
    assert told["Candidates"] == await client.status("Candidates")
    few = await client.glance(["Candidates"])  # by STATUS: far less than half of the folders
    assert few == {"Candidates": told["Candidates"]}


async def test_texts_come_decoded_while_headers_are_being_read(client: ImapClient) -> None:
    await client.select("INBOX")
    texts: dict[int, bytes] = {}
    async for batch in client.fetch(1, 450, newest_first=True):
        texts |= await client.fetch_texts(batch)
    assert len(texts) == 450
    assert texts[7].decode() == "Hello ä 7\n"


async def test_headers_hold_what_matching_needs(client: ImapClient) -> None:
    await client.select("INBOX")
    (message,) = [message async for batch in client.fetch(5, 5) for message in batch]
    assert b"Message-ID: <m5@candidates.example>" in message.header
    assert b"X-Rethread-Delivery: d5" in message.header
    assert message.structure is not None
    assert message.size == len(mail(5))


async def test_a_message_is_found_by_its_id_and_read_raw(client: ImapClient) -> None:
    await client.select("INBOX")
    assert await client.search_message_id("m42@candidates.example") == [42]
    assert await client.search_message_id("42@candidates.example") == []
    assert await client.fetch_raw(42) == mail(42)
    assert await client.fetch_raw(42, limit=10) == mail(42)[:10]
    with pytest.raises(ServerRefusedError):
        await client.fetch_raw(9_999)


async def test_all_mail_of_an_address_is_found(dovecot: Dovecot, client: ImapClient) -> None:
    """Also what was only copied to it."""
    extra = "Cc: Ben <ben@candidates.example>\r\n"
    dovecot.deliver(RITA.username, [mail(1), mail(2, extra=extra)], folder="Sent")
    await client.select("Sent")
    assert len(await client.search_address("ben@candidates.example")) == 1
    assert await client.search_address("nobody@candidates.example") == []


async def test_an_id_that_google_moved_is_found(dovecot: Dovecot, client: ImapClient) -> None:
    extra = "X-Google-Original-Message-ID: <kept@agency.test>\r\n"
    dovecot.deliver(RITA.username, [mail(1, extra=extra)], folder="Sent")
    await client.select("Sent")
    assert len(await client.search_message_id("kept@agency.test")) == 1


async def test_folders_have_roles_and_names_beyond_ascii(dovecot: Dovecot, client: ImapClient) -> None:
    dovecot.deliver(RITA.username, [mail(1)], folder="Entw&APw-rfe")
    folders = {folder.name: folder.role for folder in await client.list_folders()}
    assert folders["INBOX"] == "inbox"
    assert folders["Sent"] == "sent"
    assert folders["Entwürfe"] == "drafts"
    assert (await client.status("Entwürfe")).exists == 1
    assert (await client.select("Entwürfe")).highestmodseq is not None


async def test_new_mail_ends_the_idle_and_is_fetched(dovecot: Dovecot, client: ImapClient) -> None:
    snapshot = await client.select("INBOX")
    idling = asyncio.create_task(client.idle(renew_after=30))
    await asyncio.sleep(0)
    dovecot.deliver(RITA.username, [mail(900)])
    assert await idling is MailboxEvent.CHANGED
    new = [message async for batch in client.fetch(snapshot.uidnext) for message in batch]
    assert [message.uid for message in new] == [snapshot.uidnext]
    assert await client.idle(renew_after=0.1) in set(MailboxEvent)


async def test_an_appended_mail_stands_in_the_folder(client: ImapClient) -> None:
    before = await client.status("Sent")
    await client.append("Sent", mail(77))
    after = await client.select("Sent")
    assert after.exists == before.exists + 1
    assert await client.fetch_raw(after.uidnext - 1) == mail(77)


async def test_unknown_folders_and_wrong_passwords_are_refused(dovecot: Dovecot, client: ImapClient) -> None:
    with pytest.raises(ServerRefusedError):
        await client.select("Nowhere")
    with pytest.raises(LoginRefusedError, match="AUTHENTICATIONFAILED"):
        await connector(dovecot).connect(endpoint(dovecot), Credentials(RITA.username, "wrong"))
