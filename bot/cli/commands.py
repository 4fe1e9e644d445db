"""Every command of the operator's terminal, and how its arguments become a request."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.cli.command_error import UsageError
from bot.cli.grammar import Argument, Command, Invocation, Place, Prepare, arg, host_and_port, understand
from bot.cli.outreach_commands import OUTREACH_COMMANDS
from bot.cli.source import Source

LAYERS: Final = ("imap", "smtp", "oauth", "tls", "dns", "socket")
_ON_OFF: Final = {"on": True, "off": False}
_ROLES: Final = ("all", "bot", "engine")
_ADDRESS_TYPES: Final = ("personal", "work", "other")
_ADDRESS: Final = arg("address", help="the mailbox's address")
_EMAIL: Final = arg("email", help="any address of the person")


def parse(argv: Sequence[str], source: Source) -> Invocation:
    """Raises UsageError, InputError; ``--help`` prints and raises SystemExit."""
    return understand(COMMANDS, argv, source)


def _add_mailbox(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    args.pop("password_stdin")
    imap_tls, smtp_tls = args.pop("imap_tls"), args.pop("smtp_tls")
    smtp_tls = smtp_tls or ("starttls" if args["smtp"]["port"] == 587 else "ssl")
    return {
        **args,
        "username": args["username"] or args["address"],
        "password": source.password(),
        "imap": {**args["imap"], "tls": imap_tls},
        "smtp": {**args["smtp"], "tls": smtp_tls},
    }


def _switched(args: dict[str, Any], _: Source) -> Mapping[str, Any]:
    if args["send"] is None and args["capture"] is None:
        raise UsageError("give --send, --capture or both", fix="Each is on or off.")
    return {name: _ON_OFF.get(value, value) for name, value in args.items()}


def _people_file(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    return {"csv": _as_text(source.file(args["file"]))}


def _classified(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    # "--own A B F.eml" is written as readily as "F.eml --own A B": an address has an @, the rest are files.
    files = [*args["files"], *(one for one in args["own"] if "@" not in one)]
    if args["smtp"] and not files:
        return {"lines": source.lines()}
    if args["smtp"] or not files:
        raise UsageError("give the mails' files, or --smtp with one answer a line on standard input")
    return {"files": files, "own": [one for one in args["own"] if "@" in one]}


def _diagnosed(args: dict[str, Any], source: Source) -> Mapping[str, Any]:
    return {**args, "lines": source.lines()}


def _backup_target(args: dict[str, Any], _: Source) -> Mapping[str, Any]:
    # The server may have another working directory.
    return {"file": str(Path(args["file"]).absolute())}


def _as_text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


_SELECTOR: Final = arg(
    "--selector", action="extend", nargs="+", default=[], metavar="S", help="DKIM selectors; left out: the usual ones"
)
_TLS_HELP: Final = "none only where private mail hosts are allowed"
_MAILBOX_ADD: Final = (
    arg("--address", required=True, metavar="A"),
    arg("--owner", required=True, metavar="U…", help="Slack user id of the person whose mailbox it is"),
    arg("--display-name", default="", metavar="NAME", help="the name recipients see"),
    arg("--imap", required=True, type=host_and_port, metavar="HOST:PORT"),
    arg("--imap-tls", choices=("ssl", "none"), default="ssl", help=_TLS_HELP),
    arg("--smtp", required=True, type=host_and_port, metavar="HOST:PORT"),
    arg("--smtp-tls", choices=("ssl", "starttls", "none"), help=f"starttls on port 587, else ssl; {_TLS_HELP}"),
    arg("--username", metavar="N", help="left out: the address"),
    arg("--password-stdin", action="store_true", required=True, help="the password is the first line of the input"),
    arg("--no-send", dest="send", action="store_false", help="never send from this mailbox"),
    arg("--no-capture", dest="capture", action="store_false", help="never log what this mailbox receives and sends"),
)


def _on_mailbox(verb: str, help_text: str, *more: Argument, prepare: Prepare | None = None) -> Command:
    return Command(f"mailbox {verb}", help_text, (_ADDRESS, *more), prepare)


COMMANDS: Final = (
    Command(
        "serve",
        "run Rethread until SIGTERM or SIGINT",
        (arg("--role", choices=_ROLES, help="what this process does (all, or RETHREAD_ROLE)"),),
        place=Place.PROGRAM,
    ),
    Command("migrate", "bring the database to the newest schema", place=Place.PROGRAM),
    Command("check", "settings, database, Slack and mail hosts: what works and what does not", place=Place.PROGRAM),
    Command("mailbox add", "connect a mailbox, or connect it again", _MAILBOX_ADD, _add_mailbox),
    Command("mailbox list", "every mailbox with its light, and how many seats are in use"),
    _on_mailbox("show", "one mailbox: light, switches, how far it is read, seat, error"),
    _on_mailbox(
        "check", "MX, SPF, DMARC and DKIM of the mailbox's domain: what is right, and what to publish", _SELECTOR
    ),
    _on_mailbox("resync", "try again now, also one given up after two days"),
    _on_mailbox("refresh", "look through all folders now, those too that rest after failures"),
    _on_mailbox(
        "test",
        "send a test mail, and where it goes to one of your mailboxes wait until it arrives",
        arg("--to", metavar="B", help="another address; left out: another connected mailbox"),
    ),
    _on_mailbox(
        "switch",
        "send from it or not, log its mail or not",
        arg("--send", choices=tuple(_ON_OFF)),
        arg("--capture", choices=tuple(_ON_OFF), help="what comes while this is off is never logged"),
        prepare=_switched,
    ),
    _on_mailbox("pause", "stop reading and sending, and leave the seat to whoever waits"),
    _on_mailbox("resume", "go on after a pause; without a free seat it waits"),
    _on_mailbox("remove", "disconnect: forget the credentials, keep the history, free the seat"),
    _on_mailbox("escalate", "all the facts for whoever is asked for help, without secrets"),
    _on_mailbox("log", "what happened to its sync, newest first", arg("--limit", type=int, default=20, metavar="N")),
    Command("people import", "import or update people from a CSV file", (arg("file", metavar="F.csv"),), _people_file),
    Command("people show", "a person's addresses, stream and campaigns", (_EMAIL,)),
    Command(
        "people address add",
        "one more address on a profile; mail is matched from now on",
        (_EMAIL, arg("address", help="the new address"), arg("--type", choices=_ADDRESS_TYPES, default="other")),
    ),
    Command("people address remove", "one address less on a profile", (_EMAIL, arg("address"))),
    *OUTREACH_COMMANDS,
    Command("settings show", "the workspace's settings, their defaults and meaning"),
    Command("settings set", "change a setting", (arg("key"), arg("value", help="“default” puts the default back"))),
    Command(
        "classify",
        "what Rethread makes of mails, or of SMTP answers; needs no settings",
        (
            arg("files", nargs="*", metavar="FILE.eml"),
            arg("--own", action="extend", nargs="+", default=[], metavar="A", help="addresses that are ours"),
            arg("--smtp", action="store_true", help="SMTP answers, one a line on standard input"),
        ),
        _classified,
        Place.HERE,
    ),
    Command(
        "diagnose",
        "what servers' answers mean, one a line on standard input; needs no settings",
        (arg("--layer", required=True, choices=LAYERS), arg("--host", default="", metavar="H")),
        _diagnosed,
        Place.HERE,
    ),
    Command(
        "domain check",
        "MX, SPF, DMARC and DKIM of a domain: what is right, and what to publish; needs no database and no settings",
        (arg("domain"), _SELECTOR),
        place=Place.PROGRAM,
    ),
    Command("backup", "a consistent copy, also while running", (arg("file", metavar="FILE"),), _backup_target),
)
