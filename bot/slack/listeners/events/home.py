"""The Home tab: gathered for one person, shown to that person."""

from __future__ import annotations

from bot.slack.blocks.home import home_view
from bot.slack.blocks.outreach_status import FAILED, failures
from bot.slack.listeners.mailbox_facts import MailboxFacts
from bot.slack.uses import Desk, Services
from core.domain.actor import Actor
from core.ports.storage import ProspectRow
from core.services.campaigns import CampaignLine

_CAMPAIGNS_LOOKED_INTO = 3


class Home:
    """My mailboxes, my failures, my campaigns: those without an owner are everybody's."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._desk, self._services = desk, services
        self._facts = MailboxFacts(services)

    async def show(self, actor: Actor) -> None:
        """Raises RethreadError kinds."""
        mailboxes = await self._services.mailboxes.list(actor, mine=True)
        lines = [
            line for line in await self._services.campaigns.list(actor) if line.campaign.owner in (None, actor.user)
        ]
        failed = await self._failed(actor, lines)
        around = await self._facts.around(actor, mailboxes)
        view = home_view(mailboxes, failed, [(line.campaign, line.counts) for line in lines], around)
        await self._desk.publish_home(actor, view)

    async def _failed(self, actor: Actor, lines: list[CampaignLine]) -> list[tuple[str, ProspectRow]]:
        """Who failed and why, of the campaigns where most did: a few, because each is one more question."""
        worst = sorted((line for line in lines if failures(line.counts)), key=lambda line: -failures(line.counts))
        found: list[tuple[str, ProspectRow]] = []
        for line in worst[:_CAMPAIGNS_LOOKED_INTO]:
            report = await self._services.campaigns.status(actor, line.campaign.name)
            found.extend((line.campaign.name, row) for row in report.prospects if row.status in FAILED)
        return found
