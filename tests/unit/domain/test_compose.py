"""Whatever stands in a field, the mail has our headers and no other, and its text arrives as it was written."""

from __future__ import annotations

import email
import email.policy
import quopri
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.compose import Letter, compose
from core.errors import InputError

LETTER = Letter(
    sender="rita@agency.test",
    sender_name="Rita Recruiter",
    recipient="maya@candidates.example",
    recipient_name="Maya Lind",
    subject="A role at Northwind",
    text="Hi Maya,\nshall we talk?",
    html="<p>Hi Maya,<br>\nshall we talk?</p>",
    message_id="0123456789abcdef@agency.test",
    date=datetime(2026, 9, 1, 9, 0, tzinfo=UTC),
    references=("first@agency.test", "second@agency.test"),
    extra=(("X-Rethread-Delivery", "d1"),),
)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
    "X-Rethread-Delivery",
]  # fmt: skip
HOSTILE = [
    "a\r\nBcc: x@y.test",
    "a\nBcc: x@y.test",
    "a\rBcc: x@y.test",
    "a\x00b",
    "a\u2028Bcc: x@y.test",
    "a\u2029b",
    "a\x85b",
    "a\x0bBcc: x@y.test",
    "=?utf-8?q?a=0ABcc=3A_x=40y?=",
    "=?utf-8?b?YQpCY2M6IHhAeQ==?=",
    "=?utf-8?q?a=0ABcc=3A_x=40y?= and =?utf-8?q?b=0D=0AB: c?=",
    "\r\n\r\n<script>",
    "\ud800",
    "(comment) <x@y.test>, other@z.test",
    '", <x@y.test>, "',
    "\\",
    "=?",
]
any_text = st.text(st.characters(), max_size=300) | st.sampled_from(HOSTILE)


def parsed(raw: bytes) -> Message:
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def header_text(raw: bytes, name: str) -> str:
    return str(make_header(decode_header(parsed(raw)[name])))


def spaced(text: str) -> str:
    return " ".join(text.split())


@given(subject=any_text, sender_name=any_text, recipient_name=any_text, extra=any_text)
def test_no_field_ever_adds_a_header(subject: str, sender_name: str, recipient_name: str, extra: str) -> None:
    """Parsed back by the standard library, under both of its policies, the headers are exactly ours (threat T13)."""
    letter = replace(
        LETTER,
        subject=subject,
        sender_name=sender_name,
        recipient_name=recipient_name,
        extra=(("X-Rethread-Delivery", extra),),
    )
    try:
        raw = compose(letter)
    except InputError:
        return
    assert parsed(raw).keys() == HEADERS
    assert email.message_from_bytes(raw, policy=email.policy.default).keys() == HEADERS
    head = raw.split(b"\r\n\r\n", 1)[0]
    assert all(line.split(b":")[0].decode() in HEADERS for line in head.split(b"\r\n") if line[:1] not in b" \t")


@given(subject=any_text, sender_name=any_text, text=any_text, html=any_text)
def test_no_line_is_longer_than_the_standard_allows(subject: str, sender_name: str, text: str, html: str) -> None:
    """At most 998 characters and CRLF (RFC 5322 2.1.1); only ASCII leaves."""
    try:
        raw = compose(replace(LETTER, subject=subject, sender_name=sender_name, text=text, html=html))
    except InputError:
        return
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


@pytest.mark.parametrize("length", [200, 201, 1_000, 9_000])
@pytest.mark.parametrize("char", ["a", "é", "語"])
def test_a_very_long_name_or_subject_is_folded(length: int, char: str) -> None:
    """A person's name of thousands of letters does not make one line of thousands."""
    raw = compose(replace(LETTER, recipient_name=char * length, subject=char * length))
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert header_text(raw, "Subject") == char * length
    assert email.message_from_bytes(raw, policy=email.policy.default)["To"].addresses[0].addr_spec == LETTER.recipient


@pytest.mark.parametrize("value", [*HOSTILE[:8], "\r\n\r\n<script>"])
@pytest.mark.parametrize("field", ["subject", "sender_name", "recipient_name"])
def test_control_characters_are_refused_with_the_header_named(field: str, value: str) -> None:
    """A line break is never repaired in silence: the person is told which field carries it."""
    with pytest.raises(InputError) as refused:
        compose(replace(LETTER, **{field: value}))
    assert refused.value.field in ("Subject", "From", "To")
    assert refused.value.fix


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=400))
def test_a_subject_reads_as_it_was_written(subject: str) -> None:
    """Any script; runs of spaces may shrink where a line is folded."""
    assert spaced(header_text(compose(replace(LETTER, subject=subject)), "Subject")) == spaced(subject)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=120))
