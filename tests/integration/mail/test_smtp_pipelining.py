"""MAIL, RCPT and DATA in one write (RFC 2920): as certain as one by one, and never an empty mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal

import pytest

from core.clock import SystemClock
from core.errors import ConnectionLostError, OutcomeUnknownError, ServerRefusedError, UnreachableError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.smtp import SmtpTransport
from core.mail.smtp_login import SmtpTimeouts
from core.ports.mail import Endpoint, SendReceipt, Tls
from tests.fakes.scripted_smtp import DROP, SILENCE, USUAL, Answer, ScriptedSmtp
from tests.integration.mail.conftest import RITA, Certificates

EHLO = "250-mail.agency.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 AUTH PLAIN"
RAW = b"From: rita@agency.test\r\nTo: cleo@candidates.example\r\nSubject: Hi\r\n\r\nHello\r\n.\r\n..two\r\n"
CLEO, MAX = "cleo@candidates.example", "max@candidates.example"
NO = "550 5.1.1 no such user"


class Held(asyncio.Event):
    """An answer that never comes; ``reached`` tells that the server has got that far."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


def pipelining(answers: dict[str, Answer | list[Answer]] | None = None) -> ScriptedSmtp:
    return ScriptedSmtp({"EHLO": EHLO, **(answers or {})})


def make_transport(certificates: Certificates, **seconds: float) -> SmtpTransport:
    timeouts = SmtpTimeouts(**{"connect": 5, "command": 5, "data": 5, "quit": 0.2, **seconds})
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    return SmtpTransport(dialler, certificates.client, timeouts=timeouts)


@pytest.fixture
async def transport(certificates: Certificates) -> AsyncIterator[SmtpTransport]:
    transport = make_transport(certificates)
    yield transport
    await transport.close()


async def send(transport: SmtpTransport, endpoint: Endpoint, *recipients: str) -> SendReceipt:
    async with asyncio.timeout(10):
        return await transport.send(
            endpoint, RITA, sender="rita@agency.test", recipients=recipients or (CLEO,), raw=RAW
        )


async def test_the_whole_envelope_goes_before_the_first_answer(transport: SmtpTransport) -> None:
    """A server that waits with its answer to MAIL has RCPT and DATA already."""
    answer = asyncio.Event()
    async with pipelining({"MAIL": answer}) as server:
        sending = asyncio.create_task(send(transport, server.endpoint, CLEO, MAX))
        answer.set()
        assert (await sending).reply == "250 2.0.0 queued as 42"
        assert server.commands[-4:] == [
            f"MAIL FROM:<rita@agency.test> SIZE={len(RAW)}", f"RCPT TO:<{CLEO}>", f"RCPT TO:<{MAX}>", "DATA",
        ]  # fmt: skip
        assert server.messages[0].replace(b"\r\n..", b"\r\n.") == RAW


async def test_many_mails_share_a_connection(transport: SmtpTransport) -> None:
    """No RSET, no NOOP, no further login between them; implicit in the count of commands."""
    async with pipelining() as server:
        for _ in range(5):
            await send(transport, server.endpoint)
        assert server.connections == 1
        assert len(server.commands) == 2 + 5 * 3
        assert len(server.messages) == 5


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        ("MAIL", "553 5.7.1 sender not allowed", 553),
        ("MAIL", "421 4.3.2 closing", 421),
        ("RCPT", NO, 550),
        ("RCPT", "451 4.7.1 greylisted", 451),
        ("DATA", "554 5.5.1 no", 554),
        ("DOT", "554 5.7.1 spam", 554),
        ("DOT", "452 4.2.2 full", 452),
    ],
)
async def test_the_first_refusal_is_the_one_told(transport: SmtpTransport, step: str, answer: str, code: int) -> None:
    """What a server says to DATA after it refused RCPT ("503 no valid recipients") tells nobody anything."""
    after = {"DATA": "503 5.5.1 no valid recipients"} if step in ("MAIL", "RCPT") else {}
    async with pipelining({**after, step: answer}) as server:
        with pytest.raises(ServerRefusedError) as refusal:
            await send(transport, server.endpoint)
        assert (refusal.value.smtp_code, refusal.value.raw) == (code, answer)


