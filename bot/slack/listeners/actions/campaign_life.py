"""Buttons and menus of a campaign: in its window, on its cards, and in the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.slack import action_ids
from bot.slack.action_ids import LIST_BY, ButtonValue
from bot.slack.blocks.campaign_list import ANY
from bot.slack.blocks.campaign_people import add_form, move_form, options_of
from bot.slack.blocks.campaign_preflight import CHECKED, preflight_card
from bot.slack.blocks.campaign_results import life_changed, life_words
from bot.slack.blocks.campaign_window import IN_WINDOW
from bot.slack.blocks.campaign_words import KINDS
from bot.slack.blocks.kit import Card
from bot.slack.campaign_filter import brought_back
from bot.slack.listeners.campaign_windows import CampaignWindows
from bot.slack.listeners.commands.campaigns import CampaignCommand
from bot.slack.uses import Answer, Building, Desk, Services
from core.domain.actor import Actor
from core.domain.campaign import Campaign, CampaignStatus
from core.errors import RefusedError

_NAMES: Final = dict(zip(LIST_BY, ("owner", "status", "shared", "job", "job_stage", "sort"), strict=True))


class CampaignLifeButtons:
    """Every method raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, desk: Desk, services: Services, building: Building) -> None:
        self._building, self._campaigns = building, building.campaigns
        self._windows = CampaignWindows(desk, services, building)
        self._command = CampaignCommand(desk, services, building)

    async def new(self, actor: Actor, _: ButtonValue) -> Answer:
        return await self._windows.new(actor)

    async def open(self, actor: Actor, value: ButtonValue) -> Answer:
        return await self._windows.open(actor, value.id)

    async def preflight(self, actor: Actor, value: ButtonValue) -> Answer:
        return await self._command.preflight(actor, (await self._campaign(actor, value)).name)

    async def start(self, actor: Actor, value: ButtonValue) -> Answer:
        """A draft is looked at first, unless that was done just now on the card of this button."""
        campaign = await self._campaign(actor, value)
        if campaign.status is CampaignStatus.DRAFT and value.choice != CHECKED:
            report = await self._building.launch.preflight(actor, campaign.name)
            if not report.ok or value.choice == IN_WINDOW:
                return preflight_card(report, asked_to_start=not report.ok)
        return await self._shown(actor, await self._campaigns.start(actor, campaign.name), value)

    async def start_anyway(self, actor: Actor, value: ButtonValue) -> Answer:
        """Whoever presses has read what will fail, and said so once more."""
        campaign = await self._campaign(actor, value)
        return await self._shown(actor, await self._campaigns.start(actor, campaign.name), value)

    async def pause(self, actor: Actor, value: ButtonValue) -> Answer:
        campaign = await self._campaign(actor, value)
        return await self._shown(actor, await self._campaigns.pause(actor, campaign.name), value)

    async def stop(self, actor: Actor, value: ButtonValue) -> Answer:
        campaign = await self._campaign(actor, value)
        return await self._shown(actor, await self._campaigns.stop(actor, campaign.name), value)

    async def archive(self, actor: Actor, value: ButtonValue) -> Answer:
        campaign = await self._campaign(actor, value)
        return await self._shown(actor, await self._campaigns.archive(actor, campaign.name), value)

    async def add(self, actor: Actor, value: ButtonValue) -> Answer:
        return add_form(options_of(await self._campaigns.list(actor)), value.id)

    async def settings(self, actor: Actor, value: ButtonValue) -> Answer:
        return await self._windows.settings(actor, value.id)

    async def more(self, actor: Actor, value: ButtonValue) -> Answer:
        """Duplicate, move people, export."""
        campaign = await self._campaign(actor, value)
        match value.choice:
            case "duplicate":
                copy = await self._campaigns.duplicate(actor, campaign.name)
                return await self._windows.open(actor, copy.id, f"This is the copy: {copy.name}, a draft.")
            case "export":
                return await self._command.export(actor, campaign.name)
            case "move":
                lines = await self._campaigns.list(actor)
                targets = [one for one in options_of(lines) if one[1] != campaign.id]
                if not targets:
                    raise RefusedError(
                        "There is no other open campaign.", reason="no_campaign", fix="Duplicate this one first."
                    )
                return move_form(options_of(lines, closed=True), targets, campaign.id)
        raise _stale()

    async def new_stage(self, actor: Actor, value: ButtonValue) -> Answer:
        if value.choice not in KINDS:
            raise _stale()
        return await self._windows.new_stage(actor, value.id, value.choice)

    async def stage(self, actor: Actor, value: ButtonValue) -> Answer:
        """Edit, preview, test, delete."""
        what, _, number = value.choice.partition("_")
        if not number.isdigit():
            raise _stale()
        position = int(number)
        match what:
            case "edit":
                return await self._windows.edit_stage(actor, value.id, position)
            case "preview":
                return await self._windows.preview(actor, value.id, position)
            case "delete":
                return await self._windows.delete_stage(actor, value.id, position)
            case "test":
                campaign = await self._campaign(actor, value)
                return _with_way_back(await self._command.test(actor, campaign.name, position), campaign)
        raise _stale()

    async def by(self, actor: Actor, action: Mapping[str, Any]) -> Card:
        """A filter or the order of the list was chosen; the list takes the old one's place."""
        before = brought_back(action.get("block_id"))
        option = action.get("selected_option")
        chosen = str(option.get("value") or "") if isinstance(option, Mapping) else ""
        chosen = str(action.get("selected_user") or "") or chosen
        after = before.with_choice(_NAMES.get(str(action.get("action_id")), ""), "" if chosen == ANY else chosen)
        return await self._command.list(actor, after, again=True)

    async def show(self, actor: Actor, action: Mapping[str, Any]) -> Card:
        return await self._command.list(actor, brought_back(action.get("value")), again=True)

    async def _campaign(self, actor: Actor, value: ButtonValue) -> Campaign:
        return await self._building.overviews.campaign(actor, value.id)

    async def _shown(self, actor: Actor, campaign: Campaign, value: ButtonValue) -> Answer:
        """In its window where something was pressed in that, else as a sentence."""
        if value.choice == IN_WINDOW:
            return await self._windows.open(actor, campaign.id, life_words(campaign))
        return life_changed(campaign)


def _with_way_back(card: Card, campaign: Campaign) -> Card:
    return Card(card.text, [*card.blocks, life_changed(campaign).blocks[-1]])


def _stale() -> RefusedError:
    return RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX)
