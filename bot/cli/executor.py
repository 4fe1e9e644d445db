"""Carries a request out: the one use case behind each command, in the shapes that scripts rely on.

The same code answers whether the command came over the control channel or found the database free.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bot.cli import shapes
from bot.cli.command_error import CommandError, UsageError
from bot.cli.grammar import Request
from bot.cli.hold_handlers import HOLDS
from bot.cli.outreach_handlers import OUTREACH
from bot.cli.report_handler import REPORTS
from bot.cli.services import Args, Handler, Result, Services
from core.domain.account import Mailbox
from core.domain.actor import Actor, operator
from core.errors import NotFoundError, RefusedError
from core.ports.mail import Endpoint, Tls
from core.services.connecting import ConnectRequest
from core.services.mailboxes import MailboxService

__all__ = ["HANDLERS", "Args", "Result", "Services", "answer", "execute"]


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
    **OUTREACH,
    **HOLDS,
    **REPORTS,
    "settings show": _settings_show,
    "settings set": _settings_set,
}
