"""The IMAP side of the mail host: pymap in this process, with the faults providers show."""

import asyncio
import base64
import binascii
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from contextvars import ContextVar
from functools import partial
from typing import cast

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.concurrent import Event, Subsystem
from pymap.context import connection_exit, current_command
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing.command import Command
from pymap.parsing.command.auth import SelectCommand
from pymap.parsing.command.select import IdleCommand
from pymap.parsing.commands import Commands
from pymap.parsing.response import CommandResponse, Response, ResponseContinuation, UntaggedResponse
from pymap.user import UserMetadata
from pysasl import SASLAuth
from pysasl.creds.external import ExternalCredentials
from pysasl.creds.server import ServerCredentials
from pysasl.exception import AuthenticationError
from pysasl.hashing import Cleartext
from pysasl.mechanism import ChallengeResponse

from sandbox.mail.accounts import Account, Provider
from sandbox.mail.imap_commands import RefusedError, SaslInitialResponse, SpecialUseList
from sandbox.mail.imap_session import HostSession
from sandbox.mail.imap_store import FolderSet
from sandbox.mail.ledger import Ledger, LoginAttempt
from sandbox.mail.sign_in import SLOW_S, Gate, Password, Proof, Token, token_challenge

GREETINGS: dict[Provider, str] = {
    "password": "Mail host ready",
    "google": "Gimap ready for requests from 127.0.0.1 a1b2c3mb",
    "microsoft": "The Microsoft Exchange IMAP4 service is ready. [WABZAFoALgBQAFIATwBEAA==]",
}

_LINE_LIMIT = 1 << 20

_current: ContextVar["HostConnection"] = ContextVar("mail_host_connection")


class HostConfig(Config):
    """pymap's settings: passwords in clear, no thread pool, no waits, no opportunistic TLS."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        super().__init__(
            Namespace(proxy_protocol=None, passlib_cfg=None),
            demo_data=False,
            demo_user="",
            demo_password="",
            host=None,
            port=0,
            tls_enabled=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            invalid_user_sleep=0,
            reject_dnsbl=False,
        )

    @property
    def commands(self) -> Commands:
        commands = Commands()
        commands.register(SpecialUseList)
        commands.register(SaslInitialResponse)
        return commands

    @property
    def tls_auth(self) -> SASLAuth:
        return SASLAuth.named([b"PLAIN", b"XOAUTH2"])

    @property
    def greeting(self) -> bytes:
        return GREETINGS[self.provider].encode()

    @property
    def initial_capability(self) -> Sequence[bytes]:
        return [*super().initial_capability, b"SASL-IR"]

    @property
    def login_capability(self) -> Sequence[bytes]:
        return [*super().login_capability, b"SPECIAL-USE"]


class HostIdentity(Identity):
    """Whoever proved to own an account."""

    def __init__(self, account: Account, login: "HostLogin") -> None:
        super().__init__(account.address, login, None, frozenset())
        self._account = account
        self._folders = login.folders[account.address]

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        yield HostSession(self._account, self.config, self._folders)


class HostLogin(Login):
    """Checks LOGIN and AUTHENTICATE against the accounts and their switches."""

    def __init__(self, config: HostConfig, gate: Gate, folders: dict[str, FolderSet], ledger: Ledger) -> None:
        super().__init__(config)
        self.folders = folders
        self._provider = config.provider
        self._gate = gate
        self._ledger = ledger

    async def authenticate(self, credentials: ServerCredentials) -> HostIdentity:
        name, proof = self._read(credentials)
        account = self._gate.find(name, self._provider)
        if account is not None:
            await _current.get().belongs_to(account)
        words = self._gate.words("imap", account, proof, self._provider)
        self._ledger.add(LoginAttempt("imap", name, words))
        if account is None or words:
            raise RefusedError(words)
        return HostIdentity(account, self)

    async def authorize(self, authenticated: Identity, _authzid: str) -> Identity:  # type: ignore[override]
        """Nobody acts for another: whoever signed in works as themselves."""
        return authenticated

    def challenges(self, credentials: ServerCredentials) -> bool:
        """Whether this server explains a refused token before it refuses it, as Google's does."""
        name, proof = self._read(credentials)
        if not isinstance(proof, Token):
            return False
        account = self._gate.find(name, self._provider)
        kind = account.seed.provider if account else self._provider
        return kind != "microsoft" and not self._gate.holds(account, proof.text)

    def _read(self, credentials: ServerCredentials) -> tuple[str, Proof]:
        if isinstance(credentials, ExternalCredentials):
            return credentials.authzid, Token(credentials._token or "")

        def equals(secret: str) -> bool:
            try:
                return credentials.verify(UserMetadata(self.config, credentials.authcid, password=secret))
            except ValueError:  # SASLprep refuses some characters outright
                return False

        return credentials.authcid, Password(equals)


class HostState(ConnectionState):
    """pymap's session, which first tells what a deaf IDLE kept back."""

    def __init__(self, login: HostLogin, config: HostConfig, connection: "HostConnection") -> None:
        super().__init__(login, config)
        self._connection = connection

    async def do_command(self, cmd: Command) -> CommandResponse:
        if isinstance(cmd, SelectCommand):
            self._connection.withheld.clear()
        elif not isinstance(cmd, IdleCommand):
            await self._connection.tell_withheld()
        return await super().do_command(cmd)