def test_a_name_reads_as_it_was_written(name: str) -> None:
    """Quotes, commas and brackets in a name stay part of the name, and the address stays the address."""
    raw = compose(replace(LETTER, recipient_name=name))
    to = email.message_from_bytes(raw, policy=email.policy.default)["To"]
    assert [one.addr_spec for one in to.addresses] == [LETTER.recipient]
    from_compat = email.utils.getaddresses([parsed(raw)["To"]])
    assert [address for _, address in from_compat] == [LETTER.recipient]
    assert spaced(str(make_header(decode_header(from_compat[0][0])))) == spaced(name)


BODIES = [
    "",
    ".",
    "a\n.\nb",
    "..\n.x",
    "From me\n>From",
    "x" * 5_000,
    " trailing \t\n",
    "=\n==",
    "=3D",
    "\t",
    "é\u2028語\U0001f600",
]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=500) | st.sampled_from(BODIES))
def test_a_body_survives_quoted_printable(text: str) -> None:
    """All of Unicode, lines of dots, long lines, spaces at the end: read back it is the same text."""
    raw = compose(replace(LETTER, text=text, html=f"<p>{text}</p>"))
    plain, html = parsed(raw).get_payload()
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    decoded = quopri.decodestring(plain.get_payload().encode("ascii"))
    assert decoded.decode("utf-8").replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    assert html.get_content_type() == "text/html"


@pytest.mark.parametrize("text", BODIES)
def test_no_line_of_the_body_is_a_lone_dot(text: str) -> None:
    """A dot alone ends a message on the wire (RFC 5321 4.1.1.4); none leaves, whatever stuffs dots later."""
    assert b"\r\n.\r\n" not in compose(replace(LETTER, text=text, html=text))


def test_a_body_cannot_end_its_part_early() -> None:
    """The boundary in the text is only text: "=" never stands bare in quoted-printable."""
    raw = compose(replace(LETTER, text="--=_0123456789abcdef--\n--=_0123456789abcdef\nContent-Type: x/y\n\nz"))
    assert [part.get_content_type() for part in parsed(raw).get_payload()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "maya",
        "a b@c.example",
        "a@b\r\nRCPT TO:<x@y>",
        "a@b>",
        "<a@b.example>",
        "ö@b.example",
        "a@bücher.example",
        "a@b\x00",
    ],
)
def test_an_address_that_cannot_be_written_is_refused(address: str) -> None:
    """One strict form; the field is named."""
    with pytest.raises(InputError) as refused:
        compose(replace(LETTER, recipient=address))
    assert refused.value.field == "To"


def test_references_keep_the_first_and_the_newest() -> None:
    """A long thread stays within twenty ids: where it began, and where it is (RFC 5322 3.6.4)."""
    ids = tuple(f"m{number}@agency.test" for number in range(50))
    message = parsed(compose(replace(LETTER, references=ids)))
    kept = message["References"].split()
    assert kept[0] == "<m0@agency.test>"
    assert kept[1:] == [f"<m{number}@agency.test>" for number in range(31, 50)]
    assert message["In-Reply-To"] == "<m49@agency.test>"


@pytest.mark.parametrize("reference", ["a b@c", "a>b@c", "a\r\nX: y@c", "", "é@c"])
def test_a_message_id_that_cannot_be_written_is_refused(reference: str) -> None:
    """What a server wrote into an id does not come back out as a header."""
    with pytest.raises(InputError):
        compose(replace(LETTER, references=(reference,)))


def test_reply_to_is_written_where_it_is_given() -> None:
    """An alias in From, and another address for the answers."""
    message = parsed(compose(replace(LETTER, sender="jobs@agency.test", reply_to="rita@agency.test")))
    assert (message["From"], message["Reply-To"]) == ("Rita Recruiter\r\n <jobs@agency.test>", "rita@agency.test")
    with pytest.raises(InputError) as refused:
        compose(replace(LETTER, reply_to="rita@agency.test\r\nBcc: x@y.test"))
    assert refused.value.field == "Reply-To"


@pytest.mark.parametrize("name", ["Bad Name", "X:Y", "X\r\nBcc", ""])
def test_a_header_that_does_not_read_back_is_not_sent(name: str) -> None:
    """The last line of defence: what was written is read again before it may leave."""
    with pytest.raises(InputError, match="a header of its own"):
        compose(replace(LETTER, extra=((name, "x: y"),)))


@pytest.mark.parametrize("message_id", ['a"b@agency.test', "a;x=y@agency.test", "@agency.test", "=_--@agency.test"])
def test_no_message_id_breaks_the_boundary(message_id: str) -> None:
    """Boundaries take from it only what may stand there unquoted (RFC 2046 5.1.1)."""
    message = parsed(compose(replace(LETTER, message_id=message_id)))
    assert [part.get_content_type() for part in message.get_payload()] == ["text/plain", "text/html"]
    assert not any(part.defects for part in message.walk())
