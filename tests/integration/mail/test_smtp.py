"""Sending: what is certain, what is not, and that nothing is sent twice by us."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator

import pytest

from core.clock import SystemClock
from core.errors import (
    ConnectionLostError,
    InputError,
    LoginRefusedError,
    MailError,
    OutcomeUnknownError,
    ServerRefusedError,
    UnreachableError,
)
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.smtp import SmtpTransport
from core.mail.smtp_login import SmtpTimeouts
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, SendReceipt, Tls
from tests.fakes.scripted_smtp import DROP, SILENCE, USUAL, Answer, ScriptedSmtp
from tests.integration.mail.conftest import RITA, Certificates

RAW = b"From: rita@agency.test\r\nTo: cleo@candidates.example\r\nSubject: Hi\r\n\r\nHello\r\n.\r\n..two\r\n"


def make_transport(certificates: Certificates, **options: float) -> SmtpTransport:
    timeouts = SmtpTimeouts(connect=5, command=5, data=5, quit=0.2)
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    return SmtpTransport(dialler, certificates.client, timeouts=options.pop("timeouts", timeouts), **options)  # type: ignore[arg-type]


@pytest.fixture
async def transport(certificates: Certificates) -> AsyncIterator[SmtpTransport]:
    transport = make_transport(certificates)
    yield transport
    await transport.close()


async def send(
    transport: SmtpTransport, endpoint: Endpoint, *recipients: str, credentials: Credentials = RITA, raw: bytes = RAW
) -> SendReceipt:
    to = recipients or ("cleo@candidates.example",)
    async with asyncio.timeout(10):
        return await transport.send(endpoint, credentials, sender="rita@agency.test", recipients=to, raw=raw)


class TestSending:
    async def test_the_servers_words_are_the_receipt(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp() as server:
            receipt = await send(transport, server.endpoint, "cleo@candidates.example", "max@candidates.example")
            assert receipt.reply == "250 2.0.0 queued as 42"
            assert server.heard("RCPT") == 2

    async def test_lines_of_dots_arrive_as_they_were(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp() as server:
            await send(transport, server.endpoint)
            assert server.messages[0].replace(b"\r\n..", b"\r\n.") == RAW

    @pytest.mark.parametrize("raw", [b"a\n.\nb\r\n", b"a\r.\r\n", b"a\r\n.\nMAIL FROM:<x@y>\r\n", b"no end", b""])
    async def test_bare_line_ends_are_refused_before_anything_is_sent(
        self, transport: SmtpTransport, raw: bytes
    ) -> None:
        async with ScriptedSmtp() as server:
            with pytest.raises(InputError):
                await send(transport, server.endpoint, raw=raw)
            assert server.connections == 0

    @pytest.mark.parametrize(
        "address",
        [
            "a@b.test>\r\nRCPT TO:<x@y.test",
            "a\0@b.test",
            "a\n@b.test",
            "a b@c.test",
            "a(b)c@d.test",
            "a@b.test,c@d.test",
        ],
    )
    async def test_what_is_not_exactly_one_address_is_not_sent(self, transport: SmtpTransport, address: str) -> None:
        """aiosmtplib would repair it into an address that nobody wrote."""
        async with ScriptedSmtp() as server:
            with pytest.raises(InputError):
                await send(transport, server.endpoint, address)
            assert server.connections == 0

    async def test_connections_are_used_again(self, transport: SmtpTransport) -> None:
        """A mail that was taken leaves nothing behind, so that no RSET costs a round trip."""
        async with ScriptedSmtp() as server:
            for _ in range(3):
                await send(transport, server.endpoint)
            assert (server.connections, server.heard("AUTH"), server.heard("RSET")) == (1, 1, 0)

    @pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
    async def test_after_a_refusal_rset_clears_the_way(self, transport: SmtpTransport, step: str) -> None:
        async with ScriptedSmtp({step: ["550 5.7.1 no"]}) as server:
            with pytest.raises(ServerRefusedError):
                await send(transport, server.endpoint)
            await send(transport, server.endpoint)
            assert (server.connections, server.heard("RSET")) == (1, 1)

    async def test_other_credentials_get_a_connection_of_their_own(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp() as server:
            await send(transport, server.endpoint)
            await send(transport, server.endpoint, credentials=Credentials(RITA.username, "another"))
            assert server.connections == 2

    async def test_a_mailbox_never_has_more_connections_than_told(self, certificates: Certificates) -> None:
        transport = make_transport(certificates, connections_per_mailbox=2)
        async with ScriptedSmtp() as server:
            await asyncio.gather(*(send(transport, server.endpoint) for _ in range(8)))
            assert len(server.messages) == 8
            assert server.connections <= 2
        await transport.close()

    async def test_idle_connections_are_hung_up(self, certificates: Certificates) -> None:
        transport = make_transport(certificates, idle_seconds=0.05)
        async with ScriptedSmtp() as server:
            await send(transport, server.endpoint)
            async with asyncio.timeout(5):
                await server.said_quit.wait()
        await transport.close()

    @pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
    @pytest.mark.parametrize("fault", [DROP, "421 4.7.0 too long idle"])
    async def test_a_kept_connection_that_died_is_replaced_unseen(
        self, transport: SmtpTransport, step: str, fault: Answer
    ) -> None:
        async with ScriptedSmtp({step: [USUAL[step], fault]}) as server:
            await send(transport, server.endpoint)
            await send(transport, server.endpoint)
            assert (server.connections, len(server.messages)) == (2, 2)


class TestCertainFailures:
    @pytest.mark.parametrize(
        ("step", "answer", "code"),
        [
            ("CONNECT", "554 5.7.1 go away", 554),
            ("CONNECT", "421 4.3.2 closing", 421),
            ("EHLO", "550 no", 550),
            ("AUTH", "454 4.7.0 temporary failure", 454),
            ("MAIL", "553 5.7.1 sender not allowed", 553),
            ("RCPT", "550 5.1.1 no such user", 550),
            ("RCPT", "451 4.7.1 greylisted", 451),
            ("DATA", "554 5.5.1 no", 554),
            ("DOT", "554 5.7.1 spam", 554),
            ("DOT", "452 4.2.2 full", 452),
            ("DOT", "421 4.3.2 closing", 421),
        ],
    )
    async def test_a_refusal_is_certain_at_every_step(
        self, transport: SmtpTransport, step: str, answer: str, code: int
    ) -> None:
        answers: dict[str, Answer | list[Answer]] = {step: answer}
        if step == "EHLO":
            answers["HELO"] = answer
        async with ScriptedSmtp(answers) as server:
            with pytest.raises(ServerRefusedError) as refusal:
                await send(transport, server.endpoint)
            assert (refusal.value.smtp_code, refusal.value.raw) == (code, answer)
            assert refusal.value.layer == "smtp"

    async def test_one_refused_recipient_refuses_the_mail(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp({"RCPT": [USUAL["RCPT"], "550 5.1.1 no such user"]}) as server:
            with pytest.raises(ServerRefusedError, match="no such user"):
                await send(transport, server.endpoint, "cleo@candidates.example", "gone@candidates.example")
            assert server.messages == []
            await send(transport, server.endpoint)  # the connection goes on, after RSET
            assert (server.connections, server.heard("RSET")) == (1, 1)

    @pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
    async def test_a_drop_before_the_content_is_certain(self, transport: SmtpTransport, step: str) -> None:
        async with ScriptedSmtp({step: DROP}) as server:
            with pytest.raises(ConnectionLostError):
                await send(transport, server.endpoint)
            assert server.messages == []

    @pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA"])
    async def test_silence_before_the_content_is_certain(self, certificates: Certificates, step: str) -> None:
        transport = make_transport(certificates, timeouts=SmtpTimeouts(command=0.1, quit=0.1))  # type: ignore[arg-type]
        async with ScriptedSmtp({step: SILENCE}) as server:
            with pytest.raises(ConnectionLostError):
                await send(transport, server.endpoint)
        await transport.close()

    async def test_a_closed_port_is_unreachable_in_the_words_of_the_system(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp() as server:
            endpoint = server.endpoint
        with pytest.raises(UnreachableError, match=r"\[Errno 111\]") as failure:
            await send(transport, endpoint)
        assert failure.value.layer == "socket"

    async def test_a_server_that_drops_at_once_is_unreachable(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp({"CONNECT": DROP}) as server:
            with pytest.raises(UnreachableError):
                await send(transport, server.endpoint)


class TestUnknownOutcomes:
    async def test_a_drop_after_the_dot_leaves_it_unknown(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp({"DOT": DROP}) as server:
            with pytest.raises(OutcomeUnknownError):
                await send(transport, server.endpoint)
            assert len(server.messages) == 1

    async def test_silence_after_the_dot_leaves_it_unknown(self, certificates: Certificates) -> None:
        transport = make_transport(certificates, timeouts=SmtpTimeouts(data=0.1, quit=0.1))  # type: ignore[arg-type]
        async with ScriptedSmtp({"DOT": SILENCE}) as server:
            with pytest.raises(OutcomeUnknownError, match=r"no answer within 0\.1 s"):
                await send(transport, server.endpoint)
            assert len(server.messages) == 1
        await transport.close()

    @pytest.mark.parametrize("nonsense", ["what?", "999999", "354 still here", "250-" + "x" * 9_000])
    async def test_nonsense_after_the_dot_leaves_it_unknown(self, transport: SmtpTransport, nonsense: str) -> None:
        async with ScriptedSmtp({"DOT": nonsense}) as server:
            with pytest.raises(OutcomeUnknownError):
                await send(transport, server.endpoint)

    async def test_a_slow_answer_is_waited_for(self, transport: SmtpTransport) -> None:
        answer = asyncio.Event()
        async with ScriptedSmtp({"DOT": answer}) as server:
            sending = asyncio.create_task(send(transport, server.endpoint))
            await server.at_dot.wait()
            assert not sending.done()
            answer.set()
            assert (await sending).reply.startswith("250")

    async def test_a_cancellation_after_the_dot_is_passed_on_and_ends_the_connection(
        self, transport: SmtpTransport
    ) -> None:
        async with ScriptedSmtp({"DOT": [SILENCE]}) as server:
            sending = asyncio.create_task(send(transport, server.endpoint))
            await server.at_dot.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await send(transport, server.endpoint)
            assert server.connections == 2


class TestLogin:
    @pytest.mark.parametrize(
        "words", ["535 5.7.8 Username and Password not accepted", "534 5.7.9 Application-specific"]
    )
    async def test_refused_credentials_keep_the_servers_words(self, transport: SmtpTransport, words: str) -> None:
        async with ScriptedSmtp({"AUTH": words}) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await send(transport, server.endpoint)
            assert (refusal.value.raw, refusal.value.smtp_code) == (words, int(words[:3]))
            assert server.heard("AUTH") == 1  # every further try counts towards a lock

    async def test_a_mechanism_advertised_in_error_gives_way_to_the_next(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp({"AUTH": ["504 5.5.4 unrecognised", "334 UGFzc3dvcmQ6", USUAL["AUTH"]]}) as server:
            await send(transport, server.endpoint)
            assert server.commands[2].startswith("AUTH LOGIN")

    async def test_a_login_taken_with_another_code_of_success_counts(self, transport: SmtpTransport) -> None:
        """The first digit decides (RFC 5321 4.2.1)."""
        async with ScriptedSmtp({"AUTH": "250 2.0.0 Ok"}) as server:
            await send(transport, server.endpoint)
            assert server.heard("AUTH") == 1

    async def test_the_xoauth2_challenge_is_kept(self, transport: SmtpTransport) -> None:
        challenge = base64.b64encode(b'{"status":"401","scope":"https://mail.google.com/"}').decode()
        async with ScriptedSmtp({"AUTH": [f"334 {challenge}", "535 5.7.8 not accepted"]}) as server:
            with pytest.raises(LoginRefusedError, match=r'535 5\.7\.8 not accepted .*"status":"401"'):
                await send(transport, server.endpoint, credentials=Credentials("rita", access_token="tok-canary"))

    async def test_verify_logs_in_and_out_and_sends_nothing(self, transport: SmtpTransport) -> None:
        async with ScriptedSmtp() as server:
            await transport.verify(server.endpoint, RITA)
            assert [server.heard(verb) for verb in ("AUTH", "MAIL", "QUIT")] == [1, 0, 1]
        async with ScriptedSmtp({"AUTH": "535 5.7.8 no"}) as server:
            with pytest.raises(LoginRefusedError):
                await transport.verify(server.endpoint, RITA)

    async def test_no_secret_reaches_a_log_or_an_error(
        self, transport: SmtpTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wire = base64.b64encode(f"\0{RITA.username}\0pw-canary".encode()).decode()
        async with ScriptedSmtp({"AUTH": "535 5.7.8 no"}) as server:
            with pytest.raises(LoginRefusedError) as refusal:
                await send(transport, server.endpoint, credentials=Credentials(RITA.username, "pw-canary"))
            assert any(wire in command for command in server.commands)
        written = caplog.text + repr(refusal.value) + refusal.value.raw
        assert "canary" not in written
        assert wire not in written


class TestTls:
    async def test_implicit_tls_and_starttls_carry_mail(
        self, transport: SmtpTransport, certificates: Certificates
    ) -> None:
        for options in ({"tls": certificates.server}, {"starttls": certificates.server}):
            async with ScriptedSmtp(**options) as server:  # type: ignore[arg-type]
                await send(transport, server.endpoint)
                assert len(server.messages) == 1

    async def test_a_stripped_starttls_ends_before_the_login(
        self, transport: SmtpTransport, certificates: Certificates
    ) -> None:
        stripped = "250-mail.agency.test\r\n250 AUTH PLAIN"
        async with ScriptedSmtp({"EHLO": stripped}, starttls=certificates.server) as server:
            with pytest.raises(UnreachableError, match="STARTTLS") as failure:
                await send(transport, server.endpoint)
            assert failure.value.layer == "tls"
            assert server.heard("AUTH") == 0

    async def test_what_was_injected_before_tls_is_not_believed(
        self, transport: SmtpTransport, certificates: Certificates
    ) -> None:
        """Text behind the 220 (RFC 3207) would be read as the secure server's first answer."""
        injected = "220 go on\r\n250-evil.example\r\n250 AUTH LOGIN"
        async with ScriptedSmtp({"STARTTLS": injected}, starttls=certificates.server) as server:
            await send(transport, server.endpoint)
            assert any(command.startswith("AUTH PLAIN") for command in server.commands)

    async def test_an_untrusted_certificate_is_told_in_the_words_of_ssl(self, certificates: Certificates) -> None:
        strangers = make_transport(Certificates(certificates.server, make_tls_context(), certificates.ca_file))
        for options in ({"tls": certificates.server}, {"starttls": certificates.server}):
            async with ScriptedSmtp(**options) as server:  # type: ignore[arg-type]
                with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED") as failure:
                    await send(strangers, server.endpoint)
                assert failure.value.layer == "tls"
        await strangers.close()

    async def test_without_tls_nothing_is_sent_unless_private_servers_are_allowed(
        self, certificates: Certificates
    ) -> None:
        transport = SmtpTransport(Dialler(Resolver(SystemClock())), certificates.client)
        async with ScriptedSmtp() as server:
            with pytest.raises(UnreachableError, match="without TLS"):
                await transport.verify(Endpoint("mail.agency.test", 587, Tls.NONE), RITA)
            assert server.connections == 0

    async def test_only_errors_of_ours_come_out_whatever_a_step_answers(self, transport: SmtpTransport) -> None:
        for step in ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"):
            for nonsense in ("", "x", "\0\0\0", "999", "250", "-1 no", "334 !!!"):
                async with ScriptedSmtp({step: nonsense}) as server:
                    try:
                        await send(transport, server.endpoint)
                    except MailError:
                        continue
