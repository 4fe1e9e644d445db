"""Campaigns: import, enrol, start, pause, stop, look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.domain.actor import Actor, require_mailbox, require_outreach, require_recruiter
from core.domain.address import match_key
from core.domain.campaign import CLOSED_STATUSES, Campaign, CampaignEvent, CampaignStatus, transition
from core.domain.campaign_file import CampaignDraft, Fault, read, write
from core.domain.delivery import SHOWN, Delivery, DeliveryEvent, DeliveryState
from core.domain.delivery import transition as delivery_after
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.people import Person
from core.domain.reasons import reason
from core.domain.schedule import calendar_of, due_after
from core.errors import InputError, NotFoundError, RefusedError
from core.ports.storage import EmailLogRow, ProspectRow, StageCount, UnitOfWork
from core.services.people import find_person
from core.services.progress import Progress, connected_senders
from core.services.tools import Tools, persistently

_BATCH = 500
_SETTLE_BATCH = 50
"""Each costs several statements, and nobody else writes meanwhile: a reply must not wait for seconds."""
_ALL = 1_000_000


class CampaignFileError(InputError):
    """A campaign file with faults; ``faults`` holds line, field and reason of each."""

    code = "campaign_file"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            "; ".join(map(str, faults)), where="campaign file", fix="Correct these lines and import again."
        )
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Somebody who was left out, and why."""

    email: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnrollResult:
    enrolled: int
    skipped: list[Skipped]


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A campaign in a list, with how many prospects stand where."""

    campaign: Campaign
    counts: dict[ProspectStatus, int]


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A campaign with its prospects and figures."""

    campaign: Campaign
    prospects: list[ProspectRow]
    stages: list[StageCount]
    people: int
    replied: int


