"""What breaks IMAP clients in production, each case played by a scripted server."""

from __future__ import annotations

import asyncio
import base64
import logging
import time

import pytest

from core.domain.message import FetchedMessage
from core.errors import ConnectionLostError, LoginRefusedError, MailError, ServerRefusedError, UnreachableError
from core.mail.imap import ImapClient, ImapConnector, ImapTimeouts
from core.mail.imap_protocol import ProtocolLimits
from core.mail.imap_reader import ReaderLimits
from core.ports.mail import Credentials, FolderSnapshot, MailboxEvent, Tls
from tests.fakes.scripted_imap import CAPABILITIES, Peer, ScriptedImap
from tests.integration.mail.conftest import RITA, Certificates, Open, make_connector

DATE = '"21-Nov-2026 22:00:00 +0000"'
PLAIN = '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 1 NIL NIL NIL NIL)'


def header_answer(uid: int, header: str = "Subject: Hello\r\n\r\n", structure: str = PLAIN, sequence: int = 0) -> str:
    return (
        f"* {sequence or uid} FETCH (UID {uid} FLAGS () INTERNALDATE {DATE} RFC822.SIZE 100 BODYSTRUCTURE {structure} "
        f"BODY[HEADER.FIELDS (SUBJECT)] {{{len(header.encode())}}}\r\n{header})\r\n"
    )


def text_answer(uid: int, text: str, section: str = "1") -> str:
    return f"* {uid} FETCH (UID {uid} BODY[{section}]<0> {{{len(text.encode())}}}\r\n{text})\r\n"


async def fetched(client: ImapClient, first: int = 1, last: int | None = None) -> list[FetchedMessage]:
    return [message async for batch in client.fetch(first, last) for message in batch]


