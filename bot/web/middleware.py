"""What holds for every answer: safe headers, and errors as plain pages with a reference into the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.web.pages import Pages

log = logging.getLogger("rethread.web")

# No script at all; a page may load its style sheet and post to where it came from, and stands in nobody's frame.
_POLICY: Final = "default-src 'none'; style-src 'self'; form-action {}; base-uri 'none'; frame-ancestors 'none'"
CONTENT_POLICY: Final = "Content-Security-Policy"
_HEADERS: Final = {
    CONTENT_POLICY: _POLICY.format("'self'"),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
_HSTS: Final = "max-age=31536000"
_WORDS: Final = {
    404: ("There is no such page", "Check the address, or go back to Slack and follow the link there again."),
    405: ("That cannot be done here", "Go back to Slack and follow the link there again."),
    408: ("That took too long", "The form did not arrive in time. Go back and send it again."),
    413: ("That is too much", "What was sent is larger than this page takes."),
    415: ("That is no form", "This page takes what its own form sends."),
}


def leads_away(*, https: bool) -> str:
    """The policy of a page whose form is answered with the way to a sign-in service. Browsers hold every stop of that
    way against it, and an organisation's own sign-in page may be one of them. No password is typed on such a page.
    Without ``https`` we are on one machine, and so may be the sign-in service."""
    return _POLICY.format("'self' https:" + ("" if https else " http://127.0.0.1:* http://localhost:*"))


def safe_headers(*, https: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """For ``Application.on_response_prepare``. ``https``: browsers shall never come without TLS again."""

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)
        response.headers["Server"] = "Rethread"

    return add


def errors_as_pages(pages: Pages) -> Middleware:
    """Refusals of the framework in words; whatever nobody expected as 500 with a reference that the log has too."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _refusal(pages, error)
        except Exception:
            reference = f"r-{secrets.token_hex(3)}"
            # The path holds the one-time token: the log gets the route's pattern instead.
            log.exception("action=page_failed reference=%s route=%s", reference, _route(request))
            return pages.plain(
                500,
                "Something went wrong on our side",
                "Nothing more was done. Try again; if it stays, tell whoever runs Rethread this reference.",
                reference=reference,
            )

    return middleware


def _refusal(pages: Pages, error: web.HTTPException) -> web.Response:
    heading, text = _WORDS.get(error.status, ("That did not work", "Go back and try again."))
    page = pages.plain(error.status, heading, text)
    if "Allow" in error.headers:
        page.headers["Allow"] = error.headers["Allow"]
    return page


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
