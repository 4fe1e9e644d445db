"""Mails that are meant to hurt: the memory that reading them takes is bounded, and the folder is read to its end."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.errors import ConnectionLostError
from core.mail.imap_fetch import HEADER_SECTION, read_fetch
from core.mail.imap_reader import CUT_MARK, LimitExceededError, ReaderLimits, ResponseReader
from tests.fakes.fault_imap import Deed, Fault, FaultImap
from tests.fakes.fault_imap_model import plain_mail
from tests.integration.mail.fault_session import PATIENT, Seen, imap, outcome

MIB = 1024 * 1024
PART = '("application" "octet-stream" ("name" "{name}") NIL NIL "base64" 120 NIL ("attachment" NIL) NIL NIL)'
TEXT = '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 1 NIL NIL NIL NIL)'


@contextmanager
def peak_below(mebibytes: float) -> Iterator[None]:
    """What the block takes at its peak, above what was there before; the server's own answers count too."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        yield
        taken = (tracemalloc.get_traced_memory()[1] - before) / MIB
    finally:
        tracemalloc.stop()
    assert taken < mebibytes, f"{taken:.1f} MiB"


def many_parts(count: int, name: str = "a.pdf") -> tuple[bytes, bytes]:
    """A mail of many parts and its BODYSTRUCTURE; the text comes first."""
    parts = "".join(
        f'--b\r\nContent-Type: application/octet-stream; name="{name}"\r\n\r\nx\r\n' for _ in range(count - 1)
    )
    raw = (
        "From: cleo@candidates.example\r\nTo: rita@agency.test\r\nSubject: Many\r\n"
        "Message-ID: <many@candidates.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text.\r\n{parts}--b--\r\n"
    )
    structure = f'({TEXT}{PART.format(name=name) * (count - 1)} "mixed" ("boundary" "b") NIL NIL NIL)'
    return raw.encode(), structure.encode()


async def read(server: FaultImap, first: int = 1) -> tuple[list[int], dict[int, bytes]]:
    client = await imap(PATIENT).connect(server.endpoint, server.credentials)
    await client.select("INBOX")
    uids: list[int] = []
    texts: dict[int, bytes] = {}
    async for batch in client.fetch(first):
        uids += [one.uid for one in batch]
        texts |= await client.fetch_texts(batch)
    await client.close()
    return uids, texts


