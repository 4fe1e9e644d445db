"""What is due from a mailbox without room shows which limit it waits for.

The claim that meets the limit says so of the first of the queue. Here the rest follows, and what becomes due while the
mailbox rests: a little in each transaction, so that nobody else waits long to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.domain.account import Mailbox
from core.domain.enrollment import Reason
from core.services.limit_books import Asked, Books, senders_by_domain
from core.services.tools import Tools, persistently, settings_in

_READ: Final = 20_000
_PART: Final = 500


async def mark_waiting(tools: Tools, workspace: str) -> int:
    """Who waits for a mailbox that has reached a limit of a day, of its own or its domain's, becomes Pending with the
    reason. Returns how many."""
    now = tools.clock.now()
    full = await _full(tools, workspace, now)
    return sum([await _mark(tools, workspace, mailbox_id, why, now) for mailbox_id, why in full.items()])


async def _full(tools: Tools, workspace: str, now: datetime) -> dict[str, Reason]:
    """By id: a mailbox that rests only between two mails is not among them."""
    async with tools.store.read(workspace) as uow:
        resting = tuple(one for one in await uow.mailboxes.list() if one.next_send_at and one.next_send_at > now)
        if not resting:
            return {}
        books = await Books.read(uow, await settings_in(uow), now, Asked(resting), await senders_by_domain(uow))
    return {mailbox.id: why for mailbox in resting if (why := _limit_met(books, mailbox)) is not None}


def _limit_met(books: Books, mailbox: Mailbox) -> Reason | None:
    limits = (books.mailbox(mailbox), books.domain(mailbox))
    return next((limit.reason for limit in limits if limit is not None and limit.full), None)


async def _mark(tools: Tools, workspace: str, mailbox_id: str, why: Reason, now: datetime) -> int:
    marked = 0
    while True:
        async with tools.store.read(workspace) as uow:
            due = await uow.bulk.due_of_mailbox(mailbox_id, at=now, most=_READ)
        moved = await _mark_all(tools, workspace, mailbox_id, due, why, now)
        marked += moved
        if len(due) < _READ or moved == 0:
            return marked


async def _mark_all(
    tools: Tools, workspace: str, mailbox_id: str, due: Sequence[str], why: Reason, now: datetime
) -> int:
    moved = 0
    for begin in range(0, len(due), _PART):
        part = due[begin : begin + _PART]

        async def unit(part: Sequence[str] = part) -> int:
            async with tools.store.write(workspace) as uow:
                return await uow.bulk.wait_of_mailbox(mailbox_id, part, why, at=now)

        moved += await persistently(unit)
    return moved
