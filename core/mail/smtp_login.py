"""Opens submission connections: dial, TLS, EHLO, login. aiosmtplib talks until the login has been taken."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

from core.errors import (
    ConnectionLostError,
    LoginRefusedError,
    MailError,
    ServerRefusedError,
    UnreachableError,
)
from core.mail.dialler import Dialler
from core.mail.smtp_session import SmtpSession
from core.mail.tls import shrink_tls_buffer
from core.ports.mail import Credentials, Endpoint, Tls

# "Command not implemented": the mechanism was advertised in error, another may do.
_NO_SUCH_MECHANISM = frozenset({502, 503, 504})
_LONGEST_RAW = 1_000


@dataclass(frozen=True, slots=True)
class SmtpTimeouts:
    """Deadlines in seconds. ``command`` covers a group of commands up to DATA, ``data`` the content and the answer to
    its final dot (RFC 5321 4.5.3.2.6)."""

    connect: float = 20.0
    command: float = 60.0
    data: float = 600.0
    quit: float = 2.0


class SmtpOpener:
    """Makes logged-in sessions; one TLS context serves them all."""

    def __init__(self, dialler: Dialler, tls_context: ssl.SSLContext, timeouts: SmtpTimeouts) -> None:
        self._dialler = dialler
        self._tls = tls_context
        self._timeouts = timeouts

    async def open(self, endpoint: Endpoint, credentials: Credentials) -> SmtpSession:
        """Secured and logged in.

        Raises UnreachableError, LoginRefusedError, ServerRefusedError, ConnectionLostError."""
        client = await self._connect(endpoint)
        try:
            if endpoint.tls is Tls.STARTTLS:
                await self._secure(endpoint, client)
            if client.transport is not None:
                shrink_tls_buffer(client.transport)
            await _log_in(endpoint, client, credentials)
            return SmtpSession.take_over(client)
        except BaseException:
            client.close()
            raise

    async def _connect(self, endpoint: Endpoint) -> aiosmtplib.SMTP:
        sock = await self._dialler.dial(endpoint)
        own_address = str(sock.getsockname()[0])
        connection = aiosmtplib.SMTP(
            hostname=endpoint.host,
            sock=sock,
            # An address literal (RFC 5321 4.1.3): the machine's name is nobody's business and takes a DNS query.
            local_hostname=f"[IPv6:{own_address}]" if ":" in own_address else f"[{own_address}]",
            use_tls=endpoint.tls is Tls.SSL,
            start_tls=False,
            tls_context=self._tls,
            timeout=self._timeouts.command,
        )
        try:
            await connection.connect(timeout=self._timeouts.connect)
        except aiosmtplib.SMTPConnectResponseError as error:
            raise _refused(endpoint, error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            sock.close()
            layer = "tls" if isinstance(error.__cause__ or error, ssl.SSLError) else "socket"
            raise UnreachableError(_words(error), layer=layer, host=endpoint.host) from error
        except BaseException:
            sock.close()
            raise
        return connection

    async def _secure(self, endpoint: Endpoint, connection: aiosmtplib.SMTP) -> None:
        try:
            await connection.starttls(timeout=self._timeouts.connect)
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(endpoint, error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise UnreachableError(_words(error), layer="tls", host=endpoint.host) from error


async def _log_in(endpoint: Endpoint, connection: aiosmtplib.SMTP, credentials: Credentials) -> None:
    await _answered(endpoint, connection.ehlo())
    if credentials.access_token:
        await _log_in_by_token(endpoint, connection, credentials)
        return
    mechanisms: dict[str, Callable[..., Awaitable[aiosmtplib.SMTPResponse]]] = {
        "plain": connection.auth_plain,
        "login": connection.auth_login,
        "cram-md5": connection.auth_crammd5,
    }
    # One mechanism, not all in turn as aiosmtplib does: each refusal counts towards locking the account.
    offered = [name for name in mechanisms if name in connection.server_auth_methods]
    refusal: MailError = ServerRefusedError("the server offers no AUTH that we know", layer="smtp", host=endpoint.host)
    for name in offered:
        try:
            await _answered(endpoint, mechanisms[name](credentials.username, credentials.password))
        except ServerRefusedError as error:
            # aiosmtplib wants 235 and no other; the first digit decides (RFC 5321 4.2.1).
            if 200 <= (error.smtp_code or 0) <= 299:
                return
            refusal = _login_refusal(error)
            if error.smtp_code not in _NO_SUCH_MECHANISM:
                break
        else:
            return
    raise refusal


async def _log_in_by_token(endpoint: Endpoint, connection: aiosmtplib.SMTP, credentials: Credentials) -> None:
    """XOAUTH2; the challenge of a refusal is kept, for only it says what the server missed."""
    initial = f"user={credentials.username}\1auth=Bearer {credentials.access_token}\1\1".encode()
    response = await _answered(endpoint, connection.execute_command(b"AUTH", b"XOAUTH2", base64.b64encode(initial)))
    challenge = ""
    if response.code == 334:
        challenge = " " + _decoded(response.message)
        response = await _answered(endpoint, connection.execute_command(b""))
    if response.code != 235:
        words = f"{response.code} {_one_line(response.message)}{challenge}"
        raise _login_refusal(ServerRefusedError(words, layer="smtp", host=endpoint.host, smtp_code=response.code))


def _login_refusal(error: ServerRefusedError) -> MailError:
    """5xx is about the credentials or the account; 4xx (454, 421) says "not now"."""
    code = error.smtp_code or 0
    if code < 500 or code in _NO_SUCH_MECHANISM:
        return error
    return LoginRefusedError(error.raw, layer="smtp", host=error.host, smtp_code=code)


async def _answered(endpoint: Endpoint, call: Awaitable[aiosmtplib.SMTPResponse]) -> aiosmtplib.SMTPResponse:
    """The answer to a command before DATA. Raises ServerRefusedError, ConnectionLostError: nothing has gone out."""
    try:
        return await call
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(endpoint, error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise ConnectionLostError(_words(error), layer="smtp", host=endpoint.host) from error
    except ValueError:  # control characters; the text of the error could hold a secret
        raise ServerRefusedError(
            "an argument holds characters that cannot be sent", layer="smtp", host=endpoint.host, smtp_code=501
        ) from None


def _refused(endpoint: Endpoint, error: aiosmtplib.SMTPResponseException) -> MailError:
    if error.code < 0:  # not SMTP at all
        return ConnectionLostError(_words(error), layer="smtp", host=endpoint.host)
    return ServerRefusedError(_words(error), layer="smtp", host=endpoint.host, smtp_code=error.code)


def _words(error: Exception) -> str:
    """The server's words, or those of the operating system or of ssl beneath aiosmtplib's."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {_one_line(error.message)}"[:_LONGEST_RAW]
    if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, TimeoutError):
        return str(error.__cause__)[:_LONGEST_RAW]
    if isinstance(error, aiosmtplib.SMTPConnectTimeoutError):
        return "[Errno 110] Connection timed out"
    return f"{type(error).__name__}: {error}"[:_LONGEST_RAW]


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _decoded(challenge: str) -> str:
    with suppress(ValueError):
        return base64.b64decode(challenge, validate=True).decode("utf-8", "replace")[:_LONGEST_RAW]
    return _one_line(challenge)[:_LONGEST_RAW]
