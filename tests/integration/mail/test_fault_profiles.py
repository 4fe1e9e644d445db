"""Six providers as they are: each is read whole, in its own way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.errors import ConnectionLostError, LoginRefusedError, MailError, ServerRefusedError
from core.mail.imap import ImapClient
from core.ports.mail import Credentials, MailboxEvent
from tests.fakes.fault_imap import Deed, Fault, FaultImap, Profile
from tests.fakes.fault_imap_model import plain_mail
from tests.fakes.fault_imap_profiles import DOVECOT, EXCHANGE, GMAIL, GODADDY, ICLOUD, PROFILES, YAHOO
from tests.integration.mail.fault_session import (
    DEADLINE,
    MAILS,
    PATIENT,
    Seen,
    assert_all_read,
    fill,
    imap,
    outcome,
    settled,
    whole_session,
)

NAMES = [profile.name for profile in PROFILES]


async def opened(server: FaultImap, folder: str = "INBOX") -> ImapClient:
    client = await imap(PATIENT).connect(server.endpoint, server.credentials)
    await client.select(folder)
    return client


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
async def test_every_provider_is_read_whole(profile: Profile) -> None:
    async with FaultImap(profile) as server:
        fill(server)
        seen = await whole_session(server, PATIENT)
        assert_all_read(server, seen)
        assert seen.snapshot is not None
        assert seen.snapshot.exists == MAILS
        assert (seen.snapshot.highestmodseq is not None) == profile.has_condstore


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
async def test_every_provider_shows_inbox_sent_and_junk(profile: Profile) -> None:
    """By attribute where the server marks them, by their names in the owner's language where it does not."""
    async with FaultImap(profile) as server:
        client = await imap(PATIENT).connect(server.endpoint, server.credentials)
        roles = {one.role: one.name for one in await client.list_folders() if one.selectable}
        assert roles["inbox"] == profile.inbox
        assert roles["sent"] == profile.sent
        assert "junk" in roles
        assert ("all" in roles) == (profile is GMAIL)
        await client.close()


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
async def test_a_glance_at_all_folders_tells_what_each_would_tell(profile: Profile) -> None:
    """In one answer where the provider has it (RFC 5819), else one by one."""
    async with FaultImap(profile) as server:
        fill(server)
        client = await imap(PATIENT).connect(server.endpoint, server.credentials)
        names = [one.name for one in await client.list_folders() if one.selectable]
        told = await client.glance(names)
        assert told == {name: await client.status(name) for name in names}
        assert told[profile.inbox].exists == MAILS
        await client.close()


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
async def test_every_provider_pushes_new_mail(profile: Profile) -> None:
    async with FaultImap(profile) as server:
        fill(server)
        client = await opened(server, profile.inbox)
        idling = asyncio.create_task(client.idle(renew_after=30))
        await settled(lambda: server.passed["IDLE:waiting"] > 0, "IDLE")
        added = server.box[profile.inbox].add(plain_mail(77))
        async with asyncio.timeout(DEADLINE):
            assert await idling is MailboxEvent.CHANGED
        assert [one.uid async for batch in client.fetch(added.uid) for one in batch] == [added.uid]
        await client.close()


class TestGmail:
    async def test_its_own_ids_come_with_every_message(self) -> None:
        async with FaultImap(GMAIL) as server:
            everything = server.box["[Gmail]/All Mail"]
            mail = everything.add(plain_mail(1), label="\\Inbox")
            client = await opened(server, "[Gmail]/All Mail")
            (message,) = [one async for batch in client.fetch(1) for one in batch]
            assert (message.provider_id, message.thread_id) == (str(mail.gmail_id), str(mail.thread_id))
            await client.close()

    async def test_throttled_in_an_ok_line_ends_no_command(self) -> None:
        """The word asks for a slower pace; what came with it counts."""
        slow = Fault("FETCH:tagged", Deed.ANSWER, b"OK [THROTTLED] Success", times=99)
        async with FaultImap(GMAIL, faults=[slow]) as server:
            fill(server)
            assert_all_read(server, await whole_session(server, PATIENT))

    async def test_still_here_is_no_news(self) -> None:
        """Gmail says so every two minutes; an IDLE goes on until its renewal."""
        async with FaultImap(replace(GMAIL, keepalive_every=0.01)) as server:
            fill(server)
            client = await opened(server)
            assert await client.idle(renew_after=0.1) is MailboxEvent.RENEW
            await client.close()

    async def test_the_sixteenth_connection_is_refused_in_its_words(self) -> None:
        async with FaultImap(replace(GMAIL, most_logins=1)) as server:
            first = await imap(PATIENT).connect(server.endpoint, server.credentials)
            with pytest.raises(MailError, match="Too many simultaneous connections"):
                await imap(PATIENT).connect(server.endpoint, server.credentials)
            await first.close()


class TestExchange:
    async def test_the_session_ends_with_the_token(self) -> None:
        bye = Fault("IDLE:waiting", Deed.BYE, b"Session invalidated - AccessTokenExpired")
        async with FaultImap(EXCHANGE, faults=[bye]) as server:
            client = await opened(server)
            with pytest.raises(ConnectionLostError, match="AccessTokenExpired"):
                await client.idle(renew_after=30)
            await client.close()

    async def test_authenticated_but_not_connected_is_told_as_it_is(self) -> None:
        """A login that succeeds and is worth nothing: two tries later it may be a person's affair."""
        words = b"BAD User is authenticated but not connected."
        faults = [Fault(point, Deed.ANSWER, words, times=99) for point in ("LIST", "SELECT", "STATUS")]
        async with FaultImap(EXCHANGE, faults=faults) as server:
            ended = await outcome(server, PATIENT)
            assert isinstance(ended, ServerRefusedError)
            assert "User is authenticated but not connected." in ended.raw

    async def test_no_question_names_a_charset(self) -> None:
        """SEARCH CHARSET UTF-8 is answered with BADCHARSET there."""
        async with FaultImap(EXCHANGE) as server:
            fill(server)
            client = await opened(server)
            assert await client.search_message_id("m2@candidates.example") == [2]
            assert await client.search_message_id("mü@candidates.example") == []
            await client.close()

    async def test_highestmodseq_is_never_asked_for(self) -> None:
        async with FaultImap(EXCHANGE) as server:
            fill(server)
            await whole_session(server, PATIENT)
            assert not any("MODSEQ" in line or "CONDSTORE" in line for line in server.heard)


