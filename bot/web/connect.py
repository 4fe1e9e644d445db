"""The one-time page on which a person connects a mailbox: passwords are typed here, never in Slack (threat T4).

Looking at the page spends nothing (link scanners look); the form is tried against the mail servers before anything is
stored, and the link is spent only when that worked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from bot.web.connect_form import ConnectForm, begun, completed, faults, form_of, request_of, typed
from bot.web.pages import Pages
from bot.web.rate_limit import RateLimit
from core.domain.account import Mailbox
from core.domain.address import is_valid
from core.errors import InputError, MailError, NotAllowedError, NotFoundError, RefusedError, RethreadError
from core.ports.clock import Clock
from core.services.connecting import ConnectRefusedError, ConnectRequest, TicketView
from core.services.proposals import Proposal

_COOKIE: Final = "rethread_connect"
_COOKIE_SECONDS: Final = 600
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_BODY_SECONDS: Final = 15.0
_PRESS: Final = re.compile(r"(?P<first>[Pp])ress Reconnect and (?P<verb>\w)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a form did not connect: the server's own words (``said``) and the fix (R43); ``forward`` is for the mail
    administrator, ``obsolete`` names outdated advice."""

    title: str
    fix: str = ""
    said: str = ""
    forward: str | None = None
    obsolete: str | None = None


_NO_COOKIE: Final = Problem(
    "Your browser did not send this page's cookie back, so nothing was tried.",
    "Fill in the form once more. If it stays, allow cookies for this site.",
)


Propose = Callable[[str], Awaitable[Proposal]]
"""An address to the servers to try; raises nothing."""


class ConnectUses(Protocol):
    """core.services.connecting.ConnectService, as far as this page asks of it."""

    async def ticket(self, token: str) -> TicketView: ...
    async def connect_with_ticket(self, token: str, request: ConnectRequest) -> Mailbox: ...


