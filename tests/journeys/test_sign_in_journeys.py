"""Mailboxes at Google and Microsoft, connected by signing in: from the consent page to the candidate's answer, through
every way in which a sign-in ends and comes back. Real adapters (msal too), XOAUTH2 on IMAP and SMTP."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from core.domain.account import Mailbox
from sandbox.mail import AccountSeed, MailHost
from sandbox.mail.tokens import TokenProvider
from sandbox.signin import SignInHost
from storage.sql_store import SqlStore
from tests.journeys.engine_rig import ADA, RITA, NotedCard, Rig, running

RITAS: dict[TokenProvider, str] = {"google": "rita@sprout.test", "microsoft": "rita@meridian.test"}
OMAR = "omar@meridian.test"
CANDIDATES: dict[TokenProvider, str] = {
    "google": "maya.lind@candidates.example",
    "microsoft": "jonas.berg@candidates.example",
}
BOTH: list[TokenProvider] = ["google", "microsoft"]
SHORT_LIFE_S = 4
# What a token's end looks like in the card of a sign-in that only a person can mend.
SIGNED_OUT = ("refresh_token_revoked", "refresh_token_expired", "oauth_token_rejected", "credentials_rejected")


@dataclass
class Agency:
    """The engine at work, and the providers it signs in at."""

    rig: Rig
    signin: SignInHost
    http: aiohttp.ClientSession

    async def sign_in(self, provider: TokenProvider, address: str = "") -> Mailbox:
        """From the one-time link over the provider's page to the connected mailbox."""
        address = address or RITAS[provider]
        back = f"http://127.0.0.1:3000/oauth/{provider}/callback"
        ticket = await self.rig.uses.connecting.issue_ticket(RITA)
        started = await self.rig.uses.sign_in.begin(ticket, provider, address, redirect_uri=back)
        async with self.http.post(started.url, data={"account": address}, allow_redirects=False) as answer:
            told = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        return await self.rig.uses.sign_in.finish(
            provider, told["state"], told["code"], verifier=started.verifier, redirect_uri=back
        )

    async def green(self, provider: TokenProvider, address: str = "") -> Mailbox:
        mailbox = await self.sign_in(provider, address)
        found: Mailbox = await self.rig.light(mailbox.address, "green")
        return found

    def turn(self, provider: TokenProvider, switch: str, value: object = True, target: str = "") -> None:
        self.signin.turn(provider, target or RITAS[provider], switch, value)

    def ask_anew(self, address: str) -> None:
        """The token in use is good no more and its connections end: the next login needs another one."""
        self.rig.host.tokens.revoke(address)
        self.rig.host.drop_connections(address)

    def logins(self, address: str) -> int:
        return sum(1 for one in self.rig.host.logins if (one.protocol, one.address) == ("imap", address))

    async def until_logins(self, address: str, times: int) -> None:
        await self.rig.host.wait_until(lambda: self.logins(address) >= times, timeout=60)

    def asked(self, provider: TokenProvider, *, status: int | None = None) -> int:
        """How many requests for a token, or for where to ask for one, were answered, with this status."""
        wanted = {"token"} if status is None else {"token", "discovery"}
        mine = [one for one in self.signin.requests if one.provider == provider and one.wanted in wanted]
        return sum(1 for one in mine if status in (None, one.status))

    async def until_asked(self, provider: TokenProvider, times: int, *, status: int) -> None:
        await self.rig.host.wait_until(lambda: self.asked(provider, status=status) >= times, timeout=60)

    def counted(self) -> Counter[str]:
        """Every attempt that a provider would count: token requests and logins."""
        requests = Counter(f"{one.wanted} {one.provider}" for one in self.signin.requests)
        return requests + Counter(f"{one.protocol} {one.address}" for one in self.rig.host.logins)

    async def launch(self, provider: TokenProvider, *, delay: str = "2s") -> str:
        """A campaign of two stages from the provider's mailbox to one candidate; the campaign's name."""
        name, email, uses = f"Roles by {provider}", CANDIDATES[provider], self.rig.uses
        stages = (
            "  - {kind: email, subject: Hello, body: A role}\n"
            f"  - {{kind: email, delay: {delay}, body: Did you see my note}}\n"
        )
        people = f"first_name,last_name,personal_email\nMaya,Lind,{email}\n"
        await uses.people.import_csv(ADA, people.encode())
        await uses.campaigns.import_file(ADA, f"name: {name}\nfrom: {RITAS[provider]}\nstages:\n{stages}")
        await uses.campaigns.enroll(ADA, name, [email])
        await uses.campaigns.start(ADA, name)
        return name

    async def stage_two(self, name: str) -> None:
        """Until the first mail is known to have gone, so that nothing is on the wire."""

        async def waits() -> bool:
            return (await self.rig.uses.campaigns.status(ADA, name)).prospects[0].stage == 2

        await self.rig.until(waits, f"{name} at stage 2")

    def mails_to(self, address: str) -> list[Any]:
        return [one for one in self.rig.host.accepted if address in one.rcpts]

    async def card(self, cause: str) -> NotedCard:
        """The one card of a broken mailbox in the alert channel."""
        card: NotedCard = (await self.rig.notifier.wait(self._alerts, f"card of {cause}"))[0]
        assert (card.facts["cause"], len(self._alerts())) == (cause, 1)
        return card

    def _alerts(self) -> list[NotedCard]:
        return self.rig.notifier.of("sync", "C0ALERTS")

    async def recovered(self, card: NotedCard) -> None:
        await self.rig.notifier.wait(lambda: card.facts["state"] == "recovered", "recovery")


