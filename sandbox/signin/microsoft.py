"""Microsoft's side: Entra's v2.0 endpoints, each below a tenant."""

import json
import re
import uuid

from aiohttp import web

from sandbox.signin import pages
from sandbox.signin.authorization import AuthorizationRequest, MistakeError
from sandbox.signin.entra_words import (
    DENIED,
    ENDED,
    MISTAKES,
    NEEDS_ADMIN,
    REFUSALS,
    UNKNOWN_ACCOUNT,
    EntraError,
    stamped,
    times_of,
)
from sandbox.signin.face import Face, Refusal, json_answer
from sandbox.signin.grants import Grant
from sandbox.signin.id_tokens import encoded
from sandbox.signin.registry import Person, Request

MAIL_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All"
_SHARED_TENANTS = {"common", "organizations", "consumers"}
_WISHES = {
    MAIL_SCOPE: "Read and write access to mailboxes via IMAP",
    "https://outlook.office.com/SMTP.Send": "Send emails from mailboxes using SMTP AUTH",
    "offline_access": "Maintain access to data you have given it access to",
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
}
_SORRY = "Sorry, but we’re having trouble signing you in."
_FRONT_DOOR = (
    "<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body>"
    "<h2>Our services aren't available right now</h2>"
    "<p>We're working to restore all services as soon as possible. Please check back soon.</p></body></html>"
)


class MicrosoftFace(Face):
    """Discovery, consent pages and tokens in Entra's words."""

    provider = "microsoft"
    look = pages.MICROSOFT
    rotates = True
    page_origin = ""

    def routes(self) -> list[web.RouteDef]:
        oauth = "/{tenant}/oauth2/v2.0"
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.guarded(self.discover)),
            web.get(f"{oauth}/authorize", self.guarded(self.ask)),
            web.post(f"{oauth}/authorize", self.guarded(self.decide)),
            web.post(f"{oauth}/token", self.guarded(self.token)),
        ]

    async def discover(self, request: web.Request) -> web.Response:
        """Where everything is (OpenID Connect Discovery section 4); the page is where browsers trust it."""
        answer = self.out_of_order() if "down" in self.app.faults else self._places(request)
        self.registry.note(Request(self.provider, "discovery", answer.status))
        return answer

    def _places(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        oauth = f"/{tenant}/oauth2/v2.0"
        issuer = "{tenantid}" if tenant in _SHARED_TENANTS else tenant
        return json_answer(
            {
                "issuer": f"{self.origin}/{issuer}/v2.0",
                "authorization_endpoint": f"{self.page_origin}{oauth}/authorize",
                "token_endpoint": f"{self.origin}{oauth}/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["HS256"],
            }
        )

    def wishes(self, scopes: tuple[str, ...]) -> list[str]:
        return [_WISHES.get(scope, scope) for scope in scopes]

    def opens_mail(self, scope: str) -> bool:
        return scope.lower() == MAIL_SCOPE.lower()

    def gives_refresh_token(self, asked: AuthorizationRequest, _person: Person) -> bool:
        return "offline_access" in asked.scopes

    def beside_code(self, _scopes: tuple[str, ...]) -> dict[str, str]:
        return {"session_state": str(uuid.uuid4())}

    def beside_token(self, person: Person) -> dict[str, object]:
        tenant_id, object_id = _identity(person)
        client_info = json.dumps({"uid": object_id, "utid": tenant_id}).encode("ascii")
        return {"ext_expires_in": max(1, int(self.app.token_lifetime_s)), "client_info": encoded(client_info)}

    def claims(self, grant: Grant, person: Person) -> dict[str, object]:
        tenant_id, object_id = _identity(person)
        claims: dict[str, object] = {
            "ver": "2.0",
            "iss": f"{self.origin}/{tenant_id}/v2.0",
            "aud": grant.client_id,
            "sub": person.subject,
            "tid": tenant_id,
            "oid": object_id,
            "name": person.name,
            "preferred_username": person.address,
        }
        if "email" in grant.scopes:
            claims["email"] = person.address
        if grant.nonce:
            claims["nonce"] = grant.nonce
        return claims

    # -- words

    def denied(self) -> dict[str, str]:
        return self._for_redirect(DENIED)

    def mistake_page(self, mistake: MistakeError) -> web.Response:
        return self._page(MISTAKES[mistake.kind], "Sign in", [_SORRY], subject=mistake.subject)

    def stopped_page(self, fault: str, asked: AuthorizationRequest, person: Person) -> web.Response:
        if fault == "account_disabled":
            words = [f"{person.address}: your account has been locked. Contact your support person to unlock it."]
            return self._page(ENDED[fault], "Sign in", words)
        if fault == "conditional_access":
            words = ["Your sign-in was successful but does not meet the criteria to access this resource."]
            return self._page(ENDED[fault], "You cannot access this right now", words)
        words = [
            f"{self.app.name} needs permission to access resources in your organization that only an admin can grant.",
            "Please ask an admin to grant permission to this app before you can use it.",
        ]
        back = asked.declined_address(**self._for_redirect(NEEDS_ADMIN))
        return self._page(
            NEEDS_ADMIN,
            "Need admin approval",
            words,
            back=("Return to the application without granting consent", back),
        )

    def unknown_account_page(self) -> web.Response:
        return self._page(UNKNOWN_ACCOUNT, "Sign in", [_SORRY])

    def out_of_order(self) -> web.Response:
        return web.Response(status=503, text=_FRONT_DOOR, content_type="text/html")

    def refuse(self, why: Refusal, subject: str = "") -> web.Response:
        return self._json(REFUSALS[why], subject=subject)

    def ended(self, fault: str, grant: Grant) -> web.Response:
        return self._json(ENDED[fault], **times_of(grant))

    def _filled(self, error: EntraError, **values: str) -> str:
        return error.filled(app=self.app.client_id, name=self.app.name, **values)

    def _json(self, error: EntraError, **values: str) -> web.Response:
        told = stamped(self._filled(error, **values), str(uuid.uuid4()))
        body: dict[str, object] = {
            "error": error.error,
            "error_description": told["error_description"],
            "error_codes": [error.number],
            "timestamp": told["timestamp"],
            "trace_id": told["trace_id"],
            "correlation_id": told["correlation_id"],
            "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
        }
        finer = {"suberror": error.suberror, "claims": error.claims}
        return json_answer(body | {name: value for name, value in finer.items() if value}, error.status)

    def _for_redirect(self, error: EntraError) -> dict[str, str]:
        told = stamped(self._filled(error), str(uuid.uuid4()))
        uri = f"https://login.microsoftonline.com/error?code={error.number}"
        return {"error": error.error, "error_description": told["error_description"], "error_uri": uri}

    def _page(
        self,
        error: EntraError,
        title: str,
        words: list[str],
        *,
        subject: str = "",
        back: tuple[str, str] | None = None,
    ) -> web.Response:
        told = stamped(self._filled(error, subject=subject), str(uuid.uuid4()))
        detail = re.sub(r" (?=(?:Trace ID|Correlation ID|Timestamp): )", "\n", told["error_description"])
        return pages.problem(self.look, error.status, title, words, detail, back)


def _identity(person: Person) -> tuple[str, str]:
    """The ids of the organisation and of the person in it; the same in every run."""
    tenant_id = uuid.uuid5(uuid.NAMESPACE_DNS, person.domain)
    return str(tenant_id), str(uuid.uuid5(tenant_id, person.address))