class ConnectPage:
    """``/connect/{token}``. ``allow_plain`` offers connections without TLS (only where private hosts are allowed);
    ``propose`` names the servers to try for an address; ``https`` says how the world reaches this page."""

    def __init__(
        self,
        mailboxes: ConnectUses,
        clock: Clock,
        *,
        https: bool,
        allow_plain: bool = False,
        propose: Propose,
        trusted_proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"}),
    ) -> None:
        self._mailboxes = mailboxes
        self._https, self._allow_plain = https, allow_plain
        self._propose = propose
        self._trusted_proxies = trusted_proxies
        self._pages = Pages()
        self._looks = RateLimit(clock, burst=60, per_second=1.0)
        # A try opens connections to hosts that the visitor names: slow enough that nobody scans a network with it.
        self._tries = RateLimit(clock, burst=10, per_second=0.2)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET: the form. Spends nothing."""
        wait = self._looks.wait_for(self._visitor(request))
        if wait:
            return self._slow_down(wait)
        token = request.match_info["token"]
        try:
            view = await self._mailboxes.ticket(token)
        except NotFoundError as error:
            return self._gone(error)
        return self._form(request, view, _first_form(view, request))

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """POST: tries the form against the mail servers."""
        wait = self._tries.wait_for(self._visitor(request))
        if wait:
            return self._slow_down(wait)
        token, fields = request.match_info["token"], await _fields(request)
        try:
            view = await self._mailboxes.ticket(token)
            if not _is_ours(request, token, fields.get("csrf", "")):
                # What came with it may be somebody else's: it is not shown.
                return self._form(request, view, _first_form(view, request), status=403, problem=_NO_COOKIE)
            return await self._try(request, view, fields)
        except NotFoundError as error:
            return self._gone(error)

    async def _try(self, request: web.Request, view: TicketView, fields: Mapping[str, str]) -> web.Response:
        posted, password = typed(fields), fields.get("password", "")
        if view.mailbox is not None:  # the link is good for this mailbox and no other
            posted = typed({**fields, "address": view.mailbox.address})
        form = await self._completed(posted)
        wrong = faults(form, password, allow_plain=self._allow_plain)
        if wrong:
            return self._form(request, view, form, status=422, wrong=wrong)
        try:
            mailbox = await self._mailboxes.connect_with_ticket(request.match_info["token"], request_of(form, password))
        except InputError as error:
            return self._form(request, view, form, status=422, wrong={error.field or "address": error.reason})
        except (RefusedError, NotAllowedError, MailError) as error:
            return self._form(request, view, form, status=422, problem=_problem(error))
        return self._pages.page("connected.html", mailbox=mailbox, reconnected=view.mailbox is not None)

    def _form(
        self,
        request: web.Request,
        view: TicketView,
        form: ConnectForm,
        *,
        status: int = 200,
        wrong: Mapping[str, str] | None = None,
        problem: Problem | None = None,
    ) -> web.Response:
        token, nonce = request.match_info["token"], _nonce(request) or secrets.token_urlsafe(32)
        page = self._pages.page(
            "connect.html",
            status=status,
            form=form,
            reconnect=view.mailbox is not None,
            wrong=wrong or {},
            problem=problem,
            allow_plain=self._allow_plain,
            csrf=_csrf(token, nonce),
        )
        page.set_cookie(
            _COOKIE,
            nonce,
            max_age=_COOKIE_SECONDS,
            path="/connect",
            httponly=True,
            secure=self._https,
            samesite="Strict",
        )
        return page

    async def _completed(self, posted: ConnectForm) -> ConnectForm:
        if not is_valid(posted.address):
            return posted
        proposal = await self._propose(posted.address)
        return completed(posted, proposal.imap, proposal.smtp)

    def _gone(self, error: NotFoundError) -> web.Response:
        return self._pages.page("gone.html", status=410, text=error.message)

    def _slow_down(self, seconds: int) -> web.Response:
        page = self._pages.plain(429, "One moment, please", f"Too many tries at once. Try again in {seconds} s.")
        page.headers["Retry-After"] = str(seconds)
        return page

    def _visitor(self, request: web.Request) -> str:
        """The visitor's address; a proxy of our own names it last in X-Forwarded-For."""
        peer = request.remote or ""
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return forwarded[:60] if forwarded and peer in self._trusted_proxies else peer


def _first_form(view: TicketView, request: web.Request) -> ConnectForm:
    if view.mailbox is not None:
        return form_of(view.mailbox)
    return begun(request.query.get("address", ""), request.query.get("name", ""))


async def _fields(request: web.Request) -> dict[str, str]:
    """The form's fields. Raises HTTPUnsupportedMediaType, HTTPRequestTimeout, HTTPRequestEntityTooLarge."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            posted = await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def _nonce(request: web.Request) -> str | None:
    nonce = request.cookies.get(_COOKIE, "")
    return nonce if _NONCE.fullmatch(nonce) else None


def _csrf(token: str, nonce: str) -> str:
    """What the form carries and a forger cannot make: it takes the link's secret and the browser's cookie. No key of
    the process is in it, so any process may answer the form of any other."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), nonce.encode("ascii"), hashlib.sha256).hexdigest()


def _is_ours(request: web.Request, token: str, csrf: str) -> bool:
    nonce = _nonce(request)
    if nonce is None or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    return hmac.compare_digest(_csrf(token, nonce).encode("ascii"), csrf.encode("utf-8", "replace"))


def _problem(error: RethreadError) -> Problem:
    if isinstance(error, ConnectRefusedError):
        verdict = error.diagnosis
        return Problem(error.message, _here(error.fix), verdict.raw, verdict.forward, verdict.obsolete)
    if isinstance(error, MailError):
        return Problem("The mail server did not do it.", error.fix, error.raw)
    return Problem(error.message, error.fix)


def _here(fix: str) -> str:
    """A fix for this page: whoever reads it has pressed that button of the card already."""
    return _PRESS.sub(lambda found: found["verb"].upper() if found["first"] == "P" else found["verb"], fix)
