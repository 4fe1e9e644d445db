"""Campaigns: files in and out, copies, lists, and what people ask of one by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.domain.actor import Actor, require_outreach, require_recruiter
from core.domain.campaign import Campaign, CampaignEvent, CampaignStatus
from core.domain.campaign_file import CampaignDraft, Fault, read, write
from core.domain.campaign_query import CampaignLine, CampaignQuery
from core.domain.delivery import Delivery
from core.domain.enrollment import ProspectStatus
from core.domain.prospect_query import ProspectQuery
from core.errors import InputError, RefusedError
from core.ports.storage import CampaignFile, EmailLogRow, ProspectPage, ProspectRow, StageCount
from core.services.campaign_files import check_file, keep_only, made_file
from core.services.campaign_life import CampaignLife
from core.services.campaign_lookup import find_campaign
from core.services.email_log import EmailLog
from core.services.enrolling import Enrolling
from core.services.outcomes import EnrollResult, MoveResult, Progressed, Skipped
from core.services.progress import Progress
from core.services.prospect_actions import ProspectActions
from core.services.tools import Tools

__all__ = [
    "CampaignFileError",
    "CampaignLine",
    "CampaignReport",
    "CampaignService",
    "EnrollResult",
    "Skipped",
    "find_campaign",
]
_MOST_COPIES = 1_000


class CampaignFileError(InputError):
    """A campaign file with faults; ``faults`` holds line, field and reason of each."""

    code = "campaign_file"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            "; ".join(map(str, faults)), where="campaign file", fix="Correct these lines and import again."
        )
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A campaign with its prospects and figures."""

    campaign: Campaign
    prospects: list[ProspectRow]
    stages: list[StageCount]
    people: int
    replied: int


class CampaignService:
    """Use cases around one campaign. Everybody sees every campaign; its owner and the admins change it; where it is
    shared, every recruiter may add people and act on prospects."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._life = CampaignLife(tools)
        self._enrolling = Enrolling(tools, ProspectActions(tools, progress))
        self._log = EmailLog(tools, progress)

    async def import_file(self, actor: Actor, text: str, files: Mapping[str, bytes] | None = None) -> Campaign:
        """A new draft, or a draft replaced; ``files`` are those that its stages attach, by name. Raises
        CampaignFileError, InputError for a file, RefusedError where the campaign runs already."""
        require_recruiter(actor)
        draft, faults = read(text)
        if draft is None:
            raise CampaignFileError(faults)
        wanted = {name: content for name, content in (files or {}).items() if name in draft.attachments}
        for name, content in wanted.items():
            check_file(name, len(content))
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
            for name, content in wanted.items():
                await uow.campaign_files.put(made_file(campaign.id, name, content, now))
            await keep_only(uow, campaign)
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
            shared=draft.shared,
            job=draft.job,
            job_stage=draft.job_stage,
        )

    async def export(self, actor: Actor, name: str) -> str:
        """The campaign's file. Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            return write((await find_campaign(uow, name)).definition)

    async def export_files(self, actor: Actor, name: str) -> list[CampaignFile]:
        """What the stages attach, as far as it is there."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            return await uow.campaign_files.many(campaign.id, await uow.campaign_files.names(campaign.id))

    async def duplicate(self, actor: Actor, name: str, new_name: str | None = None) -> Campaign:
        """A new draft with the same stages and files and without people (R155, R156); the actor owns it. Raises
        NotFoundError, RefusedError where the new name is taken."""
        require_recruiter(actor)
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            original = await find_campaign(uow, name)
            taken = {one.name.casefold() for one in await uow.campaigns.list()}
            title = new_name.strip() if new_name else _copy_name(original.name, taken)
            definition = {**original.definition, "name": title}
            owner = _owner(actor) or original.owner
            if "owner" in definition and owner:
                definition["owner"] = owner
            draft, faults = read(write(definition))
            if draft is None:
                raise CampaignFileError(faults)
            copy = replace(self._built(actor, draft, None), owner=owner)
            await uow.campaigns.add(copy)
            for file in await uow.campaign_files.many(original.id, draft.attachments):
                await uow.campaign_files.put(replace(file, campaign_id=copy.id, at=now))
            await uow.audit.add(at=now, actor=actor.user, action="campaign.duplicate", subject=copy.id)
        return copy

    async def list(self, actor: Actor, query: CampaignQuery | None = None) -> Sequence[CampaignLine]:
        """All campaigns, or those that are asked for, in that order (R157, R158)."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaigns = await uow.campaigns.list()
            counts = await uow.reports.status_counts({campaign.id for campaign in campaigns})
        lines = [CampaignLine(campaign, counts.get(campaign.id, {})) for campaign in campaigns]
        return (query or CampaignQuery()).of(lines)

    async def prospects(self, actor: Actor, name: str, query: ProspectQuery) -> ProspectPage:
        """A page of a campaign's prospects, with how many match (R159). Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            return await uow.lists.prospects((await find_campaign(uow, name)).id, query)

    async def status(self, actor: Actor, name: str) -> CampaignReport:
        """Raises NotFoundError naming the nearest campaign."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            prospects = await uow.reports.prospects(campaign.id)
            stages = await uow.reports.stage_counts(campaign.id)
        replied = sum(1 for row in prospects if row.status is ProspectStatus.REPLIED)
        return CampaignReport(campaign, prospects, stages, len(prospects), replied)

    async def enroll(self, actor: Actor, name: str, emails: Iterable[str]) -> EnrollResult:
        """``Enrolling.enroll``: each once; whoever must not be written to is left out, with the reason."""
        return await self._enrolling.enroll(actor, name, emails)

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
        """``Enrolling.move``: into another campaign, finished in this one with the progress kept."""
        return await self._enrolling.move(
            actor, from_name, to_name, statuses=statuses, enrollment_ids=enrollment_ids, progressed=progressed
        )

    async def start(self, actor: Actor, name: str) -> Campaign:
        """Raises RefusedError where it runs already or has nobody's mailbox to send from."""
        return await self._life.move(actor, name, CampaignEvent.START)

    async def pause(self, actor: Actor, name: str) -> Campaign:
        return await self._life.move(actor, name, CampaignEvent.PAUSE)

    async def stop(self, actor: Actor, name: str) -> Campaign:
        """Final: what waits is cancelled."""
        return await self._life.move(actor, name, CampaignEvent.STOP)

    async def archive(self, actor: Actor, name: str) -> Campaign:
        return await self._life.move(actor, name, CampaignEvent.ARCHIVE)

    async def email_log(
        self, actor: Actor, campaign: str | None = None, state: str | None = None
    ) -> Sequence[EmailLogRow]:
        """Newest first (R163); ``EmailLog.page`` gives pages and more filters."""
        return await self._log.newest(actor, campaign, state)

    async def cancel_delivery(self, actor: Actor, delivery_id: str) -> Delivery:
        """``EmailLog.cancel``: cancelled, or refused because it is out or on its way."""
        return await self._log.cancel(actor, delivery_id)


def _owner(actor: Actor) -> str | None:
    return actor.user if actor.user.startswith(("U", "W")) else None


def _copy_name(name: str, taken: Collection[str]) -> str:
    """“NAME (copy)”, or with a number where that is taken; cut so that it stays a name."""
    for number in range(1, _MOST_COPIES):
        mark = " (copy)" if number == 1 else f" (copy {number})"
        title = f"{name[: 150 - len(mark)]}{mark}"
        if title.casefold() not in taken:
            return title
    raise RefusedError("There are too many copies of it already.", reason="campaign_exists", fix="Give it a name.")
