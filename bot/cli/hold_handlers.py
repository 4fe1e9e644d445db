"""Stop everything, hold a recruiter's follow-ups, and what is left of today's limits."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, Final

from bot.cli.services import Args, Handler, Result, Services
from bot.cli.shapes import moment
from core.domain.actor import Actor, Role
from core.errors import InputError
from core.ports.storage import Hold
from core.services.holds import LimitLeft


async def _stop(services: Services, actor: Actor, args: Args) -> Result:
    return _hold(await services.holds.stop_everything(actor, args["note"]))


async def _resume(services: Services, actor: Actor, _: Args) -> Result:
    return {"going_on": await services.holds.resume_everything(actor)}


async def _away(services: Services, actor: Actor, args: Args) -> Result:
    return _hold(await services.holds.away(_recruiter(actor, args), _day(args["until"])))


async def _back(services: Services, actor: Actor, args: Args) -> Result:
    return {"going_on": await services.holds.back(_recruiter(actor, args))}


async def _left(services: Services, actor: Actor, _: Args) -> Result:
    left = await services.holds.left_today(actor)
    mailboxes = [
        {"address": one.address, "owner": one.owner, **_limit(one.limit), "stopped": one.stopped}
        for one in left.mailboxes
    ]
    return {
        "workspace": _limit(left.workspace),
        "texts": _limit(left.texts),
        "day_ends": moment(left.day_ends),
        "stopped": left.stopped,
        "mailboxes": mailboxes,
    }


def _limit(one: LimitLeft) -> dict[str, Any]:
    return {"cap": one.cap, "used": one.used, "left": one.left, "limit": one.binds, "next_at": moment(one.next_at)}


def _hold(hold: Hold) -> dict[str, Any]:
    return {"held": hold.code, "of": hold.key or None, "since": moment(hold.at), "until": moment(hold.until)}


def _recruiter(actor: Actor, args: Args) -> Actor:
    """At the terminal nobody is away: it is said for somebody."""
    return Actor(actor.workspace, args["user"], Role.RECRUITER)


def _day(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), UTC)
    except ValueError:
        raise InputError(f"{text[:40]!r} is no day such as 2026-12-24", field="until") from None


HOLDS: Final[dict[str, Handler]] = {
    "stop-everything": _stop,
    "resume-everything": _resume,
    "away": _away,
    "back": _back,
    "left": _left,
}
