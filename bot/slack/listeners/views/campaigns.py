"""What becomes of a campaign's windows: a draft made, changed, filled with people, read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import campaign_forms, campaign_people
from bot.slack.blocks.kit import Card
from bot.slack.form_values import SentFile
from bot.slack.listeners.campaign_windows import CampaignWindows
from bot.slack.listeners.views import campaign_reading as read
from bot.slack.listeners.views.submission import Submission
from bot.slack.uses import Answer, Building, Desk, Services
from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.campaign_file import MAX_BYTES, write
from core.errors import InputError, RefusedError
from core.services.campaign_files import MOST_BYTES, attached, warnings_of

_MOST_PEOPLE_BYTES = 20_000_000
"""A hundred thousand lines with some columns."""


def campaign_submissions(desk: Desk, services: Services) -> dict[str, Submission[Any]]:
    """callback_id to what becomes of what was filled in."""
    if services.building is None:
        return {}
    done = CampaignSubmissions(desk, services, services.building)
    return {
        campaign_forms.NEW: Submission(read.read_new, done.create, stays=True),
        campaign_forms.SETTINGS: Submission(read.read_settings, done.settings, stays=True),
        campaign_forms.STAGE: Submission(read.read_stage, done.stage, stays=True),
        campaign_forms.DELETE: Submission(read.read_deletion, done.delete, stays=True),
        campaign_people.ADD: Submission(read.read_addition, done.add, stays=True),
        campaign_people.MOVE: Submission(read.read_move, done.move, stays=True),
        campaign_people.IMPORT: Submission(read.read_import, done.import_, stays=True),
    }


class CampaignSubmissions:
    """Every method raises RethreadError kinds: the window then comes back with what was filled in, and the reason."""

    def __init__(self, desk: Desk, services: Services, building: Building) -> None:
        self._desk, self._building = desk, building
        self._campaigns = building.campaigns
        self._windows = CampaignWindows(desk, services, building)

    async def create(self, actor: Actor, asked: read.NewCampaign) -> Answer:
        """A draft of the person's own; a name that is taken replaces nothing."""
        name = str(asked.definition["name"])
        if any(line.campaign.name.casefold() == name.casefold() for line in await self._campaigns.list(actor)):
            raise RefusedError(
                f"There is a campaign “{name}” already.", reason="campaign_exists", fix="Choose another name."
            )
        campaign = await self._campaigns.import_file(actor, write(asked.definition))
        return await self._windows.open(
            actor, campaign.id, "The draft is saved. Add stages and people, then check and start it."
        )

    async def settings(self, actor: Actor, asked: read.Settings) -> Answer:
        campaign = await self._building.overviews.campaign(actor, asked.campaign_id)
        await self._building.edits.change_details(actor, campaign.name, asked.changes)
        return await self._windows.open(actor, campaign.id, "The settings are saved.")

    async def stage(self, actor: Actor, asked: read.StageChange) -> Answer:
        """Files first: a stage never names one that is not there."""
        campaign = await self._building.overviews.campaign(actor, asked.campaign_id)
        notes = [note for file in asked.files for note in await self._attach(actor, campaign, file)]
        changes = dict(asked.changes)
        if asked.files:
            names = [*_attached_before(campaign, asked), *(file.name for file in asked.files)]
            changes["attachments"] = list(dict.fromkeys(names))
        if asked.position is None:
            after = await self._building.edits.add_stage(actor, campaign.name, _filled(changes))
            said = f"Stage {len(after.stages)} is added."
        else:
            await self._building.edits.change_stage(actor, campaign.name, asked.position, changes)
            said = f"Stage {asked.position} is saved."
        return await self._windows.open(actor, campaign.id, said, *notes)

    async def _attach(self, actor: Actor, campaign: Campaign, file: SentFile) -> list[str]:
        content = await self._desk.fetch(file, MOST_BYTES)
        return list(await self._building.files.put(actor, campaign.name, file.name, content))

    async def delete(self, actor: Actor, asked: read.StageDeletion) -> Answer:
        """R154."""
        campaign = await self._building.overviews.campaign(actor, asked.campaign_id)
        await self._building.edits.delete_stage(actor, campaign.name, asked.position, skip=asked.skip)
        return await self._windows.open(actor, campaign.id, f"Stage {asked.position} is deleted.")

    async def add(self, actor: Actor, asked: read.Addition) -> Answer:
        """Those of a list are made known first; then all go in."""
        campaign = await self._building.overviews.campaign(actor, asked.campaign_id)
        if asked.file is None:
            return await self._enrolled(actor, campaign, asked.emails)
        raw = await self._desk.fetch(asked.file, _MOST_PEOPLE_BYTES)
        return await self._people(actor, raw, campaign, asked.emails)

    async def move(self, actor: Actor, asked: read.Move) -> Answer:
        """R155, R161."""
        source = await self._building.overviews.campaign(actor, asked.from_id)
        target = await self._building.overviews.campaign(actor, asked.to_id)
        result = await self._campaigns.move(actor, source.name, target.name, statuses=asked.statuses)
        return campaign_people.moved(source.name, target, result.moved, result.skipped, result.also_in)

    async def import_(self, actor: Actor, asked: read.Import) -> Answer:
        if not asked.of_campaign:
            target = None
            if asked.campaign_id:
                target = await self._building.overviews.campaign(actor, asked.campaign_id)
            raw = await self._desk.fetch(asked.file, _MOST_PEOPLE_BYTES) if asked.file else asked.text.encode()
            return await self._people(actor, raw, target)
        text = _decoded(await self._desk.fetch(asked.file, MAX_BYTES)) if asked.file else asked.text
        files = {file.name: await self._desk.fetch(file, MOST_BYTES) for file in asked.attached}
        campaign = await self._campaigns.import_file(actor, text, files)
        return campaign_people.campaign_imported(campaign, _warnings(campaign, files))

    async def _people(self, actor: Actor, raw: bytes, campaign: Campaign | None, emails: tuple[str, ...] = ()) -> Card:
        result = await self._building.people.import_csv(actor, raw)
        added = None
        if campaign is not None:
            added = await self._enrolled(actor, campaign, (*emails, *result.addresses))
        return campaign_people.people_imported(result.created, result.updated, result.rejected, added)

    async def _enrolled(self, actor: Actor, campaign: Campaign, emails: tuple[str, ...]) -> Card:
        result = await self._campaigns.enroll(actor, campaign.name, emails)
        return campaign_people.enrolled(campaign, result.enrolled, result.skipped, result.also_in)


def _attached_before(campaign: Campaign, asked: read.StageChange) -> list[str]:
    """What is still ticked, or all where the window had no ticks for them."""
    if "attachments" in asked.changes:
        return list(asked.changes["attachments"] or [])
    stage = campaign.stage_at(asked.position) if asked.position else None
    return list(stage.attachments) if stage else []


def _filled(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value is not None}


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("is not text in UTF-8", where="campaign file", fix="Save it as UTF-8.") from error


def _warnings(campaign: Campaign, files: Mapping[str, bytes]) -> list[str]:
    """As the command line tells them."""
    missing = [name for name in attached(campaign) if name not in files]
    return [
        *warnings_of({name: len(content) for name, content in files.items()}),
        *(f"{name} was not given: mails of its stages fail until it is." for name in missing),
    ]
