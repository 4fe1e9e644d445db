"""HTTPS to a text message provider: one request, one connection, and the certainty whether anything can have happened.

A connection that was kept open may be closed by the other side just as a request is written to it, which leaves the
outcome unknown: so none is kept. No redirect is followed, no proxy is taken from the environment, answers are small.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from core.errors import ConnectionLostError, MailError, UnreachableError

_MOST_BYTES = 512 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Answer:
    """``text`` is None where it was too long, too slow or cut off: the status alone was learned.

    ``retry_after`` is in seconds.
    """

    status: int
    text: str | None
    retry_after: float | None = None


class SmsHttp:
    """``timeout`` is for a whole request, in seconds."""

    def __init__(self, context: ssl.SSLContext, *, timeout: float = 20.0) -> None:
        self._context, self._timeout = context, timeout

    async def ask(self, method: str, url: str, *, authorization: str, form: Mapping[str, str] | None = None) -> Answer:
        """The answer, whatever its status. Raises UnreachableError (nothing was written) and ConnectionLostError (the
        request was, or may have been, read)."""
        host = _checked_host(url)
        began: list[bool] = []
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=self._timeout),
                    trace_configs=[_noting_the_first_byte(began)],
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                session.request(
                    method,
                    url,
                    data=form,
                    headers={
                        "Authorization": authorization,
                        "Accept": "application/json",
                        "Accept-Encoding": "identity",
                    },
                    ssl=self._context,
                    allow_redirects=False,
                ) as answer,
            ):
                wait = answer.headers.get("Retry-After", "")
                return Answer(
                    answer.status, await _body(answer), float(wait) if re.fullmatch(r"[0-9]{1,6}", wait) else None
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise (_lost if began else _unreachable)(error, host) from None


def _noting_the_first_byte(began: list[bool]) -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def note(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, _sent: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        began.append(True)

    trace.on_request_headers_sent.append(note)
    return trace


def _checked_host(url: str) -> str:
    """The host. Raises UnreachableError: the account's token travels by https, or on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise UnreachableError("the text message provider is not at an https address", layer="tls", host=host)
    return host


async def _body(answer: aiohttp.ClientResponse) -> str | None:
    body = bytearray()
    try:
        async for chunk in answer.content.iter_chunked(16 * 1024):
            body += chunk
            if len(body) > _MOST_BYTES:
                return None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    return body.decode("utf-8", "replace")


def _lost(error: Exception, host: str) -> MailError:
    words = "fell silent" if isinstance(error, TimeoutError) else f"broke the connection off ({type(error).__name__})"
    return ConnectionLostError(f"the text message provider {words}", layer="socket", host=host)


def _unreachable(error: Exception, host: str) -> MailError:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return UnreachableError(str(error.certificate_error), layer="tls", host=host)
        case aiohttp.ClientConnectorSSLError():
            return UnreachableError(str(error.os_error), layer="tls", host=host)
        case aiohttp.ClientConnectorDNSError():
            return UnreachableError(str(error.os_error), layer="dns", host=host)
        case aiohttp.ClientConnectorError():
            return UnreachableError(str(error.os_error), layer="socket", host=host)
        case TimeoutError():
            return UnreachableError("the text message provider could not be reached in time", layer="socket", host=host)
        case _:
            words = f"the text message provider could not be reached ({type(error).__name__})"
            return UnreachableError(words, layer="socket", host=host)
