"""Logins to one mail host take turns: so many a second, so many at once, in the order in which they came."""

from __future__ import annotations

import asyncio

import pytest

from core.services.host_gate import AT_ONCE, PER_SECOND, HostGate
from tests.services.held_session import passes

pytestmark = pytest.mark.looptime  # time passes only while all wait


class Logins:
    """What a crowd at the gate did, on the event loop's clock."""

    def __init__(self) -> None:
        self.gate = HostGate()
        self.began: list[tuple[int, float]] = []
        self.inside = 0
        self.most_inside = 0

    async def log_in(self, number: int, host: str = "mail.agency.test", takes_s: float = 0.0) -> None:
        async with self.gate.turn(host):
            self.began.append((number, asyncio.get_running_loop().time()))
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            await passes(takes_s)
            self.inside -= 1

    @property
    def times(self) -> list[float]:
        return [at for _, at in self.began]


async def test_a_crowd_is_let_in_twenty_a_second_in_the_order_in_which_it_came() -> None:
    logins = Logins()
    await asyncio.gather(*(logins.log_in(number) for number in range(100)))
    assert [number for number, _ in logins.began] == list(range(100))
    for start in range(100 - 21):
        assert logins.times[start + 21] - logins.times[start] > 1.0
    assert logins.times[-1] - logins.times[0] == pytest.approx(99 / PER_SECOND)


async def test_slow_logins_are_twenty_at_once() -> None:
    """A host that takes ten seconds for each is not met by hundreds of them."""
    logins = Logins()
    await asyncio.gather(*(logins.log_in(number, takes_s=10) for number in range(60)))
    assert logins.most_inside == AT_ONCE
    assert [number for number, _ in logins.began] == list(range(60))


async def test_hosts_do_not_wait_for_each_other_and_have_one_name() -> None:
    """Whatever its case."""
    logins = Logins()
    hosts = [f"mail{number}.agency.test" for number in range(50)]
    await asyncio.gather(*(logins.log_in(number, host) for number, host in enumerate(hosts)))
    assert logins.times[-1] == logins.times[0]
    began = len(logins.began)
    await asyncio.gather(logins.log_in(0, "Mail.Agency.Test"), logins.log_in(1, "mail.agency.test"))
    assert logins.times[began + 1] - logins.times[began] == pytest.approx(1 / PER_SECOND)


async def test_a_single_login_does_not_wait() -> None:
    logins = Logins()
    began = asyncio.get_running_loop().time()
    await logins.log_in(1)
    assert logins.times == [began]


async def test_whoever_gives_up_waiting_or_fails_leaves_the_gate_open() -> None:
    """A session that is cancelled, a login that is refused."""
    logins = Logins()
    held = [asyncio.create_task(logins.log_in(number, takes_s=1_000)) for number in range(AT_ONCE + 5)]
    await passes(100)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    for _ in range(AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError):
            async with logins.gate.turn("mail.agency.test"):
                raise ZeroDivisionError
    async with asyncio.timeout(30):
        await logins.log_in(99)
