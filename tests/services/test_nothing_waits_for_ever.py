"""What is held back comes back: each reason for which a stage waits has somebody who ends the wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.ports.storage import Hold
from core.services.brakes import Brakes
from core.services.campaign_edits import CampaignEdits
from core.services.cards import CardWriter
from core.services.holds import HoldService
from core.services.limit_books import MAILS
from core.services.progress import Progress
from tests.services.rig import ADA, CAMPAIGN, RITA, Rig
from tests.stores import NOW, open_with_workspaces

OTHER = "jobs@agency.test"


def edits_of(rig: Rig) -> CampaignEdits:
    return CampaignEdits(rig.tools, Progress(rig.tools, CardWriter(rig.tools)))


async def test_a_stage_that_waits_for_a_mailbox_goes_when_it_gets_another_sender(rig: Rig) -> None:
    """Nobody who mends the old mailbox looks at the stage any more."""
    await rig.open()
    await rig.launch()
    braked = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.write("T1") as uow:
        await uow.holds.put(Hold("mailbox", braked.id, "mailbox_brake", "rethread", NOW))
    assert await rig.send_due() == 0
    assert await rig.shows() == "Pending 1 mailbox_brake"
    await rig.connect(OTHER)
    await rig.read_mail(OTHER)
    await edits_of(rig).change_stage(RITA, CAMPAIGN, 1, {"from": OTHER})
    assert await rig.send_due() == 1
    assert (await rig.deliveries())[0].waiting_for is None
    assert await rig.shows() == "Active 2"


async def begun(unit: asyncio.Task[int]) -> None:
    """Until it has gone as far as it can: to its end, or to a lock that another unit holds."""
    await asyncio.wait({unit}, timeout=0.5)


@pytest.mark.postgres
async def test_a_hold_that_is_lifted_while_a_claim_holds_back_leaves_nobody_behind(postgres_url: str) -> None:
    """The claim has read the hold, and commits what waits for it only after it is gone."""
    async with await open_with_workspaces(postgres_url) as store:
        rig = Rig.on(store)
        await rig.open()
        await rig.launch()
        holds = HoldService(rig.tools, Brakes(rig.tools))
        await holds.stop_everything(ADA)
        async with store.write("T1") as uow:
            await uow.traffic.lock([MAILS])  # as the claim does before it reads the holds
            (due,) = await uow.deliveries.claim_due(rig.clock.now(), limit=1)
            assert await uow.holds.all()
            lifting = asyncio.create_task(holds.resume_everything(ADA))
            await begun(lifting)
            await uow.deliveries.save(replace(due.delivery, waiting_for="everything_stopped"))
        await lifting
        assert await rig.send_due() == 1
