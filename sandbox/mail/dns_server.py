"""A DNS server for the sample domains, over UDP and TCP (RFC 1035, RFC 7766), with faults to switch on."""

import asyncio
import struct
from collections.abc import Iterator
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.mail.accounts import normalised
from sandbox.mail.zones import FAULTS, Records, sample_records

# A switch that is turned shows at the next question.
_TTL = 0
_PLAIN_UDP_SIZE = 512
_BIND_TRIES = 20


class Zones:
    """The records and the faults of domains; builds the answer to each question."""

    def __init__(self, records: Records | None = None) -> None:
        self._records = dict(records if records is not None else sample_records())
        self._faults: dict[str, str] = {}
        self.questions: list[tuple[str, str]] = []

    def set(self, name: str, kind: str, *values: str) -> None:
        """Replaces the records of a name and type; no values removes them. TXT values are quoted."""
        self._records.pop((normalised(name), kind), None)
        if values:
            self._records[normalised(name), kind] = list(values)

    def fault(self, domain: str) -> str:
        return self._faults.get(normalised(domain), "none")

    def break_domain(self, domain: str, fault: str) -> None:
        """Makes a domain and all names under it faulty in one of the ways of ``FAULTS``.

        Raises:
            ValueError: the fault is not known.
        """
        if fault not in FAULTS:
            raise ValueError(f"a DNS fault is one of {', '.join(FAULTS)}")
        self._faults.pop(normalised(domain), None)
        if fault != "none":
            self._faults[normalised(domain)] = fault

    def answer(self, wire: bytes, limit: int | None = None) -> bytes | None:
        """The reply to one message, cut to ``limit`` octets with the TC bit where it does not fit.

        None means no reply at all: the message was no DNS, or the domain is silent.
        """
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError, ValueError):
            return None
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        fault = self._fault_over(name)
        if fault == "silent":
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        self._fill(response, question.name, name, kind, fault)
        return _wire(response, query, limit)

    def _fill(self, response: dns.message.Message, owner: dns.name.Name, name: str, kind: str, fault: str) -> None:
        values = self._values(name, kind, fault)
        if fault == "servfail":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif fault == "nxdomain" or not self._exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority.append(_soa(name))
        elif values:
            response.answer.append(dns.rrset.from_text(owner, _TTL, "IN", kind, *values))
        else:
            response.authority.append(_soa(name))

    def _values(self, name: str, kind: str, fault: str) -> list[str]:
        values = self._records.get((name, kind), [])
        hidden = {"spf": '"v=spf1', "dmarc": '"v=DMARC1'}.get(fault)
        return [value for value in values if hidden is None or not value.startswith(hidden)]

    def _exists(self, name: str) -> bool:
        """A name exists if it, or a name under it, has any record (RFC 8020)."""
        return any(known == name or known.endswith(f".{name}") for known, _ in self._records)

    def _fault_over(self, name: str) -> str:
        return next((self._faults[above] for above in _ancestors(name) if above in self._faults), "none")


def _ancestors(name: str) -> Iterator[str]:
    labels = name.split(".")
    return (".".join(labels[at:]) for at in range(len(labels)))


def _soa(name: str) -> dns.rrset.RRset:
    zone = ".".join(name.split(".")[-2:])
    text = f"ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 {_TTL}"
    return dns.rrset.from_text(f"{zone}.", _TTL, "IN", "SOA", text)


def _wire(response: dns.message.Message, query: dns.message.Message, limit: int | None) -> bytes:
    room = None if limit is None else max(limit, query.payload if query.edns >= 0 else 0)
    wire = response.to_wire()
    if room is None or len(wire) <= room:
        return wire
    cut = dns.message.make_response(query)
    cut.flags |= dns.flags.AA | dns.flags.RA | dns.flags.TC
    return cut.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._zones.answer(data, _PLAIN_UDP_SIZE)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


class DnsServer:
    """Serves one set of zones on the same port number over UDP and TCP."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.BaseTransport | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self, bind: str, port: int) -> int:
        """Opens both. A free TCP port may be taken for UDP, so port 0 tries again.

        Raises:
            OSError: the port is taken.
        """
        for tries_left in reversed(range(1 if port else _BIND_TRIES)):
            try:
                return await self._open(bind, port)
            except OSError:
                await self.close()
                if not tries_left:
                    raise
        raise OSError("no free port")

    async def _open(self, bind: str, port: int) -> int:
        self._tcp = await asyncio.start_server(self._serve, bind, port)
        number: int = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._zones), local_addr=(bind, number))
        return number

    async def close(self) -> None:
        if self._tcp:
            self._tcp.close()
        if self._udp:
            self._udp.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                reply = self._zones.answer(await reader.readexactly(length))
                if reply is not None:
                    writer.write(struct.pack("!H", len(reply)) + reply)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()