class TestLines:
    async def test_two_thousand_lines_in_one_read_are_taken_one_by_one(self, open_client: Open) -> None:
        """aioimaplib recurses per line: about a thousand lines end in a RecursionError and a command without end."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=2_500, uidnext=2_501)
            await peer.answer("NOOP", "* 1 EXPUNGE\r\n" * 2_000)
            await peer.answer("UID SEARCH", "* SEARCH 7\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            await client.noop()
            assert await client.search_message_id("a@b.test") == [7]

    async def test_time_grows_with_the_lines_not_with_their_square(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=9_000, uidnext=9_001)
            for count in (2_000, 8_000):
                await peer.answer("NOOP", "* 5 FETCH (UID 5 FLAGS (\\Seen))\r\n" * count)

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            durations = []
            for _ in range(2):
                start = time.process_time()
                await client.noop()
                durations.append(time.process_time() - start)
            assert durations[1] < durations[0] * 12

    async def test_answers_that_arrive_byte_by_byte_are_whole(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            tag = await peer.expect("UID FETCH 1:*")
            await peer.send_bytewise(
                header_answer(1, "Subject: a\r\nX: {3}\r\n\r\n") + header_answer(2) + f"{tag} OK\r\n"
            )

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            messages = await fetched(client)
            assert [message.uid for message in messages] == [1, 2]
            assert messages[0].header == b"Subject: a\r\nX: {3}\r\n\r\n"

    async def test_a_star_and_a_blank_inside_text_stay_there(self, open_client: Open) -> None:
        """aioimaplib removes every "* " from a line."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer("LIST", '* LIST (\\HasNoChildren) "/" "3* hotel * review"\r\n')
            await peer.open_folder()
            await peer.answer("UID FETCH", header_answer(1, "Subject: 3* hotel * review\r\n\r\n"))

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            assert [folder.name for folder in await client.list_folders()] == ["3* hotel * review"]
            await client.select("INBOX")
            assert (await fetched(client))[0].header == b"Subject: 3* hotel * review\r\n\r\n"

    async def test_a_brace_at_the_end_of_human_text_announces_no_literal(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("NOOP", "* OK still here {99}\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            await client.noop()


class TestFetching:
    async def test_an_open_parenthesis_in_a_quoted_file_name_swallows_nothing(self, open_client: Open) -> None:
        structure = '("application" "pdf" ("name" "CV (final.pdf") NIL NIL "base64" 120 NIL NIL NIL NIL)'

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID FETCH", header_answer(1, structure=structure) + "* 4 EXISTS\r\n" + header_answer(2))

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert [message.uid for message in await fetched(client)] == [1, 2]
            assert await client.idle(renew_after=5) is MailboxEvent.CHANGED

    async def test_a_broken_structure_costs_the_structure_not_the_message(self, open_client: Open) -> None:
        """Exchange sends such; the text then comes from the whole body."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID FETCH", header_answer(1, structure='(("text" "plain" ("charset'))
            tag = await peer.expect("UID FETCH 1 (UID BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE")
            fields, body = "Content-Type: text/html; charset=utf-8\r\n\r\n", "<p>Grüß Gott</p>"
            peer.send(
                f"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (CONTENT-TYPE CONTENT-TRANSFER-ENCODING)] "
                f"{{{len(fields)}}}\r\n{fields} BODY[TEXT]<0> {{{len(body.encode())}}}\r\n{body})\r\n{tag} OK\r\n"
            )

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            messages = await fetched(client)
            assert messages[0].structure is None
            assert await client.fetch_texts(messages) == {1: "Grüß Gott\n".encode()}

    async def test_the_last_message_that_n_star_always_brings_is_dropped(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=3, uidnext=4)
            await peer.answer("UID FETCH 4:*", header_answer(3))
            await peer.answer("IDLE")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await fetched(client, 4) == []
            with pytest.raises(ServerRefusedError):  # it went on to IDLE: the stray answer was no news
                await client.idle(renew_after=5)

    async def test_an_answer_in_two_pieces_becomes_one_message(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            pieces = "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] {4}\r\nA: b)\r\n"
            await peer.answer("UID FETCH", pieces)

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            (message,) = await fetched(client)
            assert message.flags == {"\\Seen"}
            assert message.header == b"A: b"

    async def test_without_list_status_folders_are_asked_for_all_at_once(self, open_client: Open) -> None:
        """Refused and invented folders are left out; the order of the answers does not matter."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            tags = [await peer.expect(f'STATUS "{name}" (MESSAGES') for name in ("INBOX", "Sent", "Gone")]
            peer.send('* STATUS "Invented" (UIDNEXT 9)\r\n* STATUS Sent (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 3)\r\n')
            peer.send(f"{tags[2]} NO no such folder\r\n{tags[1]} OK\r\n")
            peer.send(f"* STATUS inbox (MESSAGES 2 UIDNEXT 7 UIDVALIDITY 3)\r\n{tags[0]} OK\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            told = await client.glance(["INBOX", "Sent", "Gone"])
        assert told == {"INBOX": FolderSnapshot(3, 7, 2), "Sent": FolderSnapshot(3, 5, 1)}

    async def test_the_next_command_is_under_way_while_a_batch_is_handed_over(self, open_client: Open) -> None:
        both_sent = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=1_000, uidnext=1_001)
            await peer.answer("UID SEARCH UID 1:*", f"* SEARCH {' '.join(map(str, range(1, 1_001)))}\r\n")
            first = await peer.expect("UID FETCH 1:500 ")
            second = await peer.expect("UID FETCH 501:1000 ")
            both_sent.set()
            # The server answers the second before the first: answers belong to commands by UID, not by order.
            peer.send("".join(map(header_answer, range(501, 1_001))) + f"{second} OK\r\n")
            peer.send("".join(map(header_answer, range(1, 501))) + f"{first} OK\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            batches = [[message.uid for message in batch] async for batch in client.fetch(1)]
            assert both_sent.is_set()
            assert batches == [list(range(1, 501)), list(range(501, 1_001))]

    async def test_texts_can_be_asked_for_while_the_next_headers_are_under_way(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=501, uidnext=502)
            await peer.answer("UID SEARCH", f"* SEARCH {' '.join(map(str, range(1, 502)))}\r\n")
            first, second = await peer.expect("UID FETCH 1:500 "), await peer.expect("UID FETCH 501:501 ")
            peer.send("".join(map(header_answer, range(1, 501))) + f"{first} OK\r\n")
            texts = await peer.expect("UID FETCH 1 (UID BODY.PEEK[1]<0.262144>)")
            peer.send(text_answer(1, "Yes, gladly.") + header_answer(501) + f"{texts} OK\r\n{second} OK\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            seen, texts = [], {}
            async for batch in client.fetch(1):
                seen += [message.uid for message in batch]
                if not texts:
                    texts = await client.fetch_texts(batch[:1])
            assert seen == list(range(1, 502))
            assert texts == {1: b"Yes, gladly."}

    async def test_sparse_uids_cost_one_search_not_a_command_per_gap(self, open_client: Open) -> None:
        sparse = [5, 70_000, 4_000_000_000]

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=600, uidnext=4_000_000_001)
            await peer.answer("UID SEARCH UID 1:*", f"* SEARCH {' '.join(map(str, sparse))}\r\n")
            await peer.answer("UID FETCH 5:4000000000 ", "".join(header_answer(uid, sequence=1) for uid in sparse))

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert [message.uid for message in await fetched(client)] == sparse

    async def test_newest_first_turns_batches_and_messages_around(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder(exists=501, uidnext=502)
            await peer.answer("UID SEARCH", f"* SEARCH {' '.join(map(str, range(1, 502)))}\r\n")
            first, second = await peer.expect("UID FETCH 501:501 "), await peer.expect("UID FETCH 1:500 ")
            peer.send(header_answer(501) + f"{first} OK\r\n")
            peer.send("".join(map(header_answer, range(1, 501))) + f"{second} OK\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            uids = [message.uid async for batch in client.fetch(1, newest_first=True) for message in batch]
            assert uids == list(range(501, 0, -1))

    async def test_a_server_that_fails_on_structures_is_asked_again_without(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            tag = await peer.expect("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE")
            peer.send(f"{header_answer(1)}{tag} NO some messages could not be fetched\r\n")
            tag = await peer.expect("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER")
            whole = header_answer(1) + header_answer(2)
            peer.send(whole.replace(f"BODYSTRUCTURE {PLAIN} ", "") + f"{tag} OK\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            messages = await fetched(client)
            assert [(message.uid, message.structure is None) for message in messages] == [(1, False), (2, True)]

    async def test_an_empty_search_finds_nothing(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID SEARCH", "* SEARCH\r\n")
            await peer.answer("UID SEARCH")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await client.search_message_id("a@b.test") == []
            assert await client.search_message_id("a@b.test") == []
            assert not any("CHARSET" in line for line in server.heard)  # Exchange refuses it
            assert await client.search_message_id('a"\r\nA1 LOGOUT') == []
            assert not any("LOGOUT" in line for line in server.heard)

    async def test_an_address_is_looked_for_among_writers_and_recipients(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID SEARCH", "* SEARCH 9 4\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await client.search_address('b"en@candidates.example') == [4, 9]
            asked = [line for line in server.heard if "UID SEARCH" in line]
            wanted = r'"b\"en@candidates.example"'
            assert [line.partition(" ")[2].strip() for line in asked] == [
                f"UID SEARCH OR FROM {wanted} OR TO {wanted} CC {wanted}"
            ]
            assert await client.search_address("jörg@candidates.example") == []
            assert await client.search_address('a"\r\nA1 LOGOUT') == []
            assert not any("LOGOUT" in line for line in server.heard)

    async def test_google_ids_are_asked_for_where_the_server_has_them(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome(CAPABILITIES + " X-GM-EXT-1")
            await peer.open_folder()
            answer = header_answer(1).replace(
                "(UID", r'(X-GM-THRID 18446744073709551615 X-GM-MSGID 12 X-GM-LABELS ("\\Sent" "a\\Draft" Jobs) UID'
            )
            await peer.answer("UID FETCH 1:* (X-GM-THRID X-GM-MSGID X-GM-LABELS UID ", answer)

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            (message,) = await fetched(client)
            assert (message.thread_id, message.provider_id) == ("18446744073709551615", "12")
            assert "\\Sent" in message.flags
            assert "\\Draft" not in message.flags


class TestLogin:
    async def test_the_xoauth2_challenge_is_answered_and_kept(self, connector: ImapConnector) -> None:
        challenge = base64.b64encode(b'{"status":"400","scope":"https://mail.google.com/"}').decode()

        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES} AUTH=XOAUTH2] ready\r\n")
            tag = await peer.expect("AUTHENTICATE XOAUTH2 ")
            peer.send(f"+ {challenge}\r\n")
            assert await peer.line() == ""
            peer.send(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n")

        async with ScriptedImap(script) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await connector.connect(server.endpoint, Credentials("rita@agency.test", access_token="tok-canary"))
            assert refusal.value.raw.startswith("NO [AUTHENTICATIONFAILED] Invalid credentials")
            assert '"scope":"https://mail.google.com/"' in refusal.value.raw

    async def test_no_secret_reaches_a_log_or_an_error(
        self, connector: ImapConnector, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        credentials = Credentials("rita@agency.test", access_token="tok-canary")
        wire = base64.b64encode(b"user=rita@agency.test\1auth=Bearer tok-canary\1\1").decode()

        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n")
            tag = await peer.expect("AUTHENTICATE XOAUTH2 " + wire)
            peer.send(f"{tag} NO no\r\n")

        async with ScriptedImap(script) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await connector.connect(server.endpoint, credentials)
        written = caplog.text + repr(refusal.value) + repr(credentials)
        assert "canary" not in written
        assert wire not in written

    async def test_a_refused_password_keeps_the_servers_words(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n")
            tag = await peer.expect('LOGIN "rita@agency.test" "s3cret-pass"')
            peer.send("* NO [WEBALERT https://accounts.example/continue] Web login required.\r\n")
            peer.send(f"{tag} NO [ALERT] Please log in via your web browser (Failure)\r\n")

        async with ScriptedImap(script) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await open_client(server.endpoint)
            assert refusal.value.raw.startswith("NO [ALERT] Please log in via your web browser (Failure)")
            assert "[WEBALERT https://accounts.example/continue]" in refusal.value.raw

    async def test_not_now_is_no_refusal_of_the_credentials(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n")
            tag = await peer.expect("LOGIN")
            peer.send(f"{tag} NO [UNAVAILABLE] Temporary authentication failure.\r\n")

        async with ScriptedImap(script) as server:
            with pytest.raises(ServerRefusedError, match="UNAVAILABLE"):
                await open_client(server.endpoint)

    async def test_a_greeting_of_bye_keeps_its_reason(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            peer.send("* BYE Too many connections from your address\r\n")
            peer.hang_up()

        async with ScriptedImap(script) as server:
            with pytest.raises(ServerRefusedError, match="Too many connections"):
                await open_client(server.endpoint)

    async def test_a_password_with_a_line_end_is_refused_before_it_is_sent(self, connector: ImapConnector) -> None:
        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n")

        async with ScriptedImap(script) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await connector.connect(server.endpoint, Credentials("rita@agency.test", "a\r\nA1 LOGOUT"))
            assert "LOGOUT" not in repr(refusal.value)
            assert server.heard == []

    async def test_a_password_beyond_ascii_goes_by_plain(self, connector: ImapConnector) -> None:
        async def script(peer: Peer) -> None:
            peer.send(f"* OK [CAPABILITY {CAPABILITIES} AUTH=PLAIN] ready\r\n")
            await peer.answer("AUTHENTICATE PLAIN " + base64.b64encode("\0rita\0pässword".encode()).decode())
            await peer.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n")

        async with ScriptedImap(script) as server:
            await connector.connect(server.endpoint, Credentials("rita", "pässword"))

    async def test_capabilities_are_read_again_after_the_login(self, open_client: Open) -> None:
        """Gmail and Outlook list most of theirs only then."""

        async def script(peer: Peer) -> None:
            peer.send("* OK [CAPABILITY IMAP4rev1] ready\r\n")
            await peer.answer("LOGIN")
            await peer.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 enable condstore\r\n")
            await peer.answer("ENABLE CONDSTORE")
            await peer.answer("STATUS", '* STATUS "a (b" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4)\r\n')

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            assert (await client.status("a (b")).highestmodseq == 4

    async def test_starttls_is_declined_with_the_way_out(self, connector: ImapConnector, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.until_closed()

        async with ScriptedImap(script) as server:
            endpoint = type(server.endpoint)("localhost", server.endpoint.port, Tls.STARTTLS)
            with pytest.raises(UnreachableError, match="993"):
                await open_client(endpoint)


class TestFolders:
    async def test_a_refused_select_is_an_error_with_the_servers_words(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            tag = await peer.expect("SELECT")
            peer.send(f"{tag} NO [NONEXISTENT] Unknown Mailbox\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            with pytest.raises(ServerRefusedError, match=r"NO \[NONEXISTENT\] Unknown Mailbox"):
                await client.select("Nowhere")

    async def test_names_are_quoted_and_encoded_on_the_wire(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer('SELECT "Entw&APw-rfe \\"alt\\" &- mehr"')
            await peer.answer('SELECT "INBOX&AA0ACg-A1 LOGOUT"')

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select('Entwürfe "alt" & mehr')
            await client.select("INBOX\r\nA1 LOGOUT")

    async def test_a_folder_is_asked_for_as_the_server_wrote_it(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer("LIST", '* LIST (\\Sent) "/" "Tom & Jerry"\r\n* LIST () "/" {5}\r\nP "q"\r\n')
            await peer.answer('SELECT "Tom & Jerry"')  # broken modified UTF-7, as the server has it
            await peer.answer('SELECT "P \\"q\\""')

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            folders = await client.list_folders()
            assert [(folder.name, folder.role) for folder in folders] == [("Tom & Jerry", "sent"), ('P "q"', None)]
            for folder in folders:
                await client.select(folder.name)

    async def test_highestmodseq_without_condstore_means_nothing(self, open_client: Open) -> None:
        """Yahoo prints it."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer("SELECT", "* 0 EXISTS\r\n* OK [UIDNEXT 1] n\r\n* OK [HIGHESTMODSEQ 5] m\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            assert (await client.select("INBOX")).highestmodseq is None

    async def test_a_missing_uidnext_is_found_by_search(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer("SELECT", "* 2 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n")
            await peer.answer("UID SEARCH UID *", "* SEARCH 41\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            assert (await client.select("INBOX")).uidnext == 42

    async def test_append_waits_for_the_go_ahead_and_sends_the_literal(self, open_client: Open) -> None:
        raw = b"Subject: x\r\n\r\nHello\r\n"
        stored = []

        async def script(peer: Peer) -> None:
            await peer.welcome()
            tag = await peer.expect(f'APPEND "Sent" (\\Seen) {{{len(raw)}}}')
            peer.send("+ go ahead\r\n")
            stored.append(await peer.literal(len(raw) + 2))
            peer.send(f"{tag} OK [APPENDUID 1 2] done\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.append("Sent", raw)
            assert stored == [raw + b"\r\n"]


class TestIdle:
    async def test_the_first_push_ends_the_idle(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            tag = await peer.expect("IDLE")
            peer.send("+ idling\r\n* OK Still here\r\n* 4 EXISTS\r\n")
            assert await peer.line() == "DONE"
            peer.send(f"{tag} OK done\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await client.idle(renew_after=60) is MailboxEvent.CHANGED

    async def test_silence_is_renewed_by_done_and_noop(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            for reply in ("", "* 4 EXISTS\r\n"):
                tag = await peer.expect("IDLE")
                peer.send("+ idling\r\n* OK Still here\r\n")
                assert await peer.line() == "DONE"
                peer.send(f"{tag} OK done\r\n")
                await peer.answer("NOOP", reply)

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await client.idle(renew_after=0.05) is MailboxEvent.RENEW
            assert await client.idle(renew_after=0.05) is MailboxEvent.CHANGED

    async def test_news_during_another_command_is_not_lost(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID SEARCH", "* SEARCH 1\r\n* 4 EXISTS\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            await client.search_message_id("a@b.test")
            assert await client.idle(renew_after=60) is MailboxEvent.CHANGED

    async def test_a_server_that_falls_silent_after_done_is_noticed(self, certificates: Certificates) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.expect("IDLE")
            peer.send("+ idling\r\n")

        timeouts = ImapTimeouts(command=0.1, close=0.2)
        async with ScriptedImap(script) as server:
            client = await make_connector(certificates, timeouts=timeouts).connect(server.endpoint, RITA)
            await client.select("INBOX")
            with pytest.raises(ConnectionLostError, match="no answer to DONE"):
                await client.idle(renew_after=0.05)

    async def test_a_cancelled_idle_leaves_a_usable_connection(self, open_client: Open) -> None:
        idling = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            tag = await peer.expect("IDLE")
            peer.send("+ idling\r\n")
            idling.set()
            assert await peer.line() == "DONE"
            peer.send(f"* 4 EXISTS\r\n{tag} OK done\r\n")
            await peer.answer("NOOP")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            task = asyncio.create_task(client.idle(renew_after=60))
            await idling.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.noop()
            assert await client.idle(renew_after=60) is MailboxEvent.CHANGED

    async def test_without_idle_it_polls(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome("IMAP4rev1")
            await peer.open_folder()
            await peer.answer("NOOP")
            await peer.answer("NOOP", "* 4 EXISTS\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert await client.idle(renew_after=60) is MailboxEvent.CHANGED


class TestTheEnd:
    @pytest.mark.parametrize("command", ["IDLE", "NOOP", "UID FETCH", "APPEND", "SELECT"])
    @pytest.mark.parametrize("way", ["bye", "drop"])
    async def test_a_waiting_command_fails_at_once(self, open_client: Open, command: str, way: str) -> None:
        """aioimaplib lets it wait for its time-out, or for ever."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.expect(command)
            if way == "bye":
                peer.send("* BYE Session expired, please login again.\r\n")
            else:
                peer.drop()

        async def ask(client: ImapClient) -> object:
            match command:
                case "IDLE":
                    return await client.idle(renew_after=1_000)
                case "NOOP":
                    return await client.noop()
                case "UID FETCH":
                    return await fetched(client)
                case "APPEND":
                    return await client.append("Sent", b"x\r\n")
            return await client.select("Sent")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionLostError, match="BYE Session expired" if way == "bye" else "."):
                    await ask(client)
                with pytest.raises(ConnectionLostError):
                    await client.noop()

    async def test_a_lost_tls_connection_is_noticed_in_idle(
        self, open_client: Open, certificates: Certificates
    ) -> None:
        """aioimaplib drops the callback for TLS connections."""

        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.expect("IDLE")
            peer.send("+ idling\r\n")
            peer.drop()

        async with ScriptedImap(script, tls=certificates.server) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionLostError):
                    await client.idle(renew_after=1_000)

    async def test_after_a_timeout_the_connection_is_never_used_again(self, certificates: Certificates) -> None:
        """A late answer would be taken for the answer to the next command."""
        late = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.welcome()
            tag = await peer.expect("NOOP")
            await late.wait()
            peer.send(f"{tag} OK late\r\n")
            await peer.expect("no further command: the connection is cut")

        timeouts = ImapTimeouts(command=0.1, close=0.2)
        async with ScriptedImap(script) as server:
            client = await make_connector(certificates, timeouts=timeouts).connect(server.endpoint, RITA)
            with pytest.raises(ConnectionLostError, match="no answer to NOOP within"):
                await client.noop()
            late.set()
            with pytest.raises(ConnectionLostError):
                await client.noop()
            await client.close()

    async def test_a_tag_that_nobody_sent_is_ignored(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.answer("NOOP", "ZZZ99 OK from yesterday\r\n")

        async with ScriptedImap(script) as server:
            await (await open_client(server.endpoint)).noop()

    async def test_close_logs_out_and_closes_the_transport(self, open_client: Open) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            tag = await peer.expect("LOGOUT")
            peer.send(f"* BYE see you\r\n{tag} OK bye\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.close()
            assert server.heard[-1].endswith("LOGOUT")
            with pytest.raises(ConnectionLostError):
                await client.noop()

    async def test_close_of_a_silent_server_takes_no_longer_than_told(self, certificates: Certificates) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()

        async with ScriptedImap(script) as server:
            connector = make_connector(certificates, timeouts=ImapTimeouts(close=0.2))
            client = await connector.connect(server.endpoint, RITA)
            async with asyncio.timeout(1.8):  # less than without these timeouts
                await client.close()

    async def test_a_greeting_that_never_comes_is_unreachable(self, certificates: Certificates) -> None:
        async def script(peer: Peer) -> None:
            await peer.until_closed()

        async with ScriptedImap(script) as server:
            connector = make_connector(certificates, timeouts=ImapTimeouts(connect=0.1))
            with pytest.raises(UnreachableError):
                await connector.connect(server.endpoint, RITA)


LIMITS = ProtocolLimits(ReaderLimits(literal=1_000, line=500), lines_per_command=50, bytes_per_command=5_000)


class TestHostileServers:
    @pytest.mark.parametrize(
        ("flood", "limit"),
        [
            ("* 1 FETCH (UID 1 BODY[1]<0> {4294967296}\r\n", "literal of more than 1000"),
            ("* 1 FETCH (UID 1 BODY[1]<0> {99999999999999999999}\r\n", "literal of more than 1000"),
            ("* OK " + "x" * 600, "line of more than 500"),
            ("* 1 RECENT\r\n" * 60, "more than 50 lines"),
            ("* OK " + "x" * 400 + "\r\n", "more than 5000 bytes"),
        ],
    )
    async def test_a_flood_meets_a_limit_and_ends_the_connection(
        self, certificates: Certificates, flood: str, limit: str
    ) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.expect("NOOP")
            peer.send(flood * (20 if "5000" in limit else 1))

        async with ScriptedImap(script) as server:
            client = await make_connector(certificates, limits=LIMITS).connect(server.endpoint, RITA)
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionLostError, match=limit):
                    await client.noop()

    @pytest.mark.parametrize(
        "reply",
        [
            "* FETCH\r\n",
            "* 1 FETCH (UID\r\n",
            "* 1 FETCH (UID 1 FLAGS (\r\n",
            "* 99999999999 EXISTS\r\n",
            "* SEARCH a -1 99999999999999999999999 \r\n",
            "* LIST\r\n* STATUS\r\n",
            "* \r\n*\r\n\r\n",
            "+\r\n+ \r\n",
            "\0\0\0\r\n",
            "* CAPABILITY\r\n",
        ],
    )
    async def test_nonsense_between_answers_breaks_nothing(self, open_client: Open, reply: str) -> None:
        async def script(peer: Peer) -> None:
            await peer.welcome()
            await peer.open_folder()
            await peer.answer("UID FETCH", reply + header_answer(1))
            await peer.answer("UID SEARCH", reply + "* SEARCH 1\r\n")

        async with ScriptedImap(script) as server:
            client = await open_client(server.endpoint)
            await client.select("INBOX")
            assert [message.uid for message in await fetched(client)] == [1]
            assert await client.search_message_id("a@b.test") == [1]

    async def test_only_errors_of_ours_come_out_when_the_session_is_cut_anywhere(self, open_client: Open) -> None:
        """The whole conversation, cut after every byte that the server sends."""
        session = (
            f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n",
            "{tag} OK\r\n",
            f"* CAPABILITY {CAPABILITIES}\r\n{{tag}} OK\r\n",
            "* 1 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT 2] n\r\n{tag} OK\r\n",
            header_answer(1).replace("{", "{{").replace("}", "}}") + "{tag} OK\r\n",
        )
        total = sum(map(len, session))

        def cutting_after(limit: int) -> ScriptedImap:
            async def script(peer: Peer) -> None:
                left = limit
                for index, reply in enumerate(session):
                    tag = "" if index == 0 else (await peer.line()).partition(" ")[0]
                    data = reply.format(tag=tag) if index else reply
                    peer.send(data[:left])
                    left -= len(data)
                    if left <= 0:
                        peer.hang_up()
                        return

            return ScriptedImap(script)

        for limit in range(0, total, 3):
            async with cutting_after(limit) as server, asyncio.timeout(30):
                try:
                    client = await open_client(server.endpoint)
                    await client.select("INBOX")
                    await fetched(client)
                    await client.close()
                except MailError:
                    continue


class TestTls:
    async def test_a_tls_connection_keeps_a_small_buffer(self, open_client: Open, certificates: Certificates) -> None:
        """Guards the private names in asyncio that core/mail/tls.py touches."""

        async def script(peer: Peer) -> None:
            await peer.welcome()

        async with ScriptedImap(script, tls=certificates.server) as server:
            client = await open_client(server.endpoint)
            ssl_protocol = client._protocol.transport._ssl_protocol
            assert len(ssl_protocol._ssl_buffer) == ssl_protocol.max_size == 16_384
            assert len(ssl_protocol.get_buffer(-1)) == 16_384

    async def test_an_untrusted_certificate_is_told_in_the_words_of_ssl(self, certificates: Certificates) -> None:
        from core.mail.tls import make_tls_context

        async def script(peer: Peer) -> None:
            await peer.until_closed()

        strangers = Certificates(certificates.server, make_tls_context(), certificates.ca_file)
        async with ScriptedImap(script, tls=certificates.server) as server:
            with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED") as failure:
                await make_connector(strangers).connect(server.endpoint, RITA)
            assert failure.value.layer == "tls"

    async def test_a_plain_server_on_a_tls_port_is_told_in_the_words_of_ssl(self, connector: ImapConnector) -> None:
        async def script(peer: Peer) -> None:
            peer.send("* OK ready\r\n")

        async with ScriptedImap(script) as server:
            endpoint = type(server.endpoint)("localhost", server.endpoint.port, Tls.SSL)
            with pytest.raises(UnreachableError, match="WRONG_VERSION_NUMBER"):
                await connector.connect(endpoint, RITA)

    async def test_a_closed_port_is_told_in_the_words_of_the_system(self, connector: ImapConnector) -> None:
        async def script(peer: Peer) -> None:
            await peer.until_closed()

        async with ScriptedImap(script) as server:
            endpoint = server.endpoint
        with pytest.raises(UnreachableError, match=r"\[Errno 111\]") as failure:
            await connector.connect(endpoint, RITA)
        assert failure.value.layer == "socket"
