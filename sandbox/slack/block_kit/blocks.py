"""The blocks and which of them each surface takes (limits of @slack/types and docs.slack.dev)."""

from typing import Literal

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
    required,
    rule,
    string,
    typed,
    url,
)
from sandbox.slack.block_kit.elements import (
    BUTTON,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_INPUT_OF_MODAL,
    IN_SECTION,
)
from sandbox.slack.block_kit.objects import SLACK_FILE, identifier, plain, text
from sandbox.slack.block_kit.rich import CELL, CHART, RICH_TEXT, header_then_cells, same_width

Surface = Literal["message", "modal", "home"]
Fields = dict[str, Field | Check]

_COMMON: Fields = {"type": anything, "block_id": identifier}

_SECTION = both(
    mapping(
        _COMMON
        | {
            "text": text(3000),
            "fields": array(text(2000), 10),
            "accessory": typed(IN_SECTION),
            "expand": boolean,
        }
    ),
    any_one(("text", "fields")),
)

_CONTEXT_ELEMENT = typed({"image": IMAGE, "plain_text": text(3000), "mrkdwn": text(3000)})

_IMAGE = both(
    mapping(
        _COMMON
        | {
            "image_url": url(),
            "slack_file": SLACK_FILE,
            "alt_text": required(string(2000)),
            "title": plain(2000),
        }
    ),
    exactly_one(("image_url", "slack_file")),
)

_VIDEO = mapping(
    _COMMON
    | {
        "alt_text": required(string(2000)),
        "title": required(plain(200)),
        "thumbnail_url": required(url()),
        "video_url": required(url()),
        "title_url": url(2000),
        "author_name": string(50),
        "description": plain(200),
        "provider_name": string(50),
        "provider_icon_url": url(2000),
    }
)

_TABLE = mapping(
    _COMMON
    | {
        "rows": required(array(array(CELL, 20), 100)),
        "column_settings": array(mapping({"align": one_of("left", "center", "right"), "is_wrapped": boolean}), 20, 0),
    }
)

_DATA_TABLE = mapping(
    _COMMON
    | {
        "caption": required(string()),
        "rows": required(both(array(array(CELL, 20), 201, 2), header_then_cells, same_width)),
        "page_size": integer(1, 100),
        "row_header_column_index": integer(0),
    }
)

_DATA_VISUALIZATION = mapping(_COMMON | {"title": required(string(50)), "chart": required(CHART)})

_CARD = both(
    mapping(
        _COMMON
        | {
            "title": text(150),
            "subtitle": text(150),
            "body": text(200),
            "subtext": text(200),
            "hero_image": IMAGE,
            "icon": IMAGE,
            "slack_icon": anything,
            "actions": array(typed({"button": BUTTON}), 3),
        }
    ),
    any_one(("hero_image", "title", "actions", "body")),
)

_ALERT = mapping(
    _COMMON
    | {
        "text": required(text(200)),
        "level": one_of("default", "info", "warning", "error", "success"),
    }
)


def _input(elements: dict[str, Check]) -> Check:
    return both(
        mapping(
            _COMMON
            | {
                "label": required(plain(2000)),
                "element": required(typed(elements)),
                "hint": plain(2000),
                "optional": boolean,
                "dispatch_action": boolean,
            }
        ),
        rule(
            lambda v: (
                bool(v.get("dispatch_action"))
                and isinstance(v.get("element"), dict)
                and v["element"].get("type") == "file_input"
            ),
            "dispatch_action is not supported for file_input",
        ),
    )


_EVERYWHERE: dict[str, Check] = {
    "section": _SECTION,
    "divider": mapping(_COMMON),
    "header": mapping(_COMMON | {"text": required(plain(150)), "level": integer(1, 4)}),
    "image": _IMAGE,
    "context": mapping(_COMMON | {"elements": required(array(_CONTEXT_ELEMENT, 10))}),
    "actions": mapping(_COMMON | {"elements": required(array(typed(IN_ACTIONS), 25))}),
    "rich_text": RICH_TEXT,
    "video": _VIDEO,
    "card": _CARD,
    "input": _input(IN_INPUT),
}
_DATA: dict[str, Check] = {
    "table": _TABLE,
    "data_table": _DATA_TABLE,
    "data_visualization": _DATA_VISUALIZATION,
    "carousel": mapping(_COMMON | {"elements": required(array(typed({"card": _CARD}), 10))}),
}


def _container(children: dict[str, Check]) -> Check:
    inside = {name: check for name, check in children.items() if name not in ("input", "card", "carousel")}
    return both(
        mapping(
            _COMMON
            | {
                "title": plain(150),
                "rich_text_title": RICH_TEXT,
                "subtitle": plain(150),
                "child_blocks": required(array(typed(inside), 10)),
                "width": one_of("narrow", "standard", "wide", "full"),
                "icon": IMAGE,
                "is_collapsible": boolean,
                "default_collapsed": boolean,
                "has_header_divider": boolean,
            }
        ),
        exactly_one(("title", "rich_text_title")),
    )


_MESSAGE_ONLY: dict[str, Check] = {
    "markdown": mapping({"type": anything, "block_id": identifier, "text": required(string(12_000))}),
    "context_actions": mapping(_COMMON | {"elements": required(array(typed(IN_CONTEXT_ACTIONS), 5))}),
}

BLOCKS: dict[Surface, dict[str, Check]] = {
    "message": _EVERYWHERE | _DATA | _MESSAGE_ONLY | {"container": _container(_EVERYWHERE | _DATA)},
    "home": _EVERYWHERE | _DATA | {"container": _container(_EVERYWHERE | _DATA)},
    "modal": _EVERYWHERE | {"alert": _ALERT, "input": _input(IN_INPUT_OF_MODAL)},
}

BLOCKS_PER_SURFACE: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
