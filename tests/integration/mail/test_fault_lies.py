"""Servers that lie, flood and talk out of turn: what the client reads is true, or it says that it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import ConnectionLostError, MailError
from core.ports.mail import MailboxEvent
from tests.fakes.fault_imap import Deed, Fault, FaultImap, Lies
from tests.fakes.fault_imap_model import plain_mail
from tests.fakes.fault_imap_profiles import DOVECOT, GMAIL
from tests.integration.mail.fault_session import (
    PATIENT,
    SHORT,
    Seen,
    assert_all_read,
    fill,
    imap,
    outcome,
    whole_session,
)

UNASKED = {
    "new mail": b"* 6 EXISTS\r\n",
    "an expunge": b"* 1 EXPUNGE\r\n",
    "an expunge of nothing": b"* 99999 EXPUNGE\r\n* 0 EXPUNGE\r\n",
    "flags by number": b"* 2 FETCH (FLAGS (\\Seen))\r\n",
    "flags by uid": b"* 2 FETCH (UID 2 FLAGS (\\Seen $Junk) MODSEQ (99))\r\n",
    "flags of a stranger": b"* 77 FETCH (UID 7777 FLAGS ())\r\n",
    "everything vanished": b"* VANISHED 1:26183,26185\r\n* VANISHED (EARLIER) 1:*\r\n",
    "a word to people": b"* OK [ALERT] The system goes down at noon {12}\r\n",
    "untagged refusals": b"* NO [OVERQUOTA] Quota exceeded\r\n* BAD Something\r\n",
    "another list": b'* LIST (\\Noselect) "/" "Nowhere"\r\n',
    "a search result": b'* SEARCH 4000000000 7\r\n* ESEARCH (TAG "A1") UID ALL 1:5\r\n',
    "a status": b'* STATUS "Sent" (MESSAGES 99 UIDNEXT 1 UIDVALIDITY 5)\r\n',
    "a go-ahead": b"+ go ahead\r\n",
    "noughts": b"* OK \x00\x00\x00\r\n\x00\r\n* 1 FETCH (\x00)\r\n",
    "empty lines": b"\r\n\r\n\n\r\r\n",
    "half an answer": b"* 1 FETCH (UID 1 BODYSTRUCTURE ((((\r\n* \r\n*\r\n",
    "huge numbers": b"* 99999999999999999999 EXISTS\r\n* OK [UIDNEXT 99999999999999999999999] no\r\n",
}
# Points at which an answer is under way, so that the words stand in its middle.
AMID = ("STATUS", "SELECT", "FETCH", "FETCH:tagged", "SEARCH", "NOOP", "DONE")
CASES = [(point, name) for point in AMID for name in UNASKED]


@pytest.mark.parametrize(("point", "name"), CASES)
async def test_words_out_of_turn_change_nothing_of_what_is_read(point: str, name: str) -> None:
    async with FaultImap(faults=[Fault(point, Deed.SAY, UNASKED[name], times=99)]) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("words", [b"* 1 EXPUNGE\r\n", b"* 1 FETCH (FLAGS ())\r\n", b"* OK x\r\n"])
async def test_two_thousand_lines_in_one_write_are_taken(words: bytes) -> None:
    async with FaultImap(faults=[Fault(point, Deed.SAY, words * 2_000, times=9) for point in AMID]) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize(
    "point", ["GREETING", "CAPABILITY", "LOGIN", "SELECT", "FETCH", "FETCH:tagged", "IDLE:waiting"]
)
async def test_a_line_without_an_end_meets_a_limit(point: str) -> None:
    """Two megabytes and never a line end: the connection is given up, nothing waits for more."""
    async with FaultImap(faults=[Fault(point, Deed.SAY, b"* OK " + b"x" * 2**21)]) as server:
        fill(server)
        assert isinstance(await outcome(server, PATIENT), MailError)


LIES = {
    "uidvalidity 0": Lies(uidvalidity=0),
    "no uidnext": Lies(uidnext=0),
    "a uidnext that fell": Lies(uidnext=2),
    "a uidnext far off": Lies(uidnext=4_294_967_295),
    "more messages than there are": Lies(exists_more=1_000),
    "millions more": Lies(exists_more=4_000_000_000),
    "fewer messages than there are": Lies(exists_more=-3),
    "a modseq that fell": Lies(highestmodseq=1),
    "all vanished": Lies(vanished="1:26183,26185"),
}


@pytest.mark.parametrize("lies", list(LIES.values()), ids=list(LIES))
async def test_false_numbers_keep_no_message_back(lies: Lies) -> None:
    async with FaultImap(lies=lies) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("lies", list(LIES.values()), ids=list(LIES))
async def test_false_numbers_keep_no_message_back_in_a_folder_of_many_batches(lies: Lies) -> None:
    """Above 500 messages the client plans its commands; the plan may not lean on what a server says it holds."""
    async with FaultImap(lies=lies) as server:
        fill(server, 1_150)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("stranger", [0, 1, 3, 4_000_000_000, 4_294_967_296])
async def test_a_number_that_no_message_has_doubles_nothing(stranger: int) -> None:
    """Nought, twice the same, one that was expunged, one far away, one beyond 32 bits."""
    async with FaultImap(lies=Lies(stranger=stranger)) as server:
        fill(server)
        seen = await whole_session(server, PATIENT)
        assert len(seen.uids) == len(set(seen.uids))
        assert set(server.box["INBOX"].uids) <= set(seen.uids)
        assert set(seen.uids) - set(server.box["INBOX"].uids) <= {3, 4_000_000_000}


async def test_every_answer_said_twice_is_one_message() -> None:
    profile = replace(GMAIL, quirks=replace(GMAIL.quirks, twice=True))
    async with FaultImap(profile) as server:
        fill(server)
        assert_all_read(server, await whole_session(server, PATIENT))


@pytest.mark.parametrize("off", [-1, -7, -200, 1, 7, 200, 100_000])
async def test_a_literal_of_another_length_than_said_hangs_nothing(off: int) -> None:
    """The stream is out of step from there on: the client ends in time, and no message stands there twice."""
    profile = replace(DOVECOT, quirks=replace(DOVECOT.quirks, literal_off=off))
    async with FaultImap(profile) as server:
        fill(server)
        ended = await outcome(server, SHORT)
        if isinstance(ended, Seen):
            assert len(ended.uids) == len(set(ended.uids))
            assert set(ended.uids) <= set(server.box["INBOX"].uids)


async def test_mail_that_comes_and_goes_while_a_folder_is_read_is_neither_lost_nor_doubled() -> None:
    async with FaultImap() as server:
        fill(server, 1_150)
        inbox = server.box["INBOX"]
        client = await imap(PATIENT).connect(server.endpoint, server.credentials)
        snapshot = await client.select("INBOX")
        uids: list[int] = []
        async for batch in client.fetch(1):
            uids += [one.uid for one in batch]
            inbox.add(plain_mail(5_000 + len(uids)))
            inbox.expunge(batch[0].uid)
        later = [one.uid async for batch in client.fetch(snapshot.uidnext) for one in batch]
        assert set(inbox.uids) <= set(uids) | set(later)
        assert len(uids) == len(set(uids))
        assert len(later) == len(set(later))
        await client.close()


async def test_a_changed_uidvalidity_is_told_by_the_next_look() -> None:
    async with FaultImap() as server:
        fill(server)
        client = await imap(PATIENT).connect(server.endpoint, server.credentials)
        before = await client.select("INBOX")
        server.box["INBOX"].renumber()
        after = await client.select("INBOX")
        assert after.uidvalidity == before.uidvalidity + 1
        assert [one.uid async for batch in client.fetch(1) for one in batch] == [1, 2, 3, 4, 5]
        await client.close()


async def test_news_that_stand_in_the_answer_to_another_question_end_the_next_idle() -> None:
    """A push is only a hint, but no hint is lost: also one in the midst of a SEARCH."""
    async with FaultImap(faults=[Fault("SEARCH", Deed.SAY, b"* 6 EXISTS\r\n")]) as server:
        fill(server)
        client = await imap(PATIENT).connect(server.endpoint, server.credentials)
        await client.select("INBOX")
        await client.search_message_id("m2@candidates.example")
        assert await client.idle(renew_after=30) is MailboxEvent.CHANGED
        await client.close()


async def test_a_bye_amid_the_lines_of_an_answer_keeps_its_words() -> None:
    bye = Fault("FETCH:tagged", Deed.SAY, b"* BYE Session invalidated - AccessTokenExpired\r\n")
    async with FaultImap(faults=[bye]) as server:
        fill(server)
        ended = await outcome(server, PATIENT)
        assert isinstance(ended, ConnectionLostError)
        assert "AccessTokenExpired" in ended.raw
