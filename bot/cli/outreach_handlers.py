"""Campaigns, prospects, the Email Log and the do-not-contact list: the use case behind each command."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.cli import shapes
from bot.cli.command_error import UsageError
from bot.cli.services import Args, Handler, Result, Services
from core.domain.actor import Actor
from core.domain.campaign import Campaign
from core.domain.campaign_query import CampaignQuery, CampaignSort, campaign_statuses
from core.domain.delivery import SHOWN
from core.domain.enrollment import ProspectEvent
from core.domain.people_file import read as read_people
from core.domain.prospect_query import LogQuery, Page, ProspectQuery, ProspectSort, log_states, prospect_statuses
from core.errors import RefusedError
from core.services.bulk_actions import Selection
from core.services.campaign_files import attached, warnings_of
from core.services.campaigns import CampaignService, Skipped
from core.services.outcomes import AlsoIn

MOST_PROSPECTS: Final = 100_000
"""Scripts get all prospects of a campaign, not a page of them."""
BULK_VERBS: Final = {
    "retry": ProspectEvent.RETRY,
    "finish": ProspectEvent.FINISH,
    "undo": ProspectEvent.UNDO_FINISH,
    "pause": ProspectEvent.PAUSE,
    "unpause": ProspectEvent.UNPAUSE,
    "skip": ProspectEvent.SKIP,
    "remove": ProspectEvent.REMOVE,
}


async def _import(services: Services, actor: Actor, args: Args) -> Result:
    files = {name: base64.b64decode(content) for name, content in (args.get("files") or {}).items()}
    campaign = await services.campaigns.import_file(actor, args["yaml"], files)
    warnings = warnings_of({name: len(content) for name, content in files.items()})
    missing = [name for name in attached(campaign) if name not in files]
    warnings += [f"{name} was not given: mails of its stages fail until it is." for name in missing]
    return {**shapes.campaign(campaign), **({"warnings": warnings} if warnings else {})}


async def _export(services: Services, actor: Actor, args: Args) -> Result:
    result: dict[str, Any] = {"name": args["name"], "file": await services.campaigns.export(actor, args["name"])}
    if args["files"]:
        files = await services.campaigns.export_files(actor, args["name"])
        result["files"] = {file.name: base64.b64encode(file.content).decode("ascii") for file in files}
    return result


async def _enroll(services: Services, actor: Actor, args: Args) -> Result:
    emails, left_out = list[str](args["emails"]), list[Skipped]()
    if args["csv"]:
        from_file, left_out = await _import_first(services, actor, base64.b64decode(args["csv"]))
        emails += from_file
    elif not emails:
        raise UsageError("give --people F.csv or --email E")
    result = await services.campaigns.enroll(actor, args["name"], emails)
    skipped = shapes.skipped([*left_out, *result.skipped])
    return {"enrolled": result.enrolled, "skipped": skipped, **_elsewhere(result.also_in)}


def _elsewhere(people: list[AlsoIn]) -> dict[str, Any]:
    return {"also_in": shapes.also_in(people)} if people else {}


async def _import_first(services: Services, actor: Actor, raw: bytes) -> tuple[list[str], list[Skipped]]:
    """The addresses of a people file's good rows, everybody imported; and the rows that are left out."""
    rows, _ = read_people(raw, now=services.clock.now())
    result = await services.people.import_csv(actor, raw)
    addresses = {row.line: next((a for a in row.addresses if a.primary), row.addresses[0]).address for row in rows}
    left_out = [
        Skipped(addresses.pop(one.line, f"line {one.line}"), f"line {one.line}: {one.reason}")
        for one in result.rejected
    ]
    return list(addresses.values()), left_out


