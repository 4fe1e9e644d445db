"""Figures of campaigns as people see them."""

from __future__ import annotations

import itertools
from zoneinfo import ZoneInfo

import pytest

from core.domain.enrollment import ProspectStatus
from core.domain.figures import CampaignFigures, DayFigures
from core.errors import NotFoundError, ServerRefusedError, StorageError
from core.ports.storage import Engagement
from core.services.metrics import MetricsService
from core.services.recent_figures import RecentFigures
from tests.services.rig import CAMPAIGN, FILE, RITA, VERA, Rig, answer, email_of


async def engaged(rig: Rig, number: int, kind: str, *, machine: bool = False, target: str = "") -> None:
    (delivery, *_) = await rig.deliveries(number)
    async with rig.store.write("T1") as uow:
        one = Engagement(
            delivery.id,
            kind,
            target,
            machine,
            rig.clock.now(),
            delivery.enrollment_id,
            delivery.campaign_id,
            delivery.stage,
        )
        await uow.engagements.note(one)


async def test_stages_are_told_over_all_people_and_the_campaign_over_any_stage(rig: Rig) -> None:
    """R178..R180: of four, one bounced, three got the first mail; one answered it, two the second and went on."""
    await rig.open()
    rig.provider.outcomes = [ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)]
    await rig.launch(4)
    await rig.send_due()
    first = next(raw for raw in rig.provider.accepted if email_of(2).encode() in raw)
    rig.provider.arrive(answer(first, sender=email_of(2)))
    await rig.follow_up()
    await engaged(rig, 2, "open")
    await engaged(rig, 3, "open", machine=True)
    await engaged(rig, 3, "click", machine=True, target="https://a.test")
    await engaged(rig, 4, "download", target="jd.pdf")
    figures = await MetricsService(rig.tools).campaign(RITA, CAMPAIGN)
    assert (figures.people, figures.recipients, figures.failed, figures.replied) == (4, 3, 1, 1)
    assert [(one.sent, one.replied) for one in figures.stages] == [(3, 1), (2, 0), (0, 0)]
    assert (figures.opened, figures.opened_machine, figures.clicked, figures.clicked_machine) == (1, 1, 0, 1)
    assert figures.downloaded == 1
    assert figures.stage_rate(figures.stages[1], "sent") == 0.5
    assert figures.rate("replied") == pytest.approx(1 / 3)


async def test_a_day_is_the_workspaces(rig: Rig) -> None:
    """Sent at 09:00 UTC is the evening before in Honolulu."""
    await rig.open(workspace_zone="Pacific/Honolulu")
    await rig.launch(2)
    await rig.send_due()
    figures = await MetricsService(rig.tools).campaign(RITA, CAMPAIGN)
    day = rig.clock.now().astimezone(ZoneInfo("Pacific/Honolulu")).date()
    assert day != rig.clock.now().date()
    assert figures.days == (DayFigures(day, sent=2),)


async def test_a_page_holds_some_prospects_and_counts_all(rig: Rig) -> None:
    """Anybody may look."""
    await rig.open()
    await rig.launch(5)
    metrics = MetricsService(rig.tools)
    page = await metrics.status(VERA, CAMPAIGN, limit=2, offset=4)
    assert [row.email for row in page.prospects] == [email_of(5)]
    assert (page.shown_of, page.figures.people, page.counts) == (5, 5, {ProspectStatus.ACTIVE: 5})
    nobody = await metrics.status(VERA, CAMPAIGN, status=ProspectStatus.REPLIED)
    assert (nobody.shown_of, list(nobody.prospects)) == (0, [])
    with pytest.raises(NotFoundError):
        await metrics.status(VERA, "Nonesuch")


async def test_across_campaigns_a_person_counts_once(rig: Rig) -> None:
    """Beyond R181."""
    await rig.open()
    await rig.launch(2)
    await rig.campaigns.import_file(RITA, FILE.replace("name: Autumn", "name: Winter"))
    await rig.campaigns.enroll(RITA, "Winter", [email_of(1)])
    await rig.campaigns.start(RITA, "Winter")
    assert await rig.send_due() == 3
    await engaged(rig, 1, "open")
    metrics = MetricsService(rig.tools)
    both = await metrics.across(RITA)
    assert (both.campaign, both.people, both.recipients, both.opened) == ("2 campaigns", 2, 2, 1)
    assert sum(day.sent for day in both.days) == 3
    assert (await metrics.across(RITA, ["Winter"])).people == 1


async def test_what_took_long_is_shown_again_while_it_is_counted_anew(rig: Rig) -> None:
    """A large campaign answers at once, at most ten minutes behind; counting takes two seconds of this clock."""
    counts = itertools.count(1)

    async def slowly() -> CampaignFigures:
        rig.clock.pass_time(seconds=2)
        return CampaignFigures(CAMPAIGN, people=next(counts), recipients=0)

    recent = RecentFigures(rig.clock)

    async def shown() -> int:
        return (await recent.get(CAMPAIGN, slowly)).people

    assert [await shown(), await shown()] == [1, 1]
    rig.clock.pass_time(seconds=41)
    assert await shown() == 1
    await recent.settled()
    assert await shown() == 2
    rig.clock.pass_time(hours=1)
    assert await shown() == 3


async def test_a_count_that_fails_is_told_and_tried_again(rig: Rig) -> None:
    """Nobody is left with old figures for ever."""
    outcomes: list[Exception | None] = [StorageError("disk"), None]

    async def counted() -> CampaignFigures:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return CampaignFigures(CAMPAIGN, people=1, recipients=0)

    recent = RecentFigures(rig.clock)
    with pytest.raises(StorageError):
        await recent.get(CAMPAIGN, counted)
    assert (await recent.get(CAMPAIGN, counted)).people == 1
