"""Alerts, cards on their way to Slack, settings, the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.alert import Alert


class AlertStore(Protocol):
    async def current(self, key: str) -> Alert | None:
        """The unresolved alert of a key."""
        ...

    async def get(self, alert_id: str) -> Alert | None: ...
    async def list_open(self) -> list[Alert]: ...

    async def newest_open(self, kind: str, cause: str, *, limit: int) -> list[Alert]:
        """The unresolved alerts of this kind (``Alert.kind``) that tell of this cause, newest first."""
        ...

    async def add(self, alert: Alert) -> None: ...
    async def save(self, alert: Alert) -> bool: ...


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One Slack message that must exist and show the newest facts. ``key`` is unique in the workspace.

    ``destination`` is a channel id, or ``user:U…`` for a direct message. ``version`` grows with each change of the
    facts, ``posted_version`` is what Slack shows. ``channel`` and ``ts`` say where it stands.
    """

    id: str
    workspace: str
    key: str
    destination: str
    kind: str
    facts: Mapping[str, Any]
    version: int
    posted_version: int
    state: str
    attempts: int
    channel: str | None = None
    ts: str | None = None
    token: str | None = None
    not_before: datetime | None = None
    claimed_at: datetime | None = None


class OutboxStore(Protocol):
    async def put(self, key: str, *, destination: str, kind: str, facts: Mapping[str, Any], at: datetime) -> None:
        """Creates the message or, where the key is there, replaces its facts (an update in place later)."""
        ...

    async def by_key(self, key: str) -> OutboxItem | None: ...
    async def get(self, item_id: str) -> OutboxItem | None: ...
    async def keys_with_prefix(self, prefix: str) -> list[OutboxItem]: ...

    async def claim(self, now: datetime, *, limit: int, token: str) -> list[OutboxItem]:
        """Items whose facts are newer than what Slack shows and that are not being posted; marked ``posting``."""
        ...

    async def posted(self, item: OutboxItem, *, channel: str, ts: str) -> bool:
        """Where newer facts came meanwhile it is ready again."""
        ...

    async def put_back(self, item: OutboxItem, *, not_before: datetime, error: str) -> bool: ...
    async def forget_message(self, item: OutboxItem) -> bool:
        """The message is no longer in Slack: what the row says is posted anew."""
        ...

    async def mark_unknown(self, item: OutboxItem, *, not_before: datetime) -> bool: ...
    async def fail(self, item: OutboxItem, *, error: str) -> bool: ...
    async def renew(self, item_ids: Collection[str], at: datetime) -> int:
        """Those of these that are being posted count as claimed at this moment: their process lives."""
        ...

    async def recover_posting(self, *, claimed_before: datetime) -> int:
        """Posts that a dead process had begun become unknown (posted never) or ready (updates)."""
        ...

    async def count_by_state(self) -> dict[str, int]: ...


class SettingStore(Protocol):
    async def all(self) -> dict[str, Any]: ...
    async def set(self, key: str, value: Any, *, actor: str, at: datetime) -> None: ...


class AuditStore(Protocol):
    async def add(
        self, *, at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any] | None = None
    ) -> None: ...


class SeenStore(Protocol):
    async def first_time(self, key: str, at: datetime) -> bool:
        """True once per key: a repeated Slack delivery is answered, not done again."""
        ...

    async def forget_before(self, cutoff: datetime) -> int: ...
