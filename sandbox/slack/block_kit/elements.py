"""Interactive elements and the places they may stand in."""

from sandbox.slack.block_kit.checks import (
    Check,
    Field,
    any_one,
    anything,
    array,
    boolean,
    both,
    exactly_one,
    integer,
    mapping,
    one_of,
    pattern,
    required,
    rule,
    string,
    url,
)
from sandbox.slack.block_kit.objects import (
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_CONFIG,
    HAS_OPTIONS,
    OPTIONS,
    PLACEHOLDER,
    PLAIN_OPTION,
    SLACK_FILE,
    identifier,
    initial_among_options,
    option,
    plain,
    workspace_id,
)
from sandbox.slack.block_kit.rich import RICH_TEXT

Fields = dict[str, Field | Check]

_COMMON: Fields = {"type": anything, "action_id": identifier}
_FOCUS: Fields = {"focus_on_load": boolean}
_CONFIRM: Fields = {"confirm": CONFIRM}
_MENU: Fields = _COMMON | _FOCUS | _CONFIRM | {"placeholder": PLACEHOLDER}
_MANY: Fields = {"max_selected_items": integer(1)}
_TYPED: Fields = _COMMON | _FOCUS | {"placeholder": PLACEHOLDER, "dispatch_action_config": DISPATCH_CONFIG}
_TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "must be a valid time in the format HH:mm")
_DATE = pattern(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "must be a valid date in the format YYYY-MM-DD")

BUTTON = mapping(
    _COMMON
    | _CONFIRM
    | {
        "text": required(plain(75)),
        "value": string(2000),
        "url": url(),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    }
)

IMAGE = both(
    mapping({"type": anything, "image_url": url(), "slack_file": SLACK_FILE, "alt_text": required(string(2000))}),
    exactly_one(("image_url", "slack_file")),
)

_lengths_in_order = rule(
    lambda v: (
        isinstance(v.get("min_length"), int)
        and isinstance(v.get("max_length"), int)
        and v["min_length"] > v["max_length"]
    ),
    "min_length must not be more than max_length",
)

PLAIN_TEXT_INPUT = both(
    mapping(
        _TYPED
        | {
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    _lengths_in_order,
)

NUMBER_INPUT = mapping(
    _TYPED
    | {
        "is_decimal_allowed": required(boolean),
        "initial_value": string(),
        "min_value": string(),
        "max_value": string(),
    }
)

_choices: Fields = {"options": required(array(option(markdown=True), 10))}

ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "overflow": mapping(_COMMON | _CONFIRM | {"options": required(array(option(with_url=True), 5))}),
    "radio_buttons": both(
        mapping(_COMMON | _FOCUS | _CONFIRM | _choices | {"initial_option": option(markdown=True)}),
        initial_among_options,
    ),
    "checkboxes": both(
        mapping(_COMMON | _FOCUS | _CONFIRM | _choices | {"initial_options": array(option(markdown=True), 10)}),
        initial_among_options,
    ),
    "static_select": both(
        mapping(_MENU | OPTIONS | {"initial_option": PLAIN_OPTION}), HAS_OPTIONS, initial_among_options
    ),
    "multi_static_select": both(
        mapping(_MENU | _MANY | OPTIONS | {"initial_options": array(PLAIN_OPTION, 100)}),
        HAS_OPTIONS,
        initial_among_options,
    ),
    "external_select": mapping(_MENU | {"initial_option": PLAIN_OPTION, "min_query_length": integer(0)}),
    "multi_external_select": mapping(
        _MENU | _MANY | {"initial_options": array(PLAIN_OPTION, 100), "min_query_length": integer(0)}
    ),
    "users_select": mapping(_MENU | {"initial_user": workspace_id}),
    "multi_users_select": mapping(_MENU | _MANY | {"initial_users": array(workspace_id)}),
    "conversations_select": mapping(
        _MENU
        | {
            "initial_conversation": workspace_id,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": CONVERSATION_FILTER,
        }
    ),
    "multi_conversations_select": mapping(
        _MENU
        | _MANY
        | {
            "initial_conversations": array(workspace_id),
            "default_to_current_conversation": boolean,
            "filter": CONVERSATION_FILTER,
        }
    ),
    "channels_select": mapping(_MENU | {"initial_channel": workspace_id, "response_url_enabled": boolean}),
    "multi_channels_select": mapping(_MENU | _MANY | {"initial_channels": array(workspace_id)}),
    "datepicker": mapping(_MENU | {"initial_date": _DATE}),
    "timepicker": mapping(_MENU | {"initial_time": _TIME, "timezone": string()}),
    "datetimepicker": mapping(
        _COMMON | _FOCUS | _CONFIRM | {"initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    ),
    "plain_text_input": PLAIN_TEXT_INPUT,
    "email_text_input": mapping(_TYPED | {"initial_value": string()}),
    "url_text_input": mapping(_TYPED | {"initial_value": string()}),
    "number_input": NUMBER_INPUT,
    "rich_text_input": mapping(
        _TYPED | {"initial_value": RICH_TEXT, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}
    ),
    "file_input": mapping(_COMMON | {"filetypes": array(string()), "max_files": integer(1, 10)}),
    "icon_button": mapping(
        _COMMON
        | _CONFIRM
        | {
            "icon": required(one_of("trash")),
            "text": required(plain(75)),
            "value": string(2000),
            "accessibility_label": string(75),
            "visible_to_user_ids": array(workspace_id, 10),
        }
    ),
    "feedback_buttons": both(
        mapping(
            _COMMON
            | {
                name: required(
                    mapping({"text": required(plain(75)), "value": string(2000), "accessibility_label": string(75)})
                )
                for name in ("positive_button", "negative_button")
            }
        ),
        any_one(("positive_button",)),
    ),
}

_single = {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
_several = {f"multi_{name}" for name in _single}
_pickers = {"datepicker", "timepicker", "datetimepicker", "radio_buttons", "checkboxes"}
_typed_in = {"plain_text_input", "rich_text_input", "email_text_input", "url_text_input", "number_input"}


def chosen(names: set[str]) -> dict[str, Check]:
    """Return the checks of the elements called ``names``."""
    return {name: ELEMENTS[name] for name in names}


IN_ACTIONS = chosen({"button", "overflow"} | _single | _pickers)
IN_SECTION = chosen({"button", "overflow", "image"} | _single | _several | (_pickers - {"datetimepicker"}))
IN_INPUT = chosen(_single | _several | _pickers | _typed_in)
IN_INPUT_OF_MODAL = chosen(_single | _several | _pickers | _typed_in | {"file_input"})
IN_CONTEXT_ACTIONS = chosen({"icon_button", "feedback_buttons"})
