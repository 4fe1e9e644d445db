"""/outreach: from a parsed request to the card that answers it."""

from __future__ import annotations

from bot.slack import command_parser as asked
from bot.slack.blocks import answers, outreach_status
from bot.slack.blocks.help import explained
from bot.slack.blocks.kit import Card
from bot.slack.uses import Services
from core.domain.actor import Actor
from core.errors import RefusedError
from core.services.prospects import RetryResult


class OutreachCommand:
    """Everything that /outreach can answer."""

    def __init__(self, services: Services) -> None:
        self._campaigns, self._prospects, self._people = services.campaigns, services.prospects, services.people

    async def answer(self, actor: Actor, request: asked.OutreachRequest) -> Card:
        """Raises RethreadError kinds; the desk tells them."""
        match request:
            case asked.Help() | asked.Hint():
                return explained(request)
            case asked.OutreachStatus(str(name)):
                return await self._report(actor, name)
            case asked.OutreachStatus() | asked.ListCampaigns():
                return await self._list(actor)
            case asked.StartCampaign(name):
                return await self._start(actor, name)
            case asked.PauseCampaign(name):
                campaign = await self._campaigns.pause(actor, name)
                return answers.said(f"{campaign.name} is paused: nothing is sent until it is started again.")
            case asked.RetryCampaign(name):
                return _retried(name or "all campaigns", await self._prospects.retry_all(actor, name))
            case asked.RetryPerson(email):
                return _retried(email, await self._prospects.retry_person(actor, email))
            case asked.ShowPerson(email):
                return await self._person(actor, email)
            case _:
                raise RefusedError("Rethread does not offer this here.", reason="not_offered")

    async def _list(self, actor: Actor) -> Card:
        lines = await self._campaigns.list(actor)
        return outreach_status.campaign_list([(line.campaign, line.counts) for line in lines])

    async def _start(self, actor: Actor, name: str | None) -> Card:
        if name:
            return outreach_status.started(await self._campaigns.start(actor, name))
        lines = await self._campaigns.list(actor)
        return outreach_status.start_offer([(line.campaign, line.counts) for line in lines])

    async def _report(self, actor: Actor, name: str) -> Card:
        report = await self._campaigns.status(actor, name)
        return outreach_status.campaign_report(
            report.campaign, report.prospects, report.stages, people=report.people, replied=report.replied
        )

    async def _person(self, actor: Actor, email: str) -> Card:
        report = await self._people.show(actor, email)
        enrolled = [(one.campaign, one.status, one.stage, one.reason) for one in report.enrollments]
        return outreach_status.person_report(report.person, report.activities, enrolled)


def _retried(what: str, result: RetryResult) -> Card:
    return outreach_status.retried(what, result.retried, [(one.email, one.reason) for one in result.refused])
