"""A person's browser and a program's requests, for the tests of the sign-in stand-ins."""

import base64
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from sandbox.mail import AccountSeed, MailHost
from sandbox.mail.tokens import TokenProvider
from sandbox.signin import SignInHost
from sandbox.signin.grants import challenge_of
from sandbox.signin.registry import Person

RITA_GOOGLE = "rita@sprout.test"
OMAR_GOOGLE = "omar@sprout.test"
RITA_MICROSOFT = "rita@meridian.test"
GOOGLE_SCOPES = "openid email https://mail.google.com/"
MICROSOFT_SCOPES = (
    "openid profile offline_access https://outlook.office.com/IMAP.AccessAsUser.All "
    "https://outlook.office.com/SMTP.Send"
)
VERIFIER = secrets.token_urlsafe(48)


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end; redirects are not followed."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def told(self) -> dict[str, str]:
        """The parameters of the redirect."""
        return dict(parse_qsl(urlsplit(self.location).query))


class Peer:
    """One provider's stand-in as browsers and programs meet it."""

    def __init__(self, http: aiohttp.ClientSession, host: SignInHost, provider: TokenProvider) -> None:
        google = provider == "google"
        self.http, self.host, self.provider = http, host, provider
        self.app = host.google if google else host.microsoft
        self.address = RITA_GOOGLE if google else RITA_MICROSOFT
        self.scopes = GOOGLE_SCOPES if google else MICROSOFT_SCOPES
        self.callback = f"http://127.0.0.1:3000/oauth/{provider}/callback"
        base = f"{host.google_base}/o/oauth2/v2/auth" if google else f"{host.microsoft_authority}/oauth2/v2.0/authorize"
        self.authorize_url = base
        self.token_url = f"{host.google_base}/token" if google else f"{host.microsoft_authority}/oauth2/v2.0/token"

    @property
    def person(self) -> Person:
        return self.host.registry.person(self.provider, self.address)

    def query(self, **changes: str | None) -> list[tuple[str, str]]:
        """The parameters of a right authorisation request; None leaves one out."""
        values: dict[str, str | None] = {
            "client_id": self.app.client_id,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": self.scopes,
            "state": "st/ate &=ü",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
        }
        return [(name, value) for name, value in (values | changes).items() if value is not None]

    async def page(self, query: Sequence[tuple[str, str]] | None = None) -> Answer:
        return await self._send("GET", f"{self.authorize_url}?{urlencode(query or self.query())}")

    async def press(self, query: Sequence[tuple[str, str]] | None = None, **form: str) -> Answer:
        """Presses a button of the page: ``account="…"`` or ``cancel="1"``."""
        return await self._send("POST", f"{self.authorize_url}?{urlencode(query or self.query())}", data=form)

    async def token(self, **changes: str | None) -> Answer:
        values = {"client_id": self.app.client_id, "client_secret": self.app.client_secret} | changes
        form = {name: value for name, value in values.items() if value is not None}
        return await self._send("POST", self.token_url, data=form)

    async def redeem(self, code: str, /, **changes: str | None) -> Answer:
        right = {"grant_type": "authorization_code", "redirect_uri": self.callback, "code_verifier": VERIFIER}
        return await self.token(**({"code": code} | right | changes))

    async def refresh(self, refresh_token: str) -> Answer:
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token)

    async def code(self) -> str:
        return (await self.press(account=self.address)).told["code"]

    async def signed_in(self) -> dict[str, Any]:
        """The tokens of somebody who went all the way."""
        return (await self.redeem(await self.code())).json

    def turn(self, switch: str, value: object = True, target: str = "") -> None:
        self.host.turn(self.provider, target or self.address, switch, value)

    async def _send(self, method: str, url: str, **kwargs: Any) -> Answer:
        async with self.http.request(method, url, allow_redirects=False, **kwargs) as answer:
            return Answer(answer.status, await answer.text(), answer.headers)


@asynccontextmanager
async def signin_running() -> AsyncIterator[tuple[SignInHost, aiohttp.ClientSession]]:
    """Both stand-ins, two Google accounts, and a client that trusts the one CA file."""
    async with MailHost() as mail, SignInHost(mail) as host:
        mail.add_account(AccountSeed(OMAR_GOOGLE, "Omar Odell", "recruiter", "x", provider="google"))
        context = ssl.create_default_context(cafile=host.ca_file)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:
            yield host, http


def claims_of(token: str) -> dict[str, Any]:
    """The middle part of a JSON Web Token, unverified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
