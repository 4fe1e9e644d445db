"""A mail that waits for one of its mailbox's connections is looked at when its turn has come, not before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.ports.mail import Credentials, Endpoint, SendReceipt
from tests.fakes.mail import FakeProvider, FakeTransport
from tests.services.rig import Rig, answer, email_of


class TwoConnections(FakeTransport):
    """As the real one: two connections of a mailbox, and who comes third waits."""

    def __init__(self, provider: FakeProvider) -> None:
        super().__init__(provider)
        self._turns = asyncio.Semaphore(2)

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        async with self._turns:
            return await super().send(endpoint, credentials, sender=sender, recipients=recipients, raw=raw)


@pytest.fixture
async def slow(rig: Rig) -> Rig:
    """Three have got their first mail; the follow-ups meet a server that takes its time over each."""
    rig.transport = TwoConnections(rig.provider)
    rig.restarted()
    await rig.open()
    await rig.launch(3)
    assert await rig.send_due() == 3
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    rig.provider.hang = asyncio.Event()
    return rig


async def test_a_reply_that_comes_while_a_mail_waits_for_its_turn_stops_it(slow: Rig) -> None:
    """The two before it may take minutes."""
    assert slow.provider.hang is not None
    to_three = next(raw for raw in slow.provider.accepted if email_of(3).encode() in raw)
    outgoing = sorted(await slow.claim(), key=lambda one: one.recipient)
    sending = [asyncio.create_task(slow.outreach.deliver(one)) for one in outgoing]
    await asyncio.wait(sending, timeout=0.2)
    slow.provider.arrive(answer(to_three, sender=email_of(3)))
    await slow.read_mail()
    assert await slow.shows(3) == "Replied 2"
    slow.provider.hang.set()
    await asyncio.gather(*sending)
    assert len(slow.provider.accepted) == 3 + 2
    assert await slow.states(3) == ["1.1 sent", "2.1 cancelled"]


async def test_what_was_waiting_for_its_turn_at_the_end_of_the_process_has_not_begun(slow: Rig) -> None:
    """Nothing was said to the server: nobody need look for it in Sent."""
    assert slow.provider.hang is not None
    outgoing = sorted(await slow.claim(), key=lambda one: one.recipient)
    sending = [asyncio.create_task(slow.outreach.deliver(one)) for one in outgoing]
    await asyncio.wait(sending, timeout=0.2)
    sending[2].cancel()
    await asyncio.gather(sending[2], return_exceptions=True)
    assert await slow.states(3) == ["1.1 sent", "2.1 queued"]
    slow.provider.hang.set()
    await asyncio.gather(*sending[:2])
