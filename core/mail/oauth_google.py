"""Google's sign-in: the authorisation code grant for web servers, with PKCE.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from core.mail.oauth_http import SignInHttp, json_object
from core.mail.oauth_tokens import authorisation, check_claims, grant_of, nonce_of, read_claims, require_scopes
from core.ports.clock import Clock
from core.ports.mail import Endpoint, Tls
from core.ports.signin import Authorisation, Grant

IMAP = Endpoint("imap.gmail.com", 993, Tls.SSL)
SMTP = Endpoint("smtp.gmail.com", 465, Tls.SSL)
_MAIL = "https://mail.google.com/"
_ISSUER = "accounts.google.com"


class GoogleSignIn:
    """Implements ``ports.SignInProvider``."""

    name = "google"

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        http: SignInHttp,
        clock: Clock,
        *,
        base: str = "",
        imap: Endpoint = IMAP,
        smtp: Endpoint = SMTP,
    ) -> None:
        """``base`` stands for both of Google's hosts."""
        self._id, self._secret, self._http, self._clock = client_id, client_secret, http, clock
        self._page = f"{base or f'https://{_ISSUER}'}/o/oauth2/v2/auth"
        self._tokens = f"{base or 'https://oauth2.googleapis.com'}/token"
        self._issuer = (urlsplit(base).hostname or "") if base else _ISSUER
        self.host = urlsplit(self._tokens).hostname or ""
        self.imap, self.smtp = imap, smtp

    async def authorise(self, *, redirect_uri: str, state: str, login_hint: str) -> Authorisation:
        """Consent is asked for each time: only then does Google give a refresh token."""
        return authorisation(
            self._page,
            {
                "client_id": self._id,
                "redirect_uri": redirect_uri,
                "scope": f"{_MAIL} openid email",
                "access_type": "offline",
                "prompt": "consent",
                "state": state,
                "login_hint": login_hint,
            },
        )

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        grant, id_token = await self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
            }
        )
        claims = read_claims(id_token, self.host)
        check_claims(
            claims,
            audience=self._id,
            issuers=(self._issuer,),
            nonce=nonce_of(verifier),
            now=self._clock.now(),
            host=self.host,
        )
        require_scopes(grant, (_MAIL,), self.host)
        return replace(grant, address=str(claims.get("email", "")))

    async def refresh(self, refresh_token: str) -> Grant:
        return (await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token}))[0]

    async def _ask(self, form: dict[str, str]) -> tuple[Grant, object]:
        text = await self._http.post(
            self._tokens,
            {**form, "client_id": self._id, "client_secret": self._secret},
            secrets=(self._secret, *(form.get(name, "") for name in ("code", "code_verifier", "refresh_token"))),
        )
        answer = json_object(text, self.host)
        return grant_of(answer, now=self._clock.now(), host=self.host), answer.get("id_token")
