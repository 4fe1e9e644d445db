"""Two hundred mailboxes at one host: they come up at a pace that the host bears, and come back after its restart."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core.domain.account import MailboxStatus
from core.ports.mail import Credentials
from core.services.host_gate import PER_SECOND
from sandbox.mail import AccountSeed, MailHost
from sandbox.mail.accounts import MailHostConfig
from storage.sql_store import SqlStore
from tests.journeys.engine_rig import ADA, WORKSPACE, Rig, endpoint, running
from tests.stores import NOW, make_mailbox

MANY = 200
PASSWORD = "recruiter-pass"
# Logins are counted where they arrive, by the same loop that opens the connections: by as much as it is late for a
# moment, so many come together.
SPANS_S = {1.0: 0.1, 5.0: 0.2}
UP_WITHIN = 120.0
MOST_LAG_S = 5.0


def address(number: int) -> str:
    return f"recruiter{number}@agency.test"


async def connect_all(store: SqlStore, host: MailHost) -> None:
    """The rows that connecting by hand leaves behind, two hundred times: trying each login is another test's matter."""
    await store.ensure_workspace(WORKSPACE, name="Agency", at=NOW)
    imap, smtp = endpoint(host.imap_address), endpoint(host.smtp_address)
    async with store.write(WORKSPACE) as uow:
        for number in range(MANY):
            mailbox = make_mailbox(
                f"mb{number}",
                workspace=WORKSPACE,
                address=address(number),
                username=address(number),
                status=MailboxStatus.CONNECTING,
                imap_host=imap.host,
                imap_port=imap.port,
                imap_tls="none",
                smtp_host=smtp.host,
                smtp_port=smtp.port,
                smtp_tls="none",
            )
            await uow.mailboxes.add(mailbox)
            await uow.mailboxes.put_credentials(mailbox.id, Credentials(address(number), PASSWORD))


@asynccontextmanager
async def everybody(store: SqlStore) -> AsyncIterator[Rig]:
    seeds = tuple(AccountSeed(address(number), "", "recruiter", PASSWORD) for number in range(MANY))
    async with MailHost(MailHostConfig(accounts=seeds)) as host:
        await connect_all(store, host)
        async with running(store, host, poll_sent_s=60, alert_after_s=600, retry_first_s=2, retry_most_s=600) as rig:
            yield rig


async def all_idle(host: MailHost, *, logins: int) -> None:
    """Everybody waits for news, so many logins after the start."""
    await host.wait_until(lambda: len(host.logins) >= logins, timeout=UP_WITHIN)
    for number in range(MANY):
        await host.wait_idle(address(number), timeout=UP_WITHIN)


async def all_green(rig: Rig) -> None:
    async def lit() -> bool:
        return all(one.light == "green" for one in await rig.uses.mailboxes.list(ADA))

    await rig.until(lit, "all green")


def most_within(seconds: float, moments: Sequence[float]) -> int:
    """The most that fell within any span of so many seconds."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, first + seconds) - position for position, first in enumerate(ordered))


class Lag:
    """The largest lag of the event loop that was ever to be read."""

    def __init__(self, rig: Rig) -> None:
        self.worst = 0.0
        self._rig = rig

    async def run(self) -> None:
        while True:
            self.worst = max(self.worst, self._rig.watch.lag())
            await self._rig.store.wait("lag", 0.25)


async def test_two_hundred_mailboxes_come_up_and_come_back_at_a_bearable_pace(sqlite_store: SqlStore) -> None:
    """At most twenty connections a second to the host, at the start and after its restart; nobody is told anything."""
    async with everybody(sqlite_store) as rig:
        lag = Lag(rig)
        watching = asyncio.create_task(lag.run())
        began = time.monotonic()
        await all_idle(rig.host, logins=MANY)
        up = time.monotonic() - began
        await all_green(rig)
        first = [one.at for one in rig.host.logins]
        cut = time.monotonic()
        for number in range(MANY):
            rig.host.drop_connections(address(number))
        await all_idle(rig.host, logins=2 * MANY)
        back = time.monotonic() - cut
        await all_green(rig)
        watching.cancel()
        again = [one.at for one in rig.host.logins[len(first) :]]
        paces = {span: max(most_within(span, moments) for moments in (first, again)) for span in SPANS_S}
        print(f"up in {up:.1f} s, back in {back:.1f} s; most within seconds {paces}; worst lag {lag.worst:.2f} s")
        assert len(first) == len(again) == MANY
        for span, most in paces.items():
            assert most <= PER_SECOND * (span + SPANS_S[span] + lag.worst), paces
        assert not rig.notifier.cards
        assert all(one.streak <= 1 for one in await rig.uses.mailboxes.list(ADA))
        assert lag.worst < MOST_LAG_S
