"""Commands reach the process that has the database open, and nobody else's."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from bot.cli.command_error import CommandError
from bot.cli.control import MOST_PATH_BYTES, NobodyListensError, call, is_served, private_directory, socket_path
from bot.cli.control_server import serve_control
from bot.cli.grammar import Request
from core.errors import DatabaseInUseError, RefusedError, StorageError

ASKED = Request("mailbox list", {"name": "Zoë", "csv": "x" * 3_000_000})


async def echo(request: Request, workspace: str | None) -> Any:
    return {"verb": request.verb, "args": request.args, "workspace": workspace}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return socket_path(tmp_path / "db")


async def test_a_request_and_its_result_cross_whole(path: Path) -> None:
    """Verb, arguments of some megabytes, workspace; then the socket is gone."""
    async with serve_control(path, echo):
        assert await asyncio.to_thread(is_served, path)
        result = await asyncio.to_thread(call, path, ASKED, "T1")
    assert result == {"verb": ASKED.verb, "args": ASKED.args, "workspace": "T1"}
    assert not is_there(path)


async def test_only_this_user_may_ask(path: Path) -> None:
    """Mode 0600 from the first moment."""
    async with serve_control(path, echo):
        assert mode_of(path) == 0o600


async def test_a_refusal_crosses_with_code_fix_and_facts(path: Path) -> None:
    """What the terminal says is what the server meant."""

    async def refuse(_: Request, __: str | None) -> Any:
        raise RefusedError("It is paused.", reason="mailbox_paused", fix="Resume it.")

    async with serve_control(path, refuse):
        with pytest.raises(CommandError) as caught:
            await asyncio.to_thread(call, path, ASKED, None)
    failure = caught.value
    assert (failure.code, failure.message, failure.fix) == ("refused", "It is paused.", "Resume it.")
    assert failure.facts == {"reason": "mailbox_paused"}


async def test_a_surprise_in_the_server_says_a_reference_only(path: Path) -> None:
    """The server lives on."""

    async def break_down(_: Request, __: str | None) -> Any:
        raise ZeroDivisionError("inner details")

    async with serve_control(path, break_down):
        for _ in range(2):
            with pytest.raises(CommandError, match="reference r-") as caught:
                await asyncio.to_thread(call, path, ASKED, None)
            assert "inner details" not in str(caught.value.as_json())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"verb": 1, "args": []}', b"\xff\xfe", b'{"args": null}'])
async def test_what_is_no_request_is_refused(path: Path, body: bytes) -> None:
    """Another program on the socket gets an answer, never a crash."""
    async with serve_control(path, echo):
        reader, writer = await asyncio.open_unix_connection(path)
        head = f"POST /execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
    assert b'"ok": false' in answer
    assert b'"usage"' in answer


async def test_nobody_listens(path: Path) -> None:
    """Neither where nothing is nor where a dead process left its socket."""
    with pytest.raises(NobodyListensError):
        await asyncio.to_thread(call, path, ASKED, None)
    leave_a_dead_socket(path)
    with pytest.raises(NobodyListensError):
        await asyncio.to_thread(call, path, ASKED, None)


async def test_a_dead_processs_socket_is_replaced(path: Path) -> None:
    """SIGKILL leaves the file behind; the next start takes its place."""
    leave_a_dead_socket(path)

    async with serve_control(path, echo):
        assert await asyncio.to_thread(call, path, ASKED, None)


async def test_a_living_servers_socket_is_not_taken(path: Path) -> None:
    """And the living one goes on."""
    async with serve_control(path, echo):
        with pytest.raises(DatabaseInUseError):
            async with serve_control(path, echo):
                pytest.fail("took a living server's place")
        assert await asyncio.to_thread(call, path, ASKED, None)


async def test_a_server_that_dies_in_the_middle_is_said(path: Path) -> None:
    """The command may have been carried out: look before you repeat it."""

    async def die(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_unix_server(die, path):
        with pytest.raises(CommandError, match="may have been carried out"):
            await asyncio.to_thread(call, path, ASKED, None)


async def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    """In this user's own directory; two databases never share one."""
    deep = tmp_path / ("d" * 120)
    first, second = socket_path(deep / "one.db"), socket_path(deep / "two.db")
    assert first != second
    assert len(os.fsencode(first)) <= MOST_PATH_BYTES
    assert first == socket_path(deep / "one.db")

    async with serve_control(first, echo):
        assert await asyncio.to_thread(call, first, ASKED, None)
        assert mode_of(first.parent) == 0o700


async def test_a_directory_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    """Somebody else may have put it there."""
    directory = private_directory(tmp_path)
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)

    with pytest.raises(StorageError, match="not this user's own"):
        async with serve_control(directory / "x.sock", echo):
            pytest.fail("listens in a directory of others")


def is_there(path: Path) -> bool:
    return os.path.lexists(path)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def leave_a_dead_socket(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
