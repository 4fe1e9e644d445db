"""What sync leans on, held against a real Dovecot: CONDSTORE, QRESYNC, IDLE, XOAUTH2, UIDVALIDITY, special use."""

from __future__ import annotations

import asyncio
import imaplib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.clock import SystemClock
from core.errors import ConnectionLostError, LoginRefusedError, MailError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapClient, ImapConnector
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, FolderSnapshot, MailboxEvent, Tls
from tests.fakes.fault_imap_model import plain_mail
from tests.integration.mail.conftest import QUICK
from tests.integration.mail.dovecot import Dovecot, require_dovecot
from tests.integration.mail.introspection import Introspection

pytestmark = pytest.mark.dovecot

RITA = Credentials("rita@agency.test", "pw")
OMAR = Credentials("omar@agency.test", "pw")
USERS = [Credentials(f"rita{number}@agency.test", "pw") for number in range(20)]
TOKEN = Credentials("rita@agency.test", access_token="good-token")
# All that Dovecot offers but QRESYNC.
WITHOUT_QRESYNC = "IMAP4rev1 SASL-IR ID ENABLE IDLE UNSELECT UIDPLUS LIST-EXTENDED CONDSTORE ESEARCH SPECIAL-USE"
FOLDERS = {"Sent": "", "Gesendet": "\\Sent", "Spam": "\\Junk", "Entwürfe": "\\Drafts", "Papierkorb": "\\Trash"}


@pytest.fixture(scope="module")
def introspection() -> Iterator[Introspection]:
    with Introspection() as server:
        server.tokens["good-token"] = "rita@agency.test"
        yield server


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory, introspection: Introspection) -> Iterator[Dovecot]:
    require_dovecot()
    folder = tmp_path_factory.mktemp("mail")
    with Dovecot(folder, introspection=introspection.url, folders=FOLDERS) as server:
        for user in (OMAR, *USERS):  # all at once: Dovecot looks into the file of users once a second
            server.add_user(user.username, user.password)
        yield server


@pytest.fixture(scope="module")
def unused() -> Iterator[Credentials]:
    return iter(USERS)


@pytest.fixture
def rita(dovecot: Dovecot, unused: Iterator[Credentials]) -> Credentials:
    """A mailbox of the test's own, with five mails."""
    user = next(unused)
    dovecot.deliver(user.username, map(plain_mail, range(1, 6)))
    return user


async def opened(dovecot: Dovecot, credentials: Credentials) -> ImapClient:
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    connector = ImapConnector(dialler, make_tls_context(dovecot.ca_file), timeouts=QUICK)
    return await connector.connect(Endpoint("localhost", dovecot.tls_port, Tls.SSL), credentials)


async def uids(client: ImapClient, first: int = 1) -> list[int]:
    return [one.uid async for batch in client.fetch(first) for one in batch]


def elsewhere(dovecot: Dovecot, credentials: Credentials, *commands: tuple[str, ...]) -> None:
    """What the same person does in another program meanwhile."""
    other = imaplib.IMAP4(dovecot.host, dovecot.port)
    other.login(credentials.username, credentials.password)
    other.select("INBOX")
    for command in commands:
        other.uid(*command) if len(command) > 1 else other.expunge()
    other.logout()


class TestCondstore:
    async def test_an_equal_number_means_that_nothing_moved(self, dovecot: Dovecot, rita: Credentials) -> None:
        """STATUS and SELECT tell the same, as often as they are asked."""
        client = await opened(dovecot, rita)
        selected = await client.select("INBOX")
        await client.select("Gesendet")
        assert selected.highestmodseq is not None
        assert await client.status("INBOX") == await client.status("INBOX") == selected
        await client.close()

    async def test_flags_of_another_program_raise_the_number_and_nothing_else(
        self, dovecot: Dovecot, rita: Credentials
    ) -> None:
        client = await opened(dovecot, rita)
        before = await client.status("INBOX")
        await asyncio.to_thread(elsewhere, dovecot, rita, ("STORE", "2", "+FLAGS", "(\\Seen)"))
        after = await client.status("INBOX")
        assert (before.highestmodseq or 0) < (after.highestmodseq or 0)
        assert replace(after, highestmodseq=None) == replace(before, highestmodseq=None)
        await client.close()

    async def test_new_mail_raises_it_too(self, dovecot: Dovecot, rita: Credentials) -> None:
        client = await opened(dovecot, rita)
        before = await client.status("INBOX")
        dovecot.deliver(rita.username, [plain_mail(6)])
        after = await client.status("INBOX")
        assert (after.exists, after.uidnext) == (before.exists + 1, before.uidnext + 1)
        assert (before.highestmodseq or 0) < (after.highestmodseq or 0)
        await client.close()

    async def test_a_lost_index_lowers_it_and_keeps_the_numbers_of_the_mails(
        self, dovecot: Dovecot, rita: Credentials
    ) -> None:
        """The case in which a client that believes the number sees nothing new for ever."""
        client = await opened(dovecot, rita)
        for flag in ("+FLAGS", "-FLAGS") * 5:
            await asyncio.to_thread(elsewhere, dovecot, rita, ("STORE", "1:*", flag, "(\\Flagged)"))
        before = await client.status("INBOX")
        await client.close()
        dovecot.lose_index(rita.username)
        client = await opened(dovecot, rita)
        after = await client.select("INBOX")
        assert (after.highestmodseq or 0) < (before.highestmodseq or 0)
        assert (after.uidvalidity, after.exists) == (before.uidvalidity, before.exists)
        assert await uids(client) == [1, 2, 3, 4, 5]
        await client.close()


