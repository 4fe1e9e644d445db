"""Access tokens: renewed ahead of their end, once at a time, and never at the cost of what a person just gave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core.domain.account import Mailbox
from core.errors import LoginRefusedError, MailError, NotFoundError, ServerRefusedError, UnreachableError
from core.ports.mail import Credentials
from core.services.credentials import CredentialService
from tests.fakes.sign_in import FakeSignIn
from tests.services.rig import ADA, RITA, Rig
from tests.stores import make_mailbox

DEADLINE = 30.0
BY_PASSWORD = Credentials("rita@agency.test", "the new password")


class Signed:
    """One mailbox that signs in with a provider, and the service under test."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.provider = FakeSignIn(rig.clock.now)
        self.service = CredentialService(rig.tools, {"google": self.provider})
        self.mailbox = make_mailbox(sign_in="google", token_expires_at=rig.clock.now() + timedelta(hours=1))

    async def open(self) -> Signed:
        expires_at = self.rig.clock.now() + timedelta(hours=1)
        async with self.rig.store.write("T1") as uow:
            await uow.mailboxes.add(self.mailbox)
            given = Credentials("rita@agency.test", "", "access-0", "refresh-0", expires_at)
            await uow.mailboxes.put_credentials(self.mailbox.id, given)
        return self

    async def now(self, *, anew: bool = False) -> Credentials:
        return await self.service.of("T1", self.mailbox, anew=anew)

    async def stored(self) -> Credentials:
        async with self.rig.store.read("T1") as uow:
            return await uow.mailboxes.credentials(self.mailbox.id)

    async def row(self) -> Mailbox:
        return await self.rig.mailboxes.get(ADA, self.mailbox.id)

    async def while_asking(self, others: int = 0) -> Sequence[asyncio.Task[Credentials]]:
        """Somebody asks, then ``others`` do while the provider holds its answer back."""
        self.provider.hold = asyncio.Event()
        asking = [asyncio.create_task(self.now(anew=True))]
        async with asyncio.timeout(DEADLINE):
            await self.provider.asked.wait()
        asking += [asyncio.create_task(self.now(anew=True)) for _ in range(others)]
        return asking

    def answer(self) -> None:
        assert self.provider.hold is not None
        self.provider.hold.set()


@pytest.fixture
async def signed(rig: Rig) -> Signed:
    return await Signed(rig).open()


async def test_a_password_is_given_as_it_is_stored(rig: Rig) -> None:
    """There is nothing to renew, also after a refusal."""
    mailbox_id = await rig.connect()
    service = CredentialService(rig.tools, {})
    mailbox = await rig.mailboxes.get(RITA, mailbox_id)
    assert (await service.of("T1", mailbox, anew=True)).password == rig.provider.password


async def test_a_token_is_renewed_five_minutes_before_its_end(signed: Signed) -> None:
    """Not earlier: providers count."""
    signed.rig.clock.pass_time(minutes=54)
    assert (await signed.now()).access_token == "access-0"
    signed.rig.clock.pass_time(minutes=1)
    assert (await signed.now()).access_token == "access-1"
    assert (await signed.now()).access_token == "access-1"
    assert signed.provider.refreshed == ["refresh-0"]


async def test_what_was_given_is_stored_at_once(signed: Signed) -> None:
    """A rotated refresh token too: the one before may be spent. The mailbox shows when the token ends."""
    signed.provider.rotates = True
    await signed.now(anew=True)
    assert await signed.stored() == Credentials(
        "rita@agency.test", "", "access-1", "refresh-1", signed.rig.clock.now() + timedelta(hours=1)
    )
    assert (await signed.row()).token_expires_at == signed.rig.clock.now() + timedelta(hours=1)
    await signed.now(anew=True)
    assert signed.provider.refreshed == ["refresh-0", "refresh-1"]


async def test_a_provider_that_keeps_its_refresh_token_keeps_it_with_us(signed: Signed) -> None:
    """Google gives none on a refresh."""
    await signed.now(anew=True)
    assert (await signed.stored()).refresh_token == "refresh-0"


