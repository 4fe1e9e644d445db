"""Folds broken mailboxes of one cause into one card, and lets that card follow them until the last is back (X10).

The sync writes only its own mailbox's alert; storms are written by one loop that looks at all open alerts and puts
the cards right. So a thousand mailboxes that fail in one second never fight for one row, and whatever was missed by a
crash is made up by the next look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from core.domain.account import Mailbox, MailboxStatus
from core.domain.alert import Alert, AlertState, minutes_of
from core.domain.cards import StormMailbox
from core.domain.diagnosis import CAUSES
from core.domain.moment import iso, parse_iso
from core.domain.storm import (
    Break,
    Gathering,
    Patience,
    Storm,
    Words,
    gather,
    key_of,
    scopes_of,
    words_of,
)
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard
from core.services.tools import Tools, persistently, settings_in

_SHOWN: Final = 50
_NEAR: Final = 50
"""A break is compared with so many others of its cause, the newest: what decides whether it is alone broke lately, and
a thousand that break before their card stands are not read a thousand times each. ``settle`` reads all of them."""
_RESYNC_GRACE: Final = timedelta(seconds=30)
"""So long a storm counts as being resynced, although no mailbox has said so yet."""
_OFF: Final = (MailboxStatus.PAUSED, MailboxStatus.DISCONNECTED, MailboxStatus.PENDING)


def place_of(mailbox: Mailbox) -> str:
    """The provider, or the server's name: two servers of unknown providers have nothing in common."""
    return mailbox.provider if mailbox.provider != "other" else mailbox.imap_host.strip().lower()


class StormService:
    """``place`` works in the sync's transaction, ``settle`` in its own."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)

    async def place(self, uow: UnitOfWork, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Where a mailbox's new cause is told: ``folded`` into an open storm, or (``gathering``) in one that ``settle``
        is about to begin, or on its own card in the channel."""
        new = _break("", facts, self._tools.clock.now())
        patience = await _patience(uow)
        for scope in scopes_of(new.place, new.cause):
            storm = await uow.alerts.current(key_of(scope, new.cause))
            if storm is not None and gather([new], [_storm(storm)], patience):
                return {"folded": storm.id, "gathering": False}
        if gather([new], [], patience):
            return {"folded": None, "gathering": True}
        near = await uow.alerts.newest_open("sync", new.cause, limit=max(_NEAR, 2 * patience.mailboxes))
        others = _breaks([one for one in near if one.facts.get("mailbox_id") != facts["mailbox_id"]])
        storms = _storms(await uow.alerts.newest_open("storm", new.cause, limit=_NEAR))
        gathered = gather([new, *others], storms, patience)
        return {"folded": None, "gathering": any(new in one.breaks for one in gathered)}

    async def settle(self, workspace: str) -> None:
        """Puts every card right: new storms begin, late mailboxes join, the counts follow, what is over ends."""
        async with self._tools.store.read(workspace) as uow:
            if not any(one.kind in ("sync", "storm") for one in await uow.alerts.list_open()):
                return

        async def unit() -> None:
            async with self._tools.store.write(workspace) as uow:
                await _Settling(uow, self._board, self._tools.clock.now()).run()

        await persistently(unit)


