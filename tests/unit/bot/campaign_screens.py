"""Everything that campaigns show with something to press or fill in, in each state: for tests of buttons and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.slack.blocks.campaign_forms import delete_form, new_form, settings_form, stage_form
from bot.slack.blocks.campaign_list import campaign_list
from bot.slack.blocks.campaign_people import add_form, enrolled, import_form, move_form, moved
from bot.slack.blocks.campaign_preflight import preflight_card
from bot.slack.blocks.campaign_results import exported_text, life_changed
from bot.slack.blocks.campaign_window import campaign_window, preview_window
from bot.slack.blocks.campaign_words import KINDS
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card
from bot.slack.campaign_filter import CampaignFilter
from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage
from core.domain.campaign_query import CampaignLine
from core.domain.content_lint import Finding
from core.domain.enrollment import ProspectStatus
from core.domain.forecast import DayLine, Forecast
from core.services.campaign_overview import CampaignOverview, StagePreview
from core.services.launch_check import LaunchReport, Problem
from core.services.outcomes import AlsoIn, Skipped
from tests.fakes.services import a_campaign

AT = datetime(2026, 11, 26, 14, 10, tzinfo=UTC)
HOSTILE = "<!channel> <@U0ADA> &amp; `x` \u202e" + "word " * 700
COUNTS = {ProspectStatus.ACTIVE: 9, ProspectStatus.BOUNCED: 2}


def big_campaign(status: CampaignStatus = CampaignStatus.DRAFT) -> Campaign:
    """As large and as hostile as a file may be."""
    kinds = list(KINDS)
    stages = tuple(
        Stage(
            number,
            kinds[number % 4],
            Delay(timedelta(hours=number)),
            subject=HOSTILE[:900],
            body=HOSTILE,
            note=HOSTILE,
            html=HOSTILE,
            required=True,
            sender=f"{'s' * 60}@agency.test",
            attachments=(f"{'f' * 190}.pdf",),
        )
        for number in range(1, 101)
    )
    definition = {"holidays": [f"2026-12-{day:02}" for day in range(1, 29)], "tracking": {"downloads": True}}
    return replace(
        a_campaign(),
        id="campaign-1",
        name=HOSTILE[:150],
        status=status,
        stages=stages,
        senders=tuple(f"r{n}@agency.test" for n in range(120)),
        job=HOSTILE[:200],
        job_stage=HOSTILE[:200],
        channel="C0REPLIES",
        definition=definition,
        shared=True,
    )


def overview(campaign: Campaign) -> CampaignOverview:
    standing = {stage.position: 3 for stage in campaign.stages}
    return CampaignOverview(campaign, COUNTS, standing, {}, {HOSTILE[:150]: False}, (HOSTILE[:60], "company"))


def launch(campaign: Campaign, severity: str = "stop", problems: int = 1) -> LaunchReport:
    one = Problem("null_email", severity, 4, HOSTILE, HOSTILE, (HOSTILE, HOSTILE))
    finding = Finding("caps", 1.5, HOSTILE, HOSTILE, HOSTILE[:120], 1)
    days = tuple(DayLine(date(2026, 11, 23) + timedelta(days=n), 1, 40, 400, 0) for n in range(30))
    outlook = Forecast(days, {n: AT + timedelta(days=n) for n in range(1, 7)}, 430, 0, 3)
    return LaunchReport(campaign, 440, (one,) * problems, (finding,) * 20, 4.5, outlook)


def forms() -> Sequence[Form]:
    made: list[Form] = [new_form(["rita@agency.test"], "Europe/London", guessed=True), add_form([("A", "id1")])]
    made += [import_form([("A", "id1")]), move_form([("A", "id1")], [("B", "id2")], "id1")]
    for campaign in (big_campaign(), a_campaign(), big_campaign(CampaignStatus.ACTIVE)):
        made.append(settings_form(campaign, ["rita@agency.test"]))
        made += [stage_form(campaign, None, kind, ["rita@agency.test"], fields=["company"]) for kind in KINDS]
        made += [stage_form(campaign, stage, stage.kind, []) for stage in campaign.stages[:4]]
        made.append(delete_form(campaign, campaign.stages[0], 3))
        preview = StagePreview(
            campaign, campaign.stages[0], HOSTILE, True, HOSTILE, HOSTILE, (HOSTILE[:60],), AT, "Europe/London", True
        )
        made.append(preview_window(preview))
    made += [campaign_window(overview(big_campaign(status)), HOSTILE) for status in CampaignStatus]
    return made


def cards() -> Sequence[Card]:
    draft = big_campaign()
    lines = [CampaignLine(replace(draft, id=f"id{n}"), COUNTS) for n in range(30)]
    skipped, also = [Skipped(HOSTILE[:254], HOSTILE)] * 50, [AlsoIn(HOSTILE[:254], (HOSTILE,))] * 50
    filters = [
        CampaignFilter(),
        CampaignFilter(page=2, owner="U0RITA", status="draft", shared="yes", job=HOSTILE[:40], text=HOSTILE[:40]),
    ]
    return [
        *(campaign_list(lines, chosen, lines) for chosen in filters),
        campaign_list([], CampaignFilter(), []),
        preflight_card(launch(draft, problems=40), asked_to_start=True),
        preflight_card(launch(draft, "warn")),
        preflight_card(launch(replace(draft, status=CampaignStatus.ACTIVE), "note")),
        enrolled(draft, 3, skipped, also),
        moved(HOSTILE[:150], draft, 3, skipped, also),
        life_changed(draft),
        exported_text(HOSTILE[:150], HOSTILE * 3),
    ]