class TestQresync:
    async def test_with_it_and_without_it_the_same_is_read(
        self, dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """We never switch it on: mail expunged by another program is no VANISHED to us, and no message is missed."""
        found = []
        with Dovecot(tmp_path_factory.mktemp("plain"), capability=WITHOUT_QRESYNC) as plain:
            plain.add_user(OMAR.username, OMAR.password)
            for server in (dovecot, plain):
                found.append(await self.seen_on(server))
        assert found[0] == found[1]

    async def seen_on(self, server: Dovecot) -> tuple[list[int], list[int], int, bool]:
        server.deliver(OMAR.username, map(plain_mail, range(1, 8)))
        client = await opened(server, OMAR)
        snapshot = await client.select("INBOX")
        before = await uids(client)
        gone = ("STORE", "2:3", "+FLAGS", "(\\Deleted)")
        await asyncio.to_thread(elsewhere, server, OMAR, gone, ("EXPUNGE",))
        server.deliver(OMAR.username, [plain_mail(8)])
        assert await client.idle(renew_after=5) is MailboxEvent.CHANGED
        after = await uids(client)
        left: FolderSnapshot = await client.select("INBOX")
        await client.close()
        return before, after, left.exists, snapshot.highestmodseq is not None


class TestIdle:
    async def test_a_push_comes_by_itself(self, dovecot: Dovecot, rita: Credentials) -> None:
        """Dovecot gathers changes for half a second."""
        client = await opened(dovecot, rita)
        snapshot = await client.select("INBOX")
        idling = asyncio.create_task(client.idle(renew_after=30))
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            dovecot.deliver(rita.username, [plain_mail(6)])
            assert await idling is MailboxEvent.CHANGED
        assert await uids(client, snapshot.uidnext) == [6]
        await client.close()

    async def test_an_idle_is_renewed_as_often_as_one_likes(self, dovecot: Dovecot, rita: Credentials) -> None:
        client = await opened(dovecot, rita)
        await client.select("INBOX")
        for _ in range(3):
            assert await client.idle(renew_after=0.05) is MailboxEvent.RENEW
        await client.close()

    async def test_a_restart_of_the_server_ends_it(self, dovecot: Dovecot, rita: Credentials) -> None:
        """And the next connection goes on where the one before was."""
        client = await opened(dovecot, rita)
        snapshot = await client.select("INBOX")
        idling = asyncio.create_task(client.idle(renew_after=60))
        await asyncio.sleep(0)
        await asyncio.to_thread(dovecot.restart)
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionLostError):
                await idling
        await client.close()
        dovecot.deliver(rita.username, [plain_mail(6)])
        client = await opened(dovecot, rita)
        assert (await client.select("INBOX")).uidvalidity == snapshot.uidvalidity
        assert await uids(client, snapshot.uidnext) == [6]
        await client.close()


