"""A stage that was deleted is gone for everybody, also for those who come back to it."""

from __future__ import annotations

from core.domain.enrollment import ProspectEvent
from core.errors import ServerRefusedError
from core.services.campaign_edits import CampaignEdits
from core.services.cards import CardWriter
from core.services.progress import Progress
from tests.services.rig import CAMPAIGN, FILE, RITA, Rig, report


async def delete(rig: Rig, position: int) -> None:
    edits = CampaignEdits(rig.tools, Progress(rig.tools, CardWriter(rig.tools)))
    await edits.delete_stage(RITA, CAMPAIGN, position)


async def test_an_undone_finish_does_not_bring_a_deleted_stage_back(rig: Rig) -> None:
    """It was deleted while the prospect counted as finished; a retry goes on to the next."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    await rig.act(ProspectEvent.FINISH)
    await delete(rig, 2)
    await rig.act(ProspectEvent.UNDO_FINISH)
    assert await rig.send_due() == 0
    assert await rig.shows() == "Not Delivered 2 canceled"
    await rig.act(ProspectEvent.RETRY)
    assert await rig.shows() == "Active 3"


async def test_a_bounce_of_the_last_stage_that_is_left_undoes_a_complete(rig: Rig) -> None:
    """The stage that was deleted behind it is none."""
    await rig.open()
    await rig.launch()
    await delete(rig, 3)
    await rig.send_due()
    assert await rig.follow_up() == 1
    assert await rig.shows() == "Complete 2"
    rig.provider.arrive(report(rig.provider.accepted[1]))
    await rig.read_mail()
    assert (await rig.shows()).startswith("Bounced 2")


async def test_cards_count_the_stages_that_are_left(rig: Rig) -> None:
    """The third of three is the second of two, once the one between is gone."""
    await rig.open()
    await rig.launch()
    await delete(rig, 2)
    await rig.send_due()
    rig.provider.outcomes = [ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)]
    await rig.follow_up()
    assert await rig.shows() == "Bounced 3 invalid_recipient"
    facts = (await rig.card("stage:")).facts
    assert (facts["stage"], facts["stages"]) == (2, 2)


async def test_a_call_needs_no_mailbox_whatever_its_file_says(rig: Rig) -> None:
    """Only mails have a sender: what is queued of a call waits for none."""
    await rig.open()
    await rig.launch(file=FILE.replace("  - delay: 1h\n    body: Did", "  - kind: call\n    delay: 1h\n    body: Did"))
    await rig.send_due()
    edits = CampaignEdits(rig.tools, Progress(rig.tools, CardWriter(rig.tools)))
    for sender in ("rita@agency.test", ""):
        await edits.change_stage(RITA, CAMPAIGN, 2, {"from": sender})
        assert (await rig.deliveries())[1].mailbox_id is None
