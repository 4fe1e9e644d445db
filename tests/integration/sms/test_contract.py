"""What services may count on, of the real adapter over HTTP and of the fake alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from core.errors import InputError, MailError, OutcomeUnknownError, SmsRefusedError
from core.ports.sms import SmsTransport
from sandbox.sms import SmsHost
from tests.fakes.sms import FakeSms
from tests.integration.sms.conftest import JONAS, MAYA, adapter, long_ago

TEXT = "Hi Maya, “fifteen minutes” this week?\n\nRita 😀"


class World(Protocol):
    transport: SmsTransport

    def texts_to(self, number: str) -> list[str]: ...

    def refuse(self, code: int) -> None: ...

    def lose(self, *, taken: bool) -> None: ...

    def undeliver(self, code: int) -> None: ...


@dataclass
class RealWorld:
    transport: SmsTransport
    host: SmsHost

    def texts_to(self, number: str) -> list[str]:
        return self.host.texts_to(number)

    def refuse(self, code: int) -> None:
        self.host.turn("refuse", str(code))

    def lose(self, *, taken: bool) -> None:
        self.host.turn("answer", "cut" if taken else "lost")

    def undeliver(self, code: int) -> None:
        self.host.turn("undelivered", str(code))


class FakeWorld:
    def __init__(self) -> None:
        self.transport = FakeSms(lambda: datetime.now(UTC))

    def texts_to(self, number: str) -> list[str]:
        return self.transport.texts_to(number)

    def refuse(self, code: int) -> None:
        self.transport.outcomes = [SmsRefusedError(f"{code}: no", provider_code=code, status=400)]

    def lose(self, *, taken: bool) -> None:
        self.transport.outcomes = [OutcomeUnknownError("silence", layer="sms")]
        self.transport.takes_lost = taken

    def undeliver(self, code: int) -> None:
        self.transport.undelivered = code


@pytest.fixture(params=["twilio", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    async with SmsHost() as host:
        yield RealWorld(adapter(host), host)


async def test_a_text_arrives_once_and_is_found_again(world: World) -> None:
    """As it was written, whatever is in it."""
    receipt = await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    assert receipt.id
    assert not receipt.failed
    assert world.texts_to(MAYA) == [TEXT]
    assert world.texts_to(JONAS) == []
    found = await world.transport.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert found is not None
    assert found.id == receipt.id


async def test_another_text_another_person_or_an_older_one_is_not_it(world: World) -> None:
    """A wrong find would drop a text."""
    await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    lookup = world.transport.lookup
    assert await lookup(to=MAYA, text="Hi Maya", since=long_ago()) is None
    assert await lookup(to=MAYA, text=TEXT + "!", since=long_ago()) is None
    assert await lookup(to=JONAS, text=TEXT, since=long_ago()) is None
    assert await lookup(to=MAYA, text=TEXT, since=datetime.now(UTC) + timedelta(minutes=5)) is None
    assert await lookup(to=MAYA, text=TEXT, since=datetime.now(UTC) + timedelta(seconds=20)) is not None


async def test_of_two_alike_the_newer_is_found(world: World) -> None:
    """The same stage sent again by a person's Retry."""
    await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    second = await world.transport.send(to=MAYA, text=TEXT, key="delivery-2")
    found = await world.transport.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert found is not None
    assert found.id == second.id


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21614, 20429])
async def test_a_refusal_is_certain_and_carries_the_providers_number(world: World, code: int) -> None:
    """Nothing went out, so it may be tried again."""
    world.refuse(code)
    with pytest.raises(SmsRefusedError) as refused:
        await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    assert refused.value.provider_code == code
    assert str(code) in refused.value.raw
    assert refused.value.layer == "sms"
    assert world.texts_to(MAYA) == []
    assert await world.transport.lookup(to=MAYA, text=TEXT, since=long_ago()) is None


@pytest.mark.parametrize("taken", [True, False])
async def test_what_a_lost_answer_left_is_settled_by_a_look_at_the_list(world: World, taken: bool) -> None:
    """Never twice: the sender cannot know; the list does."""
    world.lose(taken=taken)
    with pytest.raises(OutcomeUnknownError):
        await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    found = await world.transport.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert (found is not None) == taken
    assert len(world.texts_to(MAYA)) == int(taken)


async def test_a_text_that_came_back_says_why(world: World) -> None:
    """R132: taken first, and refused by the network afterwards."""
    world.undeliver(30034)
    receipt = await world.transport.send(to=MAYA, text=TEXT, key="delivery-1")
    assert not receipt.failed
    later = await world.transport.fetch(receipt.id)
    assert later.failed
    assert later.error_code == 30034
    assert await world.transport.lookup(to=MAYA, text=TEXT, since=long_ago()) == later
    assert world.texts_to(MAYA) == []


async def test_a_text_that_was_never_taken_is_not_there(world: World) -> None:
    with pytest.raises(MailError) as refused:
        await world.transport.fetch("SM" + "f" * 32)
    assert isinstance(refused.value, SmsRefusedError)
    assert refused.value.status == 404


@pytest.mark.parametrize("text", ["", "a" * 1_601, "a\0", "\ud800"])
async def test_a_text_that_cannot_be_sent_is_refused_before_anything_is_asked(world: World, text: str) -> None:
    with pytest.raises(InputError):
        await world.transport.send(to=MAYA, text=text, key="delivery-1")
    assert world.texts_to(MAYA) == []
