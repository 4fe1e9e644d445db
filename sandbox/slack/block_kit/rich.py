"""rich_text blocks, and the cells and charts of the data blocks."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.checks import (
    Check,
    Field,
    Problem,
    anything,
    array,
    boolean,
    both,
    integer,
    mapping,
    number,
    one_of,
    required,
    rule,
    string,
    typed,
)
from sandbox.slack.block_kit.objects import workspace_id

Fields = dict[str, Field | Check]

_STYLE = mapping(
    dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean)
)
_BASE: Fields = {"type": anything, "style": _STYLE}


def _inline(**fields: Field | Check) -> Check:
    return mapping(_BASE | fields)


INLINE = typed(
    {
        "text": _inline(text=required(string())),
        "link": _inline(url=required(string(3000)), text=string(None, 0), unsafe=boolean),
        "user": _inline(user_id=required(workspace_id)),
        "usergroup": _inline(usergroup_id=required(workspace_id)),
        "channel": _inline(channel_id=required(workspace_id)),
        "emoji": _inline(name=required(string()), unicode=string(), skin_tone=integer(1, 6)),
        "broadcast": _inline(range=required(one_of("here", "channel", "everyone"))),
        "color": _inline(value=required(string())),
        "date": _inline(timestamp=required(integer(0)), format=required(string()), url=string(3000), fallback=string()),
    }
)

_CONTENT = required(array(INLINE, least=0))
_BORDER = integer(0, 1)


def _part(**fields: Field | Check) -> Check:
    return mapping({"type": anything, **fields})


_SECTION = _part(elements=_CONTENT)

RICH_TEXT_ELEMENTS = array(
    typed(
        {
            "rich_text_section": _SECTION,
            "rich_text_quote": _part(elements=_CONTENT, border=_BORDER),
            "rich_text_preformatted": _part(elements=_CONTENT, border=_BORDER, language=string()),
            "rich_text_list": _part(
                style=required(one_of("bullet", "ordered")),
                elements=required(array(typed({"rich_text_section": _SECTION}), least=0)),
                indent=integer(0, 8),
                offset=integer(0),
                border=_BORDER,
            ),
        }
    )
)

RICH_TEXT = mapping({"type": anything, "block_id": string(255), "elements": required(RICH_TEXT_ELEMENTS)})

_RAW_TEXT = mapping({"type": anything, "text": required(string()), "emoji": boolean})
_RAW_NUMBER = mapping({"type": anything, "value": required(number), "text": string()})
CELL = typed({"raw_text": _RAW_TEXT, "raw_number": _RAW_NUMBER, "rich_text": RICH_TEXT})
HEADER_CELL = typed({"raw_text": _RAW_TEXT})


def same_width(value: Any, pointer: str) -> Iterator[Problem]:
    """Every row of a data_table has as many cells as the first."""
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        for index, row in enumerate(value):
            if len(row) != len(value[0]):
                words = "must have as many cells as the first row"
                yield Problem(f"{pointer}/{index}", "failed_constraint", words)


def header_then_cells(value: Any, pointer: str) -> Iterator[Problem]:
    """The first row of a data_table holds plain headers."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        for index, cell in enumerate(value[0]):
            yield from HEADER_CELL(cell, f"{pointer}/0/{index}")


_POINT = mapping({"label": required(string(20)), "value": required(number)})
_SERIES = mapping({"name": required(string(20)), "data": required(array(_POINT, 20))})
_AXIS = mapping({"categories": required(array(string(20), 20)), "x_label": string(50), "y_label": string(50)})
_AXIS_CHART: Check = mapping({"type": anything, "series": required(array(_SERIES, 12)), "axis_config": required(_AXIS)})
_SEGMENT = both(
    mapping({"label": required(string(20)), "value": required(number)}),
    rule(lambda v: isinstance(v.get("value"), int | float) and v["value"] <= 0, "must be greater than 0"),
)
CHART = typed(
    {
        "line": _AXIS_CHART,
        "bar": _AXIS_CHART,
        "area": _AXIS_CHART,
        "pie": mapping({"type": anything, "segments": required(array(_SEGMENT, 12))}),
    }
)
