"""Commands about campaigns, prospects, the Email Log and the do-not-contact list, and how their arguments are read."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.cli.command_error import UsageError
from bot.cli.grammar import Argument, Command, arg
from bot.cli.source import Source
from core.errors import InputError

_MOST_ATTACHED: Final = 10_000_000
_NAME: Final = arg("name", help="the campaign's name")
_EMAIL: Final = arg("email", help="any address of the person")
_STAGE: Final = arg("stage", type=int, metavar="N", help="the stage's number")
_SORTS: Final = ("created", "status", "name", "prospects", "stages")
_ACTIONS: Final = ("retry", "finish", "undo", "pause", "unpause", "skip", "remove")
_ANYWAY: Final = arg("--anyway", action="store_true", help="also where it bounced or was taken for spam before")
_STATUS_HELP: Final = "as shown, such as Active or “Not Delivered”"
_WHICH: Final = (
    arg("--status", action="extend", nargs="+", default=[], metavar="S", help=_STATUS_HELP),
    arg("--reason", default="", metavar="R", help="a reason code"),
    arg("--stage", type=int, metavar="N"),
    arg("--text", default="", metavar="T", help="part of a name or an address"),
)
_PAGE: Final = (arg("--page", type=int, default=1, metavar="N"), arg("--size", type=int, default=500, metavar="N"))
_FIELDS: Final = (
    arg("--set", action="append", default=[], metavar="FIELD=VALUE", help="as in the campaign file; empty takes away"),
    arg("--body-file", metavar="F", help="the mail's text"),
)


def _campaign_file(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    """The files that its stages name are read beside it: plain files only, and none outside of that folder."""
    from core.domain.campaign_file import read  # takes longer than most commands

    text = source.text(args["file"])
    draft, _ = read(text)  # its faults are told by whoever imports it
    folder = Path(args["file"]).parent
    files = {name: _attachment(folder, name) for name in draft.attachments} if draft else {}
    encoded = {name: base64.b64encode(raw).decode("ascii") for name, raw in files.items()}
    return {"yaml": text, **({"files": encoded} if encoded else {})}


def _attachment(folder: Path, name: str) -> bytes:
    """Opened once, then looked at: what is checked is what is read."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder / name), field="attachments") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise InputError("is not a plain file", where=str(folder / name), field="attachments")
        if facts.st_size > _MOST_ATTACHED:
            raise InputError("is larger than 10 MB", where=str(folder / name), fix="Shrink it, or send a link.")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(_MOST_ATTACHED)
    finally:
        os.close(descriptor)


