"""/outreach status of a campaign, person, log, block, away, back, left, stop and resume everything."""

from __future__ import annotations

from typing import Final

from bot.slack import command_parser as asked
from bot.slack.blocks import blocklist, limits_left
from bot.slack.blocks.email_log import LogView, log_window
from bot.slack.blocks.outreach_status import FAILED, campaign_list
from bot.slack.blocks.person_card import person_card
from bot.slack.blocks.prospect_sheet import sheet_blocks
from bot.slack.blocks.prospect_status import campaign_status
from bot.slack.prospect_uses import Outreach
from bot.slack.typed_dates import day_typed
from bot.slack.uses import Answer, Desk, Services
from core.domain.actor import Actor, Role, require_admin
from core.domain.moment import iso
from core.domain.prospect_query import Page, ProspectQuery
from core.errors import SlackError

ProspectRequest = (
    asked.OutreachStatus
    | asked.ShowPerson
    | asked.ShowLog
    | asked.Block
    | asked.Away
    | asked.Back
    | asked.LimitsLeft
    | asked.StopEverything
    | asked.ResumeEverything
)
_OPENINGS: Final[dict[type, str]] = {asked.ShowLog: "Email Log"}


def opening(request: ProspectRequest) -> str:
    """The title of the window that the answer is, empty where it is none."""
    return _OPENINGS.get(type(request), "")


class ProspectCommand:
    """Raises RethreadError kinds; the desk tells them."""

    def __init__(self, desk: Desk, services: Services, outreach: Outreach) -> None:
        self._desk, self._outreach, self._people = desk, outreach, services.people

    async def answer(self, actor: Actor, request: ProspectRequest) -> Answer:
        match request:
            case asked.OutreachStatus(name):
                return await self._status(actor, name) if name else await self._all(actor)
            case asked.ShowPerson(email):
                return await self._person(actor, email)
            case asked.ShowLog(name):
                view = LogView(name or "")
                return log_window(view, await self._outreach.log.page(actor, view.query))
            case asked.Block():
                return await self._block(actor, request)
            case asked.Away(until):
                return await self._away(actor, until)
            case asked.Back():
                return limits_left.back(await self._outreach.stops.back(actor))
            case asked.LimitsLeft():
                return limits_left.limits_left(await self._outreach.stops.left_today(actor))
            case asked.StopEverything() | asked.ResumeEverything():
                require_admin(actor)
                return limits_left.ask_stop() if request == asked.StopEverything() else limits_left.ask_resume()

    async def _status(self, actor: Actor, name: str) -> Answer:
        page = await self._outreach.figures.status(actor, name, limit=1)
        newest = ProspectQuery(statuses=FAILED, reverse=True, page=Page(size=10))
        return campaign_status(page, await self._outreach.lists.prospects(actor, page.campaign.name, newest))

    async def _all(self, actor: Actor) -> Answer:
        lines = await self._outreach.lists.list(actor)
        return campaign_list([(line.campaign, line.counts) for line in lines])

    async def _person(self, actor: Actor, email: str) -> Answer:
        report = await self._people.show(actor, email)
        sheets = await self._outreach.sheets.of_person(actor, email)
        return person_card(report.person, report.activities, [sheet_blocks(one) for one in sheets])

    async def _block(self, actor: Actor, request: asked.Block) -> Answer:
        if request.entry is None:
            found = await self._outreach.blocks.list(actor, limit=50)
            return blocklist.block_list(found, admin=actor.role is Role.ADMIN)
        if request.remove:
            return blocklist.taken_off((await self._outreach.blocks.remove(actor, request.entry)).key)
        return blocklist.added(await self._outreach.blocks.add(actor, [request.entry]))

    async def _away(self, actor: Actor, until: str) -> Answer:
        day = day_typed(until, self._outreach.clock.now(), await self._zone(actor))
        return limits_left.away(iso((await self._outreach.stops.away(actor, day)).until))

    async def _zone(self, actor: Actor) -> str:
        try:
            return await self._desk.zone_of(actor.workspace, actor.user)
        except SlackError:  # a day in UTC is better than none
            return ""
