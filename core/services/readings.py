"""How far mailboxes have been read, for people's eyes: late told apart from broken (R10, R19, R20, R81)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.domain.lag import Lag, lag_of
from core.services.tools import Tools


@dataclass(frozen=True, slots=True)
class Reading:
    """``history_left``: about how many old mails are still to be read. ``matched`` and ``strangers`` count the mails of
    the last thirty days that belong to people on profiles, and to nobody: of those nothing is kept."""

    lag: Lag
    history_left: int
    matched: int
    strangers: int


class ReadingService:
    """Read-only."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def of(self, actor: Actor, mailboxes: Sequence[Mailbox]) -> Mapping[str, Reading]:
        """By mailbox id; the mailboxes are those that the actor may see already."""
        ids = [one.id for one in mailboxes]
        now = self._tools.clock.now()
        async with self._tools.store.read(actor.workspace) as uow:
            folders = await uow.folders.by_mailbox(ids)
            counts = await uow.messages.seen_counts(ids)
        return {
            one.id: Reading(
                lag_of(one, folders.get(one.id, ()), now),
                sum(folder.history_left for folder in folders.get(one.id, ()) if folder.history_below is not None),
                *counts.get(one.id, (0, 0)),
            )
            for one in mailboxes
        }
