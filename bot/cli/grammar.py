"""How a command line is described and understood: a table of commands becomes one argparse parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn

from bot.cli.command_error import UsageError
from bot.cli.source import Source

_PROGRAM: Final = "app.py"
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):(\d{1,5})")

Prepare = Callable[[dict[str, Any], Source], Mapping[str, Any]]


class Place(StrEnum):
    """Where a command is carried out."""

    HERE = "here"  # in this process, with neither settings nor database
    PROGRAM = "program"  # by the composition root
    STORE = "store"  # by whoever has the database open: the running server, else this process


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument in argparse's terms."""

    names: tuple[str, ...]
    keywords: Mapping[str, Any]


def arg(*names: str, **keywords: Any) -> Argument:
    """An argument: names and keywords as for ``ArgumentParser.add_argument``."""
    return Argument(names, keywords)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``prepare`` turns the parsed arguments into what crosses the control channel: it reads the files
    and the standard input that they name."""

    verb: str
    help: str
    arguments: tuple[Argument, ...] = ()
    prepare: Prepare | None = None
    place: Place = Place.STORE


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; ``args`` can be written as JSON."""

    verb: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line understood."""

    request: Request
    place: Place
    json: bool
    workspace: str | None


class _Parser(argparse.ArgumentParser):
    """Says wrong usage as an error of ours, so that there is one place that writes and one that exits."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"See: python {self.prog} --help")


def understand(commands: Sequence[Command], argv: Sequence[str], source: Source) -> Invocation:
    """Raises UsageError for what is no command, InputError for files that cannot be read; ``--help`` prints and
    raises SystemExit."""
    options = vars(_build(commands).parse_args(list(argv)))
    command: Command = options.pop("command")
    as_json, workspace = options.pop("json"), options.pop("workspace")
    args = {name: options[name] for name in options.pop("names")}
    prepared = command.prepare(args, source) if command.prepare else args
    return Invocation(Request(command.verb, dict(prepared)), command.place, as_json, workspace)


def _build(commands: Sequence[Command]) -> argparse.ArgumentParser:
    root = _Parser(
        prog=_PROGRAM,
        description="Keeps a recruiting team's mailboxes and outreach threads whole, from inside Slack.",
        epilog=_overview(commands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_common(root, first=True)
    groups: dict[str, Any] = {"": root.add_subparsers(metavar="COMMAND", required=True, help="one of those below")}
    for command in commands:
        _add(groups, command)
    return root


def _add(groups: dict[str, Any], command: Command) -> None:
    words = command.verb.split()
    for depth in range(1, len(words)):
        _group(groups, words[:depth])
    # The first parser's help lists all commands with their groups; argparse lists only what has a help of its own.
    listed = {"help": command.help} if len(words) > 1 else {}
    parser = groups[" ".join(words[:-1])].add_parser(words[-1], description=command.help, allow_abbrev=False, **listed)
    names = [parser.add_argument(*one.names, **one.keywords).dest for one in command.arguments]
    _add_common(parser)
    parser.set_defaults(command=command, names=names)
    groups[f"parser {command.verb}"] = parser


def _group(groups: dict[str, Any], words: Sequence[str]) -> None:
    """A word that commands follow; it may be a command by itself (email-log)."""
    path = " ".join(words)
    if path in groups:
        return
    parser, required = groups.get(f"parser {path}"), False
    if parser is None:
        listed = {"help": f"commands about {path}"} if len(words) > 1 else {}
        parser = groups[" ".join(words[:-1])].add_parser(words[-1], allow_abbrev=False, **listed)
        required = True
    groups[path] = parser.add_subparsers(metavar="COMMAND", required=required)


def _add_common(parser: argparse.ArgumentParser, *, first: bool = False) -> None:
    """Wherever they are written; only the first parser sets the defaults, else a later one would undo an earlier."""
    kept: Any = argparse.SUPPRESS
    parser.add_argument(
        "--json", action="store_true", default=False if first else kept, help="one JSON document on standard output"
    )
    parser.add_argument(
        "--workspace", metavar="T…", default=None if first else kept, help="where there is more than one"
    )


def _overview(commands: Sequence[Command]) -> str:
    width = max(len(command.verb) for command in commands)
    lines = [f"  {command.verb:<{width}}  {command.help}" for command in commands]
    return "\n".join(["commands:", *lines, "", f"python {_PROGRAM} COMMAND --help tells a command's arguments."])


def host_and_port(text: str) -> dict[str, Any]:
    """An argparse type: ``imap.agency.test:993`` or ``[::1]:993``."""
    match = _HOST_PORT.fullmatch(text)
    if not match or not 0 < int(match[2]) < 65_536:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not HOST:PORT")
    return {"host": match[1].strip("[]"), "port": int(match[2])}
