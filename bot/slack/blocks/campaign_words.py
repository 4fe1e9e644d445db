"""Campaigns in words: delays, hours, senders, holidays, kinds of stages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.domain.campaign import Campaign, Delay, Stage

KINDS: Final = {"email": "Email", "sms": "Text message", "call": "Call", "task": "Task"}
DAYS: Final = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}
UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "bd": "business days"}
_SIZES: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def delay_words(delay: Delay) -> str:
    """``2 days``, ``1 hour``, ``3 business days``, ``at once`` (R151)."""
    if delay.business_days:
        return _many(delay.business_days, "business day")
    seconds = int(delay.elapsed.total_seconds())
    for unit, size in _SIZES:
        if seconds and seconds % size == 0:
            return _many(seconds // size, unit)
    return "at once"


def goes_after(stage: Stage, *, first: bool) -> str:
    """When a stage goes, told from the one before."""
    words = delay_words(stage.delay)
    if words == "at once":
        return "at once" if first else "right after the one before"
    return f"{words} after the start" if first else f"{words} later"


def amount_and_unit(delay: Delay) -> tuple[int, str]:
    """As a form asks for it: 2, "d"."""
    text = str(delay)
    if text.endswith("bd"):
        return int(text[:-2]), "bd"
    unit = text[-1]
    return (int(text[:-1]), unit) if unit in UNITS else (int(text[:-1]) // 60, "m")


def hours_words(definition: Mapping[str, Any], timezone: str | None) -> str:
    """``Mon to Fri, 09:00 to 17:00, Europe/London``."""
    window = definition.get("window")
    zone = timezone or "UTC"
    if not isinstance(window, Mapping):
        return f"at any hour ({zone})"
    return f"{day_words(window.get('days') or list(DAYS))}, {window.get('start')} to {window.get('end')} ({zone})"


def day_words(days: Sequence[str]) -> str:
    """``Mon to Fri``, ``Mon, Wed``, ``every day``."""
    places = sorted(list(DAYS).index(day) for day in days if day in DAYS)
    names = list(DAYS.values())
    if len(places) == len(names):
        return "every day"
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"{names[places[0]]} to {names[places[-1]]}"
    return ", ".join(names[place] for place in places)


def holiday_words(value: object) -> str:
    """Which days no mail goes on."""
    if isinstance(value, list):
        return f"not on {_many(len(value), 'day')} off"
    return f"not on holidays of {value}" if value else "on holidays too"


def sender_words(campaign: Campaign) -> str:
    """Who it comes from: several take turns."""
    if not campaign.senders:
        return "each stage names its sender"
    if len(campaign.senders) == 1:
        return f"from {campaign.senders[0]}"
    return f"from {', '.join(campaign.senders)} in turn"


def stage_name(stage: Stage) -> str:
    return f"{stage.position}. {KINDS.get(stage.kind, stage.kind)}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
