"""Tells of limits and brakes on cards: for the channel and the owner, a new message at most once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from core.domain.moment import iso, parse_iso
from core.ports.storage import OutboxItem, UnitOfWork
from core.services.alert_board import is_in_slack
from core.services.tools import settings_in

COOL_DOWN: Final = timedelta(hours=24)
"""Within it nobody is told twice of the same thing: the card that stands there is changed instead."""


async def tell(
    uow: UnitOfWork,
    kind: str,
    subject: str,
    facts: Mapping[str, Any],
    *,
    owner: str | None,
    channel: str | None = None,
    now: datetime,
) -> None:
    """The newest facts of ``subject`` (such as a mailbox's id) on the cards that tell of it. ``channel`` None: the
    channel where the workspace reads of broken mailboxes, if it has one."""
    shown = await _latest(uow, kind, subject)
    told_at = parse_iso(shown[0].key.split("@")[1]) if shown else None
    if told_at is not None and now - told_at < COOL_DOWN:
        await change(uow, kind, subject, facts, now=now)
        return
    channel = channel or (await settings_in(uow))["alert_channel"]
    places = {"owner": f"user:{owner}" if is_in_slack(owner) else None, "channel": channel}
    for audience, destination in places.items():
        if destination:
            key = f"{_prefix(kind, subject)}{iso(now)}@{audience}"
            await uow.outbox.put(key, destination=destination, kind=kind, facts=facts, at=now)
    uow.wake("notifications")


async def change(uow: UnitOfWork, kind: str, subject: str, facts: Mapping[str, Any], *, now: datetime) -> None:
    """Sets these facts on the cards that told of ``subject`` last; nothing where there are none."""
    for item in await _latest(uow, kind, subject):
        newer = {**item.facts, **facts}
        await uow.outbox.put(item.key, destination=item.destination, kind=kind, facts=newer, at=now)
        uow.wake("notifications")


async def _latest(uow: UnitOfWork, kind: str, subject: str) -> list[OutboxItem]:
    """Every copy of the newest message: keys sort by the moment that stands in them."""
    items = await uow.outbox.keys_with_prefix(_prefix(kind, subject))
    newest = items[-1].key.split("@")[1] if items else ""
    return [item for item in items if item.key.split("@")[1] == newest]


def _prefix(kind: str, subject: str) -> str:
    return f"{kind}:{subject}@"
