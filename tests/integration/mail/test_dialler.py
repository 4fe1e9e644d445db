"""The guard in front of every connection, and the DNS look-ups behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from core.clock import SystemClock
from core.errors import UnreachableError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.ports.mail import Endpoint, Tls

PUBLIC = "93.184.216.34"


class Answers:
    """A resolver that says what it is told, each answer once; the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def addresses(self, host: str) -> list[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        return []

    async def txt(self, name: str) -> list[str]:
        return []


async def refusal(host: str, port: int, addresses: list[str]) -> UnreachableError:
    with pytest.raises(UnreachableError) as failure:
        await Dialler(Answers(addresses)).dial(Endpoint(host, port, Tls.SSL))
    return failure.value


@pytest.mark.parametrize(
    ("host", "port", "addresses"),
    [
        ("imap.acme.example", 993, ["10.0.0.5"]),
        ("imap.acme.example", 993, [PUBLIC, "127.0.0.1"]),
        ("imap.acme.example", 993, ["64:ff9b::7f00:1"]),
        ("imap.acme.example", 993, ["2002:7f00:1::"]),
        ("imap.acme.example", 993, []),
        ("imap.acme.example", 22, [PUBLIC]),
        ("imap.acme.example", 143, [PUBLIC]),
        ("imap.acme.example", 25, [PUBLIC]),
        ("localhost", 993, [PUBLIC]),
        ("intranet", 993, [PUBLIC]),
        ("127.0.0.1", 993, [PUBLIC]),
        ("93.184.216.34", 993, [PUBLIC]),
        ("[::1]", 993, [PUBLIC]),
        ("2130706433", 993, [PUBLIC]),
        ("0x7f.1", 993, [PUBLIC]),
        ("imap.acme.example/x", 993, [PUBLIC]),
        ("imap.acme.example\r\n", 993, [PUBLIC]),
        ("a@imap.acme.example", 993, [PUBLIC]),
        ("", 993, [PUBLIC]),
        ("a" * 300 + ".example", 993, [PUBLIC]),
    ],
)
async def test_a_host_that_is_no_public_mail_server_is_refused(host: str, port: int, addresses: list[str]) -> None:
    await refusal(host, port, addresses)


async def test_every_refusal_has_the_same_text() -> None:
    """Nobody learns from it whether a name exists in our network, or what listens there."""
    refusals = [
        await refusal("imap.acme.example", 993, ["10.0.0.5"]),
        await refusal("imap.acme.example", 993, []),
        await refusal("imap.acme.example", 8080, [PUBLIC]),
    ]
    assert len({(failure.raw, failure.layer) for failure in refusals}) == 1


async def test_the_judged_address_is_the_one_connected_to() -> None:
    """A second DNS answer (rebinding) would lead elsewhere: there is no second question."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answers = Answers(["127.0.0.1"], ["192.0.2.1"])
        sock = await Dialler(answers, allow_private=True).dial(Endpoint("mail.acme.example", port, Tls.SSL))
        assert sock.getpeername() == ("127.0.0.1", port)
        assert answers.asked == 1
        sock.close()


async def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        dialler = Dialler(Answers(["127.0.0.2", "127.0.0.1"]), allow_private=True)
        sock = await dialler.dial(Endpoint("mail.acme.example", port, Tls.SSL))
        assert sock.getpeername()[0] == "127.0.0.1"
        sock.close()


class Zone(asyncio.DatagramProtocol):
    """A name server that answers with what a function makes of the question; None is silence."""

    def __init__(self, answer: Callable[[dns.message.Message], dns.message.Message | None]) -> None:
        self._answer = answer
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            self.transport.sendto(answer.to_wire(), addr)


Serve = Callable[[Callable[[dns.message.Message], dns.message.Message | None]], "asyncio.Future[tuple[Zone, Resolver]]"]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    transports: list[asyncio.BaseTransport] = []

    async def start(answer: Callable[[dns.message.Message], dns.message.Message | None]) -> tuple[Zone, Resolver]:
        transport, zone = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Zone(answer), local_addr=("127.0.0.1", 0)
        )
        transports.append(transport)
        port = transport.get_extra_info("sockname")[1]
        return zone, Resolver(SystemClock(), server=f"127.0.0.1:{port}", timeout=0.3)

    yield start  # type: ignore[misc]
    for transport in transports:
        transport.close()


def told(*records: str, ttl: int = 60) -> Callable[[dns.message.Message], dns.message.Message]:
    def answer(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        texts = [record.split(" ", 1)[1] for record in records if record.startswith(kind + " ")]
        if texts:
            response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", kind, *texts))
        return response

    return answer


async def test_answers_are_read_and_kept_for_their_time(serve: Serve) -> None:
    zone, resolver = await serve(told("MX 20 b.example.", "MX 10 a.example.", 'TXT "v=spf1 " "-all"', "A 192.0.2.7"))
    for _ in range(2):
        assert await resolver.mx("Agency.test.") == [(10, "a.example"), (20, "b.example")]
        assert await resolver.txt("agency.test") == ["v=spf1 -all"]
        assert await resolver.addresses("mail.agency.test") == ["192.0.2.7"]
    assert zone.asked == 5  # that there is no AAAA record is asked anew: somebody may have made one


async def test_a_named_servers_answer_of_no_lasting_value_is_asked_for_anew(serve: Serve) -> None:
    """A TTL of zero is honoured, so that a name that is mended or broken shows at once."""
    zone, resolver = await serve(told("A 192.0.2.7", ttl=0))
    for _ in range(2):
        assert await resolver.addresses("mail.agency.test") == ["192.0.2.7"]
    assert zone.asked == 4


async def test_a_null_mx_says_that_no_mail_is_wanted(serve: Serve) -> None:
    _, resolver = await serve(told("MX 0 ."))
    assert await resolver.mx("nomail.test") == [(0, "")]


async def test_what_does_not_exist_is_missing(serve: Serve) -> None:
    def nxdomain(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    _, resolver = await serve(nxdomain)
    assert await resolver.mx("gone.test") == []
    _, resolver = await serve(told())
    assert await resolver.txt("agency.test") == []


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".test", "y." * 200, "a b\0c"])
async def test_an_impossible_name_is_missing_or_an_error_of_ours(serve: Serve, name: str) -> None:
    _, resolver = await serve(told())
    try:
        assert await resolver.txt(name) == []
    except UnreachableError:
        return


async def test_one_kind_of_address_is_enough_where_the_other_is_never_answered(serve: Serve) -> None:
    def only_v4(query: dns.message.Message) -> dns.message.Message | None:
        asked = dns.rdatatype.to_text(query.question[0].rdtype)
        return told("A 192.0.2.7")(query) if asked == "A" else None

    _, resolver = await serve(only_v4)
    assert await resolver.addresses("mail.agency.test") == ["192.0.2.7"]


async def test_silence_and_failures_are_never_missing(serve: Serve) -> None:
    def servfail(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    for answer in (servfail, lambda query: None):
        _, resolver = await serve(answer)
        for lookup in (resolver.mx, resolver.txt, resolver.addresses):
            with pytest.raises(UnreachableError) as failure:
                await lookup("agency.test")
            assert failure.value.layer == "dns"
