"""Breaks at every place of a session: the client says so within its deadline, and the next session reads all."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import ConnectionLostError, MailError, ServerRefusedError, UnreachableError
from core.mail.imap import ImapTimeouts
from tests.fakes.fault_imap import Deed, Fault, FaultImap, Wire
from tests.fakes.fault_imap_faults import ENDINGS, POINTS
from tests.integration.mail.fault_session import (
    PATIENT,
    SHORT,
    Seen,
    assert_all_read,
    assert_nothing_left,
    fill,
    imap,
    outcome,
    settled,
    whole_session,
)

WITHIN = ("FETCH:line", "FETCH:literal")  # what stands there belongs to the answer that it cuts in two
TAGGED = ("CAPABILITY", "LOGIN", "LIST", "STATUS", "SELECT", "FETCH", "SEARCH", "NOOP")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("deed", ENDINGS)
async def test_a_session_that_breaks_says_so_and_the_next_reads_all(deed: Deed, point: str) -> None:
    """Stall, reset, close and BYE at every named place: an error of ours in time, never half a folder as a whole."""
    async with FaultImap(faults=[Fault(point, deed, b"[UNAVAILABLE] Down for maintenance")]) as server:
        fill(server)
        broken = await outcome(server, SHORT if deed is Deed.STALL else PATIENT)
        assert [str(fault) for fault in server.struck] == [f"{deed}@{point}#1"]
        assert isinstance(broken, ConnectionLostError | UnreachableError | ServerRefusedError)
        if deed is Deed.BYE and point not in WITHIN:
            assert "Down for maintenance" in broken.raw
        again = await outcome(server, PATIENT)
        assert isinstance(again, Seen)
        assert_all_read(server, again)


async def test_the_clean_server_is_read_whole() -> None:
    """Without a fault the whole session holds: otherwise the tests of faults would prove nothing."""
    async with FaultImap() as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))
        assert set(POINTS) <= set(server.passed) | {"FETCH:line", "FETCH:literal"}


@pytest.mark.parametrize("point", ["LOGIN", "SELECT", "FETCH:literal", "STATUS:tagged", "DONE"])
async def test_an_answer_after_the_client_gave_up_harms_nothing(point: str) -> None:
    """The late words meet a closed connection; the next session starts clean."""
    async with FaultImap(faults=[Fault(point, Deed.HOLD)]) as server:
        fill(server)
        assert isinstance(await outcome(server), MailError)
        server.release.set()
        again = await outcome(server, PATIENT)
        assert isinstance(again, Seen)
        assert_all_read(server, again)


async def test_a_client_that_gave_up_fails_at_once_ever_after() -> None:
    """No late answer is ever taken for the answer to the next question."""
    async with FaultImap(faults=[Fault("NOOP", Deed.HOLD)]) as server:
        fill(server)
        client = await imap(ImapTimeouts(command=0.1)).connect(server.endpoint, server.credentials)
        await client.select("INBOX")
        with pytest.raises(ConnectionLostError, match="no answer to NOOP"):
            await client.noop()
        server.release.set()
        for _ in range(2):
            with pytest.raises(ConnectionLostError, match="no answer to NOOP"):
                await client.status("Sent")
        await client.close()


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "FETCH", "STATUS", "SEARCH"])
async def test_an_end_under_a_tag_that_nobody_sent_is_no_end(command: str) -> None:
    """A command ends with its own tag or not at all: here it meets the deadline."""
    async with FaultImap(faults=[Fault(f"{command}:tagged", Deed.WRONG_TAG)]) as server:
        fill(server)
        assert isinstance(await outcome(server), ConnectionLostError)


async def test_invented_tags_among_the_answers_end_nothing_early() -> None:
    """Tags that nobody sent stand before every true end."""
    stray = [Fault(f"{command}:tagged", Deed.SAY, b"ZZZZ1 OK done\r\nZZZZ2 BAD no\r\n", times=99) for command in TAGGED]
    async with FaultImap(faults=stray) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("most", [1, 2, 7, 64])
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_stream_in_any_pieces_is_read_whole(most: int, seed: int) -> None:
    """Byte by byte, and cut at random: every answer stays what it is."""
    async with FaultImap(wire=Wire(most, seed)) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("words", ["NO [SERVERBUG] Internal error occurred.", "BAD Command Error. 12"])
@pytest.mark.parametrize("command", ["LIST", "STATUS", "SELECT", "SEARCH", "FETCH", "NOOP", "IDLE", "DONE"])
async def test_a_refusal_of_any_command_is_told_in_the_servers_words(command: str, words: str) -> None:
    """NO and BAD to a command that the session needs."""
    async with FaultImap(faults=[Fault(command, Deed.ANSWER, words.encode(), times=99)]) as server:
        fill(server)
        ended = await outcome(server, PATIENT)
        if command == "DONE":  # the end of an IDLE is an end, whatever it is called
            assert isinstance(ended, Seen)
            return
        assert isinstance(ended, ServerRefusedError)
        assert words in ended.raw


@pytest.mark.parametrize("point", ["LIST", "STATUS", "SELECT", "FETCH", "IDLE:waiting"])
async def test_a_cancelled_session_leaves_nothing_behind(point: str) -> None:
    """The engine stops while the server is silent: the connection goes, no task stays."""
    async with FaultImap(faults=[Fault(point, Deed.STALL)]) as server:
        fill(server)
        before = asyncio.all_tasks()
        session = asyncio.create_task(whole_session(server, PATIENT if point != "IDLE:waiting" else SHORT))
        await settled(lambda: bool(server.struck), "the fault")
        session.cancel()
        async with asyncio.timeout(5):
            with pytest.raises((asyncio.CancelledError, MailError)):
                await session
        assert_nothing_left(server, before)
