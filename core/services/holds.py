"""Stops, and what is left: stop everything, follow-ups while a recruiter is away, brakes; the rest of today's limits.

Lifting a hold releases what waits for it; what another hold still keeps back is kept back by the next claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor, Role, require_admin, require_mailbox, require_outreach, require_recruiter
from core.domain.moment import iso
from core.errors import InputError, NotFoundError, RefusedError
from core.ports.storage import Hold, UnitOfWork
from core.services.brakes import CODES, Brakes
from core.services.limit_books import MAILS, Asked, Books, Limit, senders_by_domain
from core.services.limit_notices import change
from core.services.resting import mark_waiting
from core.services.tools import Tools, persistently, settings_in

EVERYTHING: Final = "everything_stopped"
AWAY: Final = "owner_away"
_LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class LimitLeft:
    """One limit: how many may go, went, and may still go; which limit it is, in words; when the next place is free
    (the present moment where one is)."""

    cap: int
    used: int
    left: int
    binds: str
    next_at: datetime


@dataclass(frozen=True, slots=True)
class MailboxLeft:
    """What one mailbox may still send in 24 hours: the narrower of its own limit and its domain's. ``stopped``: the
    code of the hold that keeps all of it back."""

    mailbox_id: str
    address: str
    owner: str
    limit: LimitLeft
    stopped: str | None


@dataclass(frozen=True, slots=True)
class LimitsLeft:
    """What is left of today's limits. ``workspace`` begins anew at ``workspace.next_at`` where nothing is left."""

    at: datetime
    day_ends: datetime
    workspace: LimitLeft
    texts: LimitLeft
    mailboxes: tuple[MailboxLeft, ...]
    stopped: bool


