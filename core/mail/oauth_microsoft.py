"""Microsoft's sign-in through msal, which waits on sockets and on locks: it runs in threads of its own.

Each use builds a fresh msal application. A kept one would answer from its memory: msal caches the token endpoint's
refusals (HTTP 400 for a minute, 429 and 5xx for as long as Retry-After says), so that a Resync right after the mending
would get the old refusal without Microsoft being asked. For the same reason refusals are raised below msal, by our
HTTP client, and never reach it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from core.errors import MailError
from core.mail.oauth_http import SignInHttp, unreadable
from core.mail.oauth_tokens import authorisation, check_claims, grant_of, nonce_of, nonce_source, require_scopes
from core.ports.clock import Clock
from core.ports.mail import Endpoint, Tls
from core.ports.signin import Authorisation, Grant

IMAP = Endpoint("outlook.office365.com", 993, Tls.SSL)
SMTP = Endpoint("smtp.office365.com", 587, Tls.STARTTLS)
_AUTHORITY = "https://login.microsoftonline.com"
_SCOPES = ("https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send")
_ALWAYS = ("openid", "profile", "offline_access")  # msal adds them to every request of its own
_ADDRESS_CLAIMS = ("preferred_username", "email", "upn")
_THREADS = 4

_Result = TypeVar("_Result")


class MicrosoftSignIn:
    """Implements ``ports.SignInProvider``."""

    name = "microsoft"

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        http: SignInHttp,
        clock: Clock,
        *,
        authority: str = "",
        tenant: str = "common",
        imap: Endpoint = IMAP,
        smtp: Endpoint = SMTP,
    ) -> None:
        """``tenant`` is added to an ``authority`` that names none."""
        self._id, self._secret, self._http, self._clock = client_id, client_secret, http, clock
        base = (authority or _AUTHORITY).rstrip("/")
        self._authority = base if urlsplit(base).path else f"{base}/{tenant}"
        # Not the loop's own threads: those look up host names, which our requests wait for.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="microsoft-sign-in")
        self.host = urlsplit(base).hostname or ""
        self.imap, self.smtp = imap, smtp

    async def authorise(self, *, redirect_uri: str, state: str, login_hint: str) -> Authorisation:
        """Microsoft says itself where its page is (OpenID Connect Discovery)."""
        page = await self._with_msal((), lambda app: str(app.authority.authorization_endpoint))
        return authorisation(
            page,
            {
                "client_id": self._id,
                "redirect_uri": redirect_uri,
                "scope": " ".join((*_SCOPES, *_ALWAYS)),
                "prompt": "select_account",
                "state": state,
                "login_hint": login_hint,
            },
        )

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        flow = {
            "state": "compared by the caller",
            "redirect_uri": redirect_uri,
            "scope": [*_SCOPES, *_ALWAYS],
            "code_verifier": verifier,
            "nonce": nonce_source(verifier),
        }
        answer = await self._with_msal(
            (code, verifier),
            lambda app: app.acquire_token_by_auth_code_flow(flow, {"code": code, "state": flow["state"]}),
        )
        grant = grant_of(answer, now=self._clock.now(), host=self.host)
        require_scopes(grant, _SCOPES, self.host)
        names = self._names(answer.get("id_token_claims") or {}, nonce_of(verifier))
        return replace(grant, address=names[0] if names else "", aliases=names[1:])

    def _names(self, claims: Mapping[str, Any], nonce: str) -> tuple[str, ...]:
        check_claims(
            claims,
            audience=self._id,
            issuers=(self.host,),
            nonce=nonce,
            now=self._clock.now(),
            host=self.host,
        )
        return tuple(dict.fromkeys(str(claims[name]) for name in _ADDRESS_CLAIMS if claims.get(name)))

    async def refresh(self, refresh_token: str) -> Grant:
        answer = await self._with_msal(
            (refresh_token,), lambda app: app.acquire_token_by_refresh_token(refresh_token, list(_SCOPES))
        )
        return grant_of(answer, now=self._clock.now(), host=self.host)

    async def _with_msal(self, secrets: tuple[str, ...], use: Callable[[Any], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        http = _MsalHttp(self._http, loop, (*secrets, self._secret))
        return await loop.run_in_executor(self._threads, self._use, http, use)

    def _use(self, http: _MsalHttp, use: Callable[[Any], _Result]) -> _Result:
        import msal

        try:
            return use(
                msal.ConfidentialClientApplication(
                    self._id,
                    client_credential=self._secret,
                    authority=self._authority,
                    instance_discovery=False,
                    http_client=http,
                    token_cache=_Forgetful(),
                )
            )
        except MailError:
            raise
        except Exception:  # msal has no errors of its own for answers that make no sense; their texts may hold tokens
            raise unreadable(self.host) from None


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    status_code: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Never needed: what is not 200 was raised before."""


class _Forgetful:
    """In place of msal's token cache: tokens live in our vault, and msal's would write its entries into the log."""

    def add(self, *_: Any, **__: Any) -> None:
        """Nothing is kept, and so nothing is found, changed or removed."""

    update_rt = remove_rt = add


class _MsalHttp:
    """What msal asks of an HTTP client, called in a thread and carried out on the event loop."""

    def __init__(self, http: SignInHttp, loop: asyncio.AbstractEventLoop, secrets: tuple[str, ...]) -> None:
        self._http, self._loop, self._secrets = http, loop, secrets

    def get(self, url: str, **_: Any) -> _Answer:
        return self._wait(self._http.get(url))

    def post(self, url: str, data: Mapping[str, Any], headers: Mapping[str, str] | None = None, **_: Any) -> _Answer:
        form = {name: str(value) for name, value in data.items()}
        return self._wait(self._http.post(url, form, headers, secrets=self._secrets))

    def _wait(self, request: Any) -> _Answer:
        asked = asyncio.run_coroutine_threadsafe(request, self._loop)
        return _Answer(asked.result(timeout=2 * self._http.timeout))

    def close(self) -> None:
        """Nothing is kept open."""