class HostConnection(IMAPConnection):
    """One client's connection: knows its account, and says nothing while that account is silent."""

    def __init__(
        self, config: HostConfig, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ledger: Ledger
    ) -> None:
        super().__init__(config.commands, config, reader, writer, SocketInfoLocal(writer))
        self._ledger = ledger
        self.account: Account | None = None
        self.idle_folder: str | None = None
        self.withheld: list[Response] = []
        self.task = asyncio.current_task()

    async def belongs_to(self, account: Account) -> None:
        self.account = account
        await self._silence_over()

    async def _silence_over(self) -> None:
        """Waits while the account is silent, but not longer than the connection stands."""

        def may_speak() -> bool:
            return self.account is None or not self.account.faults.silent or self.writer.is_closing()

        await self._ledger.wait_for(lambda: may_speak() or None, timeout=None)

    async def authenticate(self, state: ConnectionState, mech_name: bytes) -> ServerCredentials | None:
        credentials = self._initial_response(state, mech_name) or await super().authenticate(state, mech_name)
        login = cast(HostLogin, state.login)
        if credentials is not None and login.challenges(credentials):
            await self.write_response(ResponseContinuation(base64.b64encode(token_challenge())))
            await self.read_continuation(0)
        return credentials

    def _initial_response(self, state: ConnectionState, mech_name: bytes) -> ServerCredentials | None:
        """What came with AUTHENTICATE itself (RFC 4959); None where nothing did."""
        command, mechanism = current_command.get(), state.auth.get_server(mech_name)
        if mechanism is None or not isinstance(command, SaslInitialResponse) or command.initial is None:
            return None
        try:
            response = base64.b64decode(command.initial, validate=True)
        except binascii.Error as wrong:
            raise AuthenticationError("Invalid base64.") from wrong
        return mechanism.server_attempt([ChallengeResponse(b"", response)])[0]

    async def write_response(self, resp: Response) -> None:
        await self._silence_over()
        if self.account is not None and self.account.faults.slow and isinstance(resp, CommandResponse):
            await asyncio.sleep(SLOW_S)
        await super().write_response(resp)

    async def write_updates(self, untagged: Iterable[UntaggedResponse]) -> None:  # type: ignore[override]
        """Only IDLE writes here: a deaf account's news waits for the next command."""
        self.withheld.extend(untagged)
        self._ledger.wake()
        if self.account is None or not self.account.faults.deaf:
            await self.tell_withheld()

    async def tell_withheld(self) -> None:
        """Writes what IDLE was to push and has not."""
        told, self.withheld = self.withheld, []
        await super().write_updates(told)

    def hear(self) -> None:
        """Tells a client in IDLE at once what it was not told while its account was deaf."""
        if self.idle_folder is not None:
            told, self.withheld = self.withheld, []
            self.writer.writelines(bytes(response) for response in told)

    async def handle_updates(self, state: ConnectionState, done: Event, cmd: IdleCommand) -> None:
        self._set_idle(state.selected.lookup)
        try:
            await super().handle_updates(state, done, cmd)
        finally:
            self._set_idle(None)

    def _set_idle(self, folder: str | None) -> None:
        self.idle_folder = folder
        self._ledger.wake()

    def say_goodbye(self, words: str) -> None:
        """Ends the connection from the server's side, with a BYE unless the account is silent."""
        if self.account is None or not self.account.faults.silent:
            self.writer.write(f"* BYE {words}\r\n".encode())
        self.writer.close()
        self._ledger.wake()

    def abort(self) -> None:
        self.writer.transport.abort()
        self._ledger.wake()


class ImapServer:
    """Listens on plain and TLS ports, each in a provider's manner, and keeps track of the connections."""

    def __init__(self, gate: Gate, folders: dict[str, FolderSet], ledger: Ledger) -> None:
        self._gate = gate
        self._folders = folders
        self._ledger = ledger
        self._connections: set[HostConnection] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(
        self, bind: str, port: int, context: ssl.SSLContext | None = None, provider: Provider = "password"
    ) -> int:
        """Opens one port, with TLS from the first byte where a context is given. Returns its number."""
        config = HostConfig(provider)
        login = HostLogin(config, self._gate, self._folders, self._ledger)
        serve = partial(self._serve, config, login)
        server = await asyncio.start_server(serve, bind, port, ssl=context, limit=_LINE_LIMIT)
        self._servers.append(server)
        number: int = server.sockets[0].getsockname()[1]
        return number

    def connections(self, address: str) -> list[HostConnection]:
        """The live connections that signed in, or tried to, as this account."""
        return [one for one in self._connections if one.account and one.account.address == address]

    def idling(self, address: str, folder: str) -> bool:
        """Whether a client waits in IDLE on this folder."""
        return any(one.idle_folder == folder for one in self.connections(address))

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [one.task for one in self._connections if one.task]
        for connection in list(self._connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(
        self, config: HostConfig, login: HostLogin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = HostConnection(config, reader, writer, self._ledger)
        self._connections.add(connection)
        self._ledger.wake()
        _current.set(connection)
        try:
            async with AsyncExitStack() as stack:
                connection_exit.set(stack)
                stack.enter_context(closing(connection))
                await connection.run(HostState(login, config, connection))
        finally:
            self._connections.discard(connection)
            self._ledger.wake()
