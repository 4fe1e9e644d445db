"""What both services do alike: the sign-in page and the token endpoint. Their words are their own."""

import base64
import hmac
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal
from urllib.parse import unquote

from aiohttp import web

from sandbox.mail.tokens import TokenProvider
from sandbox.signin import pages
from sandbox.signin.authorization import AuthorizationRequest, MistakeError, form_fields, read_request
from sandbox.signin.grants import CodeFault, CodeRefusedError, Grant
from sandbox.signin.id_tokens import id_token
from sandbox.signin.registry import App, Person, Registry, Request
from sandbox.signin.switches import SELF, STANDING

RETRY_AFTER_S = 5

Refusal = Literal[
    "throttled",
    "missing",
    "repeated",
    "grant_type",
    "app",
    "no_secret",
    "secret_wrong",
    "secret_expired",
    "code_unknown",
    "code_used",
    "code_expired",
    "code_redirect",
    "code_no_verifier",
    "code_verifier",
    "refresh_token",
]
CODE_REFUSALS: dict[CodeFault, Refusal] = {
    "unknown": "code_unknown",
    "used": "code_used",
    "expired": "code_expired",
    "redirect": "code_redirect",
    "no_verifier": "code_no_verifier",
    "verifier": "code_verifier",
}

Handler = Callable[[web.Request], Awaitable[web.Response]]


