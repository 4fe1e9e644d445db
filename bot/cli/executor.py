"""Carries a request out: the one use case behind each command, in the shapes that scripts rely on.

The same code answers whether the command came over the control channel or found the database free.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.cli import shapes
from bot.cli.command_error import CommandError, UsageError
from bot.cli.grammar import Request
from core.domain.account import Mailbox
from core.domain.actor import Actor, operator
from core.domain.campaign import Campaign
from core.domain.delivery import SHOWN
from core.domain.enrollment import ProspectEvent
from core.domain.people_file import read as read_people
from core.errors import NotFoundError, RefusedError
from core.ports.clock import Clock
from core.ports.mail import Endpoint, Tls
from core.services.campaigns import CampaignService, Skipped
from core.services.care import MailboxCare
from core.services.connecting import ConnectRequest, ConnectService
from core.services.deliverability import DeliverabilityService
from core.services.mailboxes import MailboxService
from core.services.metrics import MetricsService
from core.services.people import PeopleService
from core.services.prospects import ProspectService
from core.services.readings import ReadingService
from core.services.seats import SeatService
from core.services.settings import SettingService

MOST_PROSPECTS: Final = 100_000
"""Scripts get all prospects of a campaign, not a page of them."""
Result = dict[str, Any] | list[dict[str, Any]]
Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Services:
    """What commands need. ``workspaces`` lists the ids there are; ``backup`` copies the database into a new file and
    raises a StorageError or RefusedError where it cannot."""

    mailboxes: MailboxService
    connecting: ConnectService
    people: PeopleService
    campaigns: CampaignService
    prospects: ProspectService
    settings: SettingService
    domains: DeliverabilityService
    readings: ReadingService
    seats: SeatService
    care: MailboxCare
    metrics: MetricsService
    clock: Clock
    workspaces: Callable[[], Awaitable[list[str]]]
    backup: Callable[[Path], Awaitable[None]]


Handler = Callable[[Services, Actor, Args], Awaitable[Result]]


async def answer(services: Services, request: Request, workspace: str | None) -> Result:
    """Carries out a request as the operator of ``workspace``, of the only one where None is given.

    Raises what ``execute`` raises, UsageError where it is not clear which workspace is meant.
    """
    if request.verb == "backup":
        return await _backup(services, request.args)
    known = await services.workspaces()
    if workspace is None and len(known) > 1:
        raise UsageError("there is more than one workspace", fix=f"Add --workspace with one of {', '.join(known)}.")
    if workspace is not None and workspace not in known:
        raise NotFoundError(f"There is no workspace {workspace[:40]}.", fix=f"There are: {', '.join(known) or 'none'}.")
    if not known:
        raise RefusedError(
            "No Slack workspace is known here yet.",
            reason="no_workspace",
            fix="Start Rethread once (serve): it learns the workspace from the Slack token.",
        )
    return await execute(services, operator(workspace or known[0]), request)


async def execute(services: Services, actor: Actor, request: Request) -> Result:
    """Raises RethreadError kinds; UsageError for a verb that is not carried out here."""
    handler = HANDLERS.get(request.verb)
    if handler is None:
        raise UsageError(f"there is no command {request.verb[:60]!r}")
    return await handler(services, actor, request.args)


async def _backup(services: Services, args: Args) -> Result:
    target = Path(args["file"])
    await services.backup(target)
    return {"file": str(target)}


async def _mailbox_add(services: Services, actor: Actor, args: Args) -> Result:
    request = ConnectRequest(
        address=args["address"],
        username=args["username"],
        password=args["password"],
        imap=_endpoint(args["imap"]),
        smtp=_endpoint(args["smtp"]),
        owner=args["owner"],
        display_name=args["display_name"],
        send=args["send"],
        capture=args["capture"],
    )
    return (await _shown(services, actor, [await services.connecting.connect(actor, request)]))[0]


def _endpoint(given: Args) -> Endpoint:
    return Endpoint(given["host"], given["port"], Tls(given["tls"]))


async def _shown(services: Services, actor: Actor, mailboxes: Sequence[Mailbox]) -> list[dict[str, Any]]:
    readings, seats = await services.readings.of(actor, mailboxes), await services.seats.of(actor)
    return [shapes.mailbox(one, readings[one.id], seats) for one in mailboxes]


async def _mailbox_list(services: Services, actor: Actor, _: Args) -> Result:
    return await _shown(services, actor, await services.mailboxes.list(actor))


async def _mailbox_show(services: Services, actor: Actor, args: Args) -> Result:
    return await _shown(services, actor, [await services.mailboxes.find(actor, args["address"])])


async def _mailbox_switch(services: Services, actor: Actor, args: Args) -> Result:
    found = await services.mailboxes.find(actor, args["address"])
    changed = await services.mailboxes.set_switches(actor, found.id, send=args["send"], capture=args["capture"])
    return (await _shown(services, actor, [changed]))[0]


async def _mailbox_test(services: Services, actor: Actor, args: Args) -> Result:
    """A mail that did not go is a command that failed."""
    found = await services.mailboxes.find(actor, args["address"])
    result = await services.care.send_test(actor, found.id, args["to"])
    if not result.sent:
        cause = result.diagnosis.cause if result.diagnosis else "unknown"
        facts = {"to": result.to, "cause": cause, "server_said": result.raw}
        raise CommandError(
            "test_failed", f"The test mail to {result.to} did not go: {result.title}.", result.fix, facts
        )
    return shapes.trial(result)


async def _mailbox_escalate(services: Services, actor: Actor, args: Args) -> Result:
    found = await services.mailboxes.find(actor, args["address"])
    pack = await services.care.escalate_mailbox(actor, found.id)
    return {"text": pack.text, "facts": dict(pack.facts)}


async def _mailbox_log(services: Services, actor: Actor, args: Args) -> Result:
    found = await services.mailboxes.find(actor, args["address"])
    return shapes.sync_log(await services.mailboxes.log(actor, found.id, args["limit"]))


async def _mailbox_check(services: Services, actor: Actor, args: Args) -> Result:
    found = await services.mailboxes.find(actor, args["address"])
    report = await services.domains.check_domain(found.address, args["selector"], connected=found.provider)
    return {"address": found.address, **shapes.domain_report(report)}


def _mailbox(choose: Callable[[MailboxService], Callable[[Actor, str], Awaitable[Mailbox]]]) -> Handler:
    async def handle(services: Services, actor: Actor, args: Args) -> Result:
        found = await services.mailboxes.find(actor, args["address"])
        changed = await choose(services.mailboxes)(actor, found.id)
        return (await _shown(services, actor, [changed]))[0]

    return handle


async def _people_import(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.imported(await services.people.import_csv(actor, base64.b64decode(args["csv"])))


async def _people_show(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.person(await services.people.show(actor, args["email"]))


async def _address_add(services: Services, actor: Actor, args: Args) -> Result:
    added = await services.people.add_address(actor, args["email"], args["address"], args["type"])
    return {**shapes.profile(added.person), "old_mail": [added.old_mail]}


async def _address_remove(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.profile(await services.people.remove_address(actor, args["email"], args["address"]))


async def _campaign_import(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign(await services.campaigns.import_file(actor, args["yaml"]))


async def _campaign_export(services: Services, actor: Actor, args: Args) -> Result:
    return {"name": args["name"], "file": await services.campaigns.export(actor, args["name"])}


async def _campaign_enroll(services: Services, actor: Actor, args: Args) -> Result:
    emails, left_out = list[str](args["emails"]), list[Skipped]()
    if args["csv"]:
        from_file, left_out = await _import_first(services, actor, base64.b64decode(args["csv"]))
        emails += from_file
    elif not emails:
        raise UsageError("give --people F.csv or --email E")
    result = await services.campaigns.enroll(actor, args["name"], emails)
    return {"enrolled": result.enrolled, "skipped": shapes.skipped([*left_out, *result.skipped])}


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


async def _campaign_list(services: Services, actor: Actor, _: Args) -> Result:
    return [shapes.campaign_line(line) for line in await services.campaigns.list(actor)]


def _campaign(choose: Callable[[CampaignService], Callable[[Actor, str], Awaitable[Campaign]]]) -> Handler:
    async def handle(services: Services, actor: Actor, args: Args) -> Result:
        return shapes.campaign(await choose(services.campaigns)(actor, args["name"]))

    return handle


async def _campaign_status(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.campaign_page(await services.metrics.status(actor, args["name"], limit=MOST_PROSPECTS))


def _prospect(event: ProspectEvent) -> Handler:
    async def handle(services: Services, actor: Actor, args: Args) -> Result:
        wanted = ProspectEvent.RETRY_BYPASS if args.get("bypass_validation") else event
        after = await services.prospects.act(actor, wanted, args["name"], args["email"])
        status = "Removed" if event is ProspectEvent.REMOVE else after.status.value
        return {"campaign": args["name"], "email": args["email"], "status": status, "stage": after.stage}

    return handle


async def _retry_all(services: Services, actor: Actor, args: Args) -> Result:
    result = await services.prospects.retry_all(actor, args["name"], why=args["reason"])
    return {"retried": result.retried, "refused": shapes.skipped(result.refused)}


async def _email_log(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.email_log(await services.campaigns.email_log(actor, args["campaign"], args["status"]))


async def _cancel(services: Services, actor: Actor, args: Args) -> Result:
    delivery = await services.campaigns.cancel_delivery(actor, args["id"])
    return {"id": delivery.id, "status": SHOWN[delivery.state], "reason": shapes.reason(delivery.reason)}


async def _settings_show(services: Services, actor: Actor, _: Args) -> Result:
    return [shapes.setting(line) for line in await services.settings.show(actor)]


async def _settings_set(services: Services, actor: Actor, args: Args) -> Result:
    return shapes.setting(await services.settings.set(actor, args["key"], args["value"]))


HANDLERS: Final[dict[str, Handler]] = {
    "mailbox add": _mailbox_add,
    "mailbox list": _mailbox_list,
    "mailbox show": _mailbox_show,
    "mailbox log": _mailbox_log,
    "mailbox check": _mailbox_check,
    "mailbox switch": _mailbox_switch,
    "mailbox test": _mailbox_test,
    "mailbox escalate": _mailbox_escalate,
    "mailbox resync": _mailbox(lambda service: service.request_resync),
    "mailbox refresh": _mailbox(lambda service: service.refresh),
    "mailbox pause": _mailbox(lambda service: service.pause),
    "mailbox resume": _mailbox(lambda service: service.resume),
    "mailbox remove": _mailbox(lambda service: service.disconnect),
    "people import": _people_import,
    "people show": _people_show,
    "people address add": _address_add,
    "people address remove": _address_remove,
    "campaign import": _campaign_import,
    "campaign export": _campaign_export,
    "campaign enroll": _campaign_enroll,
    "campaign list": _campaign_list,
    "campaign start": _campaign(lambda service: service.start),
    "campaign pause": _campaign(lambda service: service.pause),
    "campaign stop": _campaign(lambda service: service.stop),
    "campaign archive": _campaign(lambda service: service.archive),
    "campaign status": _campaign_status,
    "prospect pause": _prospect(ProspectEvent.PAUSE),
    "prospect unpause": _prospect(ProspectEvent.UNPAUSE),
    "prospect skip": _prospect(ProspectEvent.SKIP),
    "prospect finish": _prospect(ProspectEvent.FINISH),
    "prospect remove": _prospect(ProspectEvent.REMOVE),
    "prospect retry": _prospect(ProspectEvent.RETRY),
    "retry": _retry_all,
    "email-log": _email_log,
    "email-log cancel": _cancel,
    "settings show": _settings_show,
    "settings set": _settings_set,
}
