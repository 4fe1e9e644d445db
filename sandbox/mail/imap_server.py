"""The IMAP side of the mail host: pymap in this process, with the faults providers show."""

import asyncio
import re
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from contextvars import ContextVar

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.concurrent import Event, Subsystem
from pymap.context import connection_exit
from pymap.exceptions import ResponseError
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing import Params
from pymap.parsing.command.auth import ListCommand
from pymap.parsing.command.select import IdleCommand
from pymap.parsing.commands import Commands
from pymap.parsing.response import Response, ResponseCode, ResponseNo
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import Cleartext

from sandbox.mail.accounts import Account, Directory
from sandbox.mail.imap_store import SPECIAL_USE, FolderSet
from sandbox.mail.ledger import Ledger, LoginAttempt

WRONG_PASSWORD = (b"Invalid credentials (Failure)", b"AUTHENTICATIONFAILED")
IMAP_OFF = (
    b"Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your"
    b" account for IMAP access. (Failure)",
    b"ALERT",
)
THROTTLED = (b"Too many simultaneous connections", b"LIMIT")

_LINE_LIMIT = 1 << 20

_current: ContextVar["HostConnection"] = ContextVar("mail_host_connection")


class LoginRefusedError(ResponseError):
    """A login answered with NO, a response code (RFC 5530) and the provider's words."""

    def __init__(self, text: bytes, code: bytes) -> None:
        super().__init__(text.decode())
        self._text, self._code = text, code

    def get_response(self, tag: bytes) -> ResponseNo:
        return ResponseNo(tag, self._text, ResponseCode.of(self._code))


class SpecialUseList(ListCommand):
    """LIST that lets ``RETURN (SPECIAL-USE)`` pass (RFC 6154); the flags are given in any case."""

    _return_options = re.compile(rb"(?i) RETURN \([A-Z -]*\)(?=\r?\n$)")

    @classmethod
    def parse(cls, buf: memoryview, params: Params) -> tuple[ListCommand, memoryview]:
        return super().parse(memoryview(cls._return_options.sub(b"", bytes(buf))), params)


class HostConfig(Config):
    """pymap's settings: passwords in clear, no thread pool, no waits, no opportunistic TLS."""

    def __init__(self) -> None:
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
        return commands

    @property
    def greeting(self) -> bytes:
        return b"Mail host ready"

    @property
    def login_capability(self) -> Sequence[bytes]:
        return [*super().login_capability, b"SPECIAL-USE"]


class HostSession(Session):
    """A signed-in session whose LIST shows the special uses of folders (RFC 6154)."""

    async def list_mailboxes(
        self, ref_name: str, filter_: str, subscribed: bool = False, selected: SelectedMailbox | None = None
    ) -> tuple[Iterable[tuple[str, str | None, Sequence[bytes]]], SelectedMailbox | None]:
        listed, updates = await super().list_mailboxes(ref_name, filter_, subscribed, selected)
        marked = [
            (name, separator, [*flags, SPECIAL_USE[name]] if name in SPECIAL_USE else flags)
            for name, separator, flags in listed
        ]
        return marked, updates


class HostIdentity(Identity):
    """Whoever proved to own an account."""

    def __init__(self, account: Account, login: "HostLogin") -> None:
        super().__init__(account.address, login, None, frozenset())
        self._folders = login.folders[account.address]

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        yield HostSession(self.name, self.config, self._folders, FilterSet())


class HostLogin(Login):
    """Checks LOGIN and AUTHENTICATE against the accounts and their switches."""

    def __init__(self, config: HostConfig, directory: Directory, folders: dict[str, FolderSet], ledger: Ledger) -> None:
        super().__init__(config)
        self.folders = folders
        self._directory = directory
        self._ledger = ledger

    async def authenticate(self, credentials: ServerCredentials) -> HostIdentity:
        account = self._directory.find(credentials.authcid)
        if account is not None:
            await _current.get().belongs_to(account)
        refusal = self._refusal(account, credentials)
        self._ledger.add(LoginAttempt("imap", credentials.authcid, (refusal or (b"",))[0].decode()))
        if account is None or refusal is not None:
            raise LoginRefusedError(*(refusal or WRONG_PASSWORD))
        return HostIdentity(account, self)

    async def authorize(self, authenticated: Identity, _authzid: str) -> Identity:  # type: ignore[override]
        """Nobody acts for another: whoever signed in works as themselves."""
        return authenticated

    def _refusal(self, account: Account | None, credentials: ServerCredentials) -> tuple[bytes, bytes] | None:
        if account is None:
            return WRONG_PASSWORD
        if account.throttled:
            return THROTTLED
        if not self._proves(account, credentials):
            return WRONG_PASSWORD
        return IMAP_OFF if account.imap_off else None

    def _proves(self, account: Account, credentials: ServerCredentials) -> bool:
        identity = UserMetadata(self.config, credentials.authcid, password=account.password)
        try:
            return credentials.verify(identity)
        except ValueError:  # SASLprep refuses some characters outright
            return False


class HostConnection(IMAPConnection):
    """One client's connection: knows its account, and says nothing while that account is silent."""

    def __init__(
        self, config: HostConfig, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ledger: Ledger
    ) -> None:
        super().__init__(config.commands, config, reader, writer, SocketInfoLocal(writer))
        self._ledger = ledger
        self.account: Account | None = None
        self.idle_folder: str | None = None
        self.task = asyncio.current_task()

    async def belongs_to(self, account: Account) -> None:
        self.account = account
        await self._silence_over()

    async def _silence_over(self) -> None:
        """Waits while the account is silent, but not longer than the connection stands."""

        def may_speak() -> bool:
            return self.account is None or not self.account.silent or self.writer.is_closing()

        await self._ledger.wait_for(lambda: may_speak() or None, timeout=None)

    async def write_response(self, resp: Response) -> None:
        await self._silence_over()
        await super().write_response(resp)

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
        if self.account is None or not self.account.silent:
            self.writer.write(f"* BYE {words}\r\n".encode())
        self.writer.close()
        self._ledger.wake()

    def abort(self) -> None:
        self.writer.transport.abort()
        self._ledger.wake()


class ImapServer:
    """Listens on a plain and a TLS port and keeps track of the connections."""

    def __init__(self, directory: Directory, folders: dict[str, FolderSet], ledger: Ledger) -> None:
        self._config = HostConfig()
        self._login = HostLogin(self._config, directory, folders, ledger)
        self._ledger = ledger
        self._connections: set[HostConnection] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, bind: str, port: int, context: ssl.SSLContext | None = None) -> int:
        """Opens one port, with TLS from the first byte where a context is given. Returns its number."""
        server = await asyncio.start_server(self._serve, bind, port, ssl=context, limit=_LINE_LIMIT)
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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = HostConnection(self._config, reader, writer, self._ledger)
        self._connections.add(connection)
        self._ledger.wake()
        _current.set(connection)
        try:
            async with AsyncExitStack() as stack:
                connection_exit.set(stack)
                stack.enter_context(closing(connection))
                await connection.run(ConnectionState(self._login, self._config))
        finally:
            self._connections.discard(connection)
            self._ledger.wake()
