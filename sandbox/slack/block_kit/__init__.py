"""Block Kit as strictly as Slack reads it: documented limits, unknown fields refused.

Pure functions from JSON to a list of problems. Sources: @slack/types 3.2.0 (limits in its
documentation comments), docs.slack.dev Block Kit reference, answers of ``chat.postMessage`` and
``views.open`` reported in public issues.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.blocks import BLOCKS, BLOCKS_PER_SURFACE, Surface
from sandbox.slack.block_kit.checks import (
    Check,
    Field,
    Problem,
    anything,
    array,
    boolean,
    mapping,
    required,
    string,
    typed,
)
from sandbox.slack.block_kit.objects import GROUP, PLAIN_OPTION, options_of, plain

__all__ = [
    "ATTACHMENTS_PER_MESSAGE",
    "VIEW_BYTES",
    "Problem",
    "Surface",
    "check_attachments",
    "check_blocks",
    "check_suggestions",
    "check_view",
    "options_of",
    "view_is_too_large",
]

ATTACHMENTS_PER_MESSAGE = 100
BLOCKS_PER_ATTACHMENT = 20
MARKDOWN_PER_MESSAGE = 12_000
TABLE_CHARACTERS = 10_000
DATA_TABLE_CHARACTERS = 20_000
CHARTS_PER_MESSAGE = 2
VIEW_BYTES = 250_000


def check_blocks(blocks: Any, surface: Surface = "message", pointer: str = "/blocks") -> list[Problem]:
    """Return everything Slack would refuse in a list of blocks; empty if it would take them."""
    most = BLOCKS_PER_SURFACE[surface]
    problems = list(array(typed(BLOCKS[surface]), most, least=0)(blocks, pointer))
    if isinstance(blocks, list):
        whole = [block for block in blocks if isinstance(block, dict)]
        problems += _repeated_ids(whole, pointer)
        problems += _totals(whole, pointer)
    return problems


def check_attachments(attachments: Any) -> list[Problem]:
    """Return what Slack would refuse in the blocks of legacy attachments."""
    if not isinstance(attachments, list):
        return [Problem("/attachments", "invalid_type", "must provide an array")]
    problems: list[Problem] = []
    for index, attachment in enumerate(attachments):
        pointer = f"/attachments/{index}"
        if not isinstance(attachment, dict):
            problems.append(Problem(pointer, "invalid_type", "must provide an object"))
            continue
        blocks = attachment.get("blocks")
        if blocks is not None:
            problems += check_blocks(blocks, "message", f"{pointer}/blocks")
            if isinstance(blocks, list) and len(blocks) > BLOCKS_PER_ATTACHMENT:
                words = f"no more than {BLOCKS_PER_ATTACHMENT} items allowed"
                problems.append(Problem(f"{pointer}/blocks", "failed_constraint", words))
    return problems


_VIEW_COMMON: dict[str, Field | Check] = {
    "type": anything,
    "blocks": required(anything),
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_VIEW = typed(
    {
        "modal": mapping(
            _VIEW_COMMON
            | {
                "title": required(plain(24)),
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            }
        ),
        "home": mapping(_VIEW_COMMON),
    }
)


def check_view(view: Any, pointer: str = "/view") -> list[Problem]:
    """Return everything Slack would refuse in a modal or Home view."""
    problems = list(_VIEW(view, pointer))
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home") or "blocks" not in view:
        return problems
    problems += check_blocks(view["blocks"], view["type"], f"{pointer}/blocks")
    blocks = view["blocks"] if isinstance(view["blocks"], list) else []
    inputs = [b for b in blocks if isinstance(b, dict) and b.get("type") == "input"]
    if view["type"] == "modal" and inputs and "submit" not in view:
        problems.append(Problem(pointer, "missing_field", "missing required field: submit"))
    elements = [e for b in blocks if isinstance(b, dict) for e in _elements(b)]
    if sum(element.get("focus_on_load") is True for element in elements) > 1:
        words = "only one element may have focus_on_load set to true"
        problems.append(Problem(f"{pointer}/blocks", "failed_constraint", words))
    return problems


def view_is_too_large(view: Any) -> bool:
    """Whether a view is over 250 kB as JSON."""
    return len(json.dumps(view, separators=(",", ":")).encode()) > VIEW_BYTES


_SUGGESTIONS = mapping({"options": array(PLAIN_OPTION, 100, least=0), "option_groups": array(GROUP, 100, least=0)})


def check_suggestions(answer: Any) -> list[Problem]:
    """Return what is wrong with the answer to a block_suggestion."""
    return list(_SUGGESTIONS(answer, ""))


def _elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[Any] = [block.get("accessory"), block.get("element")]
    for name in ("elements", "actions"):
        if isinstance(block.get(name), list):
            found += block[name]
    return [element for element in found if isinstance(element, dict)]


def _repeated_ids(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    counted = Counter(b["block_id"] for b in blocks if isinstance(b.get("block_id"), str))
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if isinstance(block_id, str) and counted[block_id] > 1 and block_id in seen:
            words = f"`block_id` `{block_id}` already exists"
            yield Problem(f"{pointer}/{index}/block_id", "failed_constraint", words)
        if isinstance(block_id, str):
            seen.add(block_id)
        if block.get("type") != "rich_text":
            actions = Counter(e["action_id"] for e in _elements(block) if isinstance(e.get("action_id"), str))
            for action_id, times in actions.items():
                if times > 1:
                    words = f"`action_id` `{action_id}` already exists"
                    yield Problem(f"{pointer}/{index}", "failed_constraint", words)


def _totals(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Problem]:
    markdown = sum(len(str(b.get("text", ""))) for b in blocks if b.get("type") == "markdown")
    if markdown > MARKDOWN_PER_MESSAGE:
        words = f"must be less than {MARKDOWN_PER_MESSAGE + 1} characters"
        yield Problem(pointer, "failed_constraint", words)
    tables = [b for b in blocks if b.get("type") == "table"]
    if len(tables) > 1:
        yield Problem(pointer, "failed_constraint", "only one table block is allowed per message")
    if sum(_cell_characters(b.get("rows")) for b in tables) > TABLE_CHARACTERS:
        words = f"table cells must be less than {TABLE_CHARACTERS + 1} characters in total"
        yield Problem(pointer, "failed_constraint", words)
    data = [b for b in blocks if b.get("type") == "data_table"]
    if sum(_cell_characters(b.get("rows")) for b in data) > DATA_TABLE_CHARACTERS:
        words = f"data_table cells must be less than {DATA_TABLE_CHARACTERS + 1} characters in total"
        yield Problem(pointer, "failed_constraint", words)
    if sum(b.get("type") == "data_visualization" for b in blocks) > CHARTS_PER_MESSAGE:
        words = f"no more than {CHARTS_PER_MESSAGE} data_visualization blocks allowed"
        yield Problem(pointer, "failed_constraint", words)


def _cell_characters(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_cell_characters(v) for k, v in value.items() if k != "text")
    if isinstance(value, list):
        return sum(_cell_characters(entry) for entry in value)
    return 0
