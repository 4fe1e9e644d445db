"""Fetches a domain's autoconfig file over HTTPS from hosts that strangers name (SSRF: see ``dialler``).

HTTPS only, on its own port; every address of a host must be public, and the connection goes to the judged address; no
proxy, no cookie, no content coding; two redirects, each judged again; at most 64 KiB.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from core.domain.autoconfig import MAX_BYTES
from core.errors import MailError, ServerRefusedError, UnreachableError
from core.mail.dialler import is_public
from core.ports.mail import NameResolver

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MOST_REDIRECTS: Final = 2
_LONGEST_URL: Final = 2_000
_HOST_NAME: Final = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}")


class AutoconfigHttp:
    """Implements ``core.services.discovery.AutoconfigSource``. ``allow_private`` lifts the rule of public addresses;
    ``port`` is where tests have their server."""

    def __init__(
        self,
        resolver: NameResolver,
        context: ssl.SSLContext,
        *,
        allow_private: bool = False,
        timeout: float = 4.0,
        port: int = 443,
    ) -> None:
        self._resolver = resolver
        self._context = context
        self._allow_private = allow_private
        self._timeout = timeout
        self._port = port

    async def fetch(self, url: str) -> bytes | None:
        """The file at an https:// address; None where there is none (no such name, no server, or not 200).

        Raises UnreachableError with layer dns where the name servers are in trouble, or layer tls where the certificate
        is wrong; ServerRefusedError where the answer breaks the rules above.
        """
        names = _JudgedNames(self._resolver, allow_private=self._allow_private)
        connector = aiohttp.TCPConnector(resolver=names, ssl=self._context, use_dns_cache=False)
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            try:
                return await self._follow(session, url)
            except aiohttp.ClientConnectorCertificateError as error:
                raise UnreachableError(str(error.certificate_error), layer="tls", host=_host(url)) from None
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                if names.trouble is not None:
                    raise names.trouble from None
                return None

    async def _follow(self, session: aiohttp.ClientSession, url: str) -> bytes | None:
        for _ in range(_MOST_REDIRECTS + 1):
            headers = {"Accept": "text/xml, application/xml", "Accept-Encoding": "identity"}
            async with session.get(self._judged(url), headers=headers, allow_redirects=False) as answer:
                if answer.status in _REDIRECTS:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                return await _body(answer, url) if answer.status == 200 else None
        raise ServerRefusedError("too many redirects", layer="socket", host=_host(url))

    def _judged(self, url: str) -> str:
        """The same address with the port to use. Raises ServerRefusedError."""
        parts = urlsplit(url)
        if (
            len(url) > _LONGEST_URL
            or parts.scheme != "https"
            or parts.username is not None
            or parts.port not in (None, 443, self._port)
            or not _HOST_NAME.fullmatch(parts.hostname or "")
        ):
            raise ServerRefusedError("an address that is not followed", layer="socket", host=_host(url))
        return parts._replace(netloc=f"{parts.hostname}:{self._port}", fragment="").geturl()


class _JudgedNames(AbstractResolver):
    """Names for aiohttp, by our own resolver; ``trouble`` keeps what DNS could not do."""

    def __init__(self, resolver: NameResolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self.trouble: MailError | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of both families. Raises OSError, as aiohttp expects it."""
        del family
        try:
            found = await self._resolver.addresses(host)
        except MailError as error:
            self.trouble = error
            raise OSError(f"{host} cannot be looked up") from None
        if not found or not (self._allow_private or all(map(is_public, found))):
            raise OSError(f"{host} is no public host")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found[:2]
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _body(answer: aiohttp.ClientResponse, url: str) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            raise ServerRefusedError(f"the file is larger than {MAX_BYTES} bytes", layer="socket", host=_host(url))
    return bytes(body)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0][:253]
