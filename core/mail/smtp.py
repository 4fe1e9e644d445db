"""Hands mail to submission servers: implements ``ports.MailTransport``; aiosmtplib opens the connections.

What is certain and what is not follows RFC 5321 4.2.5 and RFC 1047: until the content is written, nothing has gone
out, and every failure is a certain one; a refusal is certain at any time; silence after the content leaves the outcome
unknown. A cancellation while the content is under way leaves it unknown as well: it is passed on, and the connection
is cut.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence

from core.errors import ConnectionLostError, InputError, OutcomeUnknownError, ServerRefusedError
from core.mail.dialler import Dialler
from core.mail.smtp_login import SmtpOpener, SmtpTimeouts
from core.mail.smtp_pool import SmtpPool
from core.mail.smtp_session import Reply, SmtpSession
from core.ports.mail import Credentials, Endpoint, SendReceipt

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
# A dot-atom (RFC 5322 3.2.3), ASCII or beyond: anything else could hold another address, or a command.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u00a1-\U0010ffff-]{1,64}@[A-Za-z0-9.\u00a1-\U0010ffff-]{1,255}")
_LONGEST_RAW = 1_000
_CLOSING = 421  # the server ends the connection (RFC 5321 3.8)
_GO_ON = 354


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
        self._timeouts = timeouts or SmtpTimeouts()
        self._opener = SmtpOpener(dialler, tls_context, self._timeouts)
        self._pool = SmtpPool(connections_per_mailbox, idle_seconds, self._timeouts.quit)

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        """Raises what ``ports.MailTransport`` says; InputError for an address or a ``raw`` that cannot be sent.
        All or nothing: one refused recipient refuses the mail."""
        check_wire_form(raw)
        check_addresses(sender, *recipients)
        async with self._pool.turn(endpoint, credentials.username):
            session = await self._at_354(endpoint, credentials, sender, recipients, raw)
            try:
                return await self._content(endpoint, session, raw)
            finally:
                self._pool.give_back(endpoint, credentials, session)

    async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
        """Logs in and out. Raises UnreachableError, LoginRefusedError, ServerRefusedError, ConnectionLostError."""
        session = await self._opener.open(endpoint, credentials)
        await session.quit(self._timeouts.quit)

    async def close(self) -> None:
        """Closes the idle connections; those at work close when they are done."""
        await self._pool.close()

    async def _at_354(
        self, endpoint: Endpoint, credentials: Credentials, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SmtpSession:
        """A session that waits for the content. A kept one that has died is replaced: nothing was sent yet."""
        while (kept := self._pool.take(endpoint, credentials)) is not None:
            try:
                await self._envelope(endpoint, kept, sender, recipients, raw)
            except ConnectionLostError:
                continue
            except ServerRefusedError as error:
                if error.smtp_code == _CLOSING:
                    continue
                self._pool.give_back(endpoint, credentials, kept)
                raise
            else:
                return kept
        fresh = await self._opener.open(endpoint, credentials)
        try:
            await self._envelope(endpoint, fresh, sender, recipients, raw)
        except ServerRefusedError:
            self._pool.give_back(endpoint, credentials, fresh)
            raise
        return fresh

    async def _envelope(
        self, endpoint: Endpoint, session: SmtpSession, sender: str, recipients: Sequence[str], raw: bytes
    ) -> None:
        """MAIL, RCPT, DATA. Closes the session on anything but a refusal that leaves it in order."""
        commands = envelope_commands(endpoint, session, sender, recipients, raw)
        session.begun = True
        replies = await session.ask(commands, self._timeouts.command)
        try:
            _require_accepted(endpoint, session, len(commands), replies)
        except ServerRefusedError as error:
            # DATA in the same group may have been taken although a recipient was not. The dot that would end it would
            # hand an empty mail to the others (RFC 2920 3.1 offers it only where all were refused): cut instead.
            if replies[-1].code == _GO_ON or error.smtp_code == _CLOSING:
                session.close()
            raise
        except ConnectionLostError:
            session.close()
            raise

    async def _content(self, endpoint: Endpoint, session: SmtpSession, raw: bytes) -> SendReceipt:
        reply = await session.hand_over(raw, self._timeouts.data)
        if reply is None:
            raise OutcomeUnknownError(session.failure[:_LONGEST_RAW], layer="smtp", host=endpoint.host)
        words = str(reply)[:_LONGEST_RAW]
        if reply.accepted:
            session.begun = False
            return SendReceipt(words)
        if reply.refused:
            raise ServerRefusedError(words, layer="smtp", host=endpoint.host, smtp_code=reply.code)
        session.close()
        raise OutcomeUnknownError(words, layer="smtp", host=endpoint.host)


def check_wire_form(raw: bytes) -> None:
    """Raises InputError unless every line of ``raw`` ends in CRLF: a bare CR or LF lets text turn into commands."""
    if not raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n"):
        bare = _BARE_LINE_END.search(raw)
        raise InputError(f"a bare CR or LF at byte {bare.start() if bare else 0} of the message")
    if not raw.endswith(b"\r\n"):
        raise InputError("the message does not end in CRLF")


def check_addresses(*addresses: str) -> None:
    """Raises InputError for what is not exactly one address: such text could turn into commands or other recipients."""
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise InputError(f"{address[:320]!r} is not an address that mail can be sent to")


def envelope_commands(
    endpoint: Endpoint, session: SmtpSession, sender: str, recipients: Sequence[str], raw: bytes
) -> list[bytes]:
    """MAIL, RCPT and DATA as they are written, after RSET where another transaction was begun.

    Raises ServerRefusedError where the mail needs an extension that the server does not offer."""
    options = "".join(f" {option}" for option in _mail_options(endpoint, session, (sender, *recipients), raw))
    return [
        *([b"RSET"] if session.begun else []),
        f"MAIL FROM:<{sender}>{options}".encode(),
        *(f"RCPT TO:<{recipient}>".encode() for recipient in recipients),
        b"DATA",
    ]


def _mail_options(endpoint: Endpoint, session: SmtpSession, addresses: Sequence[str], raw: bytes) -> list[str]:
    options = [f"SIZE={len(raw)}"] if "size" in session.extensions else []
    for name, needed, option in (
        ("SMTPUTF8", not all(address.isascii() for address in addresses), "SMTPUTF8"),
        ("8BITMIME", not raw.isascii(), "BODY=8BITMIME"),
    ):
        if not needed:
            continue
        if name.lower() not in session.extensions:
            raise ServerRefusedError(f"the server does not offer {name}", layer="smtp", host=endpoint.host)
        options.append(option)
    return options


def _require_accepted(endpoint: Endpoint, session: SmtpSession, asked: int, replies: Sequence[Reply]) -> None:
    """All commands taken, and DATA answered with 354. Raises ServerRefusedError, ConnectionLostError."""
    for number, reply in enumerate(replies, start=1):
        if reply.refused:
            words = str(reply)[:_LONGEST_RAW]
            raise ServerRefusedError(words, layer="smtp", host=endpoint.host, smtp_code=reply.code)
        if not (reply.code == _GO_ON if number == asked else reply.accepted):
            raise ConnectionLostError(f"{reply} at the wrong place"[:_LONGEST_RAW], layer="smtp", host=endpoint.host)
    # Gone right after its 354: no content has been written, and none will be.
    if len(replies) < asked or not session.is_usable:
        raise ConnectionLostError(session.failure[:_LONGEST_RAW], layer="smtp", host=endpoint.host)
