"""What a campaign's report is made of: figures, and why people failed."""

from __future__ import annotations

import pytest

from core.domain.actor import Actor, Role, operator
from core.domain.enrollment import ProspectStatus, Reason
from core.domain.figures import FailureCount
from core.errors import NotFoundError, ServerRefusedError
from core.services.campaigns import CampaignService
from core.services.cards import CardWriter
from core.services.metrics import MetricsService
from core.services.progress import Progress
from core.services.reports import ReportService
from tests.services.rig import CAMPAIGN, FILE, RITA, VERA, Rig, email_of
from tests.stores import NOW, make_campaign, make_enrollment, make_mailbox, make_person

OMAR = Actor("T1", "U0OMAR", Role.RECRUITER)


def reports_of(rig: Rig) -> ReportService:
    campaigns = CampaignService(rig.tools, Progress(rig.tools, CardWriter(rig.tools)))
    return ReportService(MetricsService(rig.tools), campaigns)


async def test_failures_are_counted_by_reason_and_anybody_may_read(rig: Rig) -> None:
    """Everybody sees every campaign, viewers as well."""
    await rig.open()
    rig.provider.outcomes = [ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)] * 2
    await rig.launch(4)
    await rig.send_due()
    report = await reports_of(rig).campaign(VERA, CAMPAIGN.upper())
    assert report.figures.failed == 2
    ((code, text, people),) = [(one.code, one.text, one.people) for one in report.failures]
    assert (code != "", text != "", people) == (True, True, 2)


async def test_a_campaign_in_which_nobody_failed_has_no_reasons(rig: Rig) -> None:
    await rig.open()
    await rig.launch(1)
    assert (await reports_of(rig).campaign(RITA, CAMPAIGN)).failures == ()
    with pytest.raises(NotFoundError):
        await reports_of(rig).campaign(RITA, "Nonesuch")


async def test_very_many_failures_are_counted_exactly(rig: Rig) -> None:
    """More than a page: each reason of the latest thousand is counted as a whole, the rest is told as such."""
    await rig.open()
    reasons = ["bounced"] * 1_500 + ["spam"] * 20 + ["old"] * 30
    async with rig.store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("mb9", address="vera@agency.test"))
        await uow.campaigns.add(make_campaign("c9", name="Large"))
        people = [(f"x{n}", make_person(f"many{n}@candidates.example")) for n in range(len(reasons))]
        await uow.people.add_many(people, NOW)
        await uow.enrollments.add_many(
            [
                make_enrollment(
                    f"x{n:05}",
                    campaign_id="c9",
                    mailbox_id="mb9",
                    person_id=f"x{n}",
                    status=ProspectStatus.BOUNCED,
                    next_at=None,
                    reason=Reason(code, f"It was {code}.", ""),
                )
                for n, code in enumerate(reversed(reasons))
            ]
        )
    report = await reports_of(rig).campaign(RITA, "Large")
    assert report.figures.failed == 1_550
    assert report.failures == (
        FailureCount("bounced", "It was bounced.", 1_500),
        FailureCount("", "Other reasons", 50),
    )


async def test_mine_are_those_i_own_and_a_person_counts_once(rig: Rig) -> None:
    """Beyond R181; the operator's are all."""
    await rig.open()
    await rig.launch(2)
    await rig.campaigns.import_file(RITA, FILE.replace("name: Autumn", "name: Winter"))
    await rig.campaigns.enroll(RITA, "Winter", [email_of(1)])
    reports = reports_of(rig)
    mine = (await reports.mine(RITA)).figures
    assert (mine.campaign, mine.people) == ("2 campaigns", 2)
    assert (await reports.mine(operator("T1"))).figures.people == 2
    with pytest.raises(NotFoundError, match="no campaign of your own"):
        await reports.mine(OMAR)
