"""Google's side: accounts.google.com and oauth2.googleapis.com under one base address."""

from typing import NamedTuple

from aiohttp import web

from sandbox.signin import pages
from sandbox.signin.authorization import AuthorizationRequest, MistakeError, MistakeKind
from sandbox.signin.face import Face, Refusal, json_answer
from sandbox.signin.grants import Grant
from sandbox.signin.registry import Person

PREFIX = "/google"
MAIL_SCOPE = "https://mail.google.com/"
_EMAIL_SCOPES = {"email", "https://www.googleapis.com/auth/userinfo.email"}
_WISHES = {
    MAIL_SCOPE: "Read, compose, send and permanently delete all your email from Gmail",
    "openid": "Associate you with your personal info on Google",
    "email": "See your primary Google Account email address",
    "profile": "See your personal info, including any you have made publicly available",
}


class Words(NamedTuple):
    """One refusal of the token endpoint: HTTP status, error, description, and what stands beside them."""

    status: int
    error: str
    description: str = ""
    subtype: str = ""


_GRANT_GONE = Words(400, "invalid_grant", "Token has been expired or revoked.")
_POLICY = (
    "Access to your account data is restricted by policies within your organization. "
    "Please contact the administrator of your organization for more information."
)

_ENDED = {
    "revoked": _GRANT_GONE,
    "expired": _GRANT_GONE,
    "password_changed": _GRANT_GONE,
    "session_limit": Words(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"),
    "account_disabled": Words(400, "invalid_grant", "Account has been deleted"),
    "admin_consent": Words(400, "admin_policy_enforced", _POLICY),
}

# "{}" stands for what the refusal names.
_REFUSALS: dict[Refusal, Words] = {
    "throttled": Words(429, "rate_limit_exceeded", "Rate Limit Exceeded"),
    "missing": Words(400, "invalid_request", "Missing required parameter: {}"),
    "repeated": Words(400, "invalid_request", "OAuth 2 parameters can only have a single value: {}"),
    "grant_type": Words(400, "unsupported_grant_type", "Invalid grant_type: {}"),
    "app": Words(401, "invalid_client", "The OAuth client was not found."),
    "no_secret": Words(400, "invalid_request", "client_secret is missing."),
    "secret_wrong": Words(401, "invalid_client", "The provided client secret is invalid."),
    "secret_expired": Words(401, "invalid_client", "Unauthorized"),
    "code_unknown": Words(400, "invalid_grant", "Malformed auth code."),
    "code_used": Words(400, "invalid_grant", "Bad Request"),
    "code_expired": Words(400, "invalid_grant", "Bad Request"),
    "code_redirect": Words(400, "redirect_uri_mismatch", "Bad Request"),
    "code_no_verifier": Words(400, "invalid_grant", "Missing code verifier."),
    "code_verifier": Words(400, "invalid_grant", "Invalid code verifier."),
    "refresh_token": Words(400, "invalid_grant", "Bad Request"),
}

_BLOCKED = "Access blocked: Authorization Error"
# Status and error as the page's last line gives them, and the sentence above it.
_MISTAKES: dict[MistakeKind, tuple[int, str, str]] = {
    "client": (401, "invalid_client", "The OAuth client was not found."),
    "redirect": (400, "redirect_uri_mismatch", "This app sent an invalid request. Its redirect URI is not registered."),
    "missing": (400, "invalid_request", "Required parameter is missing: {}"),
    "repeated": (400, "invalid_request", "OAuth 2 parameters can only have a single value: {}"),
    "response_type": (400, "unsupported_response_type", "Invalid response_type: {}"),
    "response_mode": (400, "invalid_request", "Invalid response_mode: {}"),
    "challenge": (400, "invalid_request", "Invalid code_challenge or code_challenge_method: {}"),
}


class GoogleFace(Face):
    """Consent pages, tokens and revocation in Google's words."""

    provider = "google"
    look = pages.GOOGLE
    rotates = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/o/oauth2/v2/auth", self.guarded(self.ask)),
            web.post(f"{PREFIX}/o/oauth2/v2/auth", self.guarded(self.decide)),
            web.post(f"{PREFIX}/token", self.guarded(self.token)),
            web.post(f"{PREFIX}/revoke", self.guarded(self.revoke)),
        ]

    def wishes(self, scopes: tuple[str, ...]) -> list[str]:
        return [_WISHES.get(scope, scope) for scope in scopes]

    def opens_mail(self, scope: str) -> bool:
        return scope == MAIL_SCOPE

    def gives_refresh_token(self, asked: AuthorizationRequest, person: Person) -> bool:
        """With the first consent for offline access, and whenever consent is asked for anew."""
        return asked.access_type == "offline" and ("consent" in asked.prompts or not person.consented)

    def beside_code(self, scopes: tuple[str, ...]) -> dict[str, str]:
        return {"scope": " ".join(scopes), "authuser": "0", "prompt": "consent"}

    def beside_token(self, _person: Person) -> dict[str, object]:
        return {}

    def claims(self, grant: Grant, person: Person) -> dict[str, object]:
        claims: dict[str, object] = {
            "iss": f"{self.origin}{PREFIX}",
            "azp": grant.client_id,
            "aud": grant.client_id,
            "sub": person.subject,
            "hd": person.domain,
        }
        if _EMAIL_SCOPES.intersection(grant.scopes):
            claims |= {"email": person.address, "email_verified": True}
        if grant.nonce:
            claims["nonce"] = grant.nonce
        return claims

    async def revoke(self, request: web.Request) -> web.Response:
        """Takes a whole consent back, given one of its tokens (RFC 7009)."""
        form = await self.token_form(request)
        token = form.get("token") or request.query.get("token", "")
        owner = self.registry.grants.owner_of(token) or self.registry.mail.tokens.owner_of(token)
        if owner is None:
            return _answer(Words(400, "invalid_token", "Token expired or revoked"))
        self.registry.withdraw(owner)
        return json_answer({})

    # -- words

    def denied(self) -> dict[str, str]:
        return {"error": "access_denied"}

    def mistake_page(self, mistake: MistakeError) -> web.Response:
        status, error, sentence = _MISTAKES[mistake.kind]
        detail = f"Error {status}: {error}"
        if mistake.kind == "redirect":
            detail += f"\nRequest details: redirect_uri={mistake.subject}"
        return pages.problem(self.look, status, _BLOCKED, [sentence.replace("{}", mistake.subject)], detail)

    def stopped_page(self, fault: str, _asked: AuthorizationRequest, person: Person) -> web.Response:
        if fault == "account_disabled":
            words = [f"{person.address} was disabled by its administrator and cannot sign in."]
            return pages.problem(self.look, 403, "This account is disabled", words)
        return pages.problem(self.look, 400, _BLOCKED, [person.address, _POLICY], "Error 400: admin_policy_enforced")

    def unknown_account_page(self) -> web.Response:
        return pages.problem(self.look, 400, "Couldn’t find your Google Account", ["Go back and choose another one."])

    def out_of_order(self) -> web.Response:
        return _answer(Words(503, "internal_failure", "Backend Error"))

    def refuse(self, why: Refusal, subject: str = "") -> web.Response:
        return _answer(_REFUSALS[why], subject)

    def ended(self, fault: str, _grant: Grant) -> web.Response:
        return _answer(_ENDED[fault])


def _answer(words: Words, subject: str = "") -> web.Response:
    body = {"error": words.error, "error_description": words.description.replace("{}", subject)}
    if words.subtype:
        body |= {"error_uri": "https://support.google.com/a/answer/9368756", "error_subtype": words.subtype}
    return json_answer(body, words.status)
