"""The one-time page on which a person connects a mailbox: passwords are typed here, never in Slack (threat T4).

First the address; then what was found about it, with a button to sign in, or a form for password and servers. Looking
at any of it spends nothing (link scanners look); credentials are tried against the mail servers before anything is
stored, and the link is spent only when that worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from bot.web.connect_form import WHOLE_ADDRESS, ConnectForm, begun, completed, faults, form_of, request_of, typed
from bot.web.connect_views import FIND, ConnectViews, Visit
from bot.web.guard import Guard, form_fields, slow_down
from bot.web.pages import Pages
from bot.web.problem import NO_COOKIE, problem_of, with_wrong_way
from core.domain.account import Mailbox
from core.domain.address import is_valid
from core.errors import InputError, MailError, NotAllowedError, NotFoundError, RefusedError
from core.ports.signin import PASSWORD
from core.services.connecting import ConnectRequest, TicketView
from core.services.discovery import Found, Proposal


class ConnectUses(Protocol):
    """core.services.connecting.ConnectService, as far as these pages ask of it."""

    async def ticket(self, token: str) -> TicketView: ...
    async def connect_with_ticket(self, token: str, request: ConnectRequest) -> Mailbox: ...


class DiscoveryUses(Protocol):
    """core.services.discovery.Discovery."""

    @property
    def offered(self) -> tuple[str, ...]: ...
    async def of(self, address: str) -> Found: ...
    async def look(self, address: str) -> tuple[Found, Proposal]: ...


class ConnectPage:
    """``/connect/{token}``."""

    def __init__(self, mailboxes: ConnectUses, discovery: DiscoveryUses, guard: Guard, views: ConnectViews) -> None:
        self._mailboxes = mailboxes
        self._discovery = discovery
        self._guard = guard
        self._views = views
        self._pages = Pages()

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET: one of the steps. Spends nothing."""
        wait = self._guard.wait_for(self._guard.looks, request)
        if wait:
            return slow_down(self._pages, wait)
        try:
            visit = await self._visit(request)
        except NotFoundError as error:
            return self._views.gone(error)
        way, address = request.query.get("way", ""), request.query.get("address", "").strip()
        if visit.view.mailbox is not None:
            return await self._again(visit, visit.view.mailbox, way)
        if way not in (FIND, PASSWORD, *self._views.offered):
            return self._views.address(visit, address if is_valid(address) else "")
        if not is_valid(address):
            return self._views.address(visit, address[:320], wrong=WHOLE_ADDRESS)
        wait = self._guard.wait_for(self._guard.searches, request)
        return slow_down(self._pages, wait) if wait else await self._second_step(visit, address, way)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """POST: tries the form against the mail servers."""
        wait = self._guard.wait_for(self._guard.tries, request)
        if wait:
            return slow_down(self._pages, wait)
        fields = await form_fields(request)
        try:
            visit = await self._visit(request)
            if not self._guard.is_ours(request, visit.token, fields.get("csrf", "")):
                # What came with it may be somebody else's: it is not shown.
                form = form_of(visit.view.mailbox) if visit.view.mailbox else ConnectForm()
                return self._views.form(visit, form, None, status=403, problem=NO_COOKIE)
            return await self._try(visit, fields)
        except NotFoundError as error:
            return self._views.gone(error)

    async def _visit(self, request: web.Request) -> Visit:
        token = request.match_info["token"]
        name = begun("", request.query.get("name", "")).display_name
        return Visit(request, token, await self._mailboxes.ticket(token), name)

    async def _second_step(self, visit: Visit, address: str, way: str) -> web.Response:
        found, proposal = await self._discovery.look(address)
        sign_in = found.sign_in if way == FIND else way
        if sign_in != PASSWORD:
            return self._views.sign_in(visit, found, sign_in)
        form = replace(begun(address, visit.name), username=proposal.username)
        return self._views.form(visit, completed(form, proposal.imap, proposal.smtp), found, proposal=proposal)

    async def _again(self, visit: Visit, mailbox: Mailbox, way: str) -> web.Response:
        """A reconnect begins as the mailbox signs in so far; another way is a link on the page."""
        found = await self._discovery.of(mailbox.address)
        sign_in = way if way in (PASSWORD, *self._views.offered) else mailbox.sign_in
        if sign_in in self._views.offered:
            return self._views.sign_in(visit, found, sign_in)
        if mailbox.sign_in == PASSWORD:
            return self._views.form(visit, form_of(mailbox), found)
        # It has signed in so far, so that no user name or server was ever chosen for a password.
        found, proposal = await self._discovery.look(mailbox.address)
        form = replace(form_of(mailbox), imap_host="", imap_port="", smtp_host="", smtp_port="", smtp_tls="ssl")
        return self._views.form(visit, completed(form, proposal.imap, proposal.smtp), found, proposal=proposal)

    async def _try(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        posted, password = typed(fields), fields.get("password", "")
        if visit.view.mailbox is not None:  # the link is good for this mailbox and no other
            posted = typed({**fields, "address": visit.view.mailbox.address})
        form = await self._completed(posted)
        wrong = faults(form, password, allow_plain=self._views.allow_plain)
        if wrong:
            return self._views.form(visit, form, await self._found(form), status=422, wrong=wrong)
        try:
            mailbox = await self._mailboxes.connect_with_ticket(visit.token, request_of(form, password))
        except InputError as error:
            wrong = {error.field or "address": error.reason}
            return self._views.form(visit, form, await self._found(form), status=422, wrong=wrong)
        except (RefusedError, NotAllowedError, MailError) as error:
            found = await self._found(form)
            problem = with_wrong_way(problem_of(error), found)
            return self._views.form(visit, form, found, status=422, problem=problem)
        return await self._views.connected(mailbox, reconnected=visit.reconnect)

    async def _completed(self, posted: ConnectForm) -> ConnectForm:
        """Servers that were left empty are looked for."""
        if not is_valid(posted.address) or (posted.imap_host and posted.smtp_host):
            return completed(posted) if is_valid(posted.address) else posted
        _, proposal = await self._discovery.look(posted.address)
        return completed(posted, proposal.imap, proposal.smtp)

    async def _found(self, form: ConnectForm) -> Found | None:
        return await self._discovery.of(form.address) if is_valid(form.address) else None