class TestTokens:
    async def test_a_good_token_opens_the_mailbox(self, dovecot: Dovecot) -> None:
        dovecot.deliver(TOKEN.username, [plain_mail(1)])
        client = await opened(dovecot, TOKEN)
        assert (await client.select("INBOX")).exists >= 1
        await client.close()

    async def test_a_refused_token_brings_the_servers_challenge_and_not_the_token(self, dovecot: Dovecot) -> None:
        with pytest.raises(LoginRefusedError) as refusal:
            await opened(dovecot, replace(TOKEN, access_token="canary-token"))
        assert '"status":' in refusal.value.raw
        assert "AUTHENTICATIONFAILED" in refusal.value.raw
        assert "canary" not in repr(refusal.value)

    async def test_a_token_of_somebody_else_opens_nothing(self, dovecot: Dovecot, introspection: Introspection) -> None:
        introspection.tokens["omars-token"] = "omar@agency.test"
        with pytest.raises(LoginRefusedError):
            await opened(dovecot, replace(TOKEN, access_token="omars-token"))

    async def test_a_token_that_is_revoked_ends_nothing_that_stands(
        self, dovecot: Dovecot, introspection: Introspection
    ) -> None:
        """The open session lives on; the next login is refused."""
        introspection.tokens["short-lived"] = TOKEN.username
        client = await opened(dovecot, replace(TOKEN, access_token="short-lived"))
        del introspection.tokens["short-lived"]
        await client.noop()
        with pytest.raises(LoginRefusedError):
            await opened(dovecot, replace(TOKEN, access_token="short-lived"))
        await client.close()


class TestUidvalidity:
    async def test_renumbered_mail_is_found_under_its_new_numbers(self, dovecot: Dovecot, rita: Credentials) -> None:
        client = await opened(dovecot, rita)
        await asyncio.to_thread(elsewhere, dovecot, rita, ("STORE", "1:2", "+FLAGS", "(\\Deleted)"), ("EXPUNGE",))
        before = await client.select("INBOX")
        assert await uids(client) == [3, 4, 5]
        await client.close()
        dovecot.renumber(rita.username)
        client = await opened(dovecot, rita)
        after = await client.select("INBOX")
        assert after.uidvalidity != before.uidvalidity
        assert after.exists == 3
        assert await client.search_message_id("m4@candidates.example") == [(await uids(client))[1]]
        await client.close()

    async def test_a_folder_renumbered_beneath_an_open_session_is_told_or_ends_it(
        self, dovecot: Dovecot, rita: Credentials
    ) -> None:
        client = await opened(dovecot, rita)
        before = await client.select("INBOX")
        dovecot.renumber(rita.username)
        try:
            after = await client.select("INBOX")
        except MailError:
            client = await opened(dovecot, rita)
            after = await client.select("INBOX")
        assert after.uidvalidity != before.uidvalidity
        assert len(await uids(client)) == 5
        await client.close()


class TestSpecialUse:
    async def test_the_servers_marks_win_over_names(self, dovecot: Dovecot, rita: Credentials) -> None:
        """A folder that is merely called Sent is not the one in use."""
        client = await opened(dovecot, rita)
        roles = {one.name: one.role for one in await client.list_folders()}
        assert roles == {
            "INBOX": "inbox",
            "Sent": None,
            "Gesendet": "sent",
            "Spam": "junk",
            "Entwürfe": "drafts",
            "Papierkorb": "trash",
        }
        await client.close()

    async def test_without_marks_names_tell_it(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        require_dovecot()
        bare = "IMAP4rev1 SASL-IR IDLE UIDPLUS"
        folders = dict.fromkeys(["Gesendete Elemente", "Junk-E-Mail", "Entwürfe"], "")
        with Dovecot(tmp_path_factory.mktemp("bare"), capability=bare, folders=folders) as server:
            server.add_user(RITA.username, RITA.password)
            client = await opened(server, RITA)
            roles = {one.role: one.name for one in await client.list_folders()}
            assert roles["sent"] == "Gesendete Elemente"
            assert (roles["junk"], roles["drafts"]) == ("Junk-E-Mail", "Entwürfe")
            assert (await client.select("Entwürfe")).exists == 0
            await client.close()


class TestHostileMail:
    async def test_a_mail_of_thousands_of_parts_with_long_names_is_read(
        self, dovecot: Dovecot, rita: Credentials
    ) -> None:
        """Its BODYSTRUCTURE is megabytes in one line: it costs the structure, not the mailbox."""
        head = b'Subject: Many\r\nFrom: c@candidates.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        part = b'--b\r\nContent-Type: application/pdf; name="' + b"n" * 500 + b'.pdf"\r\n\r\nx\r\n'
        text = b"--b\r\nContent-Type: text/plain\r\n\r\nThe text.\r\n"
        dovecot.deliver(rita.username, [head + text + part * 9_000 + b"--b--\r\n", plain_mail(7)])
        client = await opened(dovecot, rita)
        await client.select("INBOX")
        messages = [one async for batch in client.fetch(1) for one in batch]
        assert [one.uid for one in messages] == [1, 2, 3, 4, 5, 6, 7]
        texts = await client.fetch_texts(messages)
        assert texts[7] == b"Hello 7\n"
        assert b"The text." in texts[6]
        await client.close()