async def test_however_many_ask_one_renewal_is_made(signed: Signed) -> None:
    """Reader, sender and the look into Sent meet here."""
    asking = await signed.while_asking(19)
    signed.answer()
    assert {one.access_token for one in await asyncio.gather(*asking)} == {"access-1"}
    assert signed.provider.refreshed == ["refresh-0"]


async def test_a_refusal_reaches_everybody_who_asked_and_the_next_asks_again(signed: Signed) -> None:
    """A fix a second later is seen: nothing that was refused is remembered."""
    signed.provider.trouble = LoginRefusedError('{"error": "invalid_grant"}', layer="oauth")
    asking = await signed.while_asking(2)
    signed.answer()
    assert all(isinstance(one, LoginRefusedError) for one in await asyncio.gather(*asking, return_exceptions=True))
    assert len(signed.provider.refreshed) == 1
    signed.provider.trouble = None
    assert (await signed.now(anew=True)).access_token == "access-2"


async def test_a_renewal_outlives_whoever_asked_for_it(signed: Signed) -> None:
    """A session that is stopped meanwhile does not lose the token that replaces the old one."""
    signed.provider.rotates = True
    (asking,) = await signed.while_asking()
    asking.cancel()
    await asyncio.wait([asking])
    signed.answer()
    assert (await signed.now()).access_token == "access-0"  # as stored, until the renewal is through
    other = await signed.now(anew=True)
    assert other.refresh_token == (await signed.stored()).refresh_token
    assert signed.provider.refreshed[0] == "refresh-0"
    assert "refresh-0" not in signed.provider.refreshed[1:]


async def test_what_a_person_gives_meanwhile_wins(signed: Signed) -> None:
    """Connected again with a password, while a renewal was under way."""
    (asking,) = await signed.while_asking()
    async with signed.rig.store.write("T1") as uow:
        await uow.mailboxes.put_credentials(signed.mailbox.id, BY_PASSWORD)
    signed.answer()
    assert await asking == BY_PASSWORD
    assert await signed.stored() == BY_PASSWORD


async def test_what_was_forgotten_meanwhile_stays_forgotten(signed: Signed) -> None:
    """Disconnected, while a renewal was under way."""
    (asking,) = await signed.while_asking()
    async with signed.rig.store.write("T1") as uow:
        await uow.mailboxes.forget_credentials(signed.mailbox.id)
    signed.answer()
    with pytest.raises(NotFoundError):
        await asking
    with pytest.raises(NotFoundError):
        await signed.stored()


@pytest.mark.parametrize(
    "trouble",
    [
        UnreachableError("[Errno 111] Connection refused", layer="socket"),
        ServerRefusedError("HTTP 503 Service Unavailable", layer="oauth"),
    ],
)
async def test_a_sign_in_service_that_is_away_is_no_fault_of_the_login(signed: Signed, trouble: MailError) -> None:
    """The error says what it is, and what is stored stays."""
    signed.provider.trouble = trouble
    with pytest.raises(type(trouble)):
        await signed.now(anew=True)
    assert (await signed.stored()).access_token == "access-0"


async def test_a_provider_that_is_not_set_up_any_more_is_named_as_the_operators_matter(signed: Signed) -> None:
    service = CredentialService(signed.rig.tools, {})
    with pytest.raises(LoginRefusedError, match="unauthorized_client"):
        await service.of("T1", signed.mailbox, anew=True)


async def test_short_lived_tokens_are_used_for_half_their_life(signed: Signed) -> None:
    """Else a token that lives four minutes would be renewed at every breath."""
    signed.provider.life = timedelta(minutes=4)
    await signed.now(anew=True)
    signed.rig.clock.pass_time(seconds=119)
    await signed.now()
    assert len(signed.provider.refreshed) == 1
    signed.rig.clock.pass_time(seconds=1)
    await signed.now()
    assert len(signed.provider.refreshed) == 2
