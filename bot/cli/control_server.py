"""The control channel, server side: carries out the commands of whoever has this machine's terminal."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.cli.command_error import CommandError, UsageError, command_error_of
from bot.cli.control import EXECUTE, is_served, private_directory
from bot.cli.grammar import Request
from core.errors import DatabaseInUseError, StorageError

log = logging.getLogger("rethread.cli")

Handler = Callable[[Request, str | None], Awaitable[Any]]
"""(request, workspace or None) to a result that can be written as JSON; what it raises becomes words."""

_MOST_BYTES: Final = 80_000_000  # a people file of 50 MB in base64
_GRACE_SECONDS: Final = 5.0


@asynccontextmanager
async def serve_control(path: Path, handler: Handler) -> AsyncIterator[None]:
    """Listens on a unix socket of mode 0600 until the block ends; a socket left by a dead process is replaced.

    Raises DatabaseInUseError where a living process listens there, StorageError where no socket can be made.
    """
    runner = web.AppRunner(_application(handler), access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    with _listening(path) as sock:
        try:
            await web.SockSite(runner, sock).start()
            yield
        finally:
            await runner.cleanup()  # while the socket is open: the loop must stop watching it before it is closed


def _application(handler: Handler) -> web.Application:
    async def execute(http_request: web.Request) -> web.Response:
        try:
            request, workspace = _read(await http_request.json())
            log.info("action=command verb=%s", request.verb.replace(" ", "_"))
            document = {"ok": True, "result": await handler(request, workspace)}
        except Exception as error:
            document = {"ok": False, "error": _words(error)}
        return web.json_response(document)

    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post(EXECUTE, execute)
    return application


def _read(document: Any) -> tuple[Request, str | None]:
    """Raises UsageError where the document is not a request."""
    if not isinstance(document, dict) or not isinstance(document.get("args"), dict):
        raise UsageError("the request has another shape than this program's")
    workspace = document.get("workspace")
    return Request(str(document.get("verb", ""))[:60], document["args"]), str(workspace) if workspace else None


def _words(error: Exception) -> dict[str, Any]:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return CommandError("input", "That is larger than 50 MB.", "Split it into several files.").as_json()
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return CommandError("usage", "The request is not JSON.").as_json()
    return command_error_of(error).as_json()


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    try:
        _make_room(path)
        sock = _bind(path)
    except OSError as error:
        raise StorageError(
            f"Commands cannot reach this server: {path}: {error.strerror}.",
            fix="Put the database file into a directory where this user may create sockets.",
        ) from None
    try:
        yield sock
    finally:
        path.unlink(missing_ok=True)
        sock.close()


def _make_room(path: Path) -> None:
    if path.parent.name == private_directory(Path()).name:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _require_private(path.parent)
    if is_served(path):
        raise DatabaseInUseError(
            "Another process serves this database.", fix="Stop it first, or give this one another database."
        )
    path.unlink(missing_ok=True)


def _require_private(directory: Path) -> None:
    """Somebody else could have made a directory of this name in a place where everybody may write."""
    found = directory.lstat()
    if directory.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StorageError(
            f"{directory} is not this user's own directory of mode 0700.", fix="Remove it; it is made anew."
        )


def _bind(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode counts from the first moment, so it is given by the mask and not by a later chmod.
    mask = os.umask(0o177)
    try:
        sock.bind(str(path))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(mask)
    return sock
