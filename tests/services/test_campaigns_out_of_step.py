"""A campaign's start or stop that did not reach its whole queue is finished by the look of each minute."""

from __future__ import annotations

from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectEvent
from core.domain.reasons import reason
from core.services.brakes import Brakes
from core.services.campaign_life import CampaignLife
from core.services.holds import HoldService
from core.workers.holds import HoldWorker
from tests.services.rig import CAMPAIGN, RITA, Rig


async def look(rig: Rig) -> None:
    """What happens each minute."""
    await HoldWorker(rig.store, HoldService(rig.tools, Brakes(rig.tools)), CampaignLife(rig.tools)).look()


async def campaign_of(rig: Rig) -> Campaign:
    async with rig.store.read("T1") as uow:
        found = await uow.campaigns.by_name(CAMPAIGN)
    assert found is not None
    return found


async def set_status(rig: Rig, status: CampaignStatus) -> None:
    """The status alone, as a process leaves it that dies right after."""
    async with rig.store.write("T1") as uow:
        assert await uow.campaigns.set_status(await campaign_of(rig), status)


async def test_a_stage_written_for_a_paused_campaign_after_its_start_goes_within_a_minute(rig_on_both: Rig) -> None:
    """Whoever wrote it had read "paused", and the start did not see it any more."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(2)
    campaign = await campaign_of(rig)
    async with rig.store.write("T1") as uow:
        await uow.bulk.wait_for_campaign(campaign.id, reason("campaign"), actor="engine", at=rig.clock.now(), most=1)
    assert await rig.send_due() == 1
    await look(rig)
    assert await rig.send_due() == 1
    assert [await rig.shows(1), await rig.shows(2)] == ["Active 2", "Active 2"]


async def test_a_stop_that_died_on_the_way_is_finished_within_a_minute(rig_on_both: Rig) -> None:
    """Stopping again would be refused: it is stopped already."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(2)
    await rig.act(ProspectEvent.PAUSE, 2)
    await set_status(rig, CampaignStatus.STOPPED)
    assert await rig.shows() == "Active 1"
    await look(rig)
    assert await rig.shows() == "Not Delivered 1 canceled"
    assert await rig.states() == await rig.states(2) == ["1.1 cancelled"]
    assert (await rig.shows(2)) == "Paused 1"


async def test_what_waits_for_a_paused_campaign_goes_on_waiting(rig_on_both: Rig) -> None:
    """And so does what one prospect's own pause holds back in a running one."""
    rig = rig_on_both
    await rig.open()
    await rig.launch(2)
    await rig.act(ProspectEvent.PAUSE, 2)
    await look(rig)
    assert (await rig.deliveries(2))[0].waiting_for == "paused"
    await rig.campaigns.pause(RITA, CAMPAIGN)
    await look(rig)
    assert await rig.shows() == "Pending 1 campaign"
    assert await rig.send_due() == 0
