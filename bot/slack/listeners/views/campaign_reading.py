"""From what was filled into a campaign's windows to requests, or to what is wrong with it, under each input. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.slack.blocks.campaign_forms import AS_IN_FILE
from bot.slack.blocks.campaign_people import CAMPAIGN_FILE
from bot.slack.blocks.campaign_words import DAYS
from bot.slack.form_values import Faults, SentFile, Values
from core.domain.address import is_valid
from core.domain.enrollment import ProspectStatus
from core.domain.template import faults_in

Kept = Mapping[str, str]

_BETWEEN: Final = re.compile(r"[\s,;]+")
_IN_ANGLES: Final = re.compile(r"<?(?:mailto:)?([^<>|\s]+@[^<>|\s]+?)(?:\|[^<>]*)?>?")
_YAML: Final = (".yaml", ".yml")
_TEXTS: Final = ("subject", "body", "html", "note")
_ALL_DAY: Final = ("00:00", "23:59")


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """``definition`` in the words of the campaign file."""

    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    campaign_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StageChange:
    """``position`` None: a new one. ``files`` are to be attached."""

    campaign_id: str
    position: int | None
    changes: Mapping[str, Any]
    files: tuple[SentFile, ...] = ()


@dataclass(frozen=True, slots=True)
class StageDeletion:
    campaign_id: str
    position: int
    skip: bool


@dataclass(frozen=True, slots=True)
class Addition:
    """``file`` is a list of people that go in as well."""

    campaign_id: str
    emails: tuple[str, ...]
    file: SentFile | None = None


@dataclass(frozen=True, slots=True)
class Move:
    from_id: str
    to_id: str
    statuses: tuple[ProspectStatus, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """A campaign or a list of people, as ``text`` or as ``file``; ``attached`` are the campaign's other files."""

    of_campaign: bool
    text: str
    file: SentFile | None
    attached: tuple[SentFile, ...] = field(default=())
    campaign_id: str = ""


def read_new(values: Values, kept: Kept) -> NewCampaign | Faults:
    """A draft with its first mail, in the hours that the window named."""
    faults = _text_faults(values)
    name = " ".join(values.text("name").split())
    if not name:
        faults["name"] = "A campaign needs a name."
    senders = list(values.choices("from"))
    if not senders:
        faults["from"] = "Choose the mailbox that it comes from."
    if faults:
        return Faults(faults)
    return NewCampaign(
        {
            "name": name,
            "from": senders if len(senders) > 1 else senders[0],
            "timezone": kept.get("timezone") or "UTC",
            "window": {"days": list(DAYS)[:5], "start": "09:00", "end": "17:00"},
            "stages": [
                {"kind": "email", "delay": "0s", "subject": values.text("subject"), "body": values.text("body")}
            ],
        }
    )


def read_settings(values: Values, kept: Kept) -> Settings | Faults:
    """Everything of the window, as the campaign file words it; None takes a field away."""
    window, faults = _window(values)
    if not values.choices("from"):
        faults["from"] = "Choose the mailbox that it comes from."
    if faults:
        return Faults(faults)
    senders = list(values.choices("from"))
    counted = set(values.choices("tracking"))
    changes: dict[str, Any] = {
        "from": senders if len(senders) > 1 else senders[0],
        "timezone": values.choice("timezone") or None,
        "window": window,
        "email_priority": values.choice("email_priority").split(",") if values.choice("email_priority") else None,
        "owner": values.person("owner") or None,
        "channel": values.conversation("channel") or None,
        "job": values.text("job") or None,
        "job_stage": values.text("job_stage") or None,
        "shared": "shared" in values.choices("shared"),
        "tracking": {name: name in counted for name in ("opens", "clicks", "downloads")} if counted else False,
    }
    if values.choice("holidays") != AS_IN_FILE:
        changes["holidays"] = values.choice("holidays") or None
    return Settings(kept.get("campaign", ""), changes)