class HoldService:
    """Use cases of Slack and the command line. Every method raises NotAllowedError where the role forbids it."""

    def __init__(self, tools: Tools, brakes: Brakes) -> None:
        self._tools = tools
        self._brakes = brakes

    async def list(self, actor: Actor) -> Sequence[Hold]:
        """What is held back in the workspace, oldest first."""
        async with self._tools.store.read(actor.workspace) as uow:
            return await uow.holds.all()

    async def stop_everything(self, actor: Actor, note: str = "") -> Hold:
        """Nothing goes out of this workspace until somebody lets it. Who stopped it first is kept."""
        require_admin(actor)
        return await self._put(Hold("workspace", "", EVERYTHING, actor.user, self._now, note=note[:200]), actor)

    async def resume_everything(self, actor: Actor) -> int:
        """Returns how many stages go on. Raises RefusedError where nothing was stopped."""
        require_admin(actor)
        return await self._lift(actor, "workspace", "", EVERYTHING, "Nothing was stopped.")

    async def away(self, actor: Actor, until: datetime | None = None) -> Hold:
        """The follow-ups from one's own mailboxes wait, until a moment or until one is back. A later call replaces the
        end. Raises InputError for an end that is over or more than a year away."""
        require_recruiter(actor)
        if until is not None and not self._now < until <= self._now + _LONGEST:
            raise InputError("the day of return must lie ahead, within a year", field="until")
        hold = Hold("owner", actor.user, AWAY, actor.user, self._now, until)
        return await self._put(hold, actor, replaces=True)

    async def back(self, actor: Actor) -> int:
        """Returns how many stages go on. Raises RefusedError where one was not away."""
        return await self._lift(actor, "owner", actor.user, AWAY, "Your follow-ups were not held.")

    async def lift_brake(self, actor: Actor, scope: str, name: str) -> int:
        """``scope`` mailbox or campaign, ``name`` its id: it sends again, its bounces so far forgiven. Returns how many
        stages go on. Raises NotFoundError, RefusedError where it does not stand any more."""
        code = CODES.get(scope)
        if code is None:
            raise NotFoundError("There is no such brake.")

        async def unit() -> int:
            async with self._tools.store.write(actor.workspace) as uow:
                await _require(uow, actor, scope, name)
                if not await _ended(uow, scope, name, code):
                    raise RefusedError("The brake was lifted already.", reason="not_held")
                await self._brakes.forgive(uow, scope, name)
                did = {"state": "lifted", "actor": actor.user, "actor_at": iso(self._now)}
                await change(uow, "brake", f"{scope}.{name}", did, now=self._now)
                return await self._released(uow, actor.user, scope, name, code)

        return await persistently(unit)

    async def lift_due(self, workspace: str) -> int:
        """Ends the holds whose time is over; returns how many."""
        async with self._tools.store.read(workspace) as uow:
            over = [hold for hold in await uow.holds.all() if hold.until is not None and hold.until <= self._now]
        lifted = 0
        for hold in over:
            lifted += await persistently(lambda hold=hold: self._end(workspace, hold))  # type: ignore[misc]
        return lifted

    async def mark_waiting(self, workspace: str) -> int:
        """What is due from a mailbox that has reached its limit shows so; returns of how many prospects."""
        return await mark_waiting(self._tools, workspace)

    async def _end(self, workspace: str, hold: Hold) -> bool:
        async with self._tools.store.write(workspace) as uow:
            if hold not in await uow.holds.all():  # its end was moved meanwhile
                return False
            await _ended(uow, hold.kind, hold.key, hold.code)
            await self._released(uow, "rethread", hold.kind, hold.key, hold.code)
            return True

    async def left_today(self, actor: Actor) -> LimitsLeft:
        """What may still go: of the workspace, and of each mailbox (admins all, others their own)."""
        now = self._now
        async with self._tools.store.read(actor.workspace) as uow:
            settings = await settings_in(uow)
            owner = None if actor.role is Role.ADMIN else actor.user
            boxes = [one for one in await uow.mailboxes.list(owner=owner) if _sends(one)]
            books = await Books.read(uow, settings, now, Asked(tuple(boxes)), await senders_by_domain(uow))
            holds = {(hold.kind, hold.key): hold.code for hold in await uow.holds.all()}
        workspace = books.workspace()
        return LimitsLeft(
            at=now,
            day_ends=workspace.changes_at or now,
            workspace=_left(workspace, now),
            texts=_left(books.texts(), now),
            mailboxes=tuple(
                MailboxLeft(one.id, one.address, one.owner, _narrowest(books, one), holds.get(("mailbox", one.id)))
                for one in boxes
            ),
            stopped=("workspace", "") in holds,
        )

    @property
    def _now(self) -> datetime:
        return self._tools.clock.now()

    async def _put(self, hold: Hold, actor: Actor, *, replaces: bool = False) -> Hold:
        async def unit() -> Hold:
            async with self._tools.store.write(actor.workspace) as uow:
                same = (hold.kind, hold.key, hold.code)
                known = [one for one in await uow.holds.all() if (one.kind, one.key, one.code) == same]
                if known and not replaces:
                    return known[0]
                await uow.holds.put(hold)
                facts = {"until": iso(hold.until)} if hold.until else None
                await uow.audit.add(
                    at=hold.at, actor=actor.user, action=f"hold.{hold.code}", subject=hold.key or "all", facts=facts
                )
                return hold

        return await persistently(unit)

    async def _lift(self, actor: Actor, kind: str, key: str, code: str, otherwise: str) -> int:
        async def unit() -> int:
            async with self._tools.store.write(actor.workspace) as uow:
                if not await _ended(uow, kind, key, code):
                    raise RefusedError(otherwise, reason="not_held")
                return await self._released(uow, actor.user, kind, key, code)

        return await persistently(unit)

    async def _released(self, uow: UnitOfWork, who: str, kind: str, key: str, code: str) -> int:
        """What waited for it goes on. Of recruiters who are away everything is asked again: a mailbox may have another
        owner by now, and what nobody keeps back must not wait for ever."""
        now = self._now
        of = {"mailbox_id": key} if kind == "mailbox" else {"campaign_id": key} if kind == "campaign" else {}
        released = await uow.deliveries.release(code, not_before=now, **of)
        await uow.audit.add(
            at=now, actor=who, action=f"release.{code}", subject=key or "all", facts={"released": released}
        )
        uow.wake("outreach")
        return released


async def _ended(uow: UnitOfWork, kind: str, key: str, code: str) -> bool:
    """After every claim that has read the hold: what such a claim holds back must be there to be released."""
    await uow.traffic.lock([MAILS])
    return await uow.holds.lift(kind, key, code)


async def _require(uow: UnitOfWork, actor: Actor, scope: str, name: str) -> None:
    require_recruiter(actor)
    if scope == "mailbox":
        mailbox = await uow.mailboxes.get(name)
        if mailbox is None:
            raise NotFoundError("There is no such mailbox.")
        require_mailbox(actor, mailbox)
        return
    campaign = await uow.campaigns.get(name)
    if campaign is None:
        raise NotFoundError("There is no such campaign.")
    require_outreach(actor, campaign.owner)


def _sends(mailbox: Mailbox) -> bool:
    return mailbox.send and mailbox.status is not MailboxStatus.DISCONNECTED


def _narrowest(books: Books, mailbox: Mailbox) -> LimitLeft:
    own, shared = books.mailbox(mailbox), books.domain(mailbox)
    narrow = own if shared is None or own.left <= shared.left else shared
    return _left(narrow, books.now)


def _left(limit: Limit, now: datetime) -> LimitLeft:
    next_at = limit.free_at(now) if limit.full else now
    return LimitLeft(limit.cap, limit.used, limit.left, limit.reason.text, next_at)
