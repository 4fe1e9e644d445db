"""Windows that are filled in, inside Slack's limits by construction (@slack/types, views and block elements). Pure.

Every input's block has the input's name as its id, and one element called ``FIELD``: so an error finds its block, and
what was filled in is found by name (``bot/slack/form_values.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Json
from bot.slack.blocks.text import clean
from core.errors import RefusedError

FIELD: Final = "field"
TITLE: Final = 24
MOST_BLOCKS: Final = 100
MOST_KEPT: Final = 3_000
MOST_TEXT: Final = 3_000
MOST_OPTIONS: Final = 100
MOST_TICKS: Final = 10
_OPTION: Final = 75
MOST_VALUE: Final = 150
_LABEL: Final = 150
"""Slack takes 2,000, and nobody reads them."""

_FORMAT: Final = 1
_STALE: Final = "This window is from an older version of Rethread."
_STALE_FIX: Final = "Close it and open it again."

Option = tuple[str, str]
"""What a person reads, and the value that comes back."""


@dataclass(frozen=True, slots=True)
class Form:
    """A window. ``kept`` comes back with what was filled in (short texts by name); without ``submit`` it has no inputs,
    only things to read and to press."""

    callback_id: str
    title: str
    blocks: list[Json]
    submit: str = "Save"
    kept: Mapping[str, str] = field(default_factory=dict)
    close: str = "Cancel"
    notify_on_close: bool = False

    def view(self, channel: str | None = None) -> Json:
        """As views.open and views.update take it. ``channel`` is where it was asked for, so that the answer can go
        there. Raises ValueError where ``kept`` is too long."""
        made: Json = {
            "type": "modal",
            "callback_id": self.callback_id,
            "title": _plain(self.title, TITLE),
            "close": _plain(self.close, TITLE),
            "private_metadata": keep(self.kept, channel),
            "notify_on_close": self.notify_on_close,
            "blocks": self.blocks[:MOST_BLOCKS],
        }
        return made | {"submit": _plain(self.submit, TITLE)} if self.submit else made


def waiting(title: str) -> Json:
    """The window that stands while the real one is being made."""
    return {
        "type": "modal",
        "title": _plain(title, TITLE),
        "close": _plain("Close", TITLE),
        "blocks": [kit.note("One moment …")],
    }


def keep(kept: Mapping[str, str], channel: str | None = None) -> str:
    """What travels with a window. Raises ValueError over 3,000 characters."""
    text = json.dumps({"v": _FORMAT, "channel": channel or "", "kept": dict(kept)}, separators=(",", ":"))
    if len(text) > MOST_KEPT:
        raise ValueError("a window cannot carry this much")
    return text


def kept_in(view: Mapping[str, Any]) -> tuple[dict[str, str], str | None]:
    """What a window of ours carries, and where it was asked for. Raises RefusedError for anything else."""
    try:
        found = json.loads(view.get("private_metadata") or "")
        kept, channel = dict(found["kept"]), found["channel"]
        ours = found["v"] == _FORMAT and all(isinstance(part, str) for part in (channel, *kept, *kept.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        ours = False
    if not ours:
        raise RefusedError(_STALE, reason="view_stale", fix=_STALE_FIX)
    return kept, channel or None


def again(view: Mapping[str, Any], problem: kit.Card) -> Form:
    """The window that was sent off, with everything that stood in it, and above that why it could not be done."""
    try:
        kept, _ = kept_in(view)
    except RefusedError:
        kept = {}
    values = (view.get("state") or {}).get("values") or {}
    blocks = [_filled(block, values) for block in view.get("blocks", ()) if not _is_problem(block)]
    told = kit.markup(":warning: *Not done.* What you filled in is still here.")
    return Form(
        callback_id=str(view.get("callback_id") or ""),
        title=_text_of(view, "title"),
        submit=_text_of(view, "submit"),
        close=_text_of(view, "close") or "Cancel",
        kept=kept,
        blocks=[told | {"block_id": "problem"}, *_reasons(problem), *blocks],
    )


def _reasons(problem: kit.Card) -> list[Json]:
    return [block | {"block_id": f"problem{number}"} for number, block in enumerate(problem.blocks[:3])]


def _is_problem(block: Json) -> bool:
    return str(block.get("block_id")).startswith("problem")


def _text_of(view: Mapping[str, Any], name: str) -> str:
    found = view.get(name)
    return str(found.get("text") or "") if isinstance(found, Mapping) else ""


_BEGINS: Final = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_conversation": "initial_conversation",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
}


def _filled(block: Json, values: Mapping[str, Any]) -> Json:
    """An input that begins with what was filled in. Files have to be chosen again."""
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, dict):
        return block
    state = (values.get(str(block.get("block_id"))) or {}).get(element.get("action_id")) or {}
    bare = {name: value for name, value in element.items() if not name.startswith("initial_")}
    begun = {begins: state[name] for name, begins in _BEGINS.items() if state.get(name)}
    return block | {"element": bare | begun}


# Inputs


def text(
    name: str,
    label: str,
    value: str = "",
    *,
    lines: bool = False,
    most: int = MOST_TEXT,
    hint: str = "",
    placeholder: str = "",
    optional: bool = False,
    focus: bool = False,
) -> Json:
    """A line of text, or several. A ``value`` longer than ``most`` would be cut: check before."""
    element: Json = {"type": "plain_text_input", "multiline": lines, "max_length": min(most, MOST_TEXT)}
    if value:
        element["initial_value"] = value[: min(most, MOST_TEXT)]
    return _input(name, label, element, hint=hint, placeholder=placeholder, optional=optional, focus=focus)


def number(name: str, label: str, value: int, *, least: int = 0, most: int = 365, hint: str = "") -> Json:
    """A whole number."""
    element: Json = {
        "type": "number_input",
        "is_decimal_allowed": False,
        "initial_value": str(value),
        "min_value": str(least),
        "max_value": str(most),
    }
    return _input(name, label, element, hint=hint)


def choice(
    name: str,
    label: str,
    options: Sequence[Option],
    chosen: str = "",
    *,
    hint: str = "",
    placeholder: str = "Choose",
    optional: bool = False,
) -> Json:
    """One of up to 100."""
    made = made_options(options)
    element: Json = {"type": "static_select", "options": made}
    begin = next((one for one in made if one["value"] == chosen), None)
    if begin:
        element["initial_option"] = begin
    return _input(name, label, element, hint=hint, placeholder=placeholder, optional=optional)


def choices(
    name: str,
    label: str,
    options: Sequence[Option],
    chosen: Iterable[str] = (),
    *,
    hint: str = "",
    placeholder: str = "Choose",
    optional: bool = False,
) -> Json:
    """Several of up to 100."""
    made, wanted = made_options(options), set(chosen)
    element: Json = {"type": "multi_static_select", "options": made}
    begin = [one for one in made if one["value"] in wanted]
    if begin:
        element["initial_options"] = begin
    return _input(name, label, element, hint=hint, placeholder=placeholder, optional=optional)


def radio(name: str, label: str, options: Sequence[Option], chosen: str = "", *, hint: str = "") -> Json:
    """One of up to 10, all to be seen."""
    made = made_options(options)[:MOST_TICKS]
    element: Json = {"type": "radio_buttons", "options": made}
    begin = next((one for one in made if one["value"] == chosen), None)
    return _input(name, label, element | ({"initial_option": begin} if begin else {}), hint=hint)


def ticks(name: str, label: str, options: Sequence[Option], ticked: Iterable[str] = (), *, hint: str = "") -> Json:
    """Any of up to 10; none is an answer too."""
    made, wanted = made_options(options)[:MOST_TICKS], set(ticked)
    begin = [one for one in made if one["value"] in wanted]
    element: Json = {"type": "checkboxes", "options": made} | ({"initial_options": begin} if begin else {})
    return _input(name, label, element, hint=hint, optional=True)


def person(name: str, label: str, user: str | None = None, *, hint: str = "", optional: bool = False) -> Json:
    """Somebody of the workspace."""
    element: Json = {"type": "users_select"} | ({"initial_user": user} if user else {})
    return _input(name, label, element, hint=hint, placeholder="Choose a person", optional=optional)


def conversation(name: str, label: str, channel: str | None = None, *, hint: str = "", optional: bool = True) -> Json:
    """A channel, public or private."""
    element: Json = {"type": "conversations_select", "filter": {"include": ["public", "private"]}}
    if channel:
        element["initial_conversation"] = channel
    return _input(name, label, element, hint=hint, placeholder="Choose a channel", optional=optional)


def day(name: str, label: str, date: str = "", *, hint: str = "", optional: bool = False) -> Json:
    """A date, YYYY-MM-DD."""
    element: Json = {"type": "datepicker"} | ({"initial_date": date} if date else {})
    return _input(name, label, element, hint=hint, optional=optional)


def hour(name: str, label: str, time: str = "", *, hint: str = "", optional: bool = False) -> Json:
    """A time of day, HH:MM."""
    element: Json = {"type": "timepicker"} | ({"initial_time": time} if time else {})
    return _input(name, label, element, hint=hint, optional=optional)


def files(name: str, label: str, *, kinds: Sequence[str] = (), most: int = 1, hint: str = "") -> Json:
    """Files from the person's machine; always optional, since a workspace may not let us read files."""
    element: Json = {"type": "file_input", "max_files": most} | ({"filetypes": list(kinds)} if kinds else {})
    return _input(name, label, element, hint=hint, optional=True)


def made_options(options: Sequence[Option]) -> list[Json]:
    """Options as every menu takes them: at most 100, no value twice, none that would come back cut."""
    made: dict[str, Json] = {}
    for label, value in options:
        if 0 < len(value) <= MOST_VALUE and value not in made and len(made) < MOST_OPTIONS:
            made[value] = {"text": _plain(label, _OPTION), "value": value}
    return list(made.values())


def _input(
    name: str,
    label: str,
    element: Json,
    *,
    hint: str = "",
    placeholder: str = "",
    optional: bool = False,
    focus: bool = False,
) -> Json:
    made = element | {"action_id": FIELD}
    if placeholder:
        made["placeholder"] = _plain(placeholder, 150)
    if focus:
        made["focus_on_load"] = True
    block: Json = {"type": "input", "block_id": name, "label": _plain(label, _LABEL), "element": made}
    if hint:
        block["hint"] = _plain(hint, 300)
    return block | {"optional": True} if optional else block


def _plain(words: object, limit: int) -> Json:
    return {"type": "plain_text", "text": clean(words, limit) or "–", "emoji": False}
