"""Stages that wait for a person, and texts of which the provider has news: questions by time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from core.domain.delivery import Delivery


class StageStore(Protocol):
    """Read-only. ``next_check_at`` of a call or a task says when it is told again, and stands there as long as its
    card asks for something; of a text that went out, when the provider is asked what became of it."""

    async def reminders_due(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        """Required calls and tasks that nobody has done and of which it is time to remind; the longest due first."""
        ...

    async def cards_over(self, *, limit: int = 100) -> list[Delivery]:
        """Calls and tasks that are settled (cancelled, skipped, failed), while their card still asks for them."""
        ...

    async def texts_to_ask(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        """Texts that went out and of which it is time to ask; the longest due first."""
        ...
