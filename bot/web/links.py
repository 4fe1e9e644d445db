"""The links in our mails: open, click, download, unsubscribe. Nobody signs in here, and nobody learns of anybody.

A link is followed only where we signed it, so that these pages lead nobody astray (CWE-601). Programs fetch every link
of a mail before its reader does: no GET changes anything (RFC 8058).
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from typing import Final, Protocol
from urllib.parse import quote

from aiohttp import web

from bot.web.guard import Guard, slow_down
from bot.web.pages import Pages
from bot.web.rate_limit import RateLimit
from core.domain.tracked_links import is_web_link
from core.ports.clock import Clock
from core.ports.storage import CampaignFile
from core.services.engagement import Visit

_PIXEL: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NEVER_KEPT: Final = {"Cache-Control": "no-store, no-cache, must-revalidate, max-age=0", "Pragma": "no-cache"}
# Mail programs and their proxies show the picture on pages of their own.
_ANYWHERE: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}
_INERT: Final = re.compile(
    r"application/(?:pdf|msword|zip|rtf|vnd\.[\w.+-]{1,100})|text/(?:plain|csv)|image/(?:png|jpeg|gif|webp)"
)
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_BODY: Final = 10_000
_BODY_SECONDS: Final = 10.0


class EngagementUses(Protocol):
    """core.services.engagement.EngagementService."""

    def opened(self, token: str, visit: Visit) -> None: ...
    def clicked(self, token: str, visit: Visit) -> str | None: ...
    async def file(self, token: str, visit: Visit) -> CampaignFile | None: ...
    def may_unsubscribe(self, token: str) -> bool: ...
    async def unsubscribe(self, token: str, *, how: str) -> bool: ...


class LinkPages:
    """``/o``, ``/c``, ``/f`` and ``/u``."""

    def __init__(self, engagement: EngagementUses, guard: Guard, clock: Clock) -> None:
        self._engagement = engagement
        self._guard = guard
        self._pages = Pages()
        # One visitor may be a mail provider's proxy, which comes for many readers.
        self._visits = RateLimit(clock, burst=600, per_second=50.0)
        self._files = RateLimit(clock, burst=60, per_second=2.0)
        self._optouts = RateLimit(clock, burst=100, per_second=5.0)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """GET: the picture, whatever was asked for."""
        if not self._guard.wait_for(self._visits, request):
            self._engagement.opened(request.match_info["token"], _visit(request))
        return web.Response(body=_PIXEL, content_type="image/gif", headers={**_NEVER_KEPT, **_ANYWHERE})

    async def click(self, request: web.Request) -> web.StreamResponse:
        """GET, HEAD: 302 to where the link leads."""
        wait = self._guard.wait_for(self._visits, request)
        if wait:
            return slow_down(self._pages, wait)
        target = self._engagement.clicked(request.match_info["token"], _visit(request))
        if target is None or not is_web_link(target):
            return self._gone()
        return web.Response(status=302, headers={"Location": quote(target, safe="!#$%&'()*+,/:;=?@[]~"), **_NEVER_KEPT})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET, HEAD: the file, to be saved and never shown as a page of ours."""
        wait = self._guard.wait_for(self._files, request)
        if wait:
            return slow_down(self._pages, wait)
        found = await self._engagement.file(request.match_info["token"], _visit(request))
        if found is None:
            return self._gone()
        inert = bool(_INERT.fullmatch(found.content_type))
        return web.Response(
            body=found.content,
            content_type=found.content_type if inert else "application/octet-stream",
            headers={"Content-Disposition": _attachment(found.name), **_NEVER_KEPT},
        )

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """GET: a page with one button. Changes nothing."""
        wait = self._guard.wait_for(self._optouts, request)
        if wait:
            return slow_down(self._pages, wait)
        if not self._engagement.may_unsubscribe(request.match_info["token"]):
            return self._gone()
        return self._pages.page("unsubscribe.html")

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """POST, by the page's button or by a mail program (RFC 8058): no cookie, no redirect."""
        wait = self._guard.wait_for(self._optouts, request)
        if wait:
            return slow_down(self._pages, wait)
        how = "one click in the mail program" if await _is_one_click(request) else "the unsubscribe page"
        if not await self._engagement.unsubscribe(request.match_info["token"], how=how):
            return self._gone()
        return self._pages.page("unsubscribed.html")

    def _gone(self) -> web.Response:
        return self._pages.plain(
            404, "This link leads nowhere", "It is not complete, or it is too old. Open it again from the mail."
        )


def _visit(request: web.Request) -> Visit:
    return Visit(request.headers.get("User-Agent", "")[:1_000], head=request.method == "HEAD")


def _attachment(name: str) -> str:
    """RFC 6266, with the name in ASCII for old programs and whole in UTF-8 (RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)[:150] or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:150], safe='')}"


async def _is_one_click(request: web.Request) -> bool:
    """Whether the body is RFC 8058's. Raises HTTPUnsupportedMediaType, HTTPRequestTimeout, HTTPRequestEntityTooLarge,
    HTTPBadRequest for one that is no form of ours either."""
    if request.content_type not in _FORMS:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await request.content.read(_MOST_BODY + 1)
            while len(body) <= _MOST_BODY and not request.content.at_eof():
                body += await request.content.read(_MOST_BODY + 1)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    if len(body) > _MOST_BODY:
        raise web.HTTPRequestEntityTooLarge(_MOST_BODY, len(body))
    one_click = b"One-Click" in body and b"List-Unsubscribe" in body
    if not one_click and b"unsubscribe=yes" not in body:
        raise web.HTTPBadRequest
    return one_click
