"""A sign-in service in memory: implements the port SignInProvider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.errors import MailError
from core.ports.mail import Endpoint, Tls
from core.ports.signin import Authorisation, Grant

IMAP = Endpoint("imap.provider.test", 993, Tls.SSL)
SMTP = Endpoint("smtp.provider.test", 465, Tls.SSL)


@dataclass
class FakeSignIn:
    """Gives tokens with a number in them. ``trouble`` is raised instead; ``hold`` keeps an answer back until it is set;
    ``rotates``: each refresh gives a new refresh token, as Microsoft does."""

    now: Callable[[], datetime]
    name: str = "google"
    host: str = "sign-in.provider.test"
    imap: Endpoint = IMAP
    smtp: Endpoint = SMTP
    life: timedelta = timedelta(hours=1)
    rotates: bool = False
    address: str = "rita@agency.test"
    aliases: tuple[str, ...] = ()
    trouble: MailError | None = None
    hold: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    refreshed: list[str] = field(default_factory=list)
    redeemed: list[tuple[str, str]] = field(default_factory=list)

    async def authorise(self, *, redirect_uri: str, state: str, login_hint: str) -> Authorisation:
        if self.trouble is not None:
            raise self.trouble
        return Authorisation(f"https://{self.host}/?state={state}&hint={login_hint}&back={redirect_uri}", "a-verifier")

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        self.redeemed.append((code, verifier))
        return self._grant("first", "refresh-0")

    async def refresh(self, refresh_token: str) -> Grant:
        self.refreshed.append(refresh_token)
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        number = len(self.refreshed)
        return self._grant(str(number), f"refresh-{number}" if self.rotates else "")

    def _grant(self, number: str, refresh_token: str) -> Grant:
        if self.trouble is not None:
            raise self.trouble
        return Grant(f"access-{number}", refresh_token, self.now() + self.life, self.address, self.aliases)
