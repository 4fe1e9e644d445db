"""A record of everything that went between the app and the stand-in."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sandbox.slack.config import Json
from sandbox.slack.feed import Feed
from sandbox.slack.ids import Clock

EntryKind = Literal["api", "delivery", "response_url", "socket"]
_TOKEN = re.compile(r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Entry:
    """One API call or delivery.

    ``name`` is the method (api), the payload's type (delivery) or what happened (socket);
    ``request`` and ``answer`` are the two bodies, ``error`` is None where it went well.
    """

    n: int
    at: float
    kind: EntryKind
    name: str
    via: str
    request: Any
    answer: Any
    error: str | None
    took_ms: float

    def to_json(self) -> Json:
        """Return the entry with tokens taken out, for the page."""
        return {key: _redacted(value) for key, value in asdict(self).items()}


class Journal:
    """The newest entries, numbered from 1."""

    def __init__(self, feed: Feed, clock: Clock, keep: int = 20_000) -> None:
        self._feed = feed
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._last = 0

    def add(
        self,
        kind: EntryKind,
        name: str,
        *,
        via: str = "http",
        request: Any = None,
        answer: Any = None,
        error: str | None = None,
        started: float | None = None,
    ) -> Entry:
        """Record one entry and wake whoever waits for it; ``started`` is its begin by the clock."""
        now = self._clock()
        self._last += 1
        took_ms = 0.0 if started is None else round((now - started) * 1000, 3)
        entry = Entry(self._last, now, kind, name, via, request, answer, error, took_ms)
        self._entries.append(entry)
        self._feed.touch()
        return entry

    def entries(self, after: int = 0) -> list[Entry]:
        """Return the kept entries numbered above ``after``, oldest first."""
        return [entry for entry in self._entries if entry.n > after]

    def calls(self, method: str) -> list[Entry]:
        """Return the API calls of one method, oldest first."""
        return self.matching(lambda entry: entry.kind == "api" and entry.name == method)

    def deliveries(self, kind: str | None = None) -> list[Entry]:
        """Return the payloads handed to the app, of one type or all."""
        return self.matching(lambda entry: entry.kind == "delivery" and kind in (None, entry.name))

    def matching(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        """Return the entries for which ``wanted`` is true, oldest first."""
        return [entry for entry in self._entries if wanted(entry)]


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _TOKEN.sub("[token]", value)
    if isinstance(value, dict):
        return {key: _redacted(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_redacted(entry) for entry in value]
    return value
