"""Reads and writes the campaign file (YAML; shape in docs/campaign-file.md). Pure.

Every fault names line, field and reason, and all faults are told at once. Aliases and tags are refused: a file of a
few lines must not unfold into gigabytes, and nothing in it may become code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import yaml

from core.domain.address import is_valid
from core.domain.campaign import Delay, Stage
from core.domain.people import ADDRESS_TYPES
from core.domain.schedule import knows_holidays
from core.domain.template import faults_in

MAX_BYTES: Final = 1_000_000
MAX_VALUES: Final = 10_000
"""Values in one file: reading YAML takes a tenth of a millisecond each, and nobody else is served meanwhile."""
STAGE_KINDS: Final = ("email", "sms", "call", "task")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PLAIN_TAG = re.compile(r"tag:yaml\.org,2002:\w+")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DELAY = re.compile(r"(\d{1,6})\s?(bd|[smhd])")
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

_CAMPAIGN_FIELDS: Final = {
    "name", "from", "timezone", "window", "email_priority", "holidays", "owner", "shared", "job", "job_stage",
    "tracking", "channel", "stages",
}  # fmt: skip
_WINDOW_FIELDS: Final = {"days", "start", "end"}
_TRACKING_FIELDS: Final = {"opens", "clicks", "downloads"}
_STAGE_FIELDS: Final = {"kind", "delay", "subject", "body", "html", "attachments", "from", "required", "note"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file: the line counts from 1."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign as its file says it. ``definition`` is the plain data, for export."""

    name: str
    senders: tuple[str, ...]
    stages: tuple[Stage, ...]
    owner: str | None
    channel: str | None
    timezone: str | None
    email_priority: tuple[str, ...]
    definition: Mapping[str, Any]
    shared: bool = False
    job: str = ""
    job_stage: str = ""

    @property
    def attachments(self) -> tuple[str, ...]:
        """The files that its stages send along, each once, in order."""
        return tuple(dict.fromkeys(name for stage in self.stages for name in stage.attachments))


