"""One campaign as its builder shows it: who stands where, and what a stage will say to whom, and when (R151, R152)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain.actor import Actor
from core.domain.campaign import Campaign, Stage
from core.domain.enrollment import ProspectStatus
from core.domain.people import Person
from core.domain.prospect_query import Page, ProspectQuery
from core.domain.schedule import calendar_of, due_after
from core.domain.template import fields_in, render
from core.errors import NotFoundError
from core.ports.storage import StageCount, UnitOfWork
from core.services.campaign_files import attached
from core.services.tools import Tools
from core.services.trial_letter import SAMPLES


@dataclass(frozen=True, slots=True)
class CampaignOverview:
    """``standing`` counts the people whose next stage it is, by stage; ``files`` says of each attachment whether it is
    there; ``fields`` are the merge fields that its first person has beside the usual ones."""

    campaign: Campaign
    counts: Mapping[ProspectStatus, int]
    standing: Mapping[int, int]
    figures: Mapping[int, StageCount]
    files: Mapping[str, bool]
    fields: tuple[str, ...]

    @property
    def people(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class StagePreview:
    """A stage as ``person`` would get it. ``goes_at`` assumes a start now, each stage going when it is due, and nobody
    answering; ``zone`` is whose hours count. ``missing`` fields have neither value nor fallback."""

    campaign: Campaign
    stage: Stage
    person: str
    is_sample: bool
    subject: str
    text: str
    missing: tuple[str, ...]
    goes_at: datetime
    zone: str
    own_zone: bool


class CampaignOverviews:
    """Reads only. Everybody sees every campaign."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def campaign(self, actor: Actor, campaign_id: str) -> Campaign:
        """Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            return await _get(uow, campaign_id)

    async def of(self, actor: Actor, campaign_id: str) -> CampaignOverview:
        """Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await _get(uow, campaign_id)
            there = set(await uow.campaign_files.names(campaign.id))
            first = await _first_person(uow, campaign)
            return CampaignOverview(
                campaign=campaign,
                counts=(await uow.reports.status_counts({campaign.id})).get(campaign.id, {}),
                standing={
                    stage.position: len(await uow.lists.standing_at(campaign.id, stage.position))
                    for stage in campaign.live_stages
                },
                figures={one.stage: one for one in await uow.reports.stage_counts(campaign.id)},
                files={name: name in there for name in attached(campaign)},
                fields=tuple(sorted(first.fields)) if first else (),
            )

    async def preview(self, actor: Actor, campaign_id: str, position: int) -> StagePreview:
        """For the campaign's first person, else for an invented one. Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await _get(uow, campaign_id)
            person = await _first_person(uow, campaign)
        stage = campaign.stage_at(position)
        if stage is None or stage.removed:
            raise NotFoundError(f"“{campaign.name}” has no stage {position}.", fix="Look at the campaign again.")
        values = _values(campaign, stage, person)
        subject, text = render(_subject(campaign, stage), values), render(stage.body or stage.note, values)
        zone = (person.timezone if person else "") or campaign.timezone or "UTC"
        return StagePreview(
            campaign=campaign,
            stage=stage,
            person=person.name if person else SAMPLES["name"],
            is_sample=person is None,
            subject=subject.text,
            text=text.text,
            missing=tuple(dict.fromkeys((*subject.missing, *text.missing))),
            goes_at=self._goes_at(campaign, position, zone),
            zone=zone,
            own_zone=bool(person and person.timezone),
        )

    def _goes_at(self, campaign: Campaign, position: int, zone: str) -> datetime:
        calendar = calendar_of(campaign.definition, prospect_zone=zone, campaign_zone=None)
        at = self._tools.clock.now()
        for stage in campaign.live_stages:
            if stage.position <= position:
                at = due_after(at, stage.delay, calendar)
        return at


async def _get(uow: UnitOfWork, campaign_id: str) -> Campaign:
    campaign = await uow.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFoundError("This campaign is not there any more.", fix="See what there is with /outreach list.")
    return campaign


async def _first_person(uow: UnitOfWork, campaign: Campaign) -> Person | None:
    page = await uow.lists.prospects(campaign.id, ProspectQuery(page=Page(size=1)))
    ids = [row.enrollment_id for row in page.rows]
    enrollments = await uow.enrollments.get_many(ids)
    people = await uow.people.get_many({one.person_id for one in enrollments.values()})
    return next(iter(people.values()), None)


def _values(campaign: Campaign, stage: Stage, person: Person | None) -> dict[str, str]:
    sender = stage.sender or next(iter(campaign.senders), "")
    of_sender = {"sender_email": sender, "sender_name": sender.partition("@")[0].capitalize()}
    if person is None:
        named = {name for text in (stage.subject, stage.body, stage.note) for name in fields_in(text)}
        return {name: SAMPLES.get(name, f"[{name}]") for name in named} | of_sender
    address = person.address_for(campaign.email_priority)
    link = {"unsubscribe_link": SAMPLES["unsubscribe_link"], "email": address.address if address else ""}
    return {**person.merge_fields, **of_sender, **link}


def _subject(campaign: Campaign, stage: Stage) -> str:
    """The stage's own, else that of its thread (R162)."""
    earlier = [
        one.subject
        for one in campaign.live_stages
        if one.position < stage.position and one.kind == "email" and one.subject
    ]
    return stage.subject or (f"Re: {earlier[0]}" if earlier and stage.kind == "email" else "")