async def test_a_body_of_fifty_megabytes_costs_its_first_quarter() -> None:
    """Headers, text and the raw beginning of it: at most 256 KiB are ever asked for."""
    async with FaultImap() as server:
        head = plain_mail(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        size = 50 * MIB
        structure = f'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" {size} 1000 NIL NIL NIL NIL)'.encode()
        server.box["INBOX"].add(head + b"y" * size, structure=structure)
        server.box["INBOX"].add(plain_mail(2))
        with peak_below(6):
            uids, texts = await read(server)
            client = await imap(PATIENT).connect(server.endpoint, server.credentials)
            await client.select("INBOX")
            raw = await client.fetch_raw(1)
            await client.close()
        assert uids == [1, 2]
        assert len(texts[1]) <= 262_144
        assert texts[2] == b"Hello 2\n"
        assert len(raw) == 262_144


async def test_a_mail_of_ten_thousand_parts_is_read_and_its_text_found() -> None:
    async with FaultImap() as server:
        raw, structure = many_parts(10_000)
        server.box["INBOX"].add(raw, structure=structure)
        server.box["INBOX"].add(plain_mail(2))
        with peak_below(24):
            uids, texts = await read(server)
        assert uids == [1, 2]
        assert texts == {1: b"The text.", 2: b"Hello 2\n"}


@pytest.mark.parametrize(("count", "name"), [(10_000, "n" * 400 + ".pdf"), (60_000, "a.pdf")])
async def test_a_structure_beyond_all_sense_costs_the_structure_not_the_mailbox(count: int, name: str) -> None:
    """Some megabytes of BODYSTRUCTURE in one line, which any sender can cause: the mail is read without it, and what
    comes after it too. A mailbox that cannot get past one mail is broken for good."""
    async with FaultImap() as server:
        raw, structure = many_parts(count, name)
        assert len(structure) > 4 * MIB
        server.box["INBOX"].add(plain_mail(1))
        server.box["INBOX"].add(raw, structure=structure)
        server.box["INBOX"].add(plain_mail(3))
        with peak_below(40):
            uids, texts = await read(server)
        assert uids == [1, 2, 3]
        assert texts[3] == b"Hello 3\n"
        assert b"The text." in texts[2]


async def test_a_subject_of_a_megabyte_is_a_header_like_any() -> None:
    async with FaultImap() as server:
        huge = plain_mail(1).replace(b"Subject: Hi 1", b"Subject: " + b"Hi " * 350_000)
        server.box["INBOX"].add(huge)
        server.box["INBOX"].add(plain_mail(2))
        with peak_below(24):
            uids, texts = await read(server)
        assert uids == [1, 2]
        assert texts[1] == b"Hello 1\n"


async def test_a_literal_that_claims_gigabytes_is_refused_before_it_comes() -> None:
    claim = Fault("FETCH", Deed.SAY, b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] {4294967296}\r\n")
    async with FaultImap(faults=[claim]) as server:
        server.box["INBOX"].add(plain_mail(1))
        with peak_below(4):
            ended = await outcome(server, PATIENT)
        assert isinstance(ended, ConnectionLostError)
        assert "literal" in ended.raw
        assert isinstance(await outcome(server, PATIENT), Seen)


def test_what_never_ends_is_given_up_in_bounded_memory() -> None:
    """Piece by piece, as the network brings it: a line without an end, and an answer about a mail without an end."""
    for beginning in (b"* SEARCH", b'* 1 FETCH (UID 1 BODYSTRUCTURE ("'):
        reader = ResponseReader(ReaderLimits(cut=8 * MIB))
        pieces = itertools.chain([beginning], itertools.repeat(b"7 " * 32_768, 10_000))
        with peak_below(3), pytest.raises(LimitExceededError):
            deque((response for piece in pieces for response in reader.feed(piece)), maxlen=0)


@pytest.mark.parametrize("piece", [1_000, 65_536, 10**9])
@pytest.mark.parametrize("name", ['"n.pdf"', "{5}\r\nn.pdf", '"\\"n"', "{3}\r\n{9}"])
def test_an_answer_without_its_middle_keeps_uid_and_header(name: str, piece: int) -> None:
    """However it is cut, with literals in it or without; the answers before and behind it are whole."""
    part = f'("application" "x" ("name" {name} "a" {name} "b" {name}) NIL NIL "base64" 1)'
    header = b"Subject: Many\r\n\r\n"
    stream = (
        b"* 1 EXISTS\r\n* 1 FETCH (UID 7 FLAGS () BODYSTRUCTURE ("
        + part.encode() * 40_000
        + f' "mixed") BODY[HEADER.FIELDS (SUBJECT)] {{{len(header)}}}\r\n'.encode()
        + header
        + b")\r\n* 2 EXISTS\r\n"
    )
    reader = ResponseReader(ReaderLimits())
    found = [one for start in range(0, len(stream), piece) for one in reader.feed(stream[start : start + piece])]
    before, answer, after = found
    assert (before.raw, after.raw) == (b"* 1 EXISTS", b"* 2 EXISTS")
    assert len(answer.raw) < 2 * MIB < len(stream)
    assert CUT_MARK in answer.raw
    record = read_fetch(answer)
    assert record is not None
    assert (record.uid, record.structure, record.sections) == (7, None, {HEADER_SECTION: header})


def test_what_a_sender_writes_behind_the_cut_speaks_for_no_other_mail() -> None:
    """Names in a structure are the sender's: cut in their middle, they must not be taken for the server's words."""
    lure = '") UID 9 FLAGS () BODYSTRUCTURE NIL X ("'
    for shift in range(40):
        filler = "y" * (64 * 1024 - 60 + shift)
        stream = f'* 1 FETCH (UID 7 BODYSTRUCTURE ("a" "b" ("name" "{filler}" "x" "{lure * 60_000}' + '")))\r\n'
        (answer,) = ResponseReader(ReaderLimits()).feed(stream.replace('"", "', "").encode())
        record = read_fetch(answer)
        assert record is None or record.uid == 7
