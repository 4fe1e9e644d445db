"""Opens sockets to mail servers that users name, and to nothing else (SSRF: OWASP Server Side Request Forgery).

A name is resolved once; all its addresses must be public by our own table (``ipaddress.is_global`` of Python 3.11.7
calls NAT64, 6to4 and other tunnels global); the socket goes to the judged address, so a second DNS answer changes
nothing. TLS keeps the name. Refusals have one text, so that nobody learns from them what exists inside our network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket

from core.errors import UnreachableError
from core.ports.mail import Endpoint, NameResolver, Tls

PUBLIC_PORTS = frozenset({993, 465, 587})
_MAX_ADDRESSES = 4
_HOST_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])\.?")

# IANA special-purpose address registries; what is not in 2000::/3 is not public in IPv6.
_NOT_PUBLIC_V4 = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
        "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 "
        "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
    ).split()
]
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = [
    ipaddress.IPv6Network(block) for block in "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20".split()
]


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet. False for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in block for block in _NOT_PUBLIC_V4)
    return ip in _PUBLIC_V6 and not any(ip in block for block in _NOT_PUBLIC_V6)


class Dialler:
    """Turns an endpoint into a connected socket. ``allow_private`` lifts the rules, for servers of one's own."""

    def __init__(self, resolver: NameResolver, *, allow_private: bool = False, timeout: float = 10.0) -> None:
        self._resolver = resolver
        self._timeout = timeout
        self.allow_private = allow_private

    async def dial(self, endpoint: Endpoint) -> socket.socket:
        """A connected, non-blocking TCP socket. Raises UnreachableError with layer dns, socket or tls."""
        if endpoint.tls is Tls.NONE and not self.allow_private:
            raise UnreachableError("a connection without TLS is not allowed", layer="tls", host=endpoint.host)
        addresses = await self._judged_addresses(endpoint)
        failure: OSError | None = None
        for address in addresses[:_MAX_ADDRESSES]:
            try:
                async with asyncio.timeout(self._timeout / min(len(addresses), _MAX_ADDRESSES)):
                    return await _connect(address, endpoint.port)
            except TimeoutError:
                failure = failure or TimeoutError(110, "Connection timed out")
            except OSError as error:
                failure = failure or error
        raise UnreachableError(str(failure), layer="socket", host=endpoint.host) from failure

    async def _judged_addresses(self, endpoint: Endpoint) -> list[str]:
        if not self.allow_private and not _is_allowed(endpoint):
            raise _refusal(endpoint, public_only=not self.allow_private)
        try:
            async with asyncio.timeout(self._timeout):
                addresses = await self._resolver.addresses(endpoint.host)
        except TimeoutError:
            raise UnreachableError(
                "[Errno -3] Temporary failure in name resolution", layer="dns", host=endpoint.host
            ) from None
        if not addresses or not (self.allow_private or all(is_public(address) for address in addresses)):
            raise _refusal(endpoint, public_only=not self.allow_private)
        return addresses


def _is_allowed(endpoint: Endpoint) -> bool:
    return endpoint.port in PUBLIC_PORTS and _HOST_NAME.fullmatch(endpoint.host.lower()) is not None


def _refusal(endpoint: Endpoint, *, public_only: bool) -> UnreachableError:
    """The same words for a name that is missing and for one inside: nobody learns from here what there is inside."""
    rule = " Only public mail servers on ports 993, 465 and 587 can be reached." if public_only else ""
    words = f"The DNS query name does not exist: {endpoint.host[:253]}.{rule}"
    return UnreachableError(words, layer="dns", host=endpoint.host[:253])


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
