"""Draws the pages on which a mailbox is connected: the address, the sign-in, the form with a password, the ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlencode

from aiohttp import web

from bot.web.connect_form import ConnectForm
from bot.web.guard import Guard, csrf_mark
from bot.web.middleware import CONTENT_POLICY, leads_away
from bot.web.pages import Pages
from bot.web.problem import Problem
from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor, Role
from core.domain.provider_help import help_of
from core.domain.providers import facts
from core.domain.seats import SeatCount
from core.errors import NotFoundError
from core.ports.signin import PASSWORD
from core.services.connecting import TicketView
from core.services.discovery import Found, Proposal

_SECURITY: Final = {"ssl": "with TLS", "starttls": "with STARTTLS", "none": "without TLS"}
FIND: Final = "find"
"""The way on which Rethread looks who the provider is; the others are a provider's name and PASSWORD."""


class SeatUses(Protocol):
    """core.services.seats.SeatService, as far as these pages ask of it."""

    async def of(self, actor: Actor) -> SeatCount: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at which link. ``name`` is what Slack knows the person by."""

    request: web.Request
    token: str
    view: TicketView
    name: str = ""

    @property
    def reconnect(self) -> bool:
        return self.view.mailbox is not None

    @property
    def owner(self) -> str:
        """The Slack user to whom the mailbox belongs in the end. ``name`` came with the link and proves nothing."""
        return self.view.mailbox.owner if self.view.mailbox else self.view.user

    def way(self, way: str, address: str) -> str:
        """The address of this link's page on another way."""
        known = {"way": way, "address": "" if self.reconnect else address, "name": self.name}
        return f"/connect/{self.token}?" + urlencode({key: value for key, value in known.items() if value})


class ConnectViews:
    """``allow_plain`` offers connections without TLS; ``offered`` names the sign-in services that can be used."""

    def __init__(
        self, pages: Pages, guard: Guard, seats: SeatUses, *, allow_plain: bool, offered: tuple[str, ...]
    ) -> None:
        self._pages = pages
        self._guard = guard
        self._seats = seats
        self.allow_plain = allow_plain
        self.offered = offered

    def address(self, visit: Visit, address: str, *, wrong: str = "") -> web.Response:
        """The first step: which mailbox?"""
        return self._pages.page(
            "address.html",
            status=422 if wrong else 200,
            action=f"/connect/{visit.token}",
            owner=visit.owner,
            address=address,
            name=visit.name,
            way=FIND,
            wrong={"address": wrong} if wrong else {},
        )

    def sign_in(
        self,
        visit: Visit,
        found: Found,
        provider: str,
        *,
        switches: tuple[bool, bool] = (True, True),
        status: int = 200,
        problem: Problem | None = None,
    ) -> web.Response:
        """The second step at a provider that lets people sign in. ``switches`` are send and capture."""
        nonce = self._guard.nonce(visit.request)
        page = self._pages.page(
            "sign_in.html",
            status=status,
            found=found,
            warnings=[*_rival(found, provider), *found.warnings],
            provider=provider,
            label=facts(provider).label,
            help=help_of(provider),
            action=f"/connect/{visit.token}/signin",
            owner=visit.owner,
            name=visit.name,
            send=switches[0],
            capture=switches[1],
            reconnect=visit.reconnect,
            others=[
                (facts(other).label, visit.way(other, found.address)) for other in self.offered if other != provider
            ],
            by_password=visit.way(PASSWORD, found.address),
            takes_passwords=facts(provider).passwords != "none",
            change="" if visit.reconnect else visit.way("", found.address),
            problem=problem,
            csrf=csrf_mark(visit.token, nonce),
        )
        self._guard.remember(page, nonce)
        page.headers[CONTENT_POLICY] = leads_away(https=self._guard.https)
        return page

    def form(
        self,
        visit: Visit,
        form: ConnectForm,
        found: Found | None,
        *,
        proposal: Proposal | None = None,
        status: int = 200,
        wrong: Mapping[str, str] | None = None,
        problem: Problem | None = None,
    ) -> web.Response:
        """The second step with a password. ``found`` is None where the address is still to be typed."""
        nonce = self._guard.nonce(visit.request)
        page = self._pages.page(
            "connect.html",
            status=status,
            form=form,
            found=found,
            proposal=proposal,
            security=_SECURITY,
            action=f"/connect/{visit.token}",
            owner=visit.owner,
            place=_place(found),
            label=found.label if found else "",
            help=help_of(found.provider if found else ""),
            dead=found is not None and facts(found.provider).passwords == "none",
            ways=[(facts(one).label, visit.way(one, form.address)) for one in self._ways(found)],
            unsure=found is not None and not found.provider and bool(found.warnings),
            certain_way=found is not None and found.sign_in != PASSWORD,
            change="" if visit.reconnect or found is None else visit.way("", form.address),
            reconnect=visit.reconnect,
            wrong=wrong or {},
            problem=problem,
            allow_plain=self.allow_plain,
            csrf=csrf_mark(visit.token, nonce),
        )
        self._guard.remember(page, nonce)
        return page

    async def connected(self, mailbox: Mailbox, *, reconnected: bool) -> web.Response:
        """The end that everybody wants; without a free seat the mailbox waits for one, which is said (R35)."""
        waits = mailbox.status is MailboxStatus.PENDING
        reader = Actor(mailbox.workspace, mailbox.owner, Role.VIEWER)
        return self._pages.page(
            "connected.html",
            mailbox=mailbox,
            reconnected=reconnected,
            seats=await self._seats.of(reader) if waits else None,
            warning=facts(mailbox.provider).warning,
        )

    def ended(self, status: int, title: str, problem: Problem, *, again: str = "") -> web.Response:
        """A sign-in that came to nothing; ``again`` is the link's own page where it is still good."""
        return self._pages.page("not_signed_in.html", status=status, title=title, problem=problem, again=again)

    def gone(self, error: NotFoundError) -> web.Response:
        return self._pages.page("gone.html", status=410, text=error.message)

    def _ways(self, found: Found | None) -> tuple[str, ...]:
        """The sign-in services worth naming beside the form: the right one, or all where nobody knows."""
        if found is None or not found.provider:
            return self.offered
        return (found.sign_in,) if found.sign_in != PASSWORD else ()


def _place(found: Found | None) -> str:
    """Where the mailbox is, in a sentence; empty where nobody knows."""
    if found is None or not (found.provider or found.how):
        return ""
    domain = found.address.rpartition("@")[2]
    return f"{domain} is at {found.label}." if found.provider else f"{domain} has a mail server of its own."


def _rival(found: Found, provider: str) -> list[str]:
    """The provider that DNS names, where it is not the one chosen (R54)."""
    if not found.provider or found.provider == provider:
        return []
    domain = found.address.rpartition("@")[2]
    return [
        f"{domain} seems to be at {found.label}, not at {facts(provider).label}. The wrong choice ends in a refused "
        "sign-in."
    ]
