"""Rates as the seeds count them: by stage over everybody, for the campaign over those who were reached."""

from __future__ import annotations

import pytest

from core.domain.figures import CampaignFigures, StageFigures, percent, share

SECOND = StageFigures(2, "email", sent=40, opened=10, clicked=4, downloaded=1, replied=5)
CAMPAIGN = CampaignFigures("Autumn", people=100, recipients=80, stages=(SECOND,), opened=40, replied=20)


def test_a_stage_is_measured_by_everybody_in_the_campaign() -> None:
    """R179: also by those whom it has not reached yet, so that later stages show less."""
    assert CAMPAIGN.stage_rate(SECOND, "sent") == 0.4
    assert CAMPAIGN.stage_rate(SECOND, "replied") == 0.05


def test_a_campaign_is_measured_by_its_recipients_in_any_stage() -> None:
    """R180."""
    assert CAMPAIGN.rate("opened") == 0.5
    assert CAMPAIGN.rate("replied") == 0.25
    assert CAMPAIGN.rate("downloaded") == 0


def test_nothing_of_nothing_is_nothing_and_no_share_is_more_than_all() -> None:
    assert share(0, 0) == 0
    assert share(3, 0) == 0
    assert share(5, 4) == 1
    assert share(-1, 4) == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0 %"),
        (0.00001, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.034, "3.4 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.9999, "99 %"),
        (1, "100 %"),
    ],
)
def test_percentages_are_short_and_never_say_all_or_none_wrongly(value: float, said: str) -> None:
    assert percent(value) == said