async def _preflight(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.launch(await services.launch.preflight(actor, args["name"]))


async def _list(services: Services, actor: Actor, args: Args) -> Result:
    query = CampaignQuery(
        owners=tuple(args["owner"]),
        statuses=campaign_statuses(args["status"]),
        shared=None if args["shared"] is None else args["shared"] == "yes",
        job=args["job"],
        job_stage=args["job_stage"],
        sort=CampaignSort(args["sort"]) if args["sort"] else None,
        reverse=args["reverse"],
    )
    return [shapes.campaign_line(line) for line in await services.campaigns.list(actor, query)]


def _campaign(choose: Callable[[CampaignService], Callable[[Actor, str], Awaitable[Campaign]]]) -> Handler:
    async def handle(services: Services, actor: Actor, args: Args) -> Result:
        return shapes.campaign(await choose(services.campaigns)(actor, args["name"]))

    return handle


async def _status(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign_page(await services.metrics.status(actor, args["name"], limit=MOST_PROSPECTS))


async def _duplicate(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign(await services.campaigns.duplicate(actor, args["name"], args["new_name"]))


async def _move(services: Services, actor: Actor, args: Args) -> Result:
    result = await services.campaigns.move(actor, args["from"], args["to"], statuses=prospect_statuses(args["status"]))
    return {"moved": result.moved, "skipped": shapes.skipped(result.skipped), **_elsewhere(result.also_in)}


async def _set(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign(await services.edits.change_details(actor, args["name"], args["fields"]))


async def _stage_change(services: Services, actor: Actor, args: Args) -> Result:
    changed = await services.edits.change_stage(actor, args["name"], args["stage"], args["fields"])
    return shapes.campaign(changed)


async def _stage_add(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign(await services.edits.add_stage(actor, args["name"], args["fields"]))


async def _stage_delete(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign(await services.edits.delete_stage(actor, args["name"], args["stage"], skip=args["skip"]))


def _prospect(event: ProspectEvent) -> Handler:
    async def handle(services: Services, actor: Actor, args: Args) -> Result:
        wanted = ProspectEvent.RETRY_BYPASS if args.get("bypass_validation") else event
        warning = ""
        try:
            after = await services.prospects.act(actor, wanted, args["name"], args["email"])
        except RefusedError as refused:
            if refused.reason != "retry_warning":
                raise
            # A typed command is a decision: it is done, and the warning told.
            warning = refused.message
            after = await services.prospects.act(actor, wanted, args["name"], args["email"], confirmed=True)
        status = "Removed" if event is ProspectEvent.REMOVE else after.status.value
        said = {"campaign": args["name"], "email": args["email"], "status": status, "stage": after.stage}
        return {**said, **({"warning": warning} if warning else {})}

    return handle


async def _ledger(services: Services, actor: Actor, args: Args) -> Result:
    return [shapes.ledger_line(line) for line in await services.prospects.ledger(actor, args["name"], args["email"])]


def _query(args: Args, page: Page) -> ProspectQuery:
    return ProspectQuery(
        statuses=prospect_statuses(args["status"]),
        reason=args["reason"] or "",
        stage=args["stage"],
        text=args["text"],
        sort=ProspectSort(args.get("sort") or "added"),
        reverse=bool(args.get("reverse")),
        page=page,
    )


async def _prospects(services: Services, actor: Actor, args: Args) -> Result:
    page = await services.campaigns.prospects(actor, args["name"], _query(args, Page(args["page"], args["size"])))
    return {"total": page.total, "page": args["page"], "prospects": [shapes.prospect(row) for row in page.rows]}


async def _prospects_csv(services: Services, actor: Actor, args: Args) -> Result:
    chosen = Selection(args["name"], query=_query(args, Page()))
    return {"name": args["name"], "file": await services.bulk.export(actor, chosen)}


async def _bulk(services: Services, actor: Actor, args: Args) -> Result:
    chosen, event = Selection(args["name"], query=_query(args, Page())), BULK_VERBS[args["action"]]
    result = await services.bulk.act(actor, event, chosen, confirmed=args["anyway"])
    return {"done": result.done, "refused": shapes.skipped(result.refused)}


async def _retry_all(services: Services, actor: Actor, args: Args) -> Result:
    result = await services.prospects.retry_all(actor, args["name"], why=args["reason"], confirmed=True)
    return {"retried": result.retried, "refused": shapes.skipped(result.refused)}


async def _email_log(services: Services, actor: Actor, args: Args) -> Result:
    query = LogQuery(
        campaign=args["campaign"] or "",
        states=log_states(args["status"] or ""),
        person=args["person"],
        page=Page(args["page"], args["size"]),
    )
    return [shapes.log_line(line) for line in (await services.email_log.page(actor, query)).rows]


async def _cancel(services: Services, actor: Actor, args: Args) -> Result:
    delivery = await services.email_log.cancel(actor, args["id"])
    return {"id": delivery.id, "status": SHOWN[delivery.state], "reason": shapes.reason(delivery.reason)}


async def _log_retry(services: Services, actor: Actor, args: Args) -> Result:
    after = await services.email_log.retry(actor, args["id"])
    return {"id": args["id"], "status": after.status.value, "stage": after.stage}


async def _block_add(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.blocked(await services.blocks.add(actor, args["address"], note=args["note"]))


async def _block_import(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.blocked(await services.blocks.import_text(actor, base64.b64decode(args["list"])))


async def _block_remove(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.block(await services.blocks.remove(actor, args["address"]))


async def _block_list(services: Services, actor: Actor, args: Args) -> Result:
    listed = await services.blocks.list(actor, limit=args["limit"])
    return {"total": listed.total, "entries": [shapes.block(one) for one in listed.entries]}


OUTREACH: Final[dict[str, Handler]] = {
    "campaign import": _import,
    "campaign export": _export,
    "campaign enroll": _enroll,
    "campaign list": _list,
    "campaign start": _campaign(lambda service: service.start),
    "campaign pause": _campaign(lambda service: service.pause),
    "campaign stop": _campaign(lambda service: service.stop),
    "campaign archive": _campaign(lambda service: service.archive),
    "campaign status": _status,
    "campaign preflight": _preflight,
    "campaign duplicate": _duplicate,
    "campaign move": _move,
    "campaign set": _set,
    "campaign stage change": _stage_change,
    "campaign stage add": _stage_add,
    "campaign stage delete": _stage_delete,
    "prospect list": _prospects,
    "prospect export": _prospects_csv,
    "prospect bulk": _bulk,
    "prospect ledger": _ledger,
    "prospect pause": _prospect(ProspectEvent.PAUSE),
    "prospect unpause": _prospect(ProspectEvent.UNPAUSE),
    "prospect skip": _prospect(ProspectEvent.SKIP),
    "prospect finish": _prospect(ProspectEvent.FINISH),
    "prospect undo": _prospect(ProspectEvent.UNDO_FINISH),
    "prospect remove": _prospect(ProspectEvent.REMOVE),
    "prospect retry": _prospect(ProspectEvent.RETRY),
    "prospect called": _prospect(ProspectEvent.THEY_CALLED),
    "prospect texted": _prospect(ProspectEvent.THEY_TEXTED),
    "prospect booked": _prospect(ProspectEvent.THEY_BOOKED),
    "retry": _retry_all,
    "email-log": _email_log,
    "email-log cancel": _cancel,
    "email-log retry": _log_retry,
    "block add": _block_add,
    "block remove": _block_remove,
    "block list": _block_list,
    "block import": _block_import,
}
