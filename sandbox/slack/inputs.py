"""What a person put into a view's inputs: the wire form of values and what Slack itself checks."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.slack.block_kit import options_of
from sandbox.slack.config import Json
from sandbox.slack.model import View

MISSING = "Please complete this required field."
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

_SINGLE = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_SEVERAL = {
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}


class UnknownOptionError(LookupError):
    """A value that none of the element's options has."""


def chosen(element: Json, value: Any) -> Json:
    """Return the wire form of a plain value in an element, such as ``{"selected_option": {…}}``.

    A string stands for the option with that value, a list of strings for several. Values that are
    in wire form already stay. Raises UnknownOptionError.
    """
    kind = element["type"]
    if kind in _OPTION:
        return {"selected_option": None if value is None else _option(element, value)}
    if kind in _OPTIONS:
        return {"selected_options": [_option(element, entry) for entry in value or ()]}
    if kind in _SINGLE:
        return {_SINGLE[kind]: value}
    if kind in _SEVERAL:
        return {_SEVERAL[kind]: list(value or ())}
    if kind == "rich_text_input":
        return {"rich_text_value": value}
    if kind == "file_input":
        return {"files": list(value or ())}
    return {"value": None if value is None else str(value)}


def _option(element: Json, value: Any) -> Json:
    if isinstance(value, dict):
        return value
    for option in options_of(element):
        if option["value"] == value:
            found: Json = option
            return found
    raise UnknownOptionError(f"{element['action_id']}: no option has the value {value!r}")


def initial(element: Json) -> Json:
    """Return the wire form of an element nobody has touched."""
    kind = element["type"]
    names = {"initial_option", "initial_options", "initial_value"} | {
        "initial_" + field.removeprefix("selected_") for field in (_SINGLE | _SEVERAL).values()
    }
    given = next((element[name] for name in sorted(names) if name in element), None)
    found = chosen(element, given)
    return {"type": kind} | found


def with_defaults(view: View, values: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Json]]:
    """Return the state of every input of a view: what was given, else what it began with."""
    state: dict[str, dict[str, Json]] = {}
    for block in view.blocks:
        elements = [block["element"]] if block["type"] == "input" else _stateful(block)
        for element in elements:
            block_id, action_id = block["block_id"], element["action_id"]
            given = values.get(block_id, {}).get(action_id)
            known = view.values.get(block_id, {}).get(action_id)
            state.setdefault(block_id, {})[action_id] = (
                {"type": element["type"], **given} if given is not None else known or initial(element)
            )
    return state


def _stateful(block: Json) -> list[Json]:
    found = [block.get("accessory"), *(block.get("elements") or [])] if block["type"] in ("section", "actions") else []
    return [e for e in found if isinstance(e, dict) and e["type"] not in ("button", "overflow", "image")]


def errors(view: View, state: Mapping[str, Mapping[str, Json]]) -> dict[str, str]:
    """Return what Slack's own client refuses before it asks the app, by block_id."""
    found: dict[str, str] = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            words = _error(element, state[block["block_id"]][element["action_id"]], bool(block.get("optional")))
            if words:
                found[block["block_id"]] = words
    return found


def _error(element: Json, given: Json, optional: bool) -> str | None:
    answer = next((value for name, value in given.items() if name != "type"), None)
    if answer in (None, "", []):
        return None if optional else MISSING
    kind, text = element["type"], str(answer)
    if kind == "plain_text_input":
        return _length_error(element, text)
    if kind == "email_text_input" and not _MAIL.fullmatch(text):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not re.match(r"https?://\S+\Z", text):
        return "Please enter a valid URL."
    return _number_error(element, text) if kind == "number_input" else None


def _length_error(element: Json, text: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(text) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter no more than {most} characters." if len(text) > most else None


def _number_error(element: Json, text: str) -> str | None:
    try:
        value = float(text) if element["is_decimal_allowed"] else int(text)
    except ValueError:
        return "Please enter a valid number."
    if "min_value" in element and value < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and value > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None
