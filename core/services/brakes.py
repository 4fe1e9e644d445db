"""Stops a mailbox or a campaign of whose mails too many bounced, before its reputation is gone (R124)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.domain.cards import BrakeCard
from core.domain.limits import DAY, bounces_too_much, total, utc_day
from core.domain.moment import iso
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import Hold, TrafficKey, UnitOfWork
from core.services.limit_books import CAMPAIGN_DAY, MAILBOX_DAY
from core.services.limit_notices import tell
from core.services.tools import Tools, settings_in

BOUNCED: Final = "bounced"
"""Scope of counts by UTC day; the key says mailbox or campaign, and whose."""

REFUSED: Final = "refused"
"""The same for those of them that never counted as sent."""

CODES: Final = {"mailbox": "mailbox_brake", "campaign": "campaign_brake"}
"""What a brake stops, and the reason that waiting prospects show."""

_SENT: Final = {"mailbox": MAILBOX_DAY, "campaign": CAMPAIGN_DAY}
_PERCENT: Final = {"mailbox": "brake_mailbox_percent", "campaign": "brake_campaign_percent"}


class Brakes:
    """Works in the caller's transaction. What was sent is counted by the keeper of limits when it is claimed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def bounced(
        self, uow: UnitOfWork, mailbox_id: str | None, campaign_id: str, at: datetime, *, at_once: bool = False
    ) -> None:
        """One mail came back for good: counted, and the brake drawn if due. ``at_once``: the server refused it when it
        was handed over, and its place was given back, so that it is no more among those that were sent."""
        scopes = {"mailbox": mailbox_id, "campaign": campaign_id}
        whose = {scope: name for scope, name in scopes.items() if name}
        scopes_of_counts = (BOUNCED, REFUSED) if at_once else (BOUNCED,)
        keys = [_key(counts, scope, name) for counts in scopes_of_counts for scope, name in whose.items()]
        await uow.traffic.add({(key, utc_day(at)): 1 for key in keys})
        settings = await settings_in(uow)
        for scope, name in whose.items():
            await self._judge(uow, scope, name, settings)

    async def _judge(self, uow: UnitOfWork, scope: str, name: str, settings: WorkspaceSettings) -> None:
        now, percent = self._tools.clock.now(), float(settings[_PERCENT[scope]])
        since = utc_day(now) - DAY * (int(settings["brake_days"]) - 1)
        keys = (TrafficKey(_SENT[scope], name), _key(REFUSED, scope, name), _key(BOUNCED, scope, name))
        counts = await uow.traffic.spans(keys, since)
        accepted, refused, bounced = (total(counts.get(key, {})) for key in keys)
        sent = accepted + refused
        if not bounces_too_much(sent, bounced, percent=percent, sample=int(settings["brake_sample"])):
            return
        if any((hold.kind, hold.key) == (scope, name) for hold in await uow.holds.all()):
            return
        note = f"{bounced} of {sent} bounced"
        await uow.holds.put(Hold(scope, name, CODES[scope], "rethread", now, note=note))
        await uow.audit.add(at=now, actor="rethread", action=f"{scope}.brake", subject=name, facts={"why": note})
        await self._tell(
            uow, scope, name, sent=sent, bounced=bounced, percent=percent, days=int(settings["brake_days"])
        )

    async def _tell(
        self, uow: UnitOfWork, scope: str, name: str, *, sent: int, bounced: int, percent: float, days: int
    ) -> None:
        title, owner, channel = await _named(uow, scope, name)
        now = self._tools.clock.now()
        facts: BrakeCard = {
            "state": "braked",
            "scope": scope,
            "id": name,
            "name": title,
            "owner": owner,
            "sent": sent,
            "bounced": bounced,
            "days": days,
            "percent": percent,
            "at": str(iso(now)),
            "actor": None,
            "actor_at": None,
        }
        await tell(uow, "brake", f"{scope}.{name}", facts, owner=owner, channel=channel, now=now)

    async def forgive(self, uow: UnitOfWork, scope: str, name: str) -> None:
        """A brake is lifted: its bounces so far count no more, or the next one would draw it again."""
        key, since = _key(BOUNCED, scope, name), utc_day(self._tools.clock.now()) - DAY * 31
        days = (await uow.traffic.spans([key], since)).get(key, {})
        await uow.traffic.add({(key, day): -count for day, count in days.items()})


def _key(counts: str, scope: str, name: str) -> TrafficKey:
    return TrafficKey(counts, f"{scope}:{name}")


async def _named(uow: UnitOfWork, scope: str, name: str) -> tuple[str, str | None, str | None]:
    """What people call it, whose it is, and the channel in which its team reads."""
    if scope == "mailbox":
        mailbox = await uow.mailboxes.get(name)
        return (mailbox.address, mailbox.owner, None) if mailbox else (name, None, None)
    campaign = await uow.campaigns.get(name)
    reply_channel = (await settings_in(uow))["reply_channel"]
    return (campaign.name, campaign.owner, campaign.channel or reply_channel) if campaign else (name, None, None)
