"""The bricks of every card, inside Slack's limits by construction (@slack/types). Pure.

Lengths are characters. Texts given to these functions may come from outside: they are cleaned here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.slack.blocks.server_words import readable, speaker
from bot.slack.blocks.text import clean, escaped, is_person, mention, seconds, sentence, utc_time

Json = dict[str, Any]

RED: Final = "#d32f2f"
AMBER: Final = "#d98200"
GREEN: Final = "#2e7d32"
GREY: Final = "#8d8d8d"

MOST_BLOCKS: Final = 48
MOST_JSON: Final = 11_000
"""Slack has refused messages from about 13,200 characters of blocks on, each single limit kept (bolt-js#2509)."""

FALLBACK: Final = 500
WORDS: Final = 1_200
HEADER: Final = 150
CONTEXT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Card:
    """One message. ``text`` is what notifications and screen readers say, in Slack's markup; ``color`` a bar that
    repeats what the words say already. ``window`` is the title of the window in which it is rather read than in the
    conversation, at most 24 characters. ``replaces``: an answer that takes the place of the one that was used."""

    text: str
    blocks: list[Json] = field(default_factory=list)
    color: str | None = None
    window: str | None = None
    replaces: bool = False

    def message(self) -> Json:
        """Arguments of chat.postMessage, chat.update and response_url: text, blocks, attachments.

        With a colour the title stays on top and the rest moves into one attachment, the only thing that has a bar.
        """
        if self.color is None or len(self.blocks) < 2:
            return {"text": self.text, "blocks": self.blocks, "attachments": []}
        rest = {"color": self.color, "fallback": self.text, "blocks": self.blocks[1:]}
        return {"text": self.text, "blocks": self.blocks[:1], "attachments": [rest]}


def plain(card: Card) -> Card:
    """The same in one sentence without layout."""
    return Card(card.text, [{"type": "section", "text": {"type": "mrkdwn", "text": card.text, "verbatim": True}}])


class Stack:
    """Blocks while there is room; ``add`` says whether they still fitted."""

    def __init__(self, *blocks: Json, most_blocks: int = MOST_BLOCKS, most_json: int = MOST_JSON) -> None:
        self.blocks: list[Json] = []
        self._most_blocks, self._room = most_blocks, most_json
        for block in blocks:
            self.add(block)

    def add(self, *blocks: Json) -> bool:
        """All of them, or none."""
        size = sum(len(json.dumps(block, ensure_ascii=False)) + 2 for block in blocks)
        if len(self.blocks) + len(blocks) > self._most_blocks or size > self._room:
            return False
        self._room -= size
        self.blocks.extend(blocks)
        return True


# Inline pieces of rich text


def words(text: object, limit: int = WORDS) -> Json:
    return {"type": "text", "text": clean(text, limit) or "–"}


def glue(text: str) -> Json:
    """Our own text between pieces, spaces kept."""
    return {"type": "text", "text": text}


def strong(text: str) -> Json:
    """Our own text in bold, spaces kept."""
    return glue(text) | {"style": {"bold": True}}


def bold(text: object, limit: int = 200) -> Json:
    return words(text, limit) | {"style": {"bold": True}}


def typed(text: object, limit: int = 200) -> Json:
    """Something to type, in a fixed-width face."""
    return words(text, limit) | {"style": {"code": True}}


def person(user: str | None) -> Json:
    """A mention where it is a Slack user."""
    return {"type": "user", "user_id": user} if is_person(user) else glue(mention(user))


def link(url: str, text: str) -> Json:
    """One of our own addresses, never one from outside."""
    return {"type": "link", "url": url, "text": text}


def channel(identifier: str) -> Json:
    """A channel's name, as each reader sees it."""
    return {"type": "channel", "channel_id": identifier}


def when(iso: str | None) -> Json:
    """A moment in the reader's own time zone, UTC for those who cannot see it."""
    stamp = seconds(iso)
    if stamp is None:
        return glue("never")
    return {"type": "date", "timestamp": stamp, "format": "{date_short_pretty} at {time}", "fallback": utc_time(iso)}


# Blocks


def header(text: object) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": clean(text, HEADER) or "–", "emoji": False}}


def paragraph(*lines: Iterable[Json]) -> Json:
    """One line of inline pieces under the other."""
    pieces: list[Json] = []
    for line in lines:
        if pieces:
            pieces.append(glue("\n"))
        pieces.extend(line)
    return {"type": "rich_text", "elements": [_section(*pieces)]}


def quote(text: object, limit: int = WORDS) -> Json:
    """What a person wrote."""
    piece = {"type": "text", "text": clean(text, limit, lines=True) or "(no text)"}
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [piece]}]}