class CampaignService:
    """Use cases around one campaign."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def import_file(self, actor: Actor, text: str) -> Campaign:
        """A new draft, or a draft replaced. Raises CampaignFileError, RefusedError where it runs already."""
        require_recruiter(actor)
        draft, faults = read(text)
        if draft is None:
            raise CampaignFileError(faults)
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            known = await uow.campaigns.by_name(draft.name)
            if known is not None:
                require_outreach(actor, known.owner)
            campaign = self._built(actor, draft, known)
            if known is None:
                await uow.campaigns.add(campaign)
            elif known.status is not CampaignStatus.DRAFT:
                raise RefusedError(
                    f"“{known.name}” is {known.status.value}; only a draft can be imported again.",
                    reason="campaign_exists",
                    fix="Give the file another name.",
                )
            elif not await uow.campaigns.replace(campaign):
                raise RefusedError("The campaign was changed at the same moment. Import again.", reason="race")
            await uow.audit.add(at=now, actor=actor.user, action="campaign.import", subject=campaign.id)
        return campaign

    def _built(self, actor: Actor, draft: CampaignDraft, known: Campaign | None) -> Campaign:
        return Campaign(
            id=known.id if known else self._tools.new_id(),
            workspace=actor.workspace,
            name=draft.name,
            status=CampaignStatus.DRAFT,
            version=known.version if known else 1,
            created_at=known.created_at if known else self._tools.clock.now(),
            senders=draft.senders,
            stages=draft.stages,
            owner=draft.owner or (known.owner if known else _owner(actor)),
            channel=draft.channel,
            timezone=draft.timezone,
            email_priority=draft.email_priority,
            definition=draft.definition,
        )

    async def export(self, actor: Actor, name: str) -> str:
        """The campaign's file. Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            return write((await find_campaign(uow, name)).definition)

    async def list(self, actor: Actor) -> Sequence[CampaignLine]:
        async with self._tools.store.read(actor.workspace) as uow:
            campaigns = await uow.campaigns.list()
            counts = await uow.reports.status_counts({campaign.id for campaign in campaigns})
        return [CampaignLine(campaign, counts.get(campaign.id, {})) for campaign in campaigns]

    async def enroll(self, actor: Actor, name: str, emails: Iterable[str]) -> EnrollResult:
        """Puts people into a campaign, each once; the first stage is queued by its delay. Raises NotFoundError."""
        require_recruiter(actor)
        wanted = {match_key(email.strip()): email.strip() for email in emails if email.strip()}
        keys = list(wanted)
        enrolled, skipped = 0, list[Skipped]()
        for start in range(0, len(keys), _BATCH):
            async with self._tools.store.write(actor.workspace) as uow:
                campaign = await find_campaign(uow, name)
                require_outreach(actor, campaign.owner)
                _require_open(campaign)
                batch = {key: wanted[key] for key in keys[start : start + _BATCH]}
                count, left_out = await self._enroll_batch(uow, campaign, batch, actor)
            enrolled += count
            skipped.extend(left_out)
        return EnrollResult(enrolled, skipped)

    async def _enroll_batch(
        self, uow: UnitOfWork, campaign: Campaign, batch: dict[str, str], actor: Actor
    ) -> tuple[int, Sequence[Skipped]]:
        ids = await uow.people.ids_by_keys(batch.keys())
        skipped = [Skipped(email, "nobody here has this address") for key, email in batch.items() if key not in ids]
        mailbox_ids = [mailbox.id for mailbox in await connected_senders(uow, campaign.senders)]
        # People who are added one at a time spread over the senders as well as those who come together.
        already = sum((await uow.reports.status_counts({campaign.id}))[campaign.id].values())
        people = await uow.people.get_many(set(ids.values()))
        now = self._tools.clock.now()
        enrollments = [
            Enrollment(
                id=self._tools.new_id(),
                workspace=uow.workspace,
                campaign_id=campaign.id,
                person_id=person_id,
                # A prospect keeps one sender for the whole thread; only new prospects rotate.
                mailbox_id=mailbox_ids[(already + number) % len(mailbox_ids)] if mailbox_ids else None,
                status=ProspectStatus.ACTIVE,
                stage=1,
                version=1,
                created_at=now,
                next_at=_first_due(campaign, people[person_id], self._tools),
            )
            for number, person_id in enumerate(dict.fromkeys(ids.values()))
        ]
        added = await uow.enrollments.add_many(enrollments)
        by_person = {person_id: batch[key] for key, person_id in ids.items()}
        skipped.extend(
            Skipped(by_person[one.person_id], "is in this campaign already")
            for one in enrollments
            if one.id not in added
        )
        own = campaign.stages[0].sender
        first_sender = await connected_senders(uow, (own,)) if own else []
        mailbox_of_first = first_sender[0].id if first_sender else None
        firsts = [self._first(one, campaign, mailbox_of_first) for one in enrollments if one.id in added]
        await uow.deliveries.add_many(firsts)
        await uow.audit.add(
            at=now, actor=actor.user, action="campaign.enroll", subject=campaign.id, facts={"enrolled": len(added)}
        )
        uow.wake("outreach")
        return len(added), skipped

    def _first(self, enrollment: Enrollment, campaign: Campaign, own_mailbox: str | None) -> Delivery:
        return Delivery(
            id=self._tools.new_id(),
            workspace=enrollment.workspace,
            enrollment_id=enrollment.id,
            campaign_id=campaign.id,
            mailbox_id=own_mailbox if campaign.stages[0].sender else enrollment.mailbox_id,
            stage=1,
            series=1,
            state=DeliveryState.QUEUED,
            version=1,
            created_at=enrollment.created_at,
            due_at=enrollment.next_at,
            waiting_for=None if campaign.status is CampaignStatus.ACTIVE else "campaign",
        )

    async def start(self, actor: Actor, name: str) -> Campaign:
        """Raises RefusedError where it runs already or has nobody's mailbox to send from."""
        return await self._move(actor, name, CampaignEvent.START)

    async def pause(self, actor: Actor, name: str) -> Campaign:
        return await self._move(actor, name, CampaignEvent.PAUSE)

    async def stop(self, actor: Actor, name: str) -> Campaign:
        """Final: what waits is cancelled."""
        return await self._move(actor, name, CampaignEvent.STOP)

    async def archive(self, actor: Actor, name: str) -> Campaign:
        return await self._move(actor, name, CampaignEvent.ARCHIVE)

    async def _move(self, actor: Actor, name: str, event: CampaignEvent) -> Campaign:
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            require_outreach(actor, campaign.owner)
            status = transition(campaign.status, event)
            if event is CampaignEvent.START:
                await _require_sender(uow, campaign, actor)
            if not await uow.campaigns.set_status(campaign, status):
                raise RefusedError("The campaign was changed at the same moment. Look again.", reason="race")
            if event is CampaignEvent.START:
                await uow.deliveries.release("campaign", not_before=now, campaign_id=campaign.id)
                uow.wake("outreach")
            else:
                await uow.deliveries.hold_back(campaign.id, waiting_for="campaign")
            await uow.audit.add(at=now, actor=actor.user, action=f"campaign.{event.value}", subject=campaign.id)
        if event is not CampaignEvent.START:
            await self._settle_queue(actor, campaign.id, status)
        return replace(campaign, status=status, version=campaign.version + 1)

    async def _settle_queue(self, actor: Actor, campaign_id: str, status: CampaignStatus) -> None:
        """What waits is cancelled (stopped, archived), or shown as waiting for the campaign (paused).

        Batch by batch, so that others can write in between: the campaign's status alone keeps the queue still.
        """
        async with self._tools.store.read(actor.workspace) as uow:
            rows = await uow.deliveries.log(campaign_id=campaign_id, state={DeliveryState.QUEUED}, limit=_ALL)
        for start in range(0, len(rows), _SETTLE_BATCH):
            batch = [row.id for row in rows[start : start + _SETTLE_BATCH]]
            await persistently(partial(self._settle_batch, actor, campaign_id, status, batch))

    async def _settle_batch(
        self, actor: Actor, campaign_id: str, status: CampaignStatus, delivery_ids: Sequence[str]
    ) -> None:
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await uow.campaigns.get(campaign_id)
            if campaign is None or campaign.status is not status:
                return  # somebody changed it back meanwhile
            for delivery_id in delivery_ids:
                delivery = await uow.deliveries.get(delivery_id)
                if delivery is None or delivery.state is not DeliveryState.QUEUED:
                    continue
                if status in CLOSED_STATUSES:
                    await self._cancel(uow, delivery, actor)
                elif enrollment := await uow.enrollments.get(delivery.enrollment_id):
                    await self._progress.show_wait(uow, enrollment, delivery)

    async def status(self, actor: Actor, name: str) -> CampaignReport:
        """Raises NotFoundError naming the nearest campaign."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            prospects = await uow.reports.prospects(campaign.id)
            stages = await uow.reports.stage_counts(campaign.id)
        replied = sum(1 for row in prospects if row.status is ProspectStatus.REPLIED)
        return CampaignReport(campaign, prospects, stages, len(prospects), replied)

    async def email_log(
        self, actor: Actor, campaign: str | None = None, state: str | None = None
    ) -> Sequence[EmailLogRow]:
        """Newest first (R163). ``state`` as shown: Waiting, Sending, Sent, Uncertain, Not Delivered, Skipped."""
        states = frozenset[DeliveryState]()
        if state:
            states = frozenset(one for one, shown in SHOWN.items() if shown.lower() == state.strip().lower())
            if not states:
                raise InputError(
                    f"{state[:40]!r} is no status of the Email Log",
                    field="status",
                    fix=", ".join(sorted(set(SHOWN.values()))),
                )
        async with self._tools.store.read(actor.workspace) as uow:
            campaign_id = (await find_campaign(uow, campaign)).id if campaign else None
            return await uow.deliveries.log(campaign_id=campaign_id, state=states)

    async def cancel_delivery(self, actor: Actor, delivery_id: str) -> Delivery:
        """Cancels what waits (R163, R164). Against a concurrent send there are two outcomes only (R218): cancelled, or
        RefusedError because it is out or on its way. Raises NotFoundError."""
        require_recruiter(actor)

        async def unit() -> Delivery:
            async with self._tools.store.write(actor.workspace) as uow:
                delivery = await uow.deliveries.get(delivery_id)
                if delivery is None:
                    raise NotFoundError("There is no such line in the Email Log.")
                campaign = await uow.campaigns.get(delivery.campaign_id)
                require_outreach(actor, campaign.owner if campaign else None)
                if delivery.state in (DeliveryState.UNKNOWN, DeliveryState.HELD):
                    raise RefusedError(
                        "It may have gone out already, so it cannot be cancelled.",
                        reason="delivery_unknown",
                        fix="Settle it on its card: It was sent, Send again or Drop.",
                    )
                return await self._cancel(uow, delivery, actor)

        return await persistently(unit)

    async def _cancel(self, uow: UnitOfWork, delivery: Delivery, actor: Actor) -> Delivery:
        enrollment = await uow.enrollments.get(delivery.enrollment_id)
        state = delivery_after(delivery.state, DeliveryEvent.CANCEL)
        delivery = await self._progress.save(uow, replace(delivery, state=state, reason="canceled", waiting_for=None))
        if enrollment is not None and enrollment.status in (ProspectStatus.ACTIVE, ProspectStatus.PENDING):
            await self._progress.move(
                uow, enrollment, ProspectEvent.NOT_DELIVERED, actor=actor.user, reason=reason("canceled")
            )
        return delivery


async def find_campaign(uow: UnitOfWork, name: str) -> Campaign:
    """By exact name, else without regard to case. Raises NotFoundError naming those there are."""
    campaign = await uow.campaigns.by_name(name.strip())
    if campaign is None:
        names = [f"“{one.name}”" for one in (await uow.campaigns.list())[:5]]
        fix = f"There are: {', '.join(names)}." if names else "Import one first."
        raise NotFoundError(f"There is no campaign “{name.strip()[:100]}”.", fix=fix)
    return campaign


async def find_enrollment(uow: UnitOfWork, campaign: Campaign, email: str) -> Enrollment:
    """Raises NotFoundError."""
    person: Person = await find_person(uow, email)
    enrollment = await uow.enrollments.find(campaign.id, person.id)
    if enrollment is None:
        raise NotFoundError(f"{person.name} is not in “{campaign.name}”.")
    return enrollment


async def _require_sender(uow: UnitOfWork, campaign: Campaign, actor: Actor) -> None:
    """Mail goes in a mailbox's owner's name, so its owner (or an admin) has to be the one who starts it (threat T8)."""
    own = tuple(stage.sender for stage in campaign.stages if stage.sender)
    if not campaign.senders and not own:
        return
    connected = await connected_senders(uow, campaign.senders + own)
    if connected:
        for mailbox in connected:
            require_mailbox(actor, mailbox)
        return
    raise RefusedError(
        f"None of this campaign's senders is connected: {', '.join(campaign.senders + own)}.",
        reason="no_account_selected",
        fix="Connect the mailbox with /mailbox connect, then start again.",
    )


def _owner(actor: Actor) -> str | None:
    return actor.user if actor.user.startswith(("U", "W")) else None


def _require_open(campaign: Campaign) -> None:
    if campaign.status in CLOSED_STATUSES:
        raise RefusedError(
            f"“{campaign.name}” is {campaign.status.value}; nobody can be added.", reason="campaign_closed"
        )


def _first_due(campaign: Campaign, person: Person, tools: Tools) -> datetime:
    calendar = calendar_of(campaign.definition, prospect_zone=person.timezone, campaign_zone=campaign.timezone)
    return due_after(tools.clock.now(), campaign.stages[0].delay, calendar)
