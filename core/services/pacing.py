"""How fast mails may go from now on, for a forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.domain.account import Mailbox
from core.domain.forecast import Pace
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import UnitOfWork
from core.services.limit_books import Asked, Books, senders_by_domain

_DAYS: Final = 90
"""Days for which caps are reckoned; a ramp has reached its target by then."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """What each mailbox may send from now on, by id, and what the workspace may today and on other days."""

    mailboxes: Mapping[str, Pace]
    daily: int
    daily_left: int
    zone: ZoneInfo


async def tempo_of(uow: UnitOfWork, settings: WorkspaceSettings, mailboxes: Sequence[Mailbox], now: datetime) -> Tempo:
    """From the counts and limits of this moment."""
    books = await Books.read(uow, settings, now, Asked(tuple(mailboxes)), await senders_by_domain(uow))
    spacing = (settings.seconds("spacing_min_s") + settings.seconds("spacing_max_s")) / 2
    workspace = books.workspace()
    return Tempo(
        mailboxes={one.id: Pace(books.caps_ahead(one, _DAYS), spacing) for one in mailboxes},
        daily=workspace.cap,
        daily_left=workspace.left,
        zone=ZoneInfo(settings["workspace_zone"]),
    )
