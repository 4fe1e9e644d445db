"""A mailbox that signs in, read by the real engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress

import pytest

from core.assembly import make_engine, make_tools
from core.clock import SystemClock
from core.domain.account import MailboxStatus
from tests.integration.signin.conftest import ADA, Agency

DEADLINE = 30.0


@pytest.mark.parametrize("provider", ["google", "microsoft"])
async def test_a_signed_in_mailbox_is_read_to_green(agency: Agency, provider: str) -> None:
    """Also with tokens so short that each connection begins with a renewal."""
    agency.turn(provider, "token_lifetime_s", 120, "app")
    mailbox = await agency.sign_in(provider)
    before = await agency.stored(mailbox)
    clock = SystemClock()
    engine = make_engine(make_tools(agency.store, clock), agency.world, started_at=clock.now())
    session = asyncio.create_task(engine.sync.run("T1", mailbox.id))
    try:
        async with asyncio.timeout(DEADLINE):
            while (await agency.uses.mailboxes.get(ADA, mailbox.id)).status is not MailboxStatus.ACTIVE:
                assert not session.done(), session
                await agency.store.wait("test", 0.02)
    finally:
        session.cancel()
        with suppress(asyncio.CancelledError):
            await session
    assert await agency.stored(mailbox) != before


def test_msal_is_loaded_only_when_somebody_signs_in() -> None:
    """It takes a third of a second, which every start would pay."""
    code = "import sys, core.assembly, core.mail.oauth_microsoft; sys.exit('msal' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
