"""SMTP submission: aiosmtpd with the account checks and refusals of a large provider."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, AnyStr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

from sandbox.mail.accounts import Account, Directory, normalised
from sandbox.mail.ledger import Accepted, Ledger, LoginAttempt, Rejected

HOST_NAME = "mail.agency.test"

WRONG_PASSWORD = "535 5.7.8 Username and Password not accepted."
CLOSED = "421 4.3.2 Service not available, closing transmission channel"
NO_AUTH = "530 5.7.0 Authentication required"
NOT_YOURS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"

RCPT_REPLIES = {
    "reject": "550 5.1.1 The email account that you tried to reach does not exist.",
    "defer": "451 4.7.1 Greylisting in action, please come back later",
}
DATA_REPLIES = {
    "spam": "554 5.7.1 Message rejected: our system has detected that this message is likely unsolicited mail",
}

Carry = Callable[[str, tuple[str, ...], bytes], Awaitable[bytes]]


@dataclass(slots=True)
class Script:
    """A reply given in place of the usual one, for ``left`` more times (None: for good)."""

    reply: str
    left: int | None


class Scripts:
    """Replies that tests put in: at ``mail`` by sender, at ``rcpt`` and ``data`` by recipient."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, str], Script] = {}

    def put(self, stage: str, address: str, reply: str, times: int | None) -> None:
        self._scripts[stage, normalised(address)] = Script(reply, times)

    def take(self, stage: str, address: str) -> str | None:
        key = (stage, normalised(address))
        script = self._scripts.get(key)
        if script is None:
            return None
        if script.left is not None:
            script.left -= 1
            if script.left <= 0:
                del self._scripts[key]
        return script.reply

    def clear(self, address: str) -> None:
        for key in [key for key in self._scripts if key[1] == normalised(address)]:
            del self._scripts[key]


class HostSmtpSession(SmtpSession):
    """aiosmtpd logs a warning for its own use of login_data; a plain attribute keeps it quiet."""

    login_data: Any = None


class SmtpConnection(SMTP):
    """One client's connection: knows its account, and says nothing while that account is silent."""

    def __init__(self, server: "SmtpServer", **options: Any) -> None:
        self._server = server
        self.account: Account | None = None
        super().__init__(server.handler, hostname=HOST_NAME, ident="ESMTP mail host", enable_SMTPUTF8=True, **options)

    def _create_session(self) -> SmtpSession:
        return HostSmtpSession(self.loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        def may_speak() -> bool:
            return self.account is None or not self.account.silent

        # A connection that is lost meanwhile cancels this wait.
        await self._server.ledger.wait_for(lambda: may_speak() or None, timeout=None)
        await super().push(status)

    def say_goodbye(self, reply: str) -> None:
        """Ends the connection from the server's side, with a reply unless the account is silent."""
        if self.account is None or not self.account.silent:
            self._writer.write(reply.encode() + b"\r\n")
        self._writer.close()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class SmtpHandler:
    """Decides the reply to each command, by the hooks whose names aiosmtpd gives."""

    def __init__(self, directory: Directory, ledger: Ledger, scripts: Scripts, carry: Carry) -> None:
        self._directory = directory
        self._ledger = ledger
        self._scripts = scripts
        self._carry = carry
        self._under_way: set[asyncio.Task[str]] = set()

    def authenticate(
        self, server: SmtpConnection, _s: SmtpSession, _e: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        name = given.login.decode("utf-8", "replace")
        account = server.account = self._directory.find(name)
        refusal = self._login_refusal(account, given.password)
        self._ledger.add(LoginAttempt("smtp", name, refusal or ""))
        if refusal == CLOSED:
            server.say_goodbye(CLOSED)
            return AuthResult(success=False, handled=True)
        if refusal:
            return AuthResult(success=False, handled=False, message=refusal)
        return AuthResult(success=True, auth_data=account)

    def _login_refusal(self, account: Account | None, password: bytes) -> str | None:
        if account is not None and account.smtp_off:
            return CLOSED
        if account is None or password != account.password.encode():
            return WRONG_PASSWORD
        return None

    async def handle_EHLO(  # noqa: N802
        self, _server: SmtpConnection, session: SmtpSession, _e: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*replies[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", replies[-1]]

    async def handle_MAIL(  # noqa: N802
        self, server: SmtpConnection, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated or server.account is None:
            return NO_AUTH
        reply = self._scripts.take("mail", address)
        if reply is None and not server.account.owns(address):
            reply = NOT_YOURS
        if reply and not reply.startswith("2"):
            self._ledger.add(Rejected("mail", address, "", reply))
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SmtpConnection, _s: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._scripts.take("rcpt", address) or RCPT_REPLIES.get(self._directory.refusal(address))
        if reply and not reply.startswith("2"):
            self._ledger.add(Rejected("rcpt", envelope.mail_from or "", address, reply))
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SmtpConnection, _s: SmtpSession, envelope: Envelope
    ) -> str:
        """Takes the mail or refuses it. Once taken it is delivered even if the client goes away."""
        sender, rcpts = envelope.mail_from or "", tuple(envelope.rcpt_tos)
        raw = envelope.original_content or b""
        kinds = {self._directory.refusal(rcpt) for rcpt in rcpts}
        for rcpt in rcpts:
            reply = self._scripts.take("data", rcpt) or DATA_REPLIES.get(self._directory.refusal(rcpt))
            if reply and not reply.startswith("2"):
                self._ledger.add(Rejected("data", sender, rcpt, reply))
                return reply
        if "drop_before" in kinds:
            self._ledger.add(Rejected("data", sender, ", ".join(rcpts), "connection cut"))
            return await _cut(server)
        taking = asyncio.create_task(self._take(sender, rcpts, raw, answered="drop" not in kinds))
        self._under_way.add(taking)
        taking.add_done_callback(self._under_way.discard)
        reply = await asyncio.shield(taking)
        return await _cut(server) if "drop" in kinds else reply

    async def _take(self, sender: str, rcpts: tuple[str, ...], raw: bytes, *, answered: bool) -> str:
        carried = await self._carry(sender, rcpts, raw)
        self._ledger.add(Accepted(carried, sender, rcpts, answered))
        return f"250 2.0.0 OK queued as {len(self._ledger.accepted)}"


async def _cut(server: SmtpConnection) -> str:
    """Resets the connection and never answers: losing it cancels this wait."""
    server.abort()
    return await asyncio.get_running_loop().create_future()


class SmtpServer:
    """Listens with plain, TLS and STARTTLS ports and keeps track of the connections."""

    def __init__(self, handler: SmtpHandler, ledger: Ledger) -> None:
        self.handler = handler
        self.ledger = ledger
        self.connections: set[SmtpConnection] = set()
        self._servers: list[asyncio.Server] = []
        logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def listen(
        self, bind: str, port: int, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
    ) -> int:
        """Opens one port: TLS from the first byte, STARTTLS required, or plain. Returns its number."""
        loop = asyncio.get_running_loop()

        def connection() -> SmtpConnection:
            return SmtpConnection(
                self,
                loop=loop,
                authenticator=self.handler.authenticate,
                tls_context=starttls,
                require_starttls=starttls is not None,
                auth_require_tls=starttls is not None,
            )

        server = await loop.create_server(connection, bind, port, ssl=tls)
        self._servers.append(server)
        number: int = server.sockets[0].getsockname()[1]
        return number

    def connections_of(self, address: str) -> list[SmtpConnection]:
        return [one for one in self.connections if one.account and one.account.address == address]

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [one._handler_coroutine for one in self.connections if one._handler_coroutine]
        for connection in list(self.connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