@asynccontextmanager
async def agency(store: SqlStore, *, life_s: float = 3600, **settings: Any) -> AsyncIterator[Agency]:
    """Everything running; access tokens live for ``life_s`` seconds."""
    async with MailHost() as host, SignInHost(host) as signin:
        host.add_account(AccountSeed(OMAR, "Omar Odell", "recruiter", "x", provider="microsoft"))
        for provider in BOTH:
            signin.turn(provider, "app", "token_lifetime_s", life_s)
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=host.ca_file))
        async with (
            aiohttp.ClientSession(connector=trusting) as http,
            running(store, host, signin=signin, **settings) as rig,
        ):
            yield Agency(rig, signin, http)


async def test_short_tokens_are_renewed_all_through_a_campaign_and_nobody_hears_of_it(sqlite_store: SqlStore) -> None:
    """Both providers at once: mail goes, the answer stops the rest, and each mailbox logs in once per token."""
    async with agency(sqlite_store, life_s=SHORT_LIFE_S) as one:
        began = time.monotonic()
        names = {}
        for provider in BOTH:
            await one.green(provider)
            names[provider] = await one.launch(provider, delay="6s")
        for provider, name in names.items():
            email = CANDIDATES[provider]
            await one.stage_two(name)
            await one.rig.host.reply(email, one.mails_to(email)[0], "Yes, Thursday works for me.")
            await one.rig.prospect(name, email, "Replied")
        for provider in BOTH:
            await one.until_logins(RITAS[provider], 6)
        tokens = (time.monotonic() - began) / (SHORT_LIFE_S / 2)
        for provider in BOTH:
            assert len(one.mails_to(CANDIDATES[provider])) == 1
            assert 5 <= one.asked(provider) <= tokens + 4, one.counted()
            assert one.logins(RITAS[provider]) <= tokens + 4, one.counted()
        print(f"{time.monotonic() - began:.0f} s with tokens of {SHORT_LIFE_S} s: {dict(one.counted())}")
        refused = [login.refused for login in one.rig.host.logins if login.refused]
        assert not refused
        assert {card.kind for card in one.rig.notifier.cards.values()} == {"reply", "reply_excerpt"}