async def test_a_refused_recipient_leaves_the_connection_to_the_next_mail(transport: SmtpTransport) -> None:
    """RSET goes in the same write as the next MAIL."""
    async with pipelining({"RCPT": [NO], "DATA": ["503 5.5.1 no valid recipients"]}) as server:
        with pytest.raises(ServerRefusedError, match="no such user"):
            await send(transport, server.endpoint)
        await send(transport, server.endpoint)
        assert (server.connections, server.heard("RSET"), len(server.messages)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("recipients", "answers"),
    [((CLEO,), [NO]), ((CLEO, MAX), [NO, USUAL["RCPT"]]), ((CLEO, MAX), [USUAL["RCPT"], NO])],
)
async def test_a_354_after_a_refused_recipient_never_yields_an_empty_mail(
    transport: SmtpTransport, recipients: tuple[str, ...], answers: list[Answer]
) -> None:
    """The dot that would end DATA would hand an empty mail to whoever was accepted: the connection is cut instead."""
    async with pipelining({"RCPT": answers}) as server:
        with pytest.raises(ServerRefusedError, match="no such user"):
            await send(transport, server.endpoint, *recipients)
        assert not server.at_dot.is_set()
        await send(transport, server.endpoint)
        assert server.connections == 2
        assert [message.replace(b"\r\n..", b"\r\n.") for message in server.messages] == [RAW]


async def test_half_of_the_recipients_refused_refuses_the_mail(transport: SmtpTransport) -> None:
    """Nobody gets it, and which address it was is told; another mail goes on."""
    several = [f"person{number}@candidates.example" for number in range(6)]
    async with pipelining({"RCPT": [USUAL["RCPT"], NO] * 3}) as server:
        with pytest.raises(ServerRefusedError, match="no such user"):
            await send(transport, server.endpoint, *several)
        assert server.messages == []


BROKEN = [(step, fault) for step in ("MAIL", "RCPT", "DATA") for fault in (DROP, SILENCE, "what?", "999 x")]


@pytest.mark.parametrize(("step", "fault"), [*BROKEN, ("MAIL", "354 go on"), ("RCPT", "354 go on"), ("DATA", "250 ok")])
async def test_a_broken_envelope_is_certainly_not_sent(certificates: Certificates, step: str, fault: Answer) -> None:
    """The content was never written, although DATA was."""
    transport = make_transport(certificates, command=0.2)
    async with pipelining({step: fault}) as server:
        with pytest.raises(ConnectionLostError):
            await send(transport, server.endpoint)
        assert server.messages == []
    await transport.close()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [DROP, "421 4.7.0 too long idle"])
async def test_a_kept_connection_that_died_is_replaced_unseen(
    transport: SmtpTransport, step: str, fault: Answer
) -> None:
    """Whatever became of the old one, no content had been written to it."""
    async with pipelining({step: [USUAL[step], fault]}) as server:
        await send(transport, server.endpoint)
        await send(transport, server.endpoint)
        assert (server.connections, len(server.messages)) == (2, 2)


async def test_a_connection_that_ends_right_after_354_is_certainly_not_sent(transport: SmtpTransport) -> None:
    """What was said behind the 354 announces the end; the content is never written."""
    async with pipelining({"DATA": "354 go on\r\n421 4.3.2 closing"}) as server:
        with pytest.raises(ConnectionLostError):
            await send(transport, server.endpoint)
        assert server.messages == []


