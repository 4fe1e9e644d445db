"""The sign-in stand-ins as one object: start them, break them, mend them."""

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

import trustme
from aiohttp import web

from sandbox.mail import MailHost
from sandbox.mail.tokens import TokenProvider
from sandbox.signin import routes as http
from sandbox.signin.google import PREFIX, GoogleFace
from sandbox.signin.grants import GrantBook
from sandbox.signin.microsoft import MicrosoftFace
from sandbox.signin.registry import App, Registry, Request

LOOPBACK = "127.0.0.1"
MAX_REQUEST_BYTES = 64 * 1024
SHUTDOWN_SECONDS = 1.0


class SignInHost:
    """Google's and Microsoft's sign-in over HTTPS, as ``async with SignInHost(mail) as signin``.

    ``mail`` runs already: its recruiters sign in here and its XOAUTH2 asks for the tokens issued here.
    The certificate's CA is added to ``mail.ca_file``, so that a program needs one file for both.
    ``page_origin`` serves the same by plain HTTP, for the eyes of people: a browser does not know
    the CA, and would warn of Microsoft's page each time.
    """

    def __init__(self, mail: MailHost) -> None:
        self.mail = mail
        self.registry = Registry(mail)
        self._google = GoogleFace(self.registry)
        self._microsoft = MicrosoftFace(self.registry)
        application = web.Application(client_max_size=MAX_REQUEST_BYTES)
        application.add_routes([*self._google.routes(), *self._microsoft.routes()])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self.origin = self.page_origin = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._tls_context()).start()
            await web.TCPSite(self._runner, LOOPBACK, 0).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        secure, plain = (port for _, port, *_ in self._runner.addresses)
        self.origin, self.page_origin = f"https://{LOOPBACK}:{secure}", f"http://{LOOPBACK}:{plain}"
        self._google.origin = self._microsoft.origin = self.origin
        self._microsoft.page_origin = self.page_origin
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    # -- what the product is told

    @property
    def google_base(self) -> str:
        """GOOGLE_OAUTH_BASE."""
        return f"{self.origin}{PREFIX}"

    @property
    def microsoft_authority(self) -> str:
        """MICROSOFT_AUTHORITY."""
        return f"{self.origin}/common"

    @property
    def google(self) -> App:
        """The product's registration with Google: client id and secret."""
        return self.registry.apps["google"]

    @property
    def microsoft(self) -> App:
        """The product's registration with Microsoft: client id and secret."""
        return self.registry.apps["microsoft"]

    @property
    def ca_file(self) -> str:
        """PEM of the CAs of the mail host and of this one."""
        return self.mail.ca_file

    @property
    def grants(self) -> GrantBook:
        """Codes and refresh tokens issued so far."""
        return self.registry.grants

    @property
    def requests(self) -> list[Request]:
        """What programs asked, oldest first; ``mail.wait_until`` sees each at once."""
        return self.registry.requests

    def describe(self) -> dict[str, dict[str, object]]:
        """Everything a program needs to sign people in, as JSON can carry it."""
        return {
            "google": {"base": self.google_base, **self._credentials(self.google)},
            "microsoft": {"authority": self.microsoft_authority, **self._credentials(self.microsoft)},
        }

    def _credentials(self, app: App) -> dict[str, object]:
        return {"client_id": app.client_id, "client_secret": app.client_secret, "ca_file": self.ca_file}

    # -- faults

    def turn(self, provider: str, target: str, switch: str, value: object) -> None:
        """Turns a switch of an account, or of the app where ``target`` is "app" (``switches``).

        Raises:
            KeyError: the provider, or the account at it, is not known.
            ValueError: there is no such switch, or the value does not fit.
        """
        self.registry.turn(cast(TokenProvider, provider), target, switch, value)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` whenever somebody signed in or a switch was turned."""
        self.registry.on_change(listener)

    def routes(self) -> list[web.RouteDef]:
        """The HTTP API under /sandbox/signin, for the workspace page's server."""
        return http.routes(self.registry)

    def _tls_context(self) -> ssl.SSLContext:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.mail.ca_file, append=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOOPBACK, "localhost").configure_cert(context)
        return context
