"""Which mailbox is meant, and what stands beside it in answers: how far it is read, its newest error, the seats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.slack.blocks.mailbox_status import Surroundings
from bot.slack.read_models import Seats
from bot.slack.uses import MailboxUses, Services
from core.domain.account import SEATED_STATUSES, Mailbox, MailboxStatus
from core.domain.actor import Actor, Role
from core.domain.old_mail import LOG_CAUSE
from core.errors import NotAllowedError, RefusedError
from core.ports.storage import SyncLogEntry

_LINES: Final = 20


class MailboxFacts:
    """Gathers them for one reader. Raises RethreadError kinds."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def around(self, actor: Actor, shown: Sequence[Mailbox], *, everybody: bool = False) -> Surroundings:
        """Seats are counted where an admin looks at everybody's, or where a mailbox waits for one."""
        waits = any(one.status is MailboxStatus.PENDING for one in shown)
        show_seats = everybody and actor.role is Role.ADMIN
        seats = await self._seats(actor) if show_seats or waits else None
        readings = self._services.readings
        known = await readings.of(actor, shown) if readings is not None and shown else {}
        return Surroundings(known, seats, show_seats)

    async def _seats(self, actor: Actor) -> Seats:
        used = sum(one.status in SEATED_STATUSES for one in await self._services.mailboxes.list(actor))
        return Seats(used, int(await setting(self._services, actor, "mailbox_limit") or 0))


async def setting(services: Services, actor: Actor, key: str) -> Any:
    """The value in force of one workspace setting; None where there is none of that name."""
    lines = await services.settings.show(actor)
    return next((line.value for line in lines if line.setting.key == key), None)


async def latest_error(mailboxes: MailboxUses, actor: Actor, mailbox: Mailbox) -> SyncLogEntry | None:
    """The newest line of its log that is no mere note; None also where that is not this person's business."""
    try:
        lines = await mailboxes.log(actor, mailbox.id, _LINES)
        return next((line for line in lines if line.cause != LOG_CAUSE), None)
    except NotAllowedError:
        return None


async def one_mailbox(mailboxes: MailboxUses, actor: Actor, address: str | None) -> Mailbox:
    """The mailbox named, or the person's only one. Raises NotFoundError, RefusedError."""
    if address:
        return await mailboxes.find(actor, address)
    mine = await mailboxes.list(actor, mine=True)
    if len(mine) == 1:
        return mine[0]
    if not mine:
        raise RefusedError("You have no mailbox connected.", reason="no_mailbox", fix="Type /mailbox connect.")
    names = ", ".join(mailbox.address for mailbox in mine[:5])
    raise RefusedError("You have several mailboxes; name one.", reason="which_mailbox", fix=f"One of: {names}.")