@pytest.mark.parametrize("provider", BOTH)
async def test_access_taken_back_is_told_once_and_tried_no_more_until_somebody_signs_in(
    sqlite_store: SqlStore, provider: TokenProvider
) -> None:
    """The card names the cause; what failed meanwhile is offered again, and goes."""
    async with agency(sqlite_store) as one:
        await one.green(provider)
        name = await one.launch(provider)
        await one.stage_two(name)
        before = one.counted()
        began = time.monotonic()
        one.turn(provider, "revoked")
        card = await one.card("refresh_token_revoked")
        told_after, tried = time.monotonic() - began, one.counted() - before
        await one.rig.prospect(name, CANDIDATES[provider], "Not Delivered")  # two seconds of being due passed
        assert one.counted() - before == tried
        print(f"told after {told_after:.1f} s; tried until then {dict(tried)}")
        # The token in use is tried once more, and its renewal: never more than that.
        assert tried.total() <= 4, tried
        assert told_after < 30
        await one.sign_in(provider)
        await one.recovered(card)
        offer = (await one.rig.notifier.wait(lambda: one.rig.notifier.of("recovery"), "offer"))[0]
        assert offer.facts["failed"] == 1
        await one.rig.uses.alerts.retry_after_recovery(ADA, offer.facts["alert_id"], offer.facts["version"])
        await one.rig.prospect(name, CANDIDATES[provider], "Complete")
        assert len(one.mails_to(CANDIDATES[provider])) == 2


async def test_an_expired_client_secret_is_one_card_and_resync_all_mends_it(sqlite_store: SqlStore) -> None:
    """Two mailboxes fail by one cause of our own: the channel gets one card for both, and one press recovers both."""
    async with agency(sqlite_store) as one:
        both_of_them = (RITAS["microsoft"], OMAR)
        for address in both_of_them:
            await one.green("microsoft", address)
        one.turn("microsoft", "secret_expired", target="app")
        for address in both_of_them:
            one.ask_anew(address)
        cards = one.rig.notifier

        def both() -> NotedCard | None:
            return next((card for card in cards.of("storm") if card.facts["total"] == 2), None)

        storm: NotedCard = await cards.wait(both, "storm of two")
        assert storm.facts["cause"] == "oauth_client_secret_expired"
        asked = one.asked("microsoft")
        print(f"told after {asked} token requests")
        one.turn("microsoft", "secret_expired", value=False, target="app")
        await one.rig.uses.alerts.resync_storm(ADA, storm.facts["alert_id"], storm.facts["version"])
        await cards.wait(lambda: storm.facts["state"] == "recovered", "both recovered")
        assert storm.facts["recovered"] == 2
        assert one.asked("microsoft", status=200) > 2
        assert asked <= 12, one.counted()
        assert (len(cards.of("storm")), len(cards.of("sync", "C0ALERTS"))) == (1, 0)


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(("switch", "status"), [("down", 503), ("throttled", 429)])
async def test_a_sign_in_service_in_trouble_is_waited_for(
    sqlite_store: SqlStore, provider: TokenProvider, switch: str, status: int
) -> None:
    """No alert within patience, nothing called a sign-in that is over; the mail that was due goes afterwards."""
    async with agency(sqlite_store, alert_after_s=600) as one:
        mailbox = await one.green(provider)
        one.turn(provider, switch, target="app")
        one.ask_anew(mailbox.address)
        await one.until_asked(provider, 1, status=status)
        name = await one.launch(provider)
        await one.until_asked(provider, 2, status=status)
        assert (await one.rig.uses.mailboxes.get(ADA, mailbox.id)).light == "green"
        log = await one.rig.uses.mailboxes.log(ADA, mailbox.id)
        assert log
        assert not {line.cause for line in log} & set(SIGNED_OUT), log
        one.turn(provider, switch, value=False, target="app")
        await one.until_logins(mailbox.address, one.logins(mailbox.address) + 1)
        await one.rig.prospect(name, CANDIDATES[provider], "Active")
        assert not one.rig.notifier.cards


@pytest.mark.parametrize(("provider", "switch"), [("google", "admin_consent"), ("microsoft", "conditional_access")])
async def test_a_resync_right_after_the_mending_is_not_fooled_by_a_remembered_refusal(
    sqlite_store: SqlStore, provider: TokenProvider, switch: str
) -> None:
    """msal would repeat the refusal for a minute without asking: the mailbox is back within seconds."""
    async with agency(sqlite_store) as one:
        mailbox = await one.green(provider)
        one.turn(provider, switch)
        one.ask_anew(mailbox.address)
        card = (await one.rig.notifier.wait(one._alerts, "card"))[0]
        refusals = one.asked(provider, status=400)
        assert refusals
        one.turn(provider, switch, value=False)
        began = time.monotonic()
        await one.rig.uses.mailboxes.request_resync(RITA, mailbox.id)
        await one.recovered(card)
        assert time.monotonic() - began < 30
        assert one.asked(provider, status=400) == refusals
