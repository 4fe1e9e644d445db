"""Signing in at Google or Microsoft from the connect page: the way there, and the way back (RFC 6749, RFC 7636; T4).

The PKCE verifier and the one-time link wait in a cookie that no script reads, one for each sign-in under way, so that a
code is taken only from the browser that asked for it. Query strings hold codes: nothing here logs them, and no page
served afterwards has one in a link.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from bot.web.connect import ConnectUses, DiscoveryUses
from bot.web.connect_form import WHOLE_ADDRESS, begun
from bot.web.connect_views import FIND, ConnectViews, Visit
from bot.web.guard import Guard, form_fields, slow_down
from bot.web.pages import Pages
from bot.web.problem import NO_COOKIE, Problem, problem_of
from core.domain.account import Mailbox
from core.domain.address import is_valid
from core.errors import InputError, MailError, NotAllowedError, NotFoundError, RefusedError, RethreadError
from core.services.connecting import ConnectRefusedError
from core.services.signin import Started

_COOKIE: Final = "rethread_signin_{}"
_COOKIE_SECONDS: Final = 600
_LONGEST: Final = 4_096
_OTHER_BROWSER: Final = Problem(
    "This browser did not begin the sign-in, or ten minutes have gone by since.",
    "Open the link from Slack in the browser in which you sign in, and allow cookies for this site. "
    "/mailbox connect makes a new link.",
)
_NOTHING_TO_DO: Final = Problem("Choose at least one: without both there is nothing to connect for.")
_UNREADABLE: Final = Problem(
    "What came back from the sign-in cannot be read.", "Go back to the link from Slack and sign in again."
)


class SignInUses(Protocol):
    """core.services.signin.SignInService."""

    async def begin(
        self,
        ticket: str,
        provider: str,
        address: str,
        *,
        redirect_uri: str,
        send: bool = True,
        capture: bool = True,
    ) -> Started: ...
    async def finish(
        self, provider: str, state: str, code: str, *, verifier: str, redirect_uri: str, display_name: str = ""
    ) -> Mailbox: ...
    async def refused(self, provider: str, state: str, error: str, description: str = "") -> ConnectRefusedError: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the browser keeps while its owner is away."""

    verifier: str = field(repr=False)
    token: str = field(repr=False)
    address: str
    name: str = ""


class SignInPages:
    """``/connect/{token}/signin`` and ``/oauth/{provider}/callback``."""

    def __init__(
        self,
        sign_in: SignInUses,
        connecting: ConnectUses,
        discovery: DiscoveryUses,
        guard: Guard,
        views: ConnectViews,
        *,
        public_url: str,
    ) -> None:
        self._sign_in = sign_in
        self._connecting = connecting
        self._discovery = discovery
        self._guard = guard
        self._views = views
        self._public_url = public_url
        self._pages = Pages()

    async def start(self, request: web.Request) -> web.StreamResponse:
        """POST: 303 to the provider, or the page again with what is in the way."""
        wait = self._guard.wait_for(self._guard.tries, request)
        if wait:
            return slow_down(self._pages, wait)
        fields, token = await form_fields(request), request.match_info["token"]
        try:
            name = begun("", fields.get("display_name", "")).display_name
            visit = Visit(request, token, await self._connecting.ticket(token), name)
            if not self._guard.is_ours(request, token, fields.get("csrf", "")):
                return self._views.ended(403, "Not signed in yet", NO_COOKIE, again=visit.way("", ""))
            return await self._start(visit, fields)
        except NotFoundError as error:
            return self._views.gone(error)

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """GET, from the provider: connects, or says why not."""
        wait = self._guard.wait_for(self._guard.looks, request)
        if wait:
            return slow_down(self._pages, wait)
        provider, told = request.match_info["provider"], request.query
        state, code, error = (told.get(name, "")[:_LONGEST] for name in ("state", "code", "error"))
        if not state or not (code or error):
            return self._views.ended(400, "Not signed in", _UNREADABLE)
        kept = _kept(request, state)
        if kept is None:
            return self._views.ended(403, "Not signed in", _OTHER_BROWSER)
        try:
            if error:
                raise await self._sign_in.refused(provider, state, error, told.get("error_description", "")[:_LONGEST])
            mailbox = await self._sign_in.finish(
                provider,
                state,
                code,
                verifier=kept.verifier,
                redirect_uri=self._callback(provider),
                display_name=kept.name,
            )
        except NotFoundError as gone:
            return self._views.gone(gone)
        except (RefusedError, NotAllowedError, InputError, MailError) as refused:
            return await self._refused(request, provider, kept, refused)
        return await self._views.connected(mailbox, reconnected=mailbox.last_sync_at is not None)

    async def _start(self, visit: Visit, fields: dict[str, str]) -> web.StreamResponse:
        provider, mailbox = fields.get("provider", "")[:40], visit.view.mailbox
        address = (mailbox.address if mailbox else fields.get("address", "")).strip()[:320]
        switches = ("send" in fields, "capture" in fields)
        if not is_valid(address):
            return self._views.address(visit, address, wrong=WHOLE_ADDRESS)
        if mailbox is None and not any(switches):
            return await self._not_started(visit, provider, address, switches, _NOTHING_TO_DO)
        try:
            started = await self._sign_in.begin(
                visit.token,
                provider,
                address,
                redirect_uri=self._callback(provider),
                send=switches[0],
                capture=switches[1],
            )
        except (RefusedError, NotAllowedError, MailError) as error:
            return await self._not_started(visit, provider, address, switches, problem_of(error, provider))
        leave = web.Response(status=303, headers={"Location": started.url})
        self._keep(leave, started, _Kept(started.verifier, visit.token, address, visit.name))
        return leave

    async def _not_started(
        self, visit: Visit, provider: str, address: str, switches: tuple[bool, bool], problem: Problem
    ) -> web.Response:
        if provider not in self._views.offered:
            return self._views.ended(422, "Not signed in", problem, again=visit.way(FIND, address))
        found = await self._discovery.of(address)
        return self._views.sign_in(visit, found, provider, switches=switches, status=422, problem=problem)

    async def _refused(self, request: web.Request, provider: str, kept: _Kept, error: RethreadError) -> web.Response:
        """The cause, and a way to try again where the link is still good."""
        again = ""
        with suppress(NotFoundError):
            view = await self._connecting.ticket(kept.token)
            again = Visit(request, kept.token, view, kept.name).way("" if view.mailbox else FIND, kept.address)
        return self._views.ended(
            422, f"Signing in to {kept.address} did not work", problem_of(error, provider), again=again
        )

    def _callback(self, provider: str) -> str:
        return f"{self._public_url}/oauth/{provider}/callback"

    def _keep(self, leave: web.Response, started: Started, kept: _Kept) -> None:
        state = parse_qs(urlsplit(started.url).query).get("state", [""])[0]
        value = json.dumps([kept.verifier, kept.token, kept.address, kept.name]).encode()
        leave.set_cookie(
            _name(state),
            base64.urlsafe_b64encode(value).decode("ascii").rstrip("="),
            max_age=_COOKIE_SECONDS,
            path="/oauth",
            httponly=True,
            secure=self._guard.https,
            samesite="Lax",  # Strict would keep it back: the browser comes from the provider's site
        )


def _name(state: str) -> str:
    """A cookie for each sign-in, so that two tabs do not take it from each other."""
    return _COOKIE.format(hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:16])


def _kept(request: web.Request, state: str) -> _Kept | None:
    value = request.cookies.get(_name(state), "")[:_LONGEST]
    try:
        parts = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != 4 or not all(isinstance(part, str) for part in parts):
        return None
    return _Kept(*parts)
