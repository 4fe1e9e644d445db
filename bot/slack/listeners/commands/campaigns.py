"""/outreach list, new, open, preflight, start, test, add, move, import, export and a campaign's life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.slack import command_parser as asked
from bot.slack.blocks import answers, outreach_status
from bot.slack.blocks.campaign_list import campaign_list
from bot.slack.blocks.campaign_people import add_form, import_form, move_form, options_of
from bot.slack.blocks.campaign_preflight import preflight_card
from bot.slack.blocks.campaign_results import exported_text, life_changed, test_letter
from bot.slack.blocks.kit import Card
from bot.slack.campaign_filter import CampaignFilter, typed
from bot.slack.listeners.campaign_windows import CampaignWindows, campaign_named
from bot.slack.uses import Answer, Building, Desk, Services, Story
from core.domain.actor import Actor
from core.domain.campaign import Campaign, CampaignStatus
from core.errors import RefusedError, SlackError

CampaignRequest = (
    asked.ListCampaigns
    | asked.NewCampaign
    | asked.OpenCampaign
    | asked.PreflightCampaign
    | asked.StartCampaign
    | asked.PauseCampaign
    | asked.StopCampaign
    | asked.ArchiveCampaign
    | asked.DuplicateCampaign
    | asked.ExportCampaign
    | asked.TestLetter
    | asked.AddPeople
    | asked.MovePeople
    | asked.ImportFile
)
"""What this half of /outreach answers."""

OPENS: Final[dict[type, str]] = {
    asked.NewCampaign: "New campaign",
    asked.OpenCampaign: "Campaign",
    asked.AddPeople: "Add people",
    asked.MovePeople: "Move people",
    asked.ImportFile: "Import",
}
"""Requests that are answered by a window, with its title."""


class CampaignCommand:
    """Raises RethreadError kinds; the desk tells them."""

    def __init__(self, desk: Desk, services: Services, building: Building) -> None:
        self._desk, self._building, self._campaigns = desk, building, building.campaigns
        self._windows = CampaignWindows(desk, services, building)

    def story(self, request: CampaignRequest) -> Story:
        """Answers with a card, or a window."""
        story = self._stories()[type(request)]
        return lambda actor: story(actor, request)

    def _stories(self) -> dict[type, Callable[[Actor, Any], Awaitable[Answer]]]:
        return {
            asked.ListCampaigns: lambda actor, it: self.list(actor, typed(it.words, actor.user)),
            asked.NewCampaign: lambda actor, _: self._windows.new(actor),
            asked.OpenCampaign: lambda actor, it: self._windows.open_named(actor, it.name),
            asked.PreflightCampaign: lambda actor, it: self.preflight(actor, it.name),
            asked.StartCampaign: lambda actor, it: self.start(actor, it.name),
            asked.PauseCampaign: lambda actor, it: self._live(actor, self._campaigns.pause, it.name),
            asked.StopCampaign: lambda actor, it: self._live(actor, self._campaigns.stop, it.name),
            asked.ArchiveCampaign: lambda actor, it: self._live(actor, self._campaigns.archive, it.name),
            asked.DuplicateCampaign: lambda actor, it: self.duplicate(actor, it.name),
            asked.ExportCampaign: lambda actor, it: self.export(actor, it.name),
            asked.TestLetter: lambda actor, it: self.test(actor, it.name),
            asked.AddPeople: lambda actor, it: self.add(actor, it.name),
            asked.MovePeople: lambda actor, it: self.move(actor, it.name),
            asked.ImportFile: lambda actor, _: self.import_(actor),
        }

    async def list(self, actor: Actor, chosen: CampaignFilter, *, again: bool = False) -> Card:
        """R157, R158."""
        found = await self._campaigns.list(actor, chosen.query())
        return campaign_list(found, chosen, await self._campaigns.list(actor), again=again)

    async def preflight(self, actor: Actor, name: str, *, asked_to_start: bool = False) -> Card:
        """X4, X5."""
        report = await self._building.launch.preflight(actor, name)
        return preflight_card(report, asked_to_start=asked_to_start)

    async def start(self, actor: Actor, name: str | None) -> Card:
        """A draft is looked at first: where mails would fail it is not started, unless somebody wants it all the
        same. Without a name: which ones could be started?"""
        lines = await self._campaigns.list(actor)
        if name is None:
            return outreach_status.start_offer([(line.campaign, line.counts) for line in lines])
        known = next((one.campaign for one in lines if one.campaign.name.casefold() == name.strip().casefold()), None)
        if known is not None and known.status is CampaignStatus.DRAFT:
            report = await self._building.launch.preflight(actor, known.name)
            if not report.ok:
                return preflight_card(report, asked_to_start=True)
        return outreach_status.started(await self._campaigns.start(actor, name))

    async def duplicate(self, actor: Actor, name: str) -> Card:
        """R155, R156."""
        copy = await self._campaigns.duplicate(actor, name)
        return life_changed(copy, f"{copy.name} is a new draft with the same stages, and nobody in it.")

    async def export(self, actor: Actor, name: str) -> Card:
        """As a file in the person's direct messages; where Slack takes no file, as text."""
        text = await self._campaigns.export(actor, name)
        try:
            file_name = f"{_file_stem(name)}.yaml"
            await self._desk.hand_over(actor, file_name, f"Campaign {name}", text.encode())
        except SlackError:
            return exported_text(name, text)
        return answers.said(f"The file of {name} is in your direct messages with Rethread.")

    async def test(self, actor: Actor, name: str, position: int | None = None) -> Card:
        """The first mail, or the stage that was asked for (R170)."""
        campaign = await campaign_named(self._campaigns, actor, name)
        mails = [stage.position for stage in campaign.live_stages if stage.kind == "email"]
        if position is None and not mails:
            raise RefusedError(f"“{campaign.name}” has no mail to test.", reason="no_mail", fix="Add a stage first.")
        result = await self._building.trials.send_test(actor, campaign.name, position or mails[0])
        return test_letter(result)

    async def add(self, actor: Actor, name: str | None) -> Answer:
        lines = await self._campaigns.list(actor)
        options = options_of(lines)
        if not options:
            raise _nothing_open()
        chosen = (await campaign_named(self._campaigns, actor, name)).id if name else ""
        return add_form(options, chosen or (options[0][1] if len(options) == 1 else ""))

    async def move(self, actor: Actor, name: str | None) -> Answer:
        lines = await self._campaigns.list(actor)
        targets = options_of(lines)
        if not targets or len(lines) < 2:
            raise _nothing_open()
        chosen = (await campaign_named(self._campaigns, actor, name)).id if name else ""
        return move_form(options_of(lines, closed=True), targets, chosen)

    async def import_(self, actor: Actor) -> Answer:
        return import_form(options_of(await self._campaigns.list(actor)))

    async def _live(self, actor: Actor, change: Callable[[Actor, str], Awaitable[Campaign]], name: str) -> Card:
        return life_changed(await change(actor, name))


def _file_stem(name: str) -> str:
    stem = "".join(one if one.isalnum() else "-" for one in name.lower()).strip("-")[:60]
    return stem or "campaign"


def _nothing_open() -> RefusedError:
    return RefusedError(
        "There is no open campaign that people could go into.",
        reason="no_campaign",
        fix="Build one with /outreach new, or copy one with /outreach duplicate.",
    )