class _Reader:
    """Walks the YAML nodes, collecting values and faults together with their lines."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.lines: dict[str, int] = {}

    def fault(self, path: str, reason: str) -> None:
        line = self.lines.get(path) or self.lines.get(path.rsplit(".", 1)[0], 1)
        self.faults.append(Fault(line, path or "file", reason))

    def value(self, node: yaml.Node, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{i + 1}]") for i, item in enumerate(node.value)]
        return _scalar(node)

    def _pairs(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            inner = f"{path}.{key}" if path else key
            self.lines[inner] = key_node.start_mark.line + 1
            if key in seen:
                self.fault(inner, "stands here twice")
            seen.add(key)
            yield key, self.value(value_node, inner)

    def text(self, data: Mapping[str, Any], key: str, path: str, *, required: bool = False) -> str:
        value = data.get(key)
        if value is None or value == "":
            if required:
                self.fault(path, f"{key} is missing")
            return ""
        if isinstance(value, (dict, list)):
            self.fault(f"{path}.{key}" if path else key, "must be text")
            return ""
        return str(value)


def _scalar(node: yaml.Node) -> Any:
    tag, text = node.tag.rsplit(":", 1)[-1], str(node.value)
    if tag == "bool":
        return text.lower() in ("true", "yes", "on")
    if tag == "int" and re.fullmatch(r"-?\d{1,12}", text):
        return int(text)
    return None if tag == "null" else text


def read(text: str) -> tuple[CampaignDraft | None, list[Fault]]:
    """The campaign, or None with every fault found."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return None, [Fault(1, "file", "is larger than 1 MB")]
    try:
        node = _compose(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [Fault(line, "file", "holds a character that no text file holds")]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return None, [Fault(mark.line + 1 if mark else 1, "file", str(error.problem or "is not YAML"))]
    if not isinstance(node, yaml.MappingNode):
        return None, [Fault(1, "file", "must be a campaign: a list of `field: value` lines")]
    reader = _Reader()
    draft = _campaign(reader, reader.value(node, ""))
    faults = sorted(reader.faults, key=lambda fault: fault.line)
    return (None if faults else draft), faults


class _NoAliases(yaml.SafeLoader):
    """Refuses aliases, foreign tags and floods of values while composing."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*) are not allowed here", problem_mark=mark)
        self._values += 1
        if self._values > MAX_VALUES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_VALUES:,} values", problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        if node is not None and not _PLAIN_TAG.fullmatch(node.tag):
            raise yaml.MarkedYAMLError(problem="tags (!) are not allowed here", problem_mark=node.start_mark)
        return node


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_NoAliases)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="is nested too deeply") from None


def _campaign(reader: _Reader, data: dict[str, Any]) -> CampaignDraft:
    for key in data:
        if key not in _CAMPAIGN_FIELDS:
            reader.fault(key, f"is not a field of a campaign ({_nearest(key, _CAMPAIGN_FIELDS)})")
    name = reader.text(data, "name", "", required=True).strip()
    if len(name) > 150:
        reader.fault("name", "is longer than 150 characters")
    if _CONTROL.search(name):
        reader.fault("name", "must be one line")
    _window(reader, data.get("window"))
    _holidays(reader, data.get("holidays"))
    _tracking(reader, data.get("tracking"))
    return CampaignDraft(
        name=name,
        senders=_senders(reader, data),
        stages=_stages(reader, data.get("stages")),
        owner=_slack_id(reader, data, "owner", _USER, "a Slack user id such as U0RITA"),
        channel=_slack_id(reader, data, "channel", _CHANNEL, "a Slack channel id such as C0123"),
        timezone=_zone(reader, data),
        email_priority=_priority(reader, data.get("email_priority")),
        definition=data,
        shared=_shared(reader, data.get("shared")),
        job=_label(reader, data, "job"),
        job_stage=_label(reader, data, "job_stage"),
    )


def _shared(reader: _Reader, value: Any) -> bool:
    if not isinstance(value, bool | None):
        reader.fault("shared", "must be true or false")
    return value is True


def _label(reader: _Reader, data: dict[str, Any], key: str) -> str:
    text = reader.text(data, key, "").strip()
    if len(text) > 200 or _CONTROL.search(text):
        reader.fault(key, "must be one line of at most 200 characters")
    return text


def _slack_id(reader: _Reader, data: dict[str, Any], key: str, shape: re.Pattern[str], wanted: str) -> str | None:
    value = reader.text(data, key, "").strip()
    if value and not shape.fullmatch(value):
        reader.fault(key, f"{value[:40]!r} is not {wanted}")
        return None
    return value or None


def _senders(reader: _Reader, data: dict[str, Any]) -> tuple[str, ...]:
    value = data.get("from")
    listed = value if isinstance(value, list) else [value] if value else []
    senders = tuple(str(address).strip() for address in listed)
    if not senders and _needs_sender(data):
        reader.fault("from", "is missing: name a connected mailbox")
    for address in senders:
        if not is_valid(address):
            reader.fault("from", f"{address[:80]!r} is not an e-mail address")
    return senders


def _needs_sender(data: dict[str, Any]) -> bool:
    stages = data.get("stages")
    return not isinstance(stages, list) or any(
        isinstance(stage, dict) and stage.get("kind", "email") == "email" and not stage.get("from") for stage in stages
    )


def _zone(reader: _Reader, data: dict[str, Any]) -> str | None:
    name = reader.text(data, "timezone", "")
    if name and name not in available_timezones():
        reader.fault("timezone", f"{name[:60]!r} is no IANA time zone, such as Europe/London")
        return None
    return ZoneInfo(name).key if name else None


def _priority(reader: _Reader, value: Any) -> tuple[str, ...]:
    if value is None:
        return ADDRESS_TYPES
    kinds = tuple(str(kind) for kind in value) if isinstance(value, list) else (str(value),)
    for kind in kinds:
        if kind not in ADDRESS_TYPES:
            reader.fault("email_priority", f"{kind[:40]!r} is not one of personal, work, other")
    return kinds


def _window(reader: _Reader, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        reader.fault("window", "must hold days, start and end")
        return
    for key in value:
        if key not in _WINDOW_FIELDS:
            reader.fault(f"window.{key}", f"is not a field of a window ({_nearest(key, _WINDOW_FIELDS)})")
    days = value.get("days", list(_DAYS))
    if not isinstance(days, list) or not days or any(day not in _DAYS for day in days):
        reader.fault("window.days", f"must be a list of {', '.join(_DAYS)}")
    for edge in ("start", "end"):
        if not _CLOCK_TIME.fullmatch(str(value.get(edge, ""))):
            reader.fault(f"window.{edge}", 'must be a time such as "09:00", in quotes')
    if str(value.get("start")) >= str(value.get("end")):
        reader.fault("window.end", "must be later than start")


def _tracking(reader: _Reader, value: Any) -> None:
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, dict):
        reader.fault("tracking", "must be true or false, or hold opens, clicks and downloads")
        return
    for key, counted in value.items():
        if key not in _TRACKING_FIELDS:
            reader.fault(f"tracking.{key}", f"is not a field of tracking ({_nearest(key, _TRACKING_FIELDS)})")
        elif not isinstance(counted, bool):
            reader.fault(f"tracking.{key}", "must be true or false")


def _holidays(reader: _Reader, value: Any) -> None:
    if isinstance(value, list):
        for day in value:
            try:
                date.fromisoformat(str(day))
            except ValueError:
                reader.fault("holidays", f"{str(day)[:40]!r} is no date such as 2026-12-25")
    elif value is not None and not (_COUNTRY.fullmatch(str(value)) and knows_holidays(str(value))):
        reader.fault("holidays", "must be a country code such as GB, or a list of dates")


def _stages(reader: _Reader, value: Any) -> tuple[Stage, ...]:
    if not isinstance(value, list) or not value:
        reader.fault("stages", "at least one stage is needed")
        return ()
    if len(value) > 100:
        reader.fault("stages", "more than 100 stages")
        return ()
    stages: list[Stage] = []
    for position, item in enumerate(value, start=1):
        path = f"stages[{position}]"
        if not isinstance(item, dict):
            reader.fault(path, "must be a stage: kind, delay, body …")
            continue
        thread_open = any(stage.kind == "email" for stage in stages)
        stages.append(_stage(reader, item, path, position, thread_open=thread_open))
    return tuple(stages)


def _stage(reader: _Reader, item: dict[str, Any], path: str, position: int, *, thread_open: bool) -> Stage:
    for key in item:
        if key not in _STAGE_FIELDS:
            reader.fault(f"{path}.{key}", f"is not a field of a stage ({_nearest(key, _STAGE_FIELDS)})")
    kind = str(item.get("kind", "email"))
    if kind not in STAGE_KINDS:
        reader.fault(f"{path}.kind", f"{kind[:40]!r} is not one of {', '.join(STAGE_KINDS)}")
    stage = Stage(
        position=position,
        kind=kind,
        delay=_delay(reader, item.get("delay", "0s"), f"{path}.delay"),
        subject=reader.text(item, "subject", path),
        body=reader.text(item, "body", path, required=kind in ("email", "sms")),
        html=reader.text(item, "html", path),
        note=reader.text(item, "note", path),
        required=item.get("required") is True,
        sender=reader.text(item, "from", path) or None,
        attachments=_attachments(reader, item.get("attachments"), f"{path}.attachments"),
    )
    _check_texts(reader, stage, path, thread_open=thread_open)
    return stage


def _attachments(reader: _Reader, value: Any, path: str) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        reader.fault(path, "must be a list of file names, such as [jd.pdf]")
        return ()
    for name in value:
        if not is_file_name(name):
            reader.fault(path, f"{name[:60]!r} is no file name: write the name of a file beside the campaign file")
    return tuple(value)


def is_file_name(name: str) -> bool:
    """Whether this names a file in one folder, and no way out of it."""
    way_out = "/" in name or "\\" in name or name.startswith(".")
    return 0 < len(name) <= 200 and name == name.strip() and not way_out and not _CONTROL.search(name)


def _check_texts(reader: _Reader, stage: Stage, path: str, *, thread_open: bool) -> None:
    if stage.kind == "email" and not stage.subject and (not thread_open or stage.sender):
        reader.fault(path, "subject is missing: this mail opens a thread")
    if stage.sender and not is_valid(stage.sender):
        reader.fault(f"{path}.from", f"{stage.sender[:80]!r} is not an e-mail address")
    for name, text in (("subject", stage.subject), ("body", stage.body), ("html", stage.html)):
        for reason in faults_in(text):
            reader.fault(f"{path}.{name}", reason)
    if _CONTROL.search(stage.subject):
        reader.fault(f"{path}.subject", "must be one line, without control characters")


def _delay(reader: _Reader, value: Any, path: str) -> Delay:
    text = str(value).strip()
    match = _DELAY.fullmatch(text if text != "0" else "0s")
    if not match:
        reader.fault(path, f"{text[:40]!r} is no delay: write 30m, 4h, 2d, or 2bd for business days")
        return Delay()
    amount, unit = int(match[1]), match[2]
    if unit == "bd":
        days, delay = float(amount), Delay(business_days=amount)
    else:
        days, delay = amount * _UNITS[unit] / 86_400, Delay(timedelta(seconds=amount * _UNITS[unit]))
    if days > 366:
        reader.fault(path, "is longer than a year")
        return Delay()
    return delay


def _nearest(word: str, known: set[str]) -> str:
    close = get_close_matches(word[:60], known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"


def write(definition: Mapping[str, Any]) -> str:
    """The file of a campaign: reading it again gives the same campaign."""
    return yaml.dump(dict(definition), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Keeps multi-line texts as blocks, so that people can go on editing them."""


def _text_node(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_node)
