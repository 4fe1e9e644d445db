"""The workspace's limit on synced mailboxes: who begins, who waits, who comes next (R35, R38, R214).

Whoever changes who sits where holds the lock on the workspace's seats until the end of the transaction, so that two
mailboxes connected at one moment never share the last seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain.account import Mailbox, MailboxEvent, transition
from core.domain.actor import Actor
from core.domain.cards import SeatCard
from core.domain.seats import SeatCount, count, has_room, moves
from core.errors import LostRaceError
from core.ports.storage import UnitOfWork
from core.services.alert_board import is_in_slack
from core.services.alerts import AlertService
from core.services.tools import Tools, settings_in

_WAITED_FOR = ("host_away", "sync_partial", "mailbox_paused", "mailbox_pending", "sync_behind")


@dataclass(frozen=True, slots=True)
class Settled:
    """Which mailboxes began to be synced, and which wait from now on."""

    seated: tuple[Mailbox, ...] = ()
    unseated: tuple[Mailbox, ...] = ()

    @property
    def words(self) -> str:
        """For whoever caused it; empty where nobody moved."""
        begun = f"Now synced: {_names(self.seated)}." if self.seated else ""
        waiting = f"Waiting for a seat from now on: {_names(self.unseated)}." if self.unseated else ""
        return " ".join(part for part in (begun, waiting) if part)


class SeatService:
    """Works in the caller's transaction: units that call it are tried again on LostRaceError."""

    def __init__(self, tools: Tools, alerts: AlertService) -> None:
        self._tools = tools
        self._alerts = alerts

    async def of(self, actor: Actor) -> SeatCount:
        """How many seats there are, and how many are held."""
        async with self._tools.store.read(actor.workspace) as uow:
            return count(await uow.mailboxes.list(), await _limit(uow))

    async def placed(self, uow: UnitOfWork, mailbox: Mailbox) -> Mailbox:
        """``mailbox``, about to be saved in a status that needs a seat: as it is where it has one or one is free, else
        waiting for one."""
        await uow.mailboxes.lock_seats()
        if has_room(await uow.mailboxes.list(), await _limit(uow), mailbox.id):
            return mailbox
        return _waiting(mailbox)

    async def settle(self, uow: UnitOfWork) -> Settled:
        """After a seat came free or the limit changed: who waits longest begins, who is beyond the limit waits. Their
        owners are told, who have done nothing for it."""
        await uow.mailboxes.lock_seats()
        due = moves(await uow.mailboxes.list(), await _limit(uow))
        seated = [await self._seat(uow, one) for one in due.seat]
        unseated = [await self._unseat(uow, one) for one in due.unseat]
        if seated or unseated:
            uow.wake("sync")
            await self._tell(uow, "seated", seated)
            await self._tell(uow, "waiting", unseated)
        return Settled(tuple(seated), tuple(unseated))

    async def _seat(self, uow: UnitOfWork, mailbox: Mailbox) -> Mailbox:
        begun = replace(mailbox, status=transition(mailbox.status, MailboxEvent.SEAT))
        return await self._save(uow, begun, "mailbox.seat")

    async def _unseat(self, uow: UnitOfWork, mailbox: Mailbox) -> Mailbox:
        waiting = await self._save(uow, _waiting(mailbox), "mailbox.no_seat")
        await self._alerts.closed(uow, waiting)
        await judge_again(uow, mailbox.id, self._tools.clock.now())
        return waiting

    async def _tell(self, uow: UnitOfWork, state: str, moved: Sequence[Mailbox]) -> None:
        """A direct message of its own each time: nobody is told of an edit."""
        seats = count(await uow.mailboxes.list(), await _limit(uow)).words
        for one in moved:
            if is_in_slack(one.owner):
                facts: SeatCard = {
                    "state": state,
                    "mailbox_id": one.id,
                    "address": one.address,
                    "owner": one.owner,
                    "seats": seats,
                }
                key, now = f"seat:{one.id}:{one.version}", self._tools.clock.now()
                await uow.outbox.put(key, destination=f"user:{one.owner}", kind="seat", facts=facts, at=now)
                uow.wake("notifications")

    async def _save(self, uow: UnitOfWork, mailbox: Mailbox, action: str) -> Mailbox:
        if not await uow.mailboxes.save(mailbox):
            raise LostRaceError
        now = self._tools.clock.now()
        await uow.audit.add(at=now, actor="rethread", action=action, subject=mailbox.id)
        uow.wake(f"sync:{mailbox.id}")
        return replace(mailbox, version=mailbox.version + 1)


async def judge_again(uow: UnitOfWork, mailbox_id: str, now: datetime) -> None:
    """Nothing will release what waits for a mailbox that is not synced any more: the gates say so instead."""
    for waiting_for in _WAITED_FOR:
        await uow.deliveries.release(waiting_for, not_before=now, mailbox_id=mailbox_id)
    uow.wake("outreach")


async def _limit(uow: UnitOfWork) -> int:
    return int((await settings_in(uow))["mailbox_limit"])


def _waiting(mailbox: Mailbox) -> Mailbox:
    """It begins anew once it has a seat: old troubles are forgotten, and no resync is under way."""
    return replace(
        mailbox,
        status=transition(mailbox.status, MailboxEvent.NO_SEAT),
        fault=None,
        send_fault=None,
        streak=0,
        failing_since=None,
        resync_requested_at=None,
        resync_requested_by=None,
    )


def _names(mailboxes: Sequence[Mailbox], most: int = 5) -> str:
    names = [one.address for one in mailboxes]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
