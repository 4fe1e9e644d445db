"""People into a campaign: enrolled, or taken over from another one (R146, R155, R161)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.address import match_key
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.delivery import Delivery, DeliveryState
from core.domain.do_not_contact import WORDS, keeps_out
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.people import Person
from core.domain.prospect_query import ProspectQuery
from core.domain.schedule import calendar_of, due_after
from core.errors import RefusedError
from core.ports.storage import Suppression, UnitOfWork
from core.services.campaign_lookup import find_campaign, require_open
from core.services.outcomes import AlsoIn, EnrollResult, MoveResult, Progressed, Skipped
from core.services.progress import connected_senders
from core.services.prospect_actions import ProspectActions
from core.services.tools import Tools, persistently

_BATCH = 500
_MOVED_AT_A_TIME = 50
"""Each costs several statements, and nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class _Added:
    """What one batch did. ``people`` are the ids of those who are in the campaign now and were not before."""

    people: frozenset[str]
    skipped: list[Skipped]
    also_in: list[AlsoIn]


class Enrolling:
    """Each person once in a campaign, whoever asks how often."""

    def __init__(self, tools: Tools, actions: ProspectActions) -> None:
        self._tools = tools
        self._actions = actions

    async def enroll(self, actor: Actor, name: str, emails: Iterable[str]) -> EnrollResult:
        """Puts people into a campaign, each once; the first stage is queued by its delay. Whoever other running
        campaigns write to as well is enrolled, and named; whoever must not be written to is left out.

        Raises NotFoundError, NotAllowedError, RefusedError where the campaign is closed.
        """
        require_recruiter(actor)
        wanted = {match_key(email.strip()): email.strip() for email in emails if email.strip()}
        keys, result = list(wanted), EnrollResult(0, [])
        for start in range(0, len(keys), _BATCH):
            batch = {key: wanted[key] for key in keys[start : start + _BATCH]}
            added = await persistently(partial(self._enroll_batch, actor, name, batch))
            result.skipped.extend(added.skipped)
            result.also_in.extend(added.also_in)
            result = replace(result, enrolled=result.enrolled + len(added.people))
        return result

    async def _enroll_batch(self, actor: Actor, name: str, batch: dict[str, str]) -> _Added:
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await self._enterable(uow, actor, name)
            ids = await uow.people.ids_by_keys(batch.keys())
            added = await self._add(uow, actor, campaign, {person: batch[key] for key, person in ids.items()})
        unknown = [Skipped(email, "nobody here has this address") for key, email in batch.items() if key not in ids]
        return replace(added, skipped=[*unknown, *added.skipped])

    async def _enterable(self, uow: UnitOfWork, actor: Actor, name: str) -> Campaign:
        campaign = await find_campaign(uow, name)
        require_outreach(actor, campaign.owner, shared=campaign.shared)
        require_open(campaign)
        return campaign

    async def _add(self, uow: UnitOfWork, actor: Actor, campaign: Campaign, emails: dict[str, str]) -> _Added:
        """``emails`` names people by id, as whoever asks knows them."""
        people = await uow.people.get_many(emails)
        hits = await uow.suppressions.among({one.key for person in people.values() for one in person.addresses})
        blocked = {person.id: keeps_out(person, hits, campaign.email_priority) for person in people.values()}
        welcome = [person for person in people.values() if blocked[person.id] is None]
        enrollments = await self._enrollments(uow, campaign, welcome)
        new = await uow.enrollments.add_many(enrollments)
        added = [one for one in enrollments if one.id in new]
        await uow.deliveries.add_many(await self._firsts(uow, campaign, added))
        await uow.audit.add(
            at=self._tools.clock.now(),
            actor=actor.user,
            action="campaign.enroll",
            subject=campaign.id,
            facts={"enrolled": len(added)},
        )
        uow.wake("outreach")
        there = [
            Skipped(emails[one.person_id], "is in this campaign already") for one in enrollments if one not in added
        ]
        out = [Skipped(emails[who], _told(hit)) for who, hit in blocked.items() if hit is not None]
        elsewhere = await uow.lists.running_elsewhere([one.person_id for one in added], but=campaign.id)
        also_in = [AlsoIn(emails[who], tuple(names)) for who, names in elsewhere.items()]
        return _Added(frozenset(one.person_id for one in added), [*out, *there], also_in)

    async def _enrollments(self, uow: UnitOfWork, campaign: Campaign, people: Sequence[Person]) -> list[Enrollment]:
        mailbox_ids = [mailbox.id for mailbox in await connected_senders(uow, campaign.senders)]
        # People who are added one at a time spread over the senders as well as those who come together.
        already = sum((await uow.reports.status_counts({campaign.id}))[campaign.id].values())
        now = self._tools.clock.now()
        return [
            Enrollment(
                id=self._tools.new_id(),
                workspace=uow.workspace,
                campaign_id=campaign.id,
                person_id=person.id,
                # A prospect keeps one sender for the whole thread; only new prospects rotate.
                mailbox_id=mailbox_ids[(already + number) % len(mailbox_ids)] if mailbox_ids else None,
                status=ProspectStatus.ACTIVE,
                stage=campaign.first_position,
                version=1,
                created_at=now,
                next_at=_first_due(campaign, person, now),
            )
            for number, person in enumerate(people)
        ]

    async def _firsts(self, uow: UnitOfWork, campaign: Campaign, enrollments: Sequence[Enrollment]) -> list[Delivery]:
        first = campaign.stages[campaign.first_position - 1]
        own = await connected_senders(uow, (first.sender,)) if first.sender else []
        own_mailbox = own[0].id if own else None
        return [
            Delivery(
                id=self._tools.new_id(),
                workspace=one.workspace,
                enrollment_id=one.id,
                campaign_id=campaign.id,
                mailbox_id=(own_mailbox if first.sender else one.mailbox_id) if first.kind == "email" else None,
                stage=first.position,
                series=1,
                state=DeliveryState.QUEUED,
                version=1,
                created_at=one.created_at,
                due_at=one.next_at,
                waiting_for=None if campaign.status is CampaignStatus.ACTIVE else "campaign",
                kind=first.kind,
            )
            for one in enrollments
        ]

    async def move(
        self,
        actor: Actor,
        from_name: str,
        to_name: str,
        *,
        statuses: Collection[ProspectStatus] = (),
        enrollment_ids: Sequence[str] | None = None,
        progressed: Progressed | None = None,
    ) -> MoveResult:
        """Adds people to another campaign; in the original they are marked finished and keep their progress. All of
        it, those with one of ``statuses``, or the given prospects. Whoever is there already, or must not be written
        to, stays as they are and is named. Raises NotFoundError, NotAllowedError, RefusedError."""
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            source, target = await find_campaign(uow, from_name), await find_campaign(uow, to_name)
            if source.id == target.id:
                raise RefusedError("That is the same campaign.", reason="same_campaign", fix="Name another one.")
            ids = enrollment_ids
            if ids is None:
                ids = await uow.lists.prospect_ids(source.id, ProspectQuery(statuses=tuple(statuses)))
        result = MoveResult(0, [])
        for start in range(0, len(ids), _MOVED_AT_A_TIME):
            part = ids[start : start + _MOVED_AT_A_TIME]
            added = await persistently(partial(self._move_part, actor, source.id, target.name, part))
            result.skipped.extend(added.skipped)
            result.also_in.extend(added.also_in)
            result = replace(result, moved=result.moved + len(added.people))
            _tell(progressed, start + len(part), len(ids))
        return result

    async def _move_part(self, actor: Actor, source_id: str, target: str, ids: Sequence[str]) -> _Added:
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await self._enterable(uow, actor, target)
            source = await uow.campaigns.get(source_id)
            if source is None:
                raise RefusedError("The campaign is gone.", reason="race")
            require_outreach(actor, source.owner, shared=source.shared)
            leaving = [one for one in (await uow.enrollments.get_many(ids)).values() if one.campaign_id == source_id]
            people = await uow.people.get_many({one.person_id for one in leaving})
            emails = {who: person.primary.address if person.primary else person.name for who, person in people.items()}
            added = await self._add(uow, actor, campaign, emails)
            for one in leaving:
                if one.person_id in added.people and one.status is not ProspectStatus.COMPLETE:
                    await self._actions.act(
                        uow, actor, ProspectEvent.FINISH, one, evidence=f"moved to “{campaign.name}”"
                    )
        others = [replace(one, campaigns=tuple(set(one.campaigns) - {source.name})) for one in added.also_in]
        return replace(added, also_in=[one for one in others if one.campaigns])


def _told(hit: Suppression) -> str:
    words = WORDS.get(hit.code, WORDS["asked"])
    return f"{words}: {hit.key}" if hit.key.startswith("@") else words


def _tell(progressed: Progressed | None, done: int, total: int) -> None:
    if progressed is not None:
        progressed(done, total)


def _first_due(campaign: Campaign, person: Person, now: datetime) -> datetime:
    calendar = calendar_of(campaign.definition, prospect_zone=person.timezone, campaign_zone=campaign.timezone)
    return due_after(now, campaign.stages[campaign.first_position - 1].delay, calendar)
