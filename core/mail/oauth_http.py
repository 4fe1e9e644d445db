"""HTTPS to the sign-in services. Their hosts are set by the operator, so no guard of the dialler's stands before them.

No redirect is followed, no proxy is taken from the environment, answers are small or refused. Whatever is not 200 is
raised here, in the service's own words without any secret of ours in them.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp

from core.domain.diagnosis import Failure, diagnose
from core.errors import ConnectionLostError, LoginRefusedError, MailError, ServerRefusedError, UnreachableError

_MOST_BYTES = 256 * 1024
_MOST_WORDS = 4_000
_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Values of a hostile or broken answer that must not reach a card or a log.
_SECRET_VALUES = re.compile(
    r"((?:access_token|refresh_token|id_token|client_secret|code_verifier|assertion)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
    r"[\w.~+/=-]{1,4000}",
    re.IGNORECASE,
)


class SignInHttp:
    """One short-lived connection per request: there are few. ``timeout`` is for the whole request, in seconds."""

    def __init__(self, context: ssl.SSLContext, *, timeout: float = 20.0) -> None:
        self._context = context
        self.timeout = timeout

    async def get(self, url: str) -> str:
        """The body of a 200 answer. Raises MailError kinds."""
        return await self._ask("GET", url, None, {}, ())

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None, *, secrets: Collection[str]
    ) -> str:
        """The body of a 200 answer. ``secrets`` never show in an error. Raises MailError kinds."""
        return await self._ask("POST", url, form, headers or {}, secrets)

    async def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
        secrets: Collection[str],
    ) -> str:
        host = _checked_host(url)
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=self.timeout), auto_decompress=False, trust_env=False
                ) as session,
                session.request(
                    method,
                    url,
                    data=form,
                    headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
                    ssl=self._context,
                    allow_redirects=False,
                ) as answer,
            ):
                text = await _body(answer, host)
                if answer.status == HTTPStatus.OK:
                    return text
                raise refusal(answer.status, without(secrets, text), host, answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _broken(error, host) from None


def json_object(text: str, host: str) -> dict[str, Any]:
    """The JSON object of an answer. Raises ServerRefusedError, whose words hold nothing of it: it could be a token."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable(host)
    return found


def unreadable(host: str) -> ServerRefusedError:
    return ServerRefusedError(
        "server_error: the sign-in service's answer cannot be understood", layer="oauth", host=host
    )


def refusal(status: int, text: str, host: str, retry_after: str = "") -> MailError:
    """What an answer other than 200 means: only the service's refusal of what we brought is a refused login."""
    words = text.strip()[:_MOST_WORDS]
    client_fault = 400 <= status < 500 and status not in _BUSY
    raw = words if client_fault and words.startswith("{") else _with_status(status, words, retry_after)
    refused = client_fault and not diagnose(Failure("oauth", raw, host)).transient
    return (LoginRefusedError if refused else ServerRefusedError)(raw, layer="oauth", host=host)


def without(secrets: Collection[str], text: str) -> str:
    """``text`` with our secrets, and whatever looks like one, blotted out."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, quote_plus(secret)}:
            text = text.replace(form, "[hidden]")
    return _SECRET_VALUES.sub(r"\1[hidden]", text)


def _with_status(status: int, words: str, retry_after: str) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    wait = f" Retry-After: {retry_after}" if re.fullmatch(r"\d{1,6}", retry_after) else ""
    return f"HTTP {status} {phrase}{wait}{': ' if words else ''}{words}"


def is_loopback(host: str | None) -> bool:
    return host in _LOOPBACK


def _checked_host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UnreachableError("the sign-in service is not at an https address", layer="tls", host=host)
    return host


async def _body(answer: aiohttp.ClientResponse, host: str) -> str:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise unreadable(host)
    return body.decode("utf-8", "replace")


def _broken(error: Exception, host: str) -> MailError:
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
            return ConnectionLostError("the sign-in service timed out", layer="socket", host=host)
        case _:
            return ConnectionLostError(f"the connection broke off ({type(error).__name__})", layer="socket", host=host)
