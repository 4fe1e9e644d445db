"""The pure readers of IMAP answers: whatever the bytes, they give a value and never an exception of their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.mail.imap_answers import read_list, read_search, read_select, read_status, sequence_set
from core.mail.imap_fetch import HEADER_SECTION, FetchRecord, read_date, read_fetch
from core.mail.imap_names import assign_roles, decode_name, encode_name, quote
from core.mail.imap_reader import LimitExceededError, ReaderLimits, ResponseReader, ServerResponse

HEADER = b"Subject: Hello\r\n\r\n"
USUAL = (
    b'* 7 FETCH (UID 9 FLAGS (\\Seen $Work) INTERNALDATE " 1-Nov-2026 23:30:00 +0130" RFC822.SIZE 1234 '
    b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 3 1) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\n' + HEADER + b")"
)


def response(data: bytes) -> ServerResponse:
    (only,) = ResponseReader(ReaderLimits()).feed(data + b"\r\n")
    return only


def read(data: bytes) -> FetchRecord:
    record = read_fetch(response(data))
    assert record is not None
    return record


class TestFetch:
    def test_the_usual_shape_gives_every_item(self) -> None:
        message = read(USUAL).message()
        assert message is not None
        assert (message.uid, message.size, message.header) == (9, 1234, HEADER)
        assert message.flags == {"\\Seen", "$Work"}
        assert message.internal_date == datetime(2026, 11, 1, 22, 0, tzinfo=UTC)
        assert message.structure == b'("text" "plain" NIL NIL NIL "7bit" 3 1)'

    def test_any_order_of_items_gives_the_same_message(self) -> None:
        """Gmail, Exchange and others each have an order of their own."""
        shuffled = (
            b"* 7 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}\r\n" + HEADER + b" RFC822.SIZE 1234 BODYSTRUCTURE "
            b'("text" "plain" NIL NIL NIL "7bit" 3 1) INTERNALDATE " 1-Nov-2026 23:30:00 +0130" MODSEQ (12) '
            b"FLAGS (\\Seen $Work) UID 9)"
        )
        assert read(shuffled) == read(USUAL)

    def test_a_header_in_quotes_or_nil_counts(self) -> None:
        assert read(b'* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] "")').sections == {HEADER_SECTION: b""}
        assert read(b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] NIL)").sections == {HEADER_SECTION: b""}
        assert read(b'* 1 FETCH (UID 1 BODY[1]<0> "say \\"hi\\"")').sections == {"1": b'say "hi"'}

    def test_a_literal_inside_the_structure_stays_in_it(self) -> None:
        structure = b'("application" "pdf" ("name" {7}\r\nCV (1).) NIL NIL "base64" 3)'
        record = read(b"* 1 FETCH (UID 1 BODYSTRUCTURE " + structure + b" BODY[HEADER.FIELDS (X)] {4}\r\nA: b)")
        assert (record.structure, record.sections) == (structure, {HEADER_SECTION: b"A: b"})

    @pytest.mark.parametrize(
        "structure", [b'(("text" "plain" ("charset', b"(((((", b'("a" "b"', b")", b'"', b"(" * 200 + b")" * 200]
    )
    def test_a_broken_structure_leaves_uid_and_header(self, structure: bytes) -> None:
        record = read(b"* 1 FETCH (UID 5 BODYSTRUCTURE " + structure + b" BODY[HEADER.FIELDS (X)] {4}\r\nA: b)")
        assert (record.uid, record.sections) == (5, {HEADER_SECTION: b"A: b"})

    def test_a_file_name_cannot_pose_as_a_uid_or_as_a_header(self) -> None:
        forged = b'("a" "b" ("name" "x) UID 99 BODY[HEADER.FIELDS (X)] y") NIL NIL "7bit" 1)'
        record = read(b"* 1 FETCH (UID 5 BODYSTRUCTURE " + forged + b" BODY[HEADER.FIELDS (X)] {4}\r\nA: b)")
        assert (record.uid, record.structure) == (5, forged)
        assert record.sections == {HEADER_SECTION: b"A: b"}

    @pytest.mark.parametrize("uid", [b"0", b"4294967296", b"-1", b"x", b"NIL"])
    def test_an_impossible_uid_is_none(self, uid: bytes) -> None:
        record = read_fetch(response(b"* 1 FETCH (UID " + uid + b" BODY[HEADER.FIELDS (X)] {4}\r\nA: b)"))
        assert record is None or record.uid is None

    @pytest.mark.parametrize("date", [b"32-Jan-2026 00:00:00 +0000", b"", b"NIL", b"01-Foo-2026 00:00:00 +0000"])
    def test_an_impossible_date_is_none(self, date: bytes) -> None:
        assert read_date(date) is None

    def test_a_leap_second_is_a_date(self) -> None:
        assert read_date(b"31-Dec-2016 23:59:60 +0000") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)

    @given(st.binary(max_size=400))
    @example(b"* 1 FETCH (UID 1 FLAGS")
    @example(b'* 1 FETCH (UID 1 BODY[1] "abc')
    @example(b"* 1 FETCH (RFC822.SIZE ())")
    def test_any_bytes_give_a_record_or_none(self, data: bytes) -> None:
        for literals in ((), ((5, 9),), ((0, 10_000),)):
            read_fetch(ServerResponse(data, literals))

    @given(st.lists(st.sampled_from(
        [b"(", b")", b'"', b"\\", b" ", b"UID ", b"5", b"NIL", b"BODYSTRUCTURE ", b"{3}\r\nabc", b"FLAGS ", b"BODY[1] "]
    )))  # fmt: skip
    def test_any_mixture_of_tokens_gives_a_record_or_none(self, tokens: list[bytes]) -> None:
        for answer in ResponseReader(ReaderLimits()).feed(b"* 1 FETCH (" + b"".join(tokens) + b"\r\n"):
            read_fetch(answer)

    @pytest.mark.parametrize(
        "piece", [b"(", b'"', b'\\"', b") BODY[HEADER.FIELDS (X)] ", b"BODY[", b"UID 1 ", b"{1}\r\n"]
    )
    def test_time_grows_with_the_size_not_with_its_square(self, piece: bytes) -> None:
        def seconds(count: int) -> float:
            hostile = ServerResponse(b"* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE (" + piece * count + b" {1}\r\nx)", ())
            start = time.process_time()
            read_fetch(hostile)
            return time.process_time() - start

        assert seconds(40_000) < max(seconds(5_000), 0.002) * 30


class TestReader:
    @given(st.lists(st.integers(1, 40), max_size=20), st.binary(max_size=60))
    def test_however_the_bytes_are_split_the_answers_are_the_same(self, cuts: list[int], literal: bytes) -> None:
        stream = b"* OK {5}\r\n* 1 FETCH (BODY[] {%d}\r\n%s)\r\nA1 OK done {3}\r\n* LIST () NIL {2}\r\nab\r\n" % (
            len(literal),
            literal,
        )
        whole = list(ResponseReader(ReaderLimits()).feed(stream))
        reader, pieces, position = ResponseReader(ReaderLimits()), [], 0
        for cut in [*cuts, len(stream)]:
            pieces += reader.feed(stream[position : position + cut])
            position += cut
        assert pieces == whole
        assert len(whole) == 4
        start, end = whole[1].literals[0]
        assert whole[1].raw[start:end] == literal

    def test_a_line_without_end_meets_its_limit(self) -> None:
        reader = ResponseReader(ReaderLimits(line=100))
        assert list(reader.feed(b"x" * 90)) == []
        with pytest.raises(LimitExceededError):
            list(reader.feed(b"x" * 50))

    def test_many_literals_of_one_answer_meet_the_limit_together(self) -> None:
        reader = ResponseReader(ReaderLimits(literal=10))
        with pytest.raises(LimitExceededError):
            list(reader.feed(b"* 1 FETCH (A {6}\r\nabcdef B {6}\r\n"))

    def test_an_endless_line_fed_in_crumbs_is_looked_at_once(self) -> None:
        def seconds(count: int) -> float:
            reader, start = ResponseReader(ReaderLimits()), time.process_time()
            for _ in range(count):
                list(reader.feed(b"x" * 10))
            return time.process_time() - start

        assert seconds(40_000) < max(seconds(4_000), 0.002) * 40


class TestSmallAnswers:
    def test_list_lines(self) -> None:
        assert read_list(b'* LIST (\\HasNoChildren \\Sent) "/" "Gesendet &- &AOQ-"') == (
            "Gesendet &- &AOQ-", "Gesendet & ä", "/", frozenset({"\\hasnochildren", "\\sent"})
        )  # fmt: skip
        assert read_list(b"* LIST () NIL INBOX") == ("INBOX", "INBOX", None, frozenset())
        assert read_list(b'* LIST () "\\\\" {3}\r\na\\b') == ("a\\b", "a\\b", "\\", frozenset())
        assert read_list(b"* LIST nonsense") is None

    def test_status_numbers_stand_in_the_last_parentheses(self) -> None:
        line = b'* STATUS "a (UIDNEXT 99)" (MESSAGES 1 uidnext 2 UIDVALIDITY 3)'
        assert read_status([line]) == {"MESSAGES": 1, "UIDNEXT": 2, "UIDVALIDITY": 3}

    def test_select_codes(self) -> None:
        lines = [b"* OK [UIDVALIDITY 7] x", b"* OK [UIDNEXT 8] y", b"* 3 EXISTS", b"* OK [HIGHESTMODSEQ 9] z"]
        assert read_select(lines) == {"UIDVALIDITY": 7, "UIDNEXT": 8, "HIGHESTMODSEQ": 9}

    def test_search_keeps_the_bounds_and_drops_nonsense(self) -> None:
        lines = [b"* SEARCH 5 3 3 x -1 99999999999999999999", b"* SEARCH 9 1 (MODSEQ 7)"]
        assert read_search(lines, 3, 9) == [3, 5, 9]

    @given(st.sets(st.integers(1, 60)))
    def test_a_sequence_set_names_exactly_its_members(self, uids: set[int]) -> None:
        named: list[int] = []
        for part in filter(None, sequence_set(sorted(uids)).split(",")):
            low, _, high = part.partition(":")
            named += range(int(low), int(high or low) + 1)
        assert named == sorted(uids)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_survived(self, data: bytes) -> None:
        for line in (data, b"* LIST " + data, b"* SEARCH " + data, b"* STATUS " + data, b"* OK [" + data):
            read_list(line), read_status([line]), read_select([line]), read_search([line], 0, 9)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "wire"),
        [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ],
    )
    def test_modified_utf_7(self, name: str, wire: str) -> None:
        assert encode_name(name) == wire
        assert decode_name(wire) == name

    @given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
    def test_every_name_comes_back(self, name: str) -> None:
        assert encode_name(name).isascii()
        assert decode_name(encode_name(name)) == name

    @given(st.text(max_size=40))
    @example("&\x80-")
    def test_any_wire_name_gives_some_name(self, wire: str) -> None:
        decode_name(wire)

    def test_quoting_refuses_what_would_end_the_line(self) -> None:
        assert quote('a "b" \\') == '"a \\"b\\" \\\\"'
        for bad in ("a\r\nb", "a\0"):
            with pytest.raises(ValueError, match="quoted"):
                quote(bad)

    def test_the_servers_word_wins_over_the_name(self) -> None:
        folders = assign_roles(
            [
                ("inbox", "/", frozenset()),
                ("Sent", "/", frozenset()),
                ("Post/Gesendet", "/", frozenset({"\\sent"})),
                ("INBOX.Papierkorb", ".", frozenset()),
                ("Junk", "/", frozenset({"\\noselect"})),
                ("[Gmail]/All Mail", "/", frozenset({"\\all"})),
            ]
        )
        assert [(folder.role, folder.selectable) for folder in folders] == [
            ("inbox", True), (None, True), ("sent", True), ("trash", True), (None, False), ("all", True)
        ]  # fmt: skip
