"""Hands mail to submission servers: implements ``ports.MailTransport`` on aiosmtplib.

What is certain and what is not follows RFC 5321 4.2.5 and RFC 1047: until DATA is sent, nothing has gone out, and
every failure is a certain one; a refusal is certain at any time; silence from DATA on leaves the outcome unknown.
A cancellation while DATA is under way leaves it unknown as well: it is passed on, and the connection is cut.
"""

from __future__ import annotations

import base64
import binascii
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

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
from core.mail.smtp_pool import SmtpPool
from core.mail.tls import shrink_tls_buffer
from core.ports.mail import Credentials, Endpoint, SendReceipt, Tls

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
# A dot-atom (RFC 5322 3.2.3), ASCII or beyond. aiosmtplib would "repair" anything else into some other address.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u00a1-\U0010ffff-]{1,64}@[A-Za-z0-9.\u00a1-\U0010ffff-]{1,255}")
# "Command not implemented": the mechanism was advertised in error, another may do.
_NO_SUCH_MECHANISM = frozenset({502, 503, 504})
_LONGEST_RAW = 1_000


@dataclass(frozen=True, slots=True)
class SmtpTimeouts:
    """Deadlines in seconds; ``data`` covers DATA and the answer to the final dot (RFC 5321 4.5.3.2.6)."""

    connect: float = 20.0
    command: float = 60.0
    data: float = 600.0
    quit: float = 2.0


class SmtpTransport:
    """Sends over a small pool of connections per server and user name."""

    def __init__(
        self,
        dialler: Dialler,
        tls_context: ssl.SSLContext,
        *,
        timeouts: SmtpTimeouts | None = None,
        connections_per_mailbox: int = 2,
        idle_seconds: float = 30.0,
    ) -> None:
        self._dialler = dialler
        self._tls = tls_context
        self._timeouts = timeouts or SmtpTimeouts()
        self._pool = SmtpPool(connections_per_mailbox, idle_seconds, self._timeouts.quit)

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        """Raises what ``ports.MailTransport`` says; InputError for an address or a ``raw`` that cannot be sent.
        All or nothing: one refused recipient refuses the mail."""
        check_wire_form(raw)
        check_addresses(sender, *recipients)
        async with self._pool.turn(endpoint, credentials.username):
            connection = await self._with_envelope(endpoint, credentials, sender, recipients, raw)
            try:
                receipt = await self._data(endpoint, connection, raw)
            except ServerRefusedError:
                self._pool.give_back(endpoint, credentials, connection)
                raise
            except BaseException:
                connection.close()
                raise
            self._pool.give_back(endpoint, credentials, connection)
            return receipt

    async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
        """Logs in and out. Raises UnreachableError, LoginRefusedError, ServerRefusedError, ConnectionLostError."""
        connection = await self._open(endpoint, credentials)
        await self._pool.hang_up(connection)

    async def close(self) -> None:
        """Closes the idle connections; those at work close when they are done."""
        await self._pool.close()

    # The mail

    async def _with_envelope(
        self, endpoint: Endpoint, credentials: Credentials, sender: str, recipients: Sequence[str], raw: bytes
    ) -> aiosmtplib.SMTP:
        """A connection that took MAIL and RCPT. A kept connection that has died is replaced: nothing was sent yet."""
        while (kept := self._pool.take(endpoint, credentials)) is not None:
            try:
                await _answered(endpoint, kept.rset(timeout=self._timeouts.command))
                await self._envelope(endpoint, kept, sender, recipients, raw)
            except MailError as error:
                refused = isinstance(error, ServerRefusedError) and error.smtp_code != 421
                if not refused:
                    kept.close()
                    continue
                self._pool.give_back(endpoint, credentials, kept)
                raise
            except BaseException:
                kept.close()
                raise
            return kept
        fresh = await self._open(endpoint, credentials)
        try:
            await self._envelope(endpoint, fresh, sender, recipients, raw)
        except ServerRefusedError:
            self._pool.give_back(endpoint, credentials, fresh)
            raise
        except BaseException:
            fresh.close()
            raise
        return fresh

    async def _envelope(
        self, endpoint: Endpoint, connection: aiosmtplib.SMTP, sender: str, recipients: Sequence[str], raw: bytes
    ) -> None:
        options, encoding = _mail_options(endpoint, connection, (sender, *recipients), raw)
        timeout = self._timeouts.command
        await _answered(endpoint, connection.mail(sender, options=options, encoding=encoding, timeout=timeout))
        for recipient in recipients:
            await _answered(endpoint, connection.rcpt(recipient, encoding=encoding, timeout=timeout))

    async def _data(self, endpoint: Endpoint, connection: aiosmtplib.SMTP, raw: bytes) -> SendReceipt:
        try:
            response = await connection.data(raw, timeout=self._timeouts.data)
        except aiosmtplib.SMTPDataError as error:
            if 400 <= error.code <= 599:
                raise _refused(endpoint, error) from error
            raise OutcomeUnknownError(_words(error), layer="smtp", host=endpoint.host) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise OutcomeUnknownError(_words(error), layer="smtp", host=endpoint.host) from error
        return SendReceipt(f"{response.code} {_one_line(response.message)}")

    # The connection

    async def _open(self, endpoint: Endpoint, credentials: Credentials) -> aiosmtplib.SMTP:
        """A connection that is secured and logged in."""
        connection = await self._connect(endpoint)
        try:
            if endpoint.tls is Tls.STARTTLS:
                await self._secure(endpoint, connection)
            if connection.transport is not None:
                shrink_tls_buffer(connection.transport)
            await _log_in(endpoint, connection, credentials)
        except BaseException:
            connection.close()
            raise
        return connection

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


def check_wire_form(raw: bytes) -> None:
    """Raises InputError unless every line of ``raw`` ends in CRLF: a bare CR or LF lets text turn into commands."""
    bare = _BARE_LINE_END.search(raw)
    if bare is not None:
        raise InputError(f"a bare CR or LF at byte {bare.start()} of the message")
    if not raw.endswith(b"\r\n"):
        raise InputError("the message does not end in CRLF")


def check_addresses(*addresses: str) -> None:
    """Raises InputError for what is not exactly one address: such text could turn into commands or other recipients."""
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise InputError(f"{address[:320]!r} is not an address that mail can be sent to")


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


def _mail_options(
    endpoint: Endpoint, connection: aiosmtplib.SMTP, addresses: Sequence[str], raw: bytes
) -> tuple[list[str], str]:
    options, encoding = [], "ascii"
    if connection.supports_extension("size"):
        options.append(f"SIZE={len(raw)}")
    for name, needed, option in (
        ("SMTPUTF8", not all(address.isascii() for address in addresses), "SMTPUTF8"),
        ("8BITMIME", not raw.isascii(), "BODY=8BITMIME"),
    ):
        if not needed:
            continue
        if not connection.supports_extension(name):
            raise ServerRefusedError(f"the server does not offer {name}", layer="smtp", host=endpoint.host)
        options.append(option)
    if "SMTPUTF8" in options:
        encoding = "utf-8"
    return options, encoding


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
    with suppress(binascii.Error):
        return base64.b64decode(challenge, validate=True).decode("utf-8", "replace")[:_LONGEST_RAW]
    return _one_line(challenge)[:_LONGEST_RAW]
