"""How many mails a mailbox may have under way, and how long it rests between two. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.domain.account import Mailbox
from core.domain.workspace_settings import WorkspaceSettings

CONNECTIONS = 2
"""Connections of one mailbox to its submission server."""

AT_ONCE = 2 * CONNECTIONS
"""Mails of one mailbox under way at once: twice its connections, so that none of them waits for us."""


class Slots:
    """Spacing per mailbox over all campaigns: with a spacing one mail a claim, without one as many as its connections
    keep busy. More would only be more to look up after a crash, and would keep other mailboxes waiting."""

    def __init__(
        self,
        settings: WorkspaceSettings,
        now: datetime,
        random: float,
        under_way: Mapping[str, int],
        at_once: int = AT_ONCE,
    ) -> None:
        low, high = settings.seconds("spacing_min_s"), settings.seconds("spacing_max_s")
        self._gap = low + max(0.0, high - low) * random
        self._now = now
        self._under_way = under_way
        self._at_once = at_once
        self._count: dict[str, int] = {}
        self.taken: dict[str, datetime] = {}

    @property
    def each(self) -> int:
        """The most that any one mailbox can send of one claim."""
        return 1 if self._gap > 0 else self._at_once

    def free(self, mailbox: Mailbox | None) -> bool:
        """Whether one more mail may go from here now; without a mailbox the gates will speak."""
        if mailbox is None:
            return True
        resting = mailbox.next_send_at is not None and mailbox.next_send_at > self._now
        claimed = self._count.get(mailbox.id, 0)
        full = self._under_way.get(mailbox.id, 0) + claimed >= self._at_once or (claimed > 0 and self._gap > 0)
        return not resting and not full

    def take(self, mailbox: Mailbox) -> None:
        """One goes: ``taken`` says until when its mailbox rests."""
        self._count[mailbox.id] = self._count.get(mailbox.id, 0) + 1
        self.taken[mailbox.id] = self._now + timedelta(seconds=self._gap)
