"""A campaign's figures as text, and what its two pictures show in words (R174..R183). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import clean, count
from core.domain.figures import (
    CAVEATS,
    ENGAGED,
    CampaignFigures,
    Engagement,
    FailureCount,
    Report,
    StageFigures,
    percent,
    share,
)

MOST_STAGES: Final = 20
MOST_REASONS: Final = 8
ALT_TEXT: Final = 1_000
"""files.getUploadURLExternal refuses longer ones."""


def report_card(report: Report, *, title: str = "", pictures: bool = True) -> Card:
    """Campaign rates over who was reached, in any stage (R180); stages over all people (R179). ``title`` instead of the
    campaign's name; without ``pictures`` it does not announce any."""
    figures = report.figures
    name = title or figures.campaign
    stack = Stack(kit.header(f"Report: {name}"), kit.paragraph(*_whole(figures)), most_json=kit.MOST_JSON - 1_200)
    if figures.stages and figures.recipients:
        intro = kit.glue(f", of all people in the campaign{_machines(figures)}")
        stack.add(kit.paragraph([kit.strong("By stage"), intro]), kit.table(stage_rows(figures)))
    if report.failures:
        stack.add(_failures(report.failures))
    if figures.people and not title:
        stack.add(_further(figures.campaign))
    if figures.recipients:
        stack.blocks.append(kit.context(*CAVEATS))
    below = " The pictures follow." if pictures and figures.people else ""
    return Card(kit.fallback(f"Report: {name}. {in_words(figures)}{below}"), stack.blocks)


def in_words(figures: CampaignFigures) -> str:
    """The whole campaign in one sentence, for notifications and for those who cannot see the pictures."""
    if not figures.people:
        return "Nobody is in it yet."
    done = [f"{getattr(figures, metric):,} {metric}" for metric in ENGAGED]
    failed = f", {figures.failed:,} failed" if figures.failed else ""
    return f"{count(figures.people, 'person', 'people')}, {figures.recipients:,} reached, {', '.join(done)}{failed}."


def funnel_in_words(figures: CampaignFigures) -> str:
    """The alternative text of the funnel."""
    stages = "; ".join(
        f"stage {one.stage} {clean(one.kind, 12)}: {one.sent:,} sent, {one.opened:,} opened, {one.clicked:,} clicked, "
        f"{one.replied:,} replied"
        for one in figures.stages
    )
    return clean(f"Funnel of {figures.campaign}. {in_words(figures)} {stages}", ALT_TEXT)


def timeline_in_words(figures: CampaignFigures) -> str:
    """The alternative text of the timeline."""
    days = sorted(figures.days, key=lambda day: day.date)
    if not days:
        return clean(f"Timeline of {figures.campaign}: nothing has happened yet.", ALT_TEXT)
    sent, replied, failed = (sum(getattr(day, what) for day in days) for what in ("sent", "replied", "failed"))
    busiest = max(days, key=lambda day: day.sent)
    return clean(
        f"Timeline of {figures.campaign} from {days[0].date} to {days[-1].date}: {sent:,} sent, {failed:,} failed, "
        f"{replied:,} replied; most went out on {busiest.date}, {busiest.sent:,}.",
        ALT_TEXT,
    )


def _whole(figures: CampaignFigures) -> Iterator[list[Json]]:
    if not figures.people:
        yield [kit.glue("Nobody is in it yet, so there are no figures.")]
        return
    yield [
        kit.strong("People: "),
        kit.glue(f"{figures.people:,}. "),
        kit.strong("Reached: "),
        kit.glue(f"{figures.recipients:,} ({percent(share(figures.recipients, figures.people))} of them). "),
        *([kit.strong("Failed: "), kit.glue(f"{figures.failed:,}.")] if figures.failed else []),
    ]
    if not figures.recipients:
        yield [kit.glue("Nothing has been sent yet.")]
        return
    for metric in ENGAGED:
        yield [kit.strong(f"{metric.capitalize()}: "), kit.glue(_rate(figures, metric))]


def _rate(figures: CampaignFigures, metric: Engagement) -> str:
    done: int = getattr(figures, metric)
    machine = {"opened": figures.opened_machine, "clicked": figures.clicked_machine}.get(metric, 0)
    apart = f"; likely {machine:,} more by mail systems alone" if machine else ""
    return f"{done:,} ({percent(figures.rate(metric))} of those reached, in any stage){apart}"


def stage_rows(figures: CampaignFigures) -> list[list[str]]:
    """Headings, then a row for each stage: figures with their share of all people; “+3” are likely machines."""
    downloads = ["Downloaded"] if any(one.downloaded for one in figures.stages) else []
    rows = [["Stage", "Sent", "Opened", "Clicked", *downloads, "Replied"]]
    rows += [_stage(figures, one, bool(downloads)) for one in figures.stages[:MOST_STAGES]]
    hidden = len(figures.stages) - MOST_STAGES
    return [*rows, [f"{hidden:,} more", *("…" for _ in rows[0][1:])]] if hidden > 0 else rows


def _machines(figures: CampaignFigures) -> str:
    apart = any(one.opened_machine or one.clicked_machine for one in figures.stages)
    return "; after + how many more mail systems likely opened or clicked by themselves" if apart else ""


def _stage(figures: CampaignFigures, one: StageFigures, downloads: bool) -> list[str]:
    people = figures.people
    downloaded = [_cell(one.downloaded, 0, people)] if downloads else []
    return [
        f"{one.stage}. {'SMS' if one.kind == 'sms' else clean(one.kind, 12)}",
        _cell(one.sent, 0, people),
        _cell(one.opened, one.opened_machine, people),
        _cell(one.clicked, one.clicked_machine, people),
        *downloaded,
        _cell(one.replied, 0, people),
    ]


def _cell(done: int, machine: int, people: int) -> str:
    return f"{done:,} ({percent(share(done, people))})" + (f" +{machine:,}" if machine else "")


def _further(campaign: str) -> Json:
    """What to type to see the people and the mails behind the figures."""
    return kit.paragraph(
        [kit.glue("Who is where: "), kit.typed(f'/outreach status "{campaign}"', 240)],
        [kit.glue("Every mail: "), kit.typed(f'/outreach log "{campaign}"', 240)],
    )


def _failures(failures: Sequence[FailureCount]) -> Json:
    total = sum(one.people for one in failures)
    lines = [[kit.strong(f"Failed: {count(total, 'person', 'people')}")]]
    lines += [[kit.glue(f"{one.people:,}: "), kit.words(one.text, 200)] for one in failures[:MOST_REASONS]]
    left = sum(one.people for one in failures[MOST_REASONS:])
    if left:
        lines.append([kit.glue(f"{left:,}: for other reasons")])
    return kit.paragraph(*lines)