def _window(values: Values) -> tuple[dict[str, Any] | None, dict[str, str]]:
    days, start, end = list(values.choices("days")), values.hour("start"), values.hour("end")
    if not days:
        return None, {"days": "Without a day nothing would ever go."}
    if bool(start) != bool(end):
        return None, {"end" if start else "start": "Give both, or neither for any hour."}
    if start and start >= end:
        return None, {"end": "It has to be later than the beginning."}
    if not start and len(days) == len(DAYS):
        return None, {}
    start, end = (start, end) if start else _ALL_DAY
    return {"days": [day for day in DAYS if day in days], "start": start, "end": end}, {}


def read_stage(values: Values, kept: Kept) -> StageChange | Faults:
    """A new stage, or what of one shall be different. What had no input (a text too long for one) stays."""
    new, kind = not kept.get("stage"), kept.get("kind", "email")
    faults = _text_faults(values)
    amount, unit = values.number("amount"), values.choice("unit") or "d"
    if amount is None:
        faults["amount"] = "Type a whole number; 0 for at once."
    if kind == "email" and values.choice("from") and not values.text("subject"):
        faults["subject"] = "Another sender begins a new thread, and that needs a subject."
    if faults:
        return Faults(faults)
    changes: dict[str, Any] = {"delay": f"{amount}{unit}" if amount else "0s"}
    changes |= {name: values.text(name) or None for name in _TEXTS if values.has(name)}
    if values.has("required"):
        changes["required"] = "required" in values.choices("required")
    if values.has("from"):
        changes["from"] = values.choice("from") or None
    if values.has("attachments"):
        changes["attachments"] = list(values.choices("attachments")) or None
    if new:
        changes["kind"] = kind
    position = None if new else int(kept.get("stage", "0"))
    return StageChange(kept.get("campaign", ""), position, changes, values.files("files"))


def read_deletion(values: Values, kept: Kept) -> StageDeletion | Faults:
    return StageDeletion(kept.get("campaign", ""), int(kept.get("stage", "0")), "skip" in values.choices("skip"))


def read_addition(values: Values, _: Kept) -> Addition | Faults:
    """Addresses in any order and with anything between them, as people paste them."""
    emails = addresses_in(values.text("emails"))
    wrong = [one for one in emails if not is_valid(one)]
    if wrong:
        return Faults({"emails": f"{', '.join(wrong[:3])[:200]}: not an e-mail address."})
    file = next(iter(values.files("file")), None)
    if not emails and file is None:
        return Faults({"emails": "Type or paste at least one address, or give a list."})
    return Addition(values.choice("campaign"), emails, file)


def addresses_in(text: str) -> tuple[str, ...]:
    """Each once, in order; names and angle brackets around them go."""
    found = [_IN_ANGLES.fullmatch(part) for part in _BETWEEN.split(text) if "@" in part]
    parts = [part for part in _BETWEEN.split(text) if "@" in part]
    return tuple(dict.fromkeys(match[1] if match else part for match, part in zip(found, parts, strict=True)))


def read_move(values: Values, _: Kept) -> Move | Faults:
    if values.choice("from") == values.choice("to"):
        return Faults({"to": "That is the same campaign: choose another one."})
    known = {status.value: status for status in ProspectStatus}
    statuses = tuple(known[name] for name in values.choices("statuses") if name in known)
    return Move(values.choice("from"), values.choice("to"), statuses)


def read_import(values: Values, _: Kept) -> Import | Faults:
    """A file goes before text; of several files the YAML is the campaign, and the others what it attaches."""
    files, text = values.files("file"), values.text("text")
    of_campaign = values.choice("kind") == CAMPAIGN_FILE
    if not files and not text:
        return Faults({"text": "Give a file, or paste its text."})
    if not of_campaign:
        return Import(False, text, next(iter(files), None), campaign_id=values.choice("campaign"))
    main = next((one for one in files if one.name.lower().endswith(_YAML)), None)
    if main is None and not text:
        return Faults({"file": "None of these is a campaign file (.yaml)."})
    attached = tuple(one for one in files if one is not main)
    return Import(True, "" if main else text, main, attached)


def _text_faults(values: Values) -> dict[str, str]:
    """What looks like a merge field and is none, while it can still be mended in place."""
    found = {name: faults_in(values.text(name)) for name in _TEXTS}
    return {name: "; ".join(faults)[:300] for name, faults in found.items() if faults}