class RefusedError(Exception):
    """A request that ends here; carries the answer as the service words it."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class Face(ABC):
    """One provider's stand-in. Subclasses give the addresses, the words and the shape of tokens."""

    provider: TokenProvider
    look: pages.Look
    # Whether each refresh brings a new refresh token.
    rotates: bool
    origin = ""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    @property
    def app(self) -> App:
        return self.registry.apps[self.provider]

    # -- the page

    async def ask(self, request: web.Request) -> web.Response:
        """Shows who could sign in (GET)."""
        asked = self._asked(request)
        people = self.registry.people(self.provider)
        return pages.chooser(self.look, self.app.name, self.wishes(asked.scopes), people, asked.login_hint)

    async def decide(self, request: web.Request) -> web.Response:
        """Takes what the person pressed (POST): a redirect to the app, or a page that says why not."""
        asked = self._asked(request)
        form = await self._pressed(request)
        if "cancel" in form:
            return asked.answered(**self.denied())
        person = self._chosen(form.get("account", ""))
        if "consent_denied" in person.faults:
            return asked.answered(**self.denied())
        if fault := _standing(person):
            return self.stopped_page(fault, asked, person)
        scopes = self._granted_scopes(asked.scopes, person)
        offline = self.gives_refresh_token(asked, person)
        grant = self.registry.sign_in(person, scopes, offline=offline, nonce=asked.nonce)
        code = self.registry.grants.issue_code(grant, asked.redirect_uri, asked.challenge)
        return asked.answered(code=code, **self.beside_code(scopes))

    def _asked(self, request: web.Request) -> AuthorizationRequest:
        if "down" in self.app.faults:
            raise RefusedError(self.out_of_order())
        try:
            return read_request(self.app, request.query.items())
        except MistakeError as mistake:
            raise RefusedError(self.mistake_page(mistake)) from None

    async def _pressed(self, request: web.Request) -> dict[str, str]:
        try:
            return await form_fields(request)
        except MistakeError as mistake:
            raise RefusedError(self.mistake_page(mistake)) from None

    def _chosen(self, address: str) -> Person:
        try:
            person = self.registry.person(self.provider, address)
            if person.signs_in_as == SELF:
                return person
            return self.registry.person(self.provider, person.signs_in_as)
        except KeyError:
            raise RefusedError(self.unknown_account_page()) from None

    def _granted_scopes(self, scopes: tuple[str, ...], person: Person) -> tuple[str, ...]:
        if "no_mail_scope" in person.faults:
            return tuple(scope for scope in scopes if not self.opens_mail(scope))
        return scopes

    # -- tokens

    async def token(self, request: web.Request) -> web.Response:
        """The token endpoint (RFC 6749 sections 4.1.3 and 6)."""
        answer = await self.guarded(self._token)(request)
        self.registry.note(Request(self.provider, "token", answer.status))
        return answer

    async def _token(self, request: web.Request) -> web.Response:
        form = await self.token_form(request)
        self._check_app(form)
        grant_type = form.get("grant_type", "")
        if grant_type == "authorization_code":
            return self._from_code(form)
        if grant_type == "refresh_token":
            return self._from_refresh_token(form)
        raise RefusedError(self.refuse("grant_type", grant_type))

    async def token_form(self, request: web.Request) -> dict[str, str]:
        if "down" in self.app.faults:
            raise RefusedError(self.out_of_order())
        if "throttled" in self.app.faults:
            response = self.refuse("throttled")
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
            raise RefusedError(response)
        try:
            form = await form_fields(request)
        except MistakeError as mistake:
            raise RefusedError(self.refuse("repeated", mistake.subject)) from None
        return form | _basic_credentials(request.headers)

    def _check_app(self, form: Mapping[str, str]) -> None:
        client_id, secret = self._needed(form, "client_id"), form.get("client_secret", "")
        if client_id != self.app.client_id:
            raise RefusedError(self.refuse("app", client_id))
        if not secret:
            raise RefusedError(self.refuse("no_secret"))
        if "secret_expired" in self.app.faults:
            raise RefusedError(self.refuse("secret_expired"))
        right = hmac.compare_digest(secret.encode("utf-8", "replace"), self.app.client_secret.encode("ascii"))
        if not right or "secret_wrong" in self.app.faults:
            raise RefusedError(self.refuse("secret_wrong"))

    def _from_code(self, form: Mapping[str, str]) -> web.Response:
        code, redirect_uri = self._needed(form, "code"), self._needed(form, "redirect_uri")
        verifier = form.get("code_verifier", "")
        try:
            grant = self.registry.grants.redeem(code, self.app.client_id, redirect_uri, verifier)
        except CodeRefusedError as refused:
            raise RefusedError(self.refuse(CODE_REFUSALS[refused.fault])) from None
        return self._issue(grant, fresh=True)

    def _from_refresh_token(self, form: Mapping[str, str]) -> web.Response:
        grant = self.registry.grants.find(self._needed(form, "refresh_token"), self.app.client_id)
        if grant is None:
            raise RefusedError(self.refuse("refresh_token"))
        return self._issue(grant, fresh=False)

    def _issue(self, grant: Grant, *, fresh: bool) -> web.Response:
        person = self.registry.person(self.provider, grant.address)
        if fault := _standing(person) or grant.ended_by:
            raise RefusedError(self.ended(fault, grant))
        scopes = self._granted_scopes(grant.scopes, person)
        access_token = self.registry.mail.tokens.issue(
            grant.address,
            provider=self.provider,
            lifetime_s=self.app.token_lifetime_s,
            reads_mail=any(self.opens_mail(scope) for scope in scopes),
        )
        body: dict[str, object] = {
            "access_token": access_token,
            "expires_in": max(1, int(self.app.token_lifetime_s)),
            "scope": " ".join(scope for scope in scopes if scope != "offline_access"),
            "token_type": "Bearer",
        }
        if grant.offline and (fresh or self.rotates):
            body["refresh_token"] = self.registry.grants.issue_refresh_token(grant)
        if "openid" in grant.scopes:
            body["id_token"] = id_token(self.claims(grant, person))
        return json_answer(body | self.beside_token(person))

    def _needed(self, form: Mapping[str, str], name: str) -> str:
        if not form.get(name):
            raise RefusedError(self.refuse("missing", name))
        return form[name]

    def guarded(self, handler: Handler) -> Handler:
        """``handler``, its refusals turned into answers."""

        async def answer(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except RefusedError as refused:
                return refused.response

        return answer

    # -- what differs

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """The provider's addresses."""

    @abstractmethod
    def wishes(self, scopes: tuple[str, ...]) -> list[str]:
        """The scopes in words, as the consent page lists them."""

    @abstractmethod
    def opens_mail(self, scope: str) -> bool:
        """Whether IMAP needs this scope."""

    @abstractmethod
    def gives_refresh_token(self, asked: AuthorizationRequest, person: Person) -> bool:
        """Whether this consent brings a refresh token."""

    @abstractmethod
    def beside_code(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """What the redirect carries beside code and state."""

    @abstractmethod
    def beside_token(self, person: Person) -> dict[str, object]:
        """What a token answer holds that only this service gives."""

    @abstractmethod
    def claims(self, grant: Grant, person: Person) -> dict[str, object]:
        """Who signed in, as the ID token tells it."""

    @abstractmethod
    def denied(self) -> dict[str, str]:
        """The redirect's parameters where the person said no."""

    @abstractmethod
    def mistake_page(self, mistake: MistakeError) -> web.Response:
        """The page for a request that is never answered by a redirect."""

    @abstractmethod
    def stopped_page(self, fault: str, asked: AuthorizationRequest, person: Person) -> web.Response:
        """The page for an account that may not sign in."""

    @abstractmethod
    def unknown_account_page(self) -> web.Response:
        """The page for an account that the provider does not have."""

    @abstractmethod
    def out_of_order(self) -> web.Response:
        """The answer of a service that is down, to browsers and programs alike."""

    @abstractmethod
    def refuse(self, why: Refusal, subject: str = "") -> web.Response:
        """The token endpoint's answer to a request it cannot serve; ``subject`` is what it names."""

    @abstractmethod
    def ended(self, fault: str, grant: Grant) -> web.Response:
        """A refresh that a switch of the account refuses."""


def _standing(person: Person) -> str:
    return next((fault for fault in STANDING if fault in person.faults), "")


def _basic_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """Client credentials in the Authorization header (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}


def json_answer(body: Mapping[str, object], status: int = 200) -> web.Response:
    """JSON that no cache keeps (RFC 6749 section 5.1)."""
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})
