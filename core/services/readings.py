"""How far mailboxes have been read, for people's eyes: late told apart from broken (R10, R19, R20, R81)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.domain.folder_sync import FolderState
from core.domain.lag import Lag, lag_of
from core.services.tools import Tools

_FEW = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """``history_left``: about how many old mails are still to be read. ``matched`` and ``strangers`` count the mails of
    the last thirty days that belong to people on profiles, and to nobody: of those nothing is kept. None where many
    mailboxes were asked for: counting takes its time."""

    lag: Lag
    history_left: int
    matched: int | None = None
    strangers: int | None = None


class ReadingService:
    """Read-only."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def of(self, actor: Actor, mailboxes: Sequence[Mailbox]) -> Mapping[str, Reading]:
        """By mailbox id; the mailboxes are those that the actor may see already."""
        ids = [one.id for one in mailboxes]
        counted = ids if len(ids) <= _FEW else []
        now = self._tools.clock.now()
        async with self._tools.store.read(actor.workspace) as uow:
            folders = await uow.folders.by_mailbox(ids)
            counts = await uow.messages.seen_counts(counted)
        return {one.id: _reading(one, folders.get(one.id, ()), counts.get(one.id), now) for one in mailboxes}


def _reading(
    mailbox: Mailbox, folders: Sequence[FolderState], counts: tuple[int, int] | None, now: datetime
) -> Reading:
    left = sum(folder.history_left for folder in folders if folder.history_below is not None)
    matched, strangers = counts or (None, None)
    return Reading(lag_of(mailbox, folders, now), left, matched, strangers)
