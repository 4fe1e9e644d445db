"""Header blocks: the usual, the broken, the hostile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.message import Address
from core.domain.mime import base_subject, parse_header

USUAL = (
    b"Date: Mon, 2 Nov 2026 10:03:22 +0100\n"
    b'From: "Carla Candidate" <carla@Candidates.example>\n'
    b"To: Rita <rita@agency.test>, omar@agency.test\n"
    b"Cc: Ada <ada@agency.test>\n"
    b"Subject: =?utf-8?Q?Re=3A_Engineer_=E2=80=93?=\n"
    b"\t=?utf-8?B?TcO8bmNoZW4=?=\n"
    b"Message-ID: <c1@candidates.example>\n"
    b"In-Reply-To: <s1@agency.test>\n"
    b"References: <s0@agency.test>\n"
    b" <s1@agency.test>\n"
    b"\n"
    b"Subject: not this one\n"
)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_usual_header_is_read_whole(ends: bytes) -> None:
    """Addresses, ids without brackets, decoded subject, aware date; the body is not read."""
    header = parse_header(USUAL.replace(b"\n", ends))
    assert header.message_id == "c1@candidates.example"
    assert header.in_reply_to == ("s1@agency.test",)
    assert header.references == ("s0@agency.test", "s1@agency.test")
    assert header.from_ == Address("carla@candidates.example", "Carla Candidate")
    assert header.to == (Address("rita@agency.test", "Rita"), Address("omar@agency.test"))
    assert header.cc == (Address("ada@agency.test", "Ada"),)
    assert header.subject == "Re: Engineer –München"
    assert header.date == datetime(2026, 11, 2, 9, 3, 22, tzinfo=UTC)
    assert header.defects == ()


def header_of(line: bytes) -> bytes:
    return b"From: a@b.test\nMessage-ID: <1@b.test>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n" + line + b"\n\n"


@pytest.mark.parametrize(
    ("raw", "subject", "defect"),
    [
        (b"=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café", None),
        (b"=?klingon?q?caf=E9?=", "café", "charset"),
        (b"=?utf-8?q?caf=E9?=", "café", "charset"),
        (b"=?ut\0f?q?x?=", "x", "control_characters"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本", None),
        (b"=?utf-8?b?not base64!?=", None, None),
        ("Grüße".encode(), "Grüße", None),
        ("Grüße".encode("cp1252"), "Grüße", "8bit"),
        (b"=?utf-8?q?a=0ABcc=3A_evil=40x?=", "a Bcc: evil@x", "control_characters"),
        ("a\u202eb\u200bc".encode(), "abc", "control_characters"),
        (b"=?utf-7?q?+2AA-?=", "", None),
        (b"tab\tthere", "tab there", None),
    ],
)
def test_subjects_are_decoded_and_cleaned(raw: bytes, subject: str | None, defect: str | None) -> None:
    """RFC 2047 with wrong charsets, split characters, raw 8-bit, and nothing that forges what people see."""
    header = parse_header(header_of(b"Subject: " + raw))
    if subject is not None:
        assert " ".join(header.subject.split()) == subject
    if defect:
        assert defect in header.defects
    assert "\n" not in header.subject
    header.subject.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mon, 2 Nov 2026 10:00:00 +0100", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        ("2 Nov 26 10:00 EST", datetime(2026, 11, 2, 15, tzinfo=UTC)),
        ("Mon, 2 Nov 2026 10:00:00 (CET)", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("Monday, 02-Nov-2026 10:00:00 GMT", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("Mon Nov  2 10:00:00 2026", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("2026-11-02T10:00:00Z", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("Mon, 2 Nov 2026 10:00:00 +9900", datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("Mon, 2 Nov 2099 10:00:00 +0000", None),
        ("Mon, 32 Nov 2026 10:00:00 +0000", None),
        ("yesterday", None),
    ],
)
def test_dates_are_aware_or_none(value: str, expected: datetime | None) -> None:
    """Absurd years are a defect, not a date."""
    header = parse_header(f"From: a@b.test\nDate: {value}\n\n".encode())
    assert header.date == expected
    assert ("bad_date" in header.defects) is (expected is None)
    if header.date:
        assert header.date.utcoffset() is not None
        assert abs(header.date.utcoffset() or timedelta()) <= timedelta(hours=14)


def test_what_is_missing_or_double_is_a_defect() -> None:
    """A mail that cannot be parsed is still a mail."""
    assert set(parse_header(b"").defects) == {"no_from", "no_date", "no_message_id"}
    header = parse_header(b"From: a@b.test\nFrom: c@d.test\nthis is no field\nDate: x\n\n")
    assert header.from_ == Address("a@b.test")
    assert {"many_from", "line", "bad_date", "no_message_id"} == set(header.defects)


def test_limits_hold() -> None:
    """500 fields, 4 KB a value, the last 20 references."""
    many = parse_header(b"X-Spam: y\n" * 1_000_000)
    assert sum(map(len, many.fields.values())) == 500
    assert "fields" in many.defects
    long = parse_header(b"Subject: " + b"y" * 5_000_000)
    assert len(long.subject) == 4_096
    ids = parse_header(b"References: " + b" ".join(b"<%d@b.test>" % number for number in range(1_000)))
    assert ids.references[-1] == "999@b.test"
    assert len(ids.references) == 20


def test_ids_survive_bad_habits() -> None:
    """Folded ids, ids without brackets, comments around them."""
    header = parse_header(
        b"In-Reply-To: Your message of today <a@b.test>\nReferences: c@d.test\nMessage-ID:\n <e@\n f>\n"
    )
    assert header.in_reply_to == ("a@b.test",)
    assert header.references == ("c@d.test",)
    assert header.message_id == "e@f"


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: Engineer", "Engineer"),
        ("RE: AW: Sv: Fwd: Engineer", "Engineer"),
        ("Re:Engineer", "Engineer"),
        ("Re[2]: Engineer", "Engineer"),
        ("Antw.: Engineer", "Antw.: Engineer"),
        ("[team] Re: Engineer", "Engineer"),
        ("[Remote] Engineer", "[Remote] Engineer"),
        ("回复：工程师", "工程师"),
        ("R: Sviluppatore", "Sviluppatore"),
        ("Engineer (fwd)", "Engineer"),
        ("Ref: 123", "123"),
        ("React: developer", "React: developer"),
        ("  Re:   a   b ", "a b"),
        ("", ""),
    ],
)
def test_the_base_subject_has_no_answer_marks(subject: str, base: str) -> None:
    """In the languages of the field, with and without a space after the colon."""
    assert base_subject(subject) == base


@given(st.binary(max_size=2_000))
def test_no_bytes_make_the_header_parser_raise(raw: bytes) -> None:
    """And whatever comes out can be stored and shown."""
    header = parse_header(raw)
    for name, values in header.fields.items():
        "".join((name, *values)).encode()
        assert "\n" not in "".join(values)
        assert "\0" not in "".join(values)


@given(st.text())
def test_no_text_makes_the_base_subject_raise(text: str) -> None:
    """Idempotent as well."""
    assert base_subject(base_subject(text)) == base_subject(text)
