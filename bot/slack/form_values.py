"""What a person filled into a window of ours (view.state.values), whatever Slack or somebody else made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.blocks.forms import FIELD


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that was chosen in a window: its bytes stand at ``url``, for the bot's token."""

    id: str
    name: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with what was filled in, by the name of the input; shown under it, and the window stays."""

    by_input: Mapping[str, str]


class Values:
    """Inputs by name. What is not there, or of another kind, is empty."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        state = view.get("state")
        values = state.get("values") if isinstance(state, Mapping) else None
        self._values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}

    def has(self, name: str) -> bool:
        """Whether the window had such an input at all."""
        return name in self._values

    def text(self, name: str) -> str:
        """What was typed, without white space around it."""
        return self._string(name, "value").strip()

    def number(self, name: str) -> int | None:
        try:
            return int(self.text(name))
        except ValueError:
            return None

    def choice(self, name: str) -> str:
        """The value that was chosen in a menu or among radio buttons."""
        return _value(self._field(name).get("selected_option"))

    def choices(self, name: str) -> tuple[str, ...]:
        """All that were chosen or ticked."""
        found = self._field(name).get("selected_options")
        return tuple(value for one in found if (value := _value(one))) if isinstance(found, list) else ()

    def person(self, name: str) -> str:
        return self._string(name, "selected_user")

    def conversation(self, name: str) -> str:
        return self._string(name, "selected_conversation")

    def day(self, name: str) -> str:
        """YYYY-MM-DD."""
        return self._string(name, "selected_date")

    def hour(self, name: str) -> str:
        """HH:MM."""
        return self._string(name, "selected_time")

    def files(self, name: str) -> tuple[SentFile, ...]:
        found = self._field(name).get("files")
        return tuple(_file(one) for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()

    def _field(self, name: str) -> Mapping[str, Any]:
        block = self._values.get(name)
        found = block.get(FIELD) if isinstance(block, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _string(self, name: str, key: str) -> str:
        found = self._field(name).get(key)
        return found if isinstance(found, str) else ""


def _value(option: object) -> str:
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else ""


def _file(found: Mapping[str, Any]) -> SentFile:
    size = found.get("size")
    return SentFile(
        str(found.get("id") or ""),
        str(found.get("name") or ""),
        size if isinstance(size, int) else 0,
        str(found.get("url_private_download") or found.get("url_private") or ""),
    )
