"""The report's text: every figure is there with what it is a share of, and Slack takes it whatever the figures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks import report
from core.domain.figures import CampaignFigures, DayFigures, FailureCount, Report, StageFigures
from tests.fakes.reports import FAILURES, FIGURES, FIRST
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_cards import assert_slack_takes

WHOLE = Report(FIGURES, FAILURES)


def read(one: Report) -> str:
    return aloud(report.report_card(one))


def test_campaign_rates_are_shares_of_those_reached_in_any_stage() -> None:
    """R180: 26 of 180, though 200 are in the campaign."""
    text = read(WHOLE)
    assert "Replied: 26 (14 % of those reached, in any stage)" in text
    assert "Reached: 180 (90 % of them)" in text


def test_stage_rates_are_shares_of_all_people() -> None:
    """R179: 17 of 200."""
    headings, first, second = report.stage_rows(FIGURES)
    assert headings == ["Stage", "Sent", "Opened", "Clicked", "Downloaded", "Replied"]
    assert (first[0], first[1], first[-1]) == ("1. email", "180 (90 %)", "17 (8.5 %)")
    assert second[-1] == "9 (4.5 %)"


def test_likely_machines_stand_apart_from_people() -> None:
    text = read(WHOLE)
    assert "Opened: 101 (56 % of those reached, in any stage); likely 22 more by mail systems alone" in text
    assert "95 (48 %) +22" in text
    assert "mail systems alone" not in read(Report(replace(FIGURES, opened_machine=0, clicked_machine=0, stages=())))


def test_every_failure_has_its_reason() -> None:
    text = read(WHOLE)
    assert "Failed: 7 people" in text
    assert "5: The address does not exist." in text
    many = Report(FIGURES, tuple(FailureCount(f"code{n}", f"Reason {n}.", 20 - n) for n in range(12)))
    assert "for other reasons" in read(many)
    assert "Reason 11." not in read(many)


def test_people_and_mails_behind_the_figures_are_one_command_away() -> None:
    """Not where the figures are of several campaigns."""
    assert f'/outreach status "{FIGURES.campaign}"' in read(WHOLE)
    assert f'/outreach log "{FIGURES.campaign}"' in read(WHOLE)
    assert "/outreach status" not in aloud(report.report_card(WHOLE, title="all your campaigns"))


def test_what_figures_cannot_tell_is_said_each_time() -> None:
    """R175, R182, R183."""
    text = read(WHOLE)
    assert "opens can be missing and can be false" in text
    assert "some replies did not sync: see /mailbox status" in text


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (CampaignFigures("Empty", 0, 0), "Nobody is in it yet"),
        (CampaignFigures("Draft", 12, 0), "Nothing has been sent yet"),
    ],
)
def test_before_anything_went_it_says_so(figures: CampaignFigures, words: str) -> None:
    assert words in read(Report(figures))


def test_the_column_of_downloads_is_there_only_with_downloads() -> None:
    """R176."""
    assert "Downloaded" in report.stage_rows(FIGURES)[0]
    assert "Downloaded" not in report.stage_rows(replace(FIGURES, stages=(replace(FIRST, downloaded=0),)))[0]


def test_pictures_are_told_in_words() -> None:
    """For whoever cannot see them."""
    assert "stage 2 email: 96 sent" in report.funnel_in_words(FIGURES)
    assert "276 sent, 6 failed" in report.timeline_in_words(FIGURES)
    assert "nothing has happened" in report.timeline_in_words(replace(FIGURES, days=()))


def test_a_hostile_name_mentions_nobody() -> None:
    card = report.report_card(Report(replace(FIGURES, campaign="<!channel> & <@U0ADA>")))
    assert "<!channel>" not in card.text
    assert "&lt;!channel&gt;" in card.text


counts = st.integers(0, 10**9)
names = st.text(max_size=300)
stages = st.lists(st.builds(StageFigures, counts, names, *[counts] * 7), max_size=60).map(tuple)
days = st.lists(st.builds(DayFigures, st.dates(), counts, counts, counts), max_size=4).map(tuple)
figures = st.builds(CampaignFigures, names, counts, counts, stages, *[counts] * 5, days, counts, counts)
failures = st.lists(st.builds(FailureCount, names, st.text(max_size=900), counts), max_size=15).map(tuple)


@settings(max_examples=60, deadline=None)
@given(st.builds(Report, figures, failures))
def test_slack_takes_a_report_of_any_figures(one: Report) -> None:
    card = report.report_card(one)
    assert_slack_takes(card)
    assert len(json.dumps(card.blocks, ensure_ascii=False)) < 13_000
    assert len(report.funnel_in_words(one.figures)) <= report.ALT_TEXT
    assert len(report.timeline_in_words(one.figures)) <= report.ALT_TEXT