class _Settling:
    """One look at all open alerts of a workspace."""

    def __init__(self, uow: UnitOfWork, board: AlertBoard, now: datetime) -> None:
        self._uow, self._board, self._now = uow, board, now
        self._singles: dict[str, Alert] = {}
        self._storms: dict[str, Alert] = {}

    async def run(self) -> None:
        found = await self._uow.alerts.list_open()
        self._singles = {one.id: one for one in found if one.kind == "sync"}
        self._storms = {one.id: one for one in found if one.kind == "storm"}
        for gathering in gather(_breaks(found), _storms(found), await _patience(self._uow)):
            await self._fold(gathering)
        await self._unfold()
        for storm in list(self._storms.values()):
            await self._follow(storm)

    async def _fold(self, gathering: Gathering) -> None:
        members = [self._singles[one.alert_id] for one in gathering.breaks]
        storm = self._storms[gathering.storm.id] if gathering.storm else await self._begin(gathering, members)
        if gathering.scope != storm.facts["scope"]:
            key = key_of(gathering.scope, gathering.cause)
            scope = {"scope": gathering.scope, "provider": gathering.scope}
            storm = await self._board.change(self._uow, storm, scope, key=key, decides=False)
        self._storms[storm.id] = storm
        for member in members:
            folded = {"folded": storm.id, "gathering": False}
            self._singles[member.id] = await self._board.change(self._uow, member, folded, decides=False)

    async def _begin(self, gathering: Gathering, members: Sequence[Alert]) -> Alert:
        first = members[0].facts
        facts: dict[str, Any] = {
            "state": "broken",
            "provider": gathering.scope,
            "cause": gathering.cause,
            "raw": first["raw"],
            "since": iso(gathering.breaks[0].began),
            "began_at": iso(gathering.began),
            "actor": None,
            "actor_at": None,
            "acknowledged_by": None,
            "acknowledged_at": None,
            "muted_until": None,
            "recovered_at": None,
            "down_minutes": None,
            "scope": gathering.scope,
            "klass": gathering.breaks[0].klass,
            "single": {name: first.get(name) for name in ("title", "fix", "who", "forward")},
            "told_at": iso(self._now),
            "members": [],
        }
        facts |= await self._counted(facts, members)
        facts |= _worded(facts, members)
        return await self._board.open(self._uow, key_of(gathering.scope, gathering.cause), facts)

    async def _unfold(self) -> None:
        """Whose storm is over, or did not come about, is told in the channel by itself."""
        for single in list(self._singles.values()):
            folded = single.facts.get("folded")
            if (folded is not None and folded not in self._storms) or single.facts.get("gathering"):
                alone = {"folded": None, "gathering": False}
                self._singles[single.id] = await self._board.change(self._uow, single, alone, decides=False)

    async def _follow(self, storm: Alert) -> None:
        """The card as its mailboxes are now."""
        members = [one for one in self._singles.values() if one.facts.get("folded") == storm.id]
        facts = await self._counted(storm.facts, members)
        facts |= _worded({**storm.facts, **facts}, members)
        if not members:
            await self._end(storm, facts)
            return
        asked = self._is_resyncing(storm, members)
        facts["state"] = "resyncing" if asked else "broken"
        if not asked:
            facts |= {"actor": None, "actor_at": None}
        decides = facts["state"] != storm.facts["state"]
        await self._board.change(self._uow, storm, facts, decides=decides)

    def _is_resyncing(self, storm: Alert, members: Sequence[Alert]) -> bool:
        asked_at = parse_iso(storm.facts["actor_at"])
        if asked_at is None:
            return False
        return self._now - asked_at < _RESYNC_GRACE or any(one.facts["state"] == "resyncing" for one in members)

    async def _end(self, storm: Alert, counted: Mapping[str, Any]) -> None:
        since = parse_iso(storm.facts["since"]) or storm.opened_at
        facts = {
            **counted,
            "state": "recovered" if counted["recovered"] else "closed",
            "recovered_at": iso(self._now),
            "down_minutes": minutes_of(since, self._now),
        }
        await self._board.change(self._uow, storm, facts, state=AlertState.RESOLVED)

    async def _counted(self, facts: Mapping[str, Any], members: Sequence[Alert]) -> dict[str, Any]:
        """Who is in it and who is back. Who was switched off, or is broken by something else by now, is in it no
        more."""
        broken = {str(one.facts["mailbox_id"]): one for one in members}
        known = dict.fromkeys([*facts["members"], *broken])
        gone = [one for one in known if one not in broken]
        elsewhere = {one.facts["mailbox_id"] for one in self._singles.values()}
        rows = {one.id: one for one in await self._uow.mailboxes.list()} if gone else {}
        back = {one: rows[one] for one in gone if one in rows and rows[one].status not in _OFF and one not in elsewhere}
        kept = [one for one in known if one in broken or one in back]
        shown = [_line(broken[one].facts) if one in broken else _line_of(back[one]) for one in kept[:_SHOWN]]
        return {"members": kept, "mailboxes": shown, "total": len(kept), "recovered": len(back)}


def _line(facts: Mapping[str, Any]) -> StormMailbox:
    return {
        "mailbox_id": facts["mailbox_id"],
        "address": facts["address"],
        "owner": facts["owner"],
        "state": facts["state"],
    }


def _line_of(mailbox: Mailbox) -> StormMailbox:
    return {"mailbox_id": mailbox.id, "address": mailbox.address, "owner": mailbox.owner, "state": "recovered"}


def _worded(facts: Mapping[str, Any], members: Sequence[Alert]) -> dict[str, Any]:
    """What is wrong, in words. An outage stays one while its mailboxes come back one by one."""
    tenants = [_tenant(one.facts) for one in members]
    if len(tenants) < len(facts.get("tenants", ())):
        tenants = list(facts["tenants"])
    words = words_of(facts["scope"], facts["cause"], Words(**facts["single"]), tenants)
    return {
        "tenants": tenants,
        "title": words.title,
        "fix": words.fix,
        "who": words.who,
        "forward": words.forward,
    }


def _tenant(facts: Mapping[str, Any]) -> str:
    return str(facts["address"]).rpartition("@")[2].lower()


def _break(alert_id: str, facts: Mapping[str, Any], opened_at: datetime) -> Break:
    cause = str(facts["cause"])
    known = CAUSES.get(cause)
    return Break(
        alert_id=alert_id,
        place=str(facts.get("place") or facts.get("provider") or "other"),
        cause=cause,
        klass=str(facts.get("klass") or (known.klass.value if known else "")),
        tenant=_tenant(facts),
        began=parse_iso(facts.get("began_at") or facts.get("since")) or opened_at,
        storm=facts.get("folded"),
    )


def _breaks(alerts: Sequence[Alert]) -> list[Break]:
    return [_break(one.id, one.facts, one.opened_at) for one in alerts if one.kind == "sync"]


def _storm(alert: Alert) -> Storm:
    began = parse_iso(alert.facts["began_at"]) or alert.opened_at
    return Storm(alert.id, str(alert.facts["scope"]), str(alert.facts["cause"]), began)


def _storms(alerts: Sequence[Alert]) -> list[Storm]:
    return [_storm(one) for one in alerts if one.kind == "storm"]


async def _patience(uow: UnitOfWork) -> Patience:
    settings = await settings_in(uow)
    return Patience(int(settings["storm_mailboxes"]), timedelta(seconds=settings.seconds("storm_window_s")))