class TestICloud:
    async def test_what_the_proxy_says_before_the_login_is_forgotten(self) -> None:
        """It claims Gmail's extension and SPECIAL-USE; asking for those would be refused."""
        async with FaultImap(ICLOUD) as server:
            fill(server)
            await whole_session(server, PATIENT)
            assert not any("X-GM" in line or "SPECIAL-USE" in line for line in server.heard)

    async def test_an_empty_enabled_is_as_good_as_any(self) -> None:
        """HIGHESTMODSEQ stands in SELECT only after ENABLE, whatever its answer says."""
        async with FaultImap(ICLOUD) as server:
            fill(server)
            seen = await whole_session(server, PATIENT)
            assert seen.snapshot is not None
            assert seen.snapshot.highestmodseq == server.box["INBOX"].modseq

    async def test_bodies_are_never_asked_for_as_rfc822(self) -> None:
        async with FaultImap(ICLOUD) as server:
            fill(server)
            client = await opened(server)
            assert await client.fetch_raw(2) == server.box["INBOX"].mails[1].raw
            assert not any(" RFC822 " in line or "RFC822)" in line for line in server.heard)
            await client.close()


class TestYahoo:
    async def test_a_highestmodseq_without_condstore_is_not_believed(self) -> None:
        async with FaultImap(YAHOO) as server:
            fill(server)
            client = await imap(PATIENT).connect(server.endpoint, server.credentials)
            assert (await client.status("Inbox")).highestmodseq is None
            assert (await client.select("Inbox")).highestmodseq is None
            await client.close()

    async def test_an_idle_past_the_servers_limit_ends_in_an_error_and_one_renewed_in_time_does_not(self) -> None:
        """Yahoo drops after 300 s, without a word; here after a moment."""
        async with FaultImap(replace(YAHOO, idle_limit=0.5)) as server:
            client = await opened(server)
            assert await client.idle(renew_after=0.02) is MailboxEvent.RENEW
            async with asyncio.timeout(DEADLINE):
                with pytest.raises(ConnectionLostError):
                    await client.idle(renew_after=30)
            await client.close()

    async def test_the_fourth_login_means_not_now(self) -> None:
        """[LIMIT] is no wrong password; once a connection is closed properly, the next is let in."""
        async with FaultImap(YAHOO) as server:
            clients = [await imap(PATIENT).connect(server.endpoint, server.credentials) for _ in range(3)]
            with pytest.raises(ServerRefusedError, match="LIMIT"):
                await imap(PATIENT).connect(server.endpoint, server.credentials)
            await clients.pop().close()
            await settled(lambda: server.logged_in == 2, "the server's count to fall")
            clients.append(await imap(PATIENT).connect(server.endpoint, server.credentials))
            for client in clients:
                await client.close()


class TestGoDaddy:
    async def test_a_header_without_from_and_to_is_still_a_message(self) -> None:
        async with FaultImap(GODADDY) as server:
            fill(server)
            seen = await whole_session(server, PATIENT)
            assert_all_read(server, seen)
            assert all(b"From:" not in header for header in seen.headers.values())


class TestDovecot:
    async def test_a_highestmodseq_that_fell_is_told_as_it_is(self) -> None:
        """After an index is rebuilt; judging it is the engine's affair."""
        async with FaultImap(DOVECOT) as server:
            fill(server)
            client = await imap(PATIENT).connect(server.endpoint, server.credentials)
            before = (await client.status("INBOX")).highestmodseq
            server.box["INBOX"].rebuild_index()
            after = (await client.status("INBOX")).highestmodseq
            assert before is not None
            assert after == 1
            assert before > after
            await client.close()

    async def test_qresync_is_never_switched_on(self) -> None:
        async with FaultImap(DOVECOT) as server:
            fill(server)
            await whole_session(server, PATIENT)
            assert not any("QRESYNC" in line for line in server.heard)


class TestTokens:
    @pytest.mark.parametrize("profile", [GMAIL, EXCHANGE, YAHOO], ids=["gmail", "exchange", "yahoo"])
    async def test_a_good_token_is_taken_and_a_bad_one_refused_with_the_challenge(self, profile: Profile) -> None:
        async with FaultImap(profile) as server:
            good = Credentials(server.box.username, access_token=server.box.token)
            await (await imap(PATIENT).connect(server.endpoint, good)).close()
            with pytest.raises(LoginRefusedError, match='"status":"400"') as refusal:
                await imap(PATIENT).connect(server.endpoint, Credentials(server.box.username, access_token="stale-one"))
            assert "stale-one" not in repr(refusal.value)


async def test_a_session_of_every_provider_broken_in_its_idle_is_whole_at_the_next() -> None:
    for profile in PROFILES:
        async with FaultImap(profile, faults=[Fault("IDLE:waiting", Deed.DROP)]) as server:
            fill(server)
            assert isinstance(await outcome(server, PATIENT), ConnectionLostError)
            again = await outcome(server, PATIENT)
            assert isinstance(again, Seen)
            assert_all_read(server, again)
