"""Slack as the engine needs it: a card that exists once and shows the newest facts. Implemented in bot/slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a message stands: the channel's id (D… for direct messages, never a user id) and its time stamp."""

    channel: str
    ts: str


class Notifier(Protocol):
    """Every method raises ``core.errors.SlackError`` kinds only."""

    async def post(
        self, workspace: str, *, destination: str, kind: str, facts: Mapping[str, Any], key: str
    ) -> MessageRef:
        """Posts a card. ``destination`` is a channel id or ``user:U…``; ``key`` goes into the message's metadata."""
        ...

    async def update(self, workspace: str, ref: MessageRef, *, kind: str, facts: Mapping[str, Any]) -> None: ...

    async def find(self, workspace: str, *, destination: str, key: str, since: datetime) -> MessageRef | None:
        """Looks for a message whose post had no answer. None: not there, or we may not look."""
        ...
