"""One-time links and seats that answer from memory: for tests of the connect page alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor
from core.domain.seats import SeatCount
from core.errors import NotFoundError
from core.services.connecting import ConnectRequest, TicketView
from tests.stores import make_mailbox


@dataclass
class RememberedTickets:
    """Links by token. ``refusal`` is raised at the next tries; each try and each look is noted. What is connected ends
    in ``status``."""

    links: dict[str, TicketView] = field(default_factory=dict)
    refusal: Exception | None = None
    tried: list[ConnectRequest] = field(default_factory=list)
    looks: int = 0
    status: MailboxStatus = MailboxStatus.ACTIVE

    def issue(self, token: str = "T1.a-secret-of-forty-three-characters", mailbox: Mailbox | None = None) -> str:
        self.links[token] = TicketView("T1", "U0RITA", mailbox)
        return token

    async def ticket(self, token: str) -> TicketView:
        self.looks += 1
        if token not in self.links:
            raise NotFoundError(
                "This link has been used already or has expired.", fix="Type /mailbox connect in Slack."
            )
        return self.links[token]

    async def connect_with_ticket(self, token: str, request: ConnectRequest) -> Mailbox:
        await self.ticket(token)
        self.tried.append(request)
        if self.refusal is not None:
            raise self.refusal
        del self.links[token]
        return make_mailbox(address=request.address, send=request.send, capture=request.capture, status=self.status)


@dataclass
class FakeSeats:
    """How many seats there are, as told."""

    count: SeatCount = field(default_factory=lambda: SeatCount(0, 0))

    async def of(self, actor: Actor) -> SeatCount:
        assert actor.workspace == "T1"
        return self.count
