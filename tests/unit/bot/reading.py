"""A card as somebody reads it aloud: its words in order, without markup, quoted machine words apart."""

from __future__ import annotations

import re
from typing import Any

from bot.slack.blocks.kit import Card

QUOTED = ("rich_text_preformatted", "rich_text_quote")


def aloud(card: Card, *, quoted: bool = True) -> str:
    """One line per line of the card. A moment is read as ``(time)``, a person as ``@U…``; without ``quoted`` what
    others said (servers, candidates) is left out."""
    return "\n".join(line for block in card.blocks for line in _lines(block, quoted) if line)


def _lines(block: dict[str, Any], quoted: bool) -> list[str]:
    match block["type"]:
        case "rich_text":
            return [line for part in block["elements"] for line in _rich(part, quoted)]
        case "actions":
            return [" ".join(f"[{_label(element)}]" for element in block["elements"])]
        case "context":
            return [_markup(element["text"]) for element in block["elements"]]
        case "divider":
            return []
        case "table":
            return [" | ".join(str(cell["text"]) for cell in row) for row in block["rows"]]
        case _:
            return _markup(block["text"]["text"]).split("\n")


def _rich(part: dict[str, Any], quoted: bool) -> list[str]:
    if part["type"] == "rich_text_list":
        return [f"• {line}" for item in part["elements"] for line in _rich(item, quoted)]
    if part["type"] in QUOTED and not quoted:
        return []
    return "".join(_piece(piece) for piece in part["elements"]).split("\n")


def _piece(piece: dict[str, Any]) -> str:
    match piece["type"]:
        case "user":
            return f"@{piece['user_id']}"
        case "channel":
            return f"#{piece['channel_id']}"
        case "date":
            return "(time)"
        case _:
            return str(piece["text"])


def _label(element: dict[str, Any]) -> str:
    if element["type"] == "overflow":
        return "… " + " / ".join(option["text"]["text"] for option in element["options"])
    return str(element["text"]["text"] if "text" in element else element["placeholder"]["text"])


def _markup(text: str) -> str:
    text = re.sub(r"<!date\^[^|]*\|[^>]*>", "(time)", text)
    return re.sub(r"<@(\w+)>", r"@\1", text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
