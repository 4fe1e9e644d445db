"""SMTP submission: aiosmtpd with the account checks and refusals of a large provider."""

import asyncio
import base64
import binascii
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, AnyStr

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

from sandbox.mail.accounts import Account, Directory, Provider, normalised
from sandbox.mail.ledger import Accepted, Ledger, LoginAttempt, Rejected
from sandbox.mail.refusals import CLOSED, DAILY_LIMIT, by_provider
from sandbox.mail.sign_in import SLOW_S, Gate, Password, Proof, Token, read_xoauth2, token_challenge

# The name and the words of each provider's greeting.
GREETINGS: dict[Provider, tuple[str, str]] = {
    "password": ("mail.agency.test", "ESMTP mail host"),
    "google": ("smtp.gmail.com", "ESMTP a1b2c3.42 - gsmtp"),
    "microsoft": ("XYZ.outlook.office365.com", "Microsoft ESMTP MAIL Service ready"),
}

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

    def __init__(self, server: "SmtpServer", provider: Provider, **options: Any) -> None:
        self._server = server
        self.provider = provider
        self.account: Account | None = None
        name, words = GREETINGS[provider]
        super().__init__(server.handler, hostname=name, ident=words, enable_SMTPUTF8=True, **options)

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
            return self.account is None or not self.account.faults.silent

        # A connection that is lost meanwhile cancels this wait.
        await self._server.ledger.wait_for(lambda: may_speak() or None, timeout=None)
        if self.account is not None and self.account.faults.slow:
            await asyncio.sleep(SLOW_S)
        await super().push(status)

    async def auth_XOAUTH2(self, _server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        """AUTH XOAUTH2, named by what aiosmtpd looks for. Google explains a refusal first; Microsoft does not."""
        response = _decoded(args[1].encode()) if len(args) > 1 else await self.challenge_auth("")
        read = read_xoauth2(response) if isinstance(response, bytes) else None
        if read is None:
            if response is not MISSING:
                await self.push("501 5.5.2 Cannot Decode response")
            return AuthResult(success=False, handled=True)
        result = self._server.handler.judge(self, read[0], Token(read[1]))
        if self._server.handler.challenges(self, Token(read[1])) and not result.handled:
            await self.challenge_auth(token_challenge())
        return result

    def say_goodbye(self, reply: str) -> None:
        """Ends the connection from the server's side, with a reply unless the account is silent."""
        if self.account is None or not self.account.faults.silent:
            self._writer.write(reply.encode() + b"\r\n")
        self._writer.close()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class SmtpHandler:
    """Decides the reply to each command, by the hooks whose names aiosmtpd gives."""

    def __init__(self, directory: Directory, gate: Gate, ledger: Ledger, scripts: Scripts, carry: Carry) -> None:
        self._directory = directory
        self._gate = gate
        self._ledger = ledger
        self._scripts = scripts
        self._carry = carry
        self._under_way: set[asyncio.Task[str]] = set()

    def authenticate(
        self, server: SmtpConnection, _s: SmtpSession, _e: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        proof = Password(lambda secret: given.password == secret.encode())
        return self.judge(server, given.login.decode("utf-8", "replace"), proof)

    def judge(self, server: SmtpConnection, name: str, proof: Proof) -> AuthResult:
        account = server.account = self._gate.find(name, server.provider)
        refusal = self._gate.words("smtp", account, proof, server.provider)
        self._ledger.add(LoginAttempt("smtp", name, refusal))
        if refusal == CLOSED:
            server.say_goodbye(CLOSED)
            return AuthResult(success=False, handled=True)
        if refusal:
            return AuthResult(success=False, handled=False, message=refusal)
        return AuthResult(success=True, auth_data=account)

    def challenges(self, server: SmtpConnection, token: Token) -> bool:
        """Whether this server explains a refused token before it refuses it."""
        kind = server.account.seed.provider if server.account else server.provider
        return kind != "microsoft" and not self._gate.holds(server.account, token.text)

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
        if reply is None and server.account.faults.sending == "daily_limit":
            reply = by_provider(DAILY_LIMIT, server.account.seed.provider).smtp
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


def _decoded(given: bytes) -> bytes | None:
    try:
        return base64.b64decode(given, validate=True)
    except binascii.Error:
        return None


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
        self,
        bind: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        provider: Provider = "password",
    ) -> int:
        """Opens one port: TLS from the first byte, STARTTLS required, or plain. Returns its number."""
        loop = asyncio.get_running_loop()

        def connection() -> SmtpConnection:
            return SmtpConnection(
                self,
                provider,
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
