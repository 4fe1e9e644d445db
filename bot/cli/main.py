"""One command line from argv to exit status: understand, have it carried out, show the result."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TextIO

from bot.cli.command_error import DONE, FAILED, CommandError, command_error_of
from bot.cli.commands import parse
from bot.cli.control import NobodyListensError, call
from bot.cli.grammar import Invocation, Place, Request
from bot.cli.offline import answer_here
from bot.cli.source import Source
from core.clock import SystemClock
from core.errors import DatabaseInUseError

if TYPE_CHECKING:  # the services' imports take longer than most commands
    from bot.cli.executor import Services
    from core.domain.dns_checks import DomainReport

_WAIT_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of ``check``."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Operations:
    """What the composition root does for the terminal. Nothing is called before its command needs it; each may raise
    SettingsError (exit 2) and every other RethreadError (exit 1).

    ``serve(role)`` runs until told to stop and returns the exit status; ``migrate`` returns what it did, for people
    and as JSON; ``check_domain`` takes a domain and DKIM selectors and asks DNS, whatever the settings;
    ``control_path`` is the running server's socket (``control.socket_path``), None on PostgreSQL, where commands open
    the database themselves; ``open_services`` opens the database in this process and raises DatabaseInUseError where
    another has it.
    """

    serve: Callable[[str | None], int]
    migrate: Callable[[], Coroutine[Any, Any, Mapping[str, Any]]]
    check: Callable[[], Coroutine[Any, Any, Sequence[CheckLine]]]
    check_domain: Callable[[str, Sequence[str]], Coroutine[Any, Any, DomainReport]]
    control_path: Callable[[], Path | None]
    open_services: Callable[[], AbstractAsyncContextManager[Services]]


@dataclass(frozen=True, slots=True)
class Console:
    """The terminal's three streams."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO


def system_console() -> Console:
    """This process's own streams; whatever the locale cannot write is escaped, never an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Console(sys.stdin.buffer, sys.stdout, sys.stderr)


def run(argv: Sequence[str], operations: Operations, console: Console | None = None) -> int:
    """Carries out a command line (without the program's name) and returns the exit status."""
    console = console or system_console()
    try:
        return _run(argv, operations, console)
    except SystemExit as stop:  # argparse has printed its help
        return stop.code if isinstance(stop.code, int) else FAILED
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stdout = None  # else the interpreter complains when it flushes
        return FAILED
    except Exception as error:
        failure = command_error_of(error)
        _complain(failure, console.stderr)
        return failure.exit_status


def _run(argv: Sequence[str], operations: Operations, console: Console) -> int:
    source = Source(console.stdin)
    invocation = parse(argv, source)
    if invocation.request.verb == "serve":
        return operations.serve(invocation.request.args["role"])
    result = _carry_out(invocation, operations, source)
    _show(invocation, result, console.stdout)
    return FAILED if invocation.request.verb == "check" and not all(line["ok"] for line in result) else DONE


def _carry_out(invocation: Invocation, operations: Operations, source: Source) -> Any:
    request = invocation.request
    if invocation.place is Place.HERE:
        return answer_here(request, source)
    if request.verb == "migrate":
        return dict(_finished(operations.migrate()))
    if request.verb == "check":
        lines: Sequence[CheckLine] = [*_finished(operations.check()), _mail_hosts(invocation.workspace, operations)]
        return [{"name": one.name, "ok": one.ok, "detail": one.detail, "fix": one.fix} for one in lines]
    if request.verb == "domain check":
        return _checked_domain(request, operations)
    if request.verb == "campaign export":
        return _written("files", _ask(request, invocation.workspace, operations), request.args["into"])
    if request.verb == "campaign report":
        return _written("pictures", _ask(request, invocation.workspace, operations), request.args["into"])
    return _ask(request, invocation.workspace, operations)


def _written(what: str, result: Any, into: str | None) -> Any:
    """The files are written here, where the person is; the server may run elsewhere, as somebody else."""
    from bot.cli.export import write_files

    return {**result, what: write_files(result[what], Path(into))} if into else result


def _checked_domain(request: Request, operations: Operations) -> Any:
    from bot.cli.shapes import domain_report

    return domain_report(_finished(operations.check_domain(request.args["domain"], request.args["selector"])))


def _mail_hosts(workspace: str | None, operations: Operations) -> CheckLine:
    """What the mailboxes' lights say of their hosts."""
    try:
        rows: Sequence[Mapping[str, Any]] = _ask(Request("mailbox list", {}), workspace, operations)
    except Exception as error:
        failure = command_error_of(error)
        # No workspace yet, or several and none named: nothing is wrong with anybody's mailbox.
        nothing_to_look_at = failure.code in ("refused", "usage")
        return CheckLine("mail hosts", ok=nothing_to_look_at, detail=failure.message, fix=failure.fix)
    red = [row for row in rows if row["light"] == "red"]
    broken = ", ".join(row["address"] for row in red[:5])
    detail = f"{len(rows)} connected, {len(red)} broken" + (f": {broken}" if broken else "")
    return CheckLine("mail hosts", ok=not red, detail=detail, fix="See mailbox list for cause and fix." if red else "")


def _finished(work: Coroutine[Any, Any, Any]) -> Any:
    import asyncio  # takes longer than a help text

    return asyncio.run(work)


def _ask(request: Request, workspace: str | None, operations: Operations) -> Any:
    """By the running server, else in this process. A server that has just begun has its database open before its
    socket listens, and another command may hold the database for a moment: both are waited for."""
    clock, path = SystemClock(), operations.control_path()
    deadline = clock.monotonic() + _WAIT_SECONDS
    while True:
        if path is not None:
            with suppress(NobodyListensError):
                return call(path, request, workspace)
        try:
            return _finished(_answer_in_process(request, workspace, operations))
        except DatabaseInUseError:
            if clock.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


async def _answer_in_process(request: Request, workspace: str | None, operations: Operations) -> Any:
    from bot.cli.executor import answer

    async with operations.open_services() as services:
        return await answer(services, request, workspace)


def _show(invocation: Invocation, result: Any, out: TextIO) -> None:
    if invocation.json:
        out.write(json.dumps(result, indent=2) + "\n")
    else:
        from bot.cli.render import render

        out.write(render(invocation.request.verb, result) + "\n")
    out.flush()


def _complain(failure: CommandError, err: TextIO) -> None:
    from bot.cli.render import words_of

    err.write(words_of(failure) + "\n")
