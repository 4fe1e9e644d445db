"""Where mail is and how people sign in there, from memory: for tests of the connect pages alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.domain.account import Mailbox
from core.domain.diagnosis import Failure, diagnose
from core.domain.providers import facts
from core.ports.mail import Endpoint, Tls
from core.ports.signin import PASSWORD
from core.services.connecting import ConnectRefusedError
from core.services.discovery import Found, Proposal
from core.services.signin import Started
from tests.fakes.connect_tickets import RememberedTickets
from tests.stores import make_mailbox

VERIFIER = "v" * 43


@dataclass
class FakeDiscovery:
    """Providers by domain; any other domain has servers by their usual names. ``proposal`` is given in their place."""

    providers: dict[str, str] = field(
        default_factory=lambda: {"sprout.test": "google", "meridian.test": "microsoft", "dad.test": "godaddy"}
    )
    offered: tuple[str, ...] = ("google", "microsoft")
    proposal: Proposal | None = None
    asked: list[str] = field(default_factory=list)

    async def of(self, address: str) -> Found:
        provider = self.providers.get(address.rpartition("@")[2], "")
        known = facts(provider)
        return Found(
            address,
            provider,
            known.label if provider else "",
            (f"MX says {known.label}",) if provider else (),
            provider if provider in self.offered else PASSWORD,
            (known.warning,) if known.warning else (),
        )

    async def look(self, address: str) -> tuple[Found, Proposal]:
        self.asked.append(address)
        domain = address.rpartition("@")[2]
        usual = Proposal(
            Endpoint(f"imap.{domain}", 993, Tls.SSL),
            Endpoint(f"smtp.{domain}", 465, Tls.SSL),
            "These servers are guessed by their usual names.",
            certain=False,
        )
        return await self.of(address), self.proposal or usual


@dataclass
class FakeSignIns:
    """Sign-ins that end as told: ``refusal`` is raised at both ends; each call is noted."""

    tickets: RememberedTickets = field(default_factory=RememberedTickets)
    refusal: Exception | None = None
    begun: list[tuple[str, str, str, bool, bool]] = field(default_factory=list)
    finished: list[tuple[str, str, str, str]] = field(default_factory=list)
    declined: list[tuple[str, str]] = field(default_factory=list)

    async def begin(
        self, ticket: str, provider: str, address: str, *, redirect_uri: str, send: bool = True, capture: bool = True
    ) -> Started:
        if self.refusal is not None:
            raise self.refusal
        self.begun.append((provider, address, redirect_uri, send, capture))
        return Started(f"https://{provider}.test/authorise?state=state-{len(self.begun)}&x=1", VERIFIER)

    async def finish(
        self, provider: str, state: str, code: str, *, verifier: str, redirect_uri: str, display_name: str = ""
    ) -> Mailbox:
        self.finished.append((provider, state, code, verifier))
        if self.refusal is not None:
            raise self.refusal
        self.tickets.links.clear()
        return make_mailbox(address="rita@sprout.test", display_name=display_name)

    async def refused(self, provider: str, state: str, error: str, description: str = "") -> ConnectRefusedError:
        self.declined.append((error, description))
        words = f"{error}: {description}" if description else error
        return ConnectRefusedError("sign_in", diagnose(Failure("oauth", words, ""), provider=provider))
