"""The control channel, client side: a command reaches the process that has the database open.

SQLite admits one process, so while ``serve`` runs a command is carried out there: one HTTP request over a unix socket
that only the same user of the machine can open. Nothing but the standard library is imported, for a fast start.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any, Final

from bot.cli.command_error import CommandError
from bot.cli.grammar import Request

EXECUTE: Final = "/execute"
MOST_PATH_BYTES: Final = 100
"""Linux takes 107 bytes for a socket's path, macOS 103."""

_ANSWER_SECONDS: Final = 900.0


class NobodyListensError(Exception):
    """No process serves this database."""


def socket_path(database: Path) -> Path:
    """Where the process that has this database file open listens: beside the file, or under a short name in a private
    directory where that path would be too long for a socket."""
    database = database.resolve()  # by whichever link it is named
    beside = Path(f"{database}.sock")
    if _fits(beside):
        return beside
    name = hashlib.sha256(os.fsencode(database)).hexdigest()[:24]
    short = private_directory(Path(tempfile.gettempdir())) / f"{name}.sock"
    return short if _fits(short) else private_directory(Path("/tmp")) / f"{name}.sock"  # noqa: S108  (0700 below it)


def private_directory(parent: Path) -> Path:
    """This user's directory for sockets; the server creates it with mode 0700."""
    return parent / f"rethread-{os.getuid()}"


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= MOST_PATH_BYTES


def is_served(path: Path) -> bool:
    """Whether somebody listens there."""
    try:
        _connect(path, 5.0).close()
    except NobodyListensError:
        return False
    return True


def call(path: Path, request: Request, workspace: str | None, *, seconds: float = _ANSWER_SECONDS) -> Any:
    """The result of a request carried out by the server.

    Raises NobodyListensError where nothing was asked of anybody, CommandError for what the server refused and where its
    answer was lost.
    """
    connection = _UnixConnection(path, seconds)
    connection.sock = _connect(path, seconds)
    body = json.dumps({"verb": request.verb, "args": request.args, "workspace": workspace})
    try:
        connection.request("POST", EXECUTE, body, {"Content-Type": "application/json"})
        document = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        raise CommandError(
            "control_lost",
            "The running server did not answer to the end; the command may have been carried out.",
            "Look before you repeat it.",
        ) from None
    finally:
        connection.close()
    return _result(document)


def _result(document: Any) -> Any:
    if document.get("ok"):
        return document["result"]
    error = document.get("error") or {}
    raise CommandError(
        str(error.get("code", "error")),
        str(error.get("message", "The server refused this without saying why.")),
        str(error.get("fix", "")),
        error.get("facts"),
    )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket; the host name is never looked up."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path, self._seconds = path, seconds

    def connect(self) -> None:
        self.sock = _connect(self._path, self._seconds)


def _connect(path: Path, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    try:
        sock.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        sock.close()
        raise NobodyListensError from None
    except OSError as error:
        sock.close()
        raise CommandError(
            "control_denied",
            f"The running server cannot be asked: {path}: {error.strerror}.",
            "Run the command as the user who runs the server.",
        ) from None
    return sock