async def test_a_server_that_accepts_then_drops_leaves_it_unknown(transport: SmtpTransport) -> None:
    """The next mail is not held up by it."""
    async with pipelining({"DOT": [DROP]}) as server:
        with pytest.raises(OutcomeUnknownError):
            await send(transport, server.endpoint)
        await send(transport, server.endpoint)
        assert (server.connections, len(server.messages)) == (2, 2)


async def test_an_answer_with_a_farewell_behind_it_counts(transport: SmtpTransport) -> None:
    """250 for the mail and 421 for the connection in one packet: sent, and the next mail opens anew."""
    async with pipelining({"DOT": [USUAL["DOT"] + "\r\n421 4.7.0 enough for one connection"]}) as server:
        assert (await send(transport, server.endpoint)).reply == USUAL["DOT"]
        await send(transport, server.endpoint)
        assert server.connections == 2


async def test_a_slow_answer_belongs_to_its_own_mail(certificates: Certificates) -> None:
    """An answer past the deadline is never taken for the next mail's: that goes over another connection."""
    transport = make_transport(certificates, data=1)
    late = asyncio.Event()
    async with pipelining({"DOT": [late, "554 5.7.1 spam"]}) as server:
        with pytest.raises(OutcomeUnknownError):
            await send(transport, server.endpoint)
        late.set()
        with pytest.raises(ServerRefusedError, match="spam"):
            await send(transport, server.endpoint)
    await transport.close()


async def test_a_cancellation_before_the_content_ends_the_connection(transport: SmtpTransport) -> None:
    """The next mail does not read the answers of the one that was given up."""
    held = Held()
    async with pipelining({"DATA": [held]}) as server:
        sending = asyncio.create_task(send(transport, server.endpoint))
        async with asyncio.timeout(5):
            await held.reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await send(transport, server.endpoint)).reply == USUAL["DOT"]
        assert (server.connections, len(server.messages)) == (2, 1)


class Cutter:
    """A relay that lets so many bytes pass each way and then cuts; ``ended`` once the server has seen the end too."""

    def __init__(self, port: int, *, to_server: int = 1_000_000, to_client: int = 1_000_000) -> None:
        self._port, self._to_server, self._to_client = port, to_server, to_client
        self.ended = asyncio.Event()
        self._kept: asyncio.Task[None] | None = None  # a closed stream no longer holds its task

    async def __aenter__(self) -> Endpoint:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return Endpoint("localhost", self._server.sockets[0].getsockname()[1], Tls.NONE)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._kept = asyncio.current_task()
        back, there = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [
            asyncio.create_task(pass_on(reader, there, self._to_server)),
            asyncio.create_task(pass_on(back, writer, self._to_client)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        writer.close()
        with suppress(OSError):
            there.write_eof()
            await back.read()
        there.close()
        self.ended.set()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int) -> None:
    while left > 0 and (data := await reader.read(4_096)):
        writer.write(data[:left])
        left -= len(data)


async def believed(transport: SmtpTransport, endpoint: Endpoint) -> str:
    try:
        await send(transport, endpoint)
    except OutcomeUnknownError:
        return "unknown"
    except (ConnectionLostError, UnreachableError):
        return "not sent"
    return "sent"


@pytest.mark.parametrize("way", ["to_server", "to_client"])
async def test_cut_at_every_byte_nothing_is_believed_that_is_not_so(certificates: Certificates, way: str) -> None:
    """ "Not sent" is never said of a mail that the server took, and "sent" of none that it did not take."""
    seen: list[str] = []
    while "sent" not in seen:
        transport = make_transport(certificates)
        async with pipelining() as server:
            cutter = Cutter(server.endpoint.port, **{way: len(seen) + 1})
            async with cutter as endpoint, asyncio.timeout(10):
                seen.append(await believed(transport, endpoint))
                await transport.close()
                await cutter.ended.wait()
            taken = len(server.messages)
        assert (seen[-1], taken) in {("not sent", 0), ("unknown", 0), ("unknown", 1), ("sent", 1)}, len(seen)
    assert set(seen) == {"not sent", "unknown", "sent"}
