"""What stands before every form: whose browser it is, that the form is ours, and how often somebody may try."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from typing import Final

from aiohttp import web

from bot.web.pages import Pages
from bot.web.rate_limit import RateLimit
from core.ports.clock import Clock

_COOKIE: Final = "rethread_connect"
_COOKIE_SECONDS: Final = 600
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_BODY_SECONDS: Final = 15.0
_PROXIES: Final = frozenset({"127.0.0.1", "::1"})


class Guard:
    """``https`` says how the world reaches these pages; ``looks``, ``searches`` and ``tries`` are limits by visitor."""

    def __init__(self, clock: Clock, *, https: bool, trusted_proxies: frozenset[str] = _PROXIES) -> None:
        self.https = https
        self._trusted_proxies = trusted_proxies
        self.looks = RateLimit(clock, burst=60, per_second=1.0)
        # A search asks DNS and web hosts that the visitor names.
        self.searches = RateLimit(clock, burst=20, per_second=0.5)
        # A try opens connections to hosts that the visitor names: slow enough that nobody scans a network with it.
        self.tries = RateLimit(clock, burst=10, per_second=0.2)

    def wait_for(self, limit: RateLimit, request: web.Request) -> int:
        """0 where this visitor may go on, else the whole seconds to wait."""
        return limit.wait_for(self._visitor(request))

    def nonce(self, request: web.Request) -> str:
        """The browser's own random text: as its cookie has it, else a new one."""
        return _nonce(request) or secrets.token_urlsafe(32)

    def remember(self, page: web.Response, nonce: str) -> None:
        """Has the browser bring the nonce back with the form."""
        page.set_cookie(
            _COOKIE,
            nonce,
            max_age=_COOKIE_SECONDS,
            path="/connect",
            httponly=True,
            secure=self.https,
            samesite="Strict",
        )

    def is_ours(self, request: web.Request, token: str, csrf: str) -> bool:
        """Whether a form was sent by the browser that was shown it."""
        nonce = _nonce(request)
        if nonce is None or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        return hmac.compare_digest(csrf_mark(token, nonce).encode("ascii"), csrf.encode("utf-8", "replace"))

    def _visitor(self, request: web.Request) -> str:
        """The visitor's address; a proxy of our own names it last in X-Forwarded-For."""
        peer = request.remote or ""
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return forwarded[:60] if forwarded and peer in self._trusted_proxies else peer


async def form_fields(request: web.Request) -> dict[str, str]:
    """The form's fields. Raises HTTPUnsupportedMediaType, HTTPRequestTimeout, HTTPRequestEntityTooLarge."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            posted = await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def slow_down(pages: Pages, seconds: int) -> web.Response:
    """The answer to a visitor who tries too often."""
    page = pages.plain(429, "One moment, please", f"Too many tries at once. Try again in {seconds} s.")
    page.headers["Retry-After"] = str(seconds)
    return page


def _nonce(request: web.Request) -> str | None:
    nonce = request.cookies.get(_COOKIE, "")
    return nonce if _NONCE.fullmatch(nonce) else None


def csrf_mark(token: str, nonce: str) -> str:
    """What the form carries and a forger cannot make: it takes the link's secret and the browser's cookie. No key of
    the process is in it, so any process may answer the form of any other."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), nonce.encode("ascii"), hashlib.sha256).hexdigest()