def _enrolled(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    people = args["people"]
    return {
        "name": args["name"],
        "csv": base64.b64encode(source.file(people)).decode("ascii") if people else None,
        "emails": args["email"] or [],
    }


def _fields(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    """What --set gives, in the campaign file's types."""
    fields: dict[str, Any] = {}
    for given in args["set"]:
        name, equals, value = given.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{given[:60]!r} is not FIELD=VALUE")
        fields[name.strip()] = _typed(name.strip(), value.strip())
    if args.get("body_file"):
        fields["body"] = source.text(args["body_file"])
    if not fields:
        raise UsageError("give at least one --set FIELD=VALUE")
    return {"name": args["name"], **({"stage": args["stage"]} if "stage" in args else {}), "fields": fields}


def _typed(name: str, value: str) -> Any:
    if name in ("required", "shared"):
        return value.lower() in ("true", "yes", "on")
    if name in ("attachments", "email_priority") or (name in ("from", "holidays") and "," in value):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _block_file(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    return {"list": base64.b64encode(source.file(args["file"])).decode("ascii")}


def _export(args: dict[str, Any], _: Source) -> Mapping[str, Any]:
    return {"name": args["name"], "files": bool(args["files"]), "into": args["files"]}


def _report(args: dict[str, Any], _: Source) -> Mapping[str, Any]:
    return {"name": args["name"], "pictures": bool(args["pictures"]), "into": args["pictures"]}


def _on_campaign(verb: str, help_text: str, *more: Argument) -> Command:
    return Command(f"campaign {verb}", help_text, (_NAME, *more))


def _on_prospect(verb: str, help_text: str, *more: Argument) -> Command:
    return Command(f"prospect {verb}", help_text, (_NAME, _EMAIL, *more))


_CAMPAIGN_COMMANDS: Final = (
    Command(
        "campaign import",
        "a new draft from a campaign file, with the files that it attaches, read beside it",
        (arg("file", metavar="F.yml"),),
        _campaign_file,
    ),
    Command(
        "campaign export",
        "the campaign's file",
        (_NAME, arg("--files", metavar="DIR", help="write what it attaches into this folder")),
        _export,
    ),
    Command(
        "campaign enroll",
        "put people into a campaign; those of a file that are not known yet are imported first",
        (
            _NAME,
            arg("--people", metavar="F.csv", help="a people file: everybody in it, imported first where needed"),
            arg("--email", action="extend", nargs="+", metavar="E", help="addresses of people who are known already"),
        ),
        _enrolled,
    ),
    Command(
        "campaign list",
        "every campaign with its figures, or those that match",
        (
            arg("--owner", action="extend", nargs="+", default=[], metavar="U…", help="Slack user ids"),
            arg("--status", action="extend", nargs="+", default=[], metavar="S"),
            arg("--shared", choices=("yes", "no")),
            arg("--job", default="", metavar="J", help="part of the job"),
            arg("--job-stage", default="", metavar="J", help="part of the job stage"),
            arg("--sort", choices=_SORTS, help="left out: as they were made"),
            arg("--reverse", action="store_true"),
        ),
    ),
    _on_campaign("start", "start or go on"),
    _on_campaign("pause", "send nothing until started again"),
    _on_campaign("stop", "end it: what waits is cancelled"),
    _on_campaign("archive", "put a finished campaign away"),
    _on_campaign("status", "its prospects and figures"),
    _on_campaign("preflight", "what would fail or wait, and how many mails go each day"),
    Command(
        "campaign report",
        "opens, clicks, downloads, replies: the whole and by stage, and why people failed",
        (
            arg("name", nargs="?", help="the campaign's name; left out: all campaigns as one"),
            arg("--pictures", metavar="DIR", help="write a funnel and a timeline as PNG into this folder"),
        ),
        _report,
    ),
    _on_campaign(
        "duplicate",
        "a new draft with the same stages and files, without people",
        arg("--as", dest="new_name", metavar="NEW", help="left out: NAME (copy)"),
    ),
    Command(
        "campaign move",
        "people into another campaign; in the first they are finished and keep their progress",
        (
            arg("from", metavar="FROM"),
            arg("to", metavar="TO"),
            arg("--status", action="extend", nargs="+", default=[], metavar="S", help=f"only those, {_STATUS_HELP}"),
        ),
    ),
    Command("campaign set", "change a campaign's owner, shared, job, job_stage …", (_NAME, _FIELDS[0]), _fields),
    Command(
        "campaign stage change",
        "change a stage for everybody who has not got it yet",
        (_NAME, _STAGE, *_FIELDS),
        _fields,
    ),
    Command("campaign stage add", "one more stage at the end", (_NAME, *_FIELDS), _fields),
    Command(
        "campaign stage delete",
        "delete a stage; refused while people are at it",
        (_NAME, _STAGE, arg("--skip", action="store_true", help="skip those who are at it first")),
    ),
)
_PROSPECT_COMMANDS: Final = (
    Command(
        "prospect list",
        "a page of a campaign's prospects",
        (
            _NAME,
            *_WHICH,
            arg("--sort", choices=("added", "name", "status", "next")),
            arg("--reverse", action="store_true"),
            *_PAGE,
        ),
    ),
    Command("prospect export", "a campaign's prospects as CSV", (_NAME, *_WHICH)),
    Command(
        "prospect bulk",
        "one action on all prospects that match",
        (arg("action", choices=_ACTIONS), _NAME, *_WHICH, _ANYWAY),
    ),
    _on_prospect("ledger", "what changed this prospect, by whom, on what evidence"),
    _on_prospect("pause", "send nothing to this person for now"),
    _on_prospect("unpause", "go on with this person"),
    _on_prospect("skip", "leave the current stage out"),
    _on_prospect("finish", "end the campaign for this person"),
    _on_prospect("undo", "undo finish, for a moment after it"),
    _on_prospect("remove", "take this person out of the campaign, with the progress"),
    _on_prospect(
        "retry",
        "the failed stage again",
        arg("--bypass-validation", action="store_true", help="also where the address was judged undeliverable"),
    ),
    _on_prospect("called", "this person called: pause, and say so"),
    _on_prospect("texted", "this person texted: pause, and say so"),
    _on_prospect("booked", "this person booked a meeting: pause, and say so"),
    Command(
        "retry",
        "every failed stage of a campaign again",
        (_NAME, arg("--reason", metavar="R", help="only those that failed for this reason code")),
    ),
)
_LOG_COMMANDS: Final = (
    Command(
        "email-log",
        "what was, is being and will be sent, newest first",
        (
            arg("--campaign", metavar="N"),
            arg("--status", metavar="S", help="as shown, such as Sent or Waiting"),
            arg("--person", default="", metavar="T", help="part of a name or an address"),
            *_PAGE,
        ),
    ),
    Command("email-log cancel", "cancel a send that waits", (arg("id", metavar="ID"),)),
    Command("email-log retry", "try once more, whatever validation says of the address", (arg("id", metavar="ID"),)),
    Command(
        "block add",
        "never write to these addresses or @domains; what runs for them ends",
        (
            arg("address", nargs="+", metavar="ADDRESS"),
            arg("--note", default="", metavar="WHY"),
        ),
    ),
    Command("block remove", "take an address or @domain off the do-not-contact list", (arg("address"),)),
    Command(
        "block list", "the do-not-contact list, newest first", (arg("--limit", type=int, default=500, metavar="N"),)
    ),
    Command(
        "block import",
        "put a file's addresses and @domains, one a line, on the do-not-contact list",
        (arg("file", metavar="F"),),
        _block_file,
    ),
)
_USER: Final = arg("user", metavar="U…", help="Slack user id of the recruiter")
_HOLD_COMMANDS: Final = (
    Command(
        "stop-everything",
        "nothing goes out of the workspace until resume-everything",
        (arg("--note", default="", metavar="WHY"),),
    ),
    Command("resume-everything", "let it go on after stop-everything"),
    Command(
        "away",
        "the follow-ups of a recruiter's mailboxes wait",
        (_USER, arg("--until", metavar="DAY", help="day of return, such as 2026-12-24; left out: until back")),
    ),
    Command("back", "the follow-ups of a recruiter's mailboxes go on", (_USER,)),
    Command("left", "what is left of today's limits"),
)
OUTREACH_COMMANDS: Final[Sequence[Command]] = (
    *_CAMPAIGN_COMMANDS,
    *_PROSPECT_COMMANDS,
    *_LOG_COMMANDS,
    *_HOLD_COMMANDS,
)