def to_forward(intro: str, text: object, limit: int = WORDS) -> Json:
    """Text meant for somebody else, set apart so that it can be copied as it is."""
    return {"type": "rich_text", "elements": [_section(glue(intro)), *quote(text, limit)["elements"]]}


def bullets(lines: Iterable[str]) -> Json:
    """A list, one cleaned line to a bullet."""
    items = [_section(words(line, 300)) for line in lines]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": items}]}


def _section(*pieces: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(pieces)}


def server_said(text: object) -> Json:
    """A server's own words, introduced as such (R43)."""
    raw = str(text)
    intro = _section(glue(f"{speaker(raw)}:"))
    return {"type": "rich_text", "elements": [intro, *machine_words(readable(raw))["elements"]]}


def said(raw: str, limit: int) -> list[Json]:
    """The same in one line of a text."""
    return [glue(f"{speaker(raw)}: "), words(readable(raw) or "nothing", limit)]


def machine_words(text: object, limit: int = 600) -> Json:
    """What a server said, untouched but for what cannot be shown."""
    return preformatted(clean(text, limit, lines=True) or "(nothing)")


def preformatted(text: str) -> Json:
    """Text that is cleaned already, in a fixed-width face."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [glue(text)]}]}


def table(rows: Sequence[Sequence[object]]) -> Json:
    """The first row holds the headings; figures stand right, the first column left. One a message, at most 100 rows of
    20 cells (@slack/types)."""
    cells = [[{"type": "raw_text", "text": clean(cell, 200) or "–"} for cell in row] for row in rows]
    settings = [{"align": "left"}, *({"align": "right"} for _ in rows[0][1:])]
    return {"type": "table", "column_settings": settings, "rows": cells}


def context(*parts: str) -> Json:
    """Small grey text; each part is markup made by ``escaped``, ``mention`` or ``local_time``."""
    shown = ""
    for part in parts:
        joined = f"{shown} · {part}" if shown else part
        if len(joined) > CONTEXT:
            break
        shown = joined
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": shown or "–", "verbatim": True}]}


def in_a_row(parts: Iterable[str]) -> str:
    """Words from outside as one piece of a context line."""
    return escaped("; ".join(parts), 600)


def note(text: object) -> Json:
    """One of our own sentences, which may mention people."""
    return markup(sentence(text, WORDS))


def told(text: object) -> Json:
    """A sentence with words from outside in it: it mentions nobody."""
    return markup(escaped(text, WORDS))


def markup(text: str) -> Json:
    """Slack's markup, made of parts that are escaped already, at most 3,000 characters."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text or "–", "verbatim": True}}


def divider() -> Json:
    return {"type": "divider"}


def actions(*elements: Json, block_id: str | None = None) -> Json:
    """Buttons and menus in a row."""
    made: Json = {"type": "actions", "elements": list(elements)}
    return made | {"block_id": block_id} if block_id else made


def people_menu(placeholder: str, action_id: str) -> Json:
    """A menu of the workspace's people; what it acts on stands in the block's id."""
    return {"type": "users_select", "action_id": action_id, "placeholder": _plain(placeholder, 150)}


def more_menu(action_id: str, options: Iterable[tuple[str, str]]) -> Json:
    """Up to five further choices, each a label and the value that it gives back."""
    made = [{"text": _plain(label, 75), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": action_id, "options": made}


def button(
    label: str,
    action_id: str,
    value: str | None = None,
    *,
    style: str | None = None,
    url: str | None = None,
    confirm: Json | None = None,
    spoken: str | None = None,
) -> Json:
    """``spoken`` says to screen readers what the label alone does not: on what it acts."""
    made: Json = {"type": "button", "action_id": action_id, "text": _plain(label, 75)}
    optional = {
        "value": value,
        "style": style,
        "url": url,
        "confirm": confirm,
        "accessibility_label": clean(spoken, 75) if spoken else None,
    }
    return made | {name: given for name, given in optional.items() if given is not None}


def confirm(title: str, text: str, yes: str, *, danger: bool = False) -> Json:
    """A question before something that cannot be taken back."""
    asked: Json = {
        "title": _plain(title, 100),
        "text": _plain(text, 300),
        "confirm": _plain(yes, 30),
        "deny": _plain("Cancel", 30),
    }
    return asked | {"style": "danger"} if danger else asked


def _plain(text: object, limit: int) -> Json:
    return {"type": "plain_text", "text": clean(text, limit) or "–", "emoji": False}


def fallback(*parts: object) -> str:
    """The one-sentence summary of a card, safe in Slack's markup."""
    return escaped(" ".join(str(part) for part in parts), FALLBACK) or "–"
