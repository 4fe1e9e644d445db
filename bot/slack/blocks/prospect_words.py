"""A prospect's status, reason and next send in words (R102, R114, R115, R151, R152). Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.slack.blocks.text import count, escaped, local_time
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.domain.moment import iso
from core.ports.storage import ProspectRow

_MARKS: Final = {
    ProspectStatus.ACTIVE: ":large_green_circle:",
    ProspectStatus.PENDING: ":large_yellow_circle:",
    ProspectStatus.PAUSED: ":white_circle:",
    ProspectStatus.REPLIED: ":large_blue_circle:",
    ProspectStatus.COMPLETE: ":white_check_mark:",
}
_GOES_ON: Final = (ProspectStatus.ACTIVE, ProspectStatus.PENDING)
_FAILED: Final = ":red_circle:"
"""Bounced, Spam, Not Delivered (R115). The word beside it says the same."""

_IMPLIED: Final = {
    CampaignStatus.DRAFT: "not started: nothing goes yet.",
    CampaignStatus.ACTIVE: "running: what is due goes within its hours and limits.",
    CampaignStatus.PAUSED: "paused: nothing goes until it is started again; nobody loses their place.",
    CampaignStatus.STOPPED: "stopped for good: nothing more goes.",
    CampaignStatus.ARCHIVED: "archived: nothing more goes.",
}


def implied(campaign: Campaign, subject: str = "It") -> str:
    """What the campaign's own state means for everybody in it."""
    return f"{subject} is {_IMPLIED[campaign.status]}"


def status_words(status: ProspectStatus) -> str:
    """A mark and the status, in markup."""
    return f"{_MARKS.get(status, _FAILED)} *{status.value}*"


def has_failed(status: ProspectStatus) -> bool:
    return status not in _MARKS


def when_next(status: ProspectStatus, next_at: datetime | None, now: datetime, *, runs: bool) -> str:
    """``next send Mon 10:00 (in 2 days)``, in markup; empty where none is planned. ``runs``: the campaign does."""
    if next_at is None or status not in _GOES_ON:
        return ""
    if not runs:
        return "next send waits for the campaign"
    far = far_away((next_at - now).total_seconds())
    return f"next send {local_time(iso(next_at))} ({far})"


def far_away(seconds: float) -> str:
    """``now``, ``in 5 minutes``, ``in 3 hours``, ``in 2 days``."""
    if seconds < 60:
        return "now"
    if seconds < 5_400:
        return f"in {count(round(seconds / 60), 'minute')}"
    if seconds < 129_600:
        return f"in {count(round(seconds / 3_600), 'hour')}"
    return f"in {count(round(seconds / 86_400), 'day')}"


def reason_words(text: str | None, fix: str | None, limit: int = 500) -> str:
    """What happened and what to press, in markup; empty where there is neither."""
    return escaped(" ".join(part for part in (text, fix) if part), limit)


def row_words(row: ProspectRow, campaign: Campaign, now: datetime, *, runs: bool) -> str:
    """One prospect in a few lines of markup."""
    failed, stage = " failed" if has_failed(row.status) else "", campaign.number_of(row.stage)
    first = f"*{escaped(row.person, 100)}* · {escaped(row.email, 254)}"
    second = f"{status_words(row.status)} · stage {stage} of {len(campaign.live_stages)}{failed}"
    goes = when_next(row.status, row.next_at, now, runs=runs)
    lines = [first, f"{second} · {goes}" if goes else second, reason_words(row.reason_text, row.reason_fix)]
    return "\n".join(line for line in lines if line)
