"""The workspace's settings: value, default, meaning. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import escaped
from core.domain.workspace_settings import Setting

_TOGETHER: Final = 6
"""Settings in one block: at most 420 characters each, in at most 3,000."""


def settings_list(lines: Sequence[tuple[Setting, Any, bool]]) -> Card:
    """Each setting with its value, whether that is the default, and its meaning."""
    stack = Stack(kit.header("Settings of this workspace"), most_json=kit.MOST_JSON - 400)
    shown = [_line(*line) for line in lines]
    for start in range(0, len(shown), _TOGETHER):
        if not stack.add(kit.markup("\n".join(shown[start : start + _TOGETHER]))):
            stack.blocks.append(kit.context(f"{len(shown) - start} more"))
            break
    stack.add(kit.context("An admin changes one with /mailbox settings name value; “default” puts it back."))
    return Card("Settings of this workspace.", stack.blocks)


def _line(setting: Setting, value: Any, is_default: bool) -> str:
    """Plain markup, which takes a third of the room of styled pieces: there are many settings."""
    default = " (default)" if is_default else ""
    return f"`{escaped(setting.key, 60)}` = *{escaped(_shown(value), 120)}*{default}: {escaped(setting.meaning, 200)}"


def setting_changed(setting: Setting, value: Any, is_default: bool, note: str = "") -> Card:
    """Its new value, and in ``note`` what else that changed."""
    lines = [[kit.glue("Changed. "), *_setting(setting.key, value, is_default)], [kit.words(setting.meaning)]]
    if note:
        lines.append([kit.bold(note, 700)])
    said = [note] if note else []
    return Card(kit.fallback(f"{setting.key} is now {_shown(value)}.", *said), [kit.paragraph(*lines)])


def _setting(key: str, value: Any, is_default: bool) -> list[Json]:
    return [kit.typed(key), kit.glue(" = "), kit.bold(_shown(value)), *([kit.glue(" (default)")] if is_default else [])]


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return ", ".join(one if isinstance(one, str) else f"{one:g}" for one in value) or "none"
    return str(value)
