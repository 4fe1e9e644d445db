"""Whole mails within bounds: text, parts, reports."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.html_text import html_to_text
from core.domain.inbound import classify_raw
from core.domain.mime import Part, parse_header, parse_message, visible_reply

HEAD = b"From: a@b.test\nMessage-ID: <1@b.test>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\nHello\n", "Hello"),
        (
            b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
            b"Gr=FC=DFe=\n!\n",
            "Grüße!",
        ),
        (b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOf\nZQ==\n", "Grüße"),
        (b"Content-Type: text/plain; charset=klingon\n\nhi \xff\n", "hi ÿ"),
        (b"Content-Type: text/html\n\n<p>One</p><p>Two &amp; three<br>four</p>\n", "One\nTwo & three\nfour"),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n"
            b"--b\nContent-Type: text/html\n\n<b>rich</b>\n--b--\n",
            "plain",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n"
            b"<b>rich</b>\n--b\n\nfooter\n--b--\n",
            "rich\nfooter",
        ),
        (b"Content-Type: multipart/mixed; boundary=b\n\nno delimiter at all\n", "no delimiter at all"),
        (b"Content-Type: nonsense\n\nHello\n", "Hello"),
    ],
)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_the_readable_text_is_found(body: bytes, text: str, ends: bytes) -> None:
    """Encodings, charsets, alternatives, HTML, broken structure."""
    found = parse_message((HEAD + body).replace(b"\n", ends)).text
    assert "\n".join(line for line in found.split("\n") if line) == text


def test_parts_are_listed_by_type_name_and_size() -> None:
    """Attachments are never opened."""
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n"
        b"--b\nContent-Type: application/pdf; name=cv.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n"
        b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''L%C3%A9a.pdf\n\nx\n"
        b"--b\nContent-Disposition: attachment; filename*0=long; filename*1=.txt\n\nnot read\n--b--\n"
    )
    message = parse_message(raw)
    assert message.parts[0] == Part("text/plain", "", 3)
    assert [part.name for part in message.parts] == ["", "cv.pdf", "Léa.pdf", "long.txt"]
    assert message.text.strip() == "hi"


NEST = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(1_000))
HOSTILE = {
    "multipart nested 1,000 deep": HEAD + NEST + b"\nhi",
    "message/rfc822 nested 1,000 deep": HEAD + b"Content-Type: message/rfc822\n\n" * 1_000 + b"hi",
    "100,000 parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Type: text/plain\n\nx\n" * 100_000,
    "subject of 20,000 encoded words": b"Subject: " + b"=?utf-8?q?=C3=B6?= " * 20_000 + b"\n" + HEAD,
    "To of 50,000 quotes": b"To: " + b'"' * 50_000 + b"\n" + HEAD,
    "20,000 parameters": b"Content-Type: multipart/mixed; " + b"a=b; " * 20_000 + b"\n" + HEAD,
    "To of 20,000 addresses": b"To: " + b"u@many.test, " * 20_000 + b"\n" + HEAD,
    "NUL in a charset": HEAD + b'Content-Type: text/plain; charset="ut\0f-8"\n\nhi',
    "a million fields": b"X: y\n" * 1_000_000,
    "delimiters without end": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--\n" * 300_000,
    "html of open brackets": HEAD + b"Content-Type: text/html\n\n" + b"<" * 2_000_000,
    "html of open styles": HEAD + b"Content-Type: text/html\n\n" + b"<style>" * 100_000,
    "html of open comments": HEAD + b"Content-Type: text/html\n\n" + b"<!--" * 100_000,
    "html of entities": HEAD + b"Content-Type: text/html\n\n" + b"&#" * 100_000,
    "html of quotations": HEAD + b"Content-Type: text/html\n\n" + b"<blockquote>a" * 20_000,
    "a report of addresses": b"From: mailer-daemon@b.test\nSubject: Undelivered\n\n" + b"a@b.test: 550 x\n" * 20_000,
    "a report of one line": b"From: mailer-daemon@b.test\nSubject: Undelivered\n\n" + b"user not x@" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_ends_quickly(name: str) -> None:
    """reliability: what took 17 seconds or a RecursionError elsewhere takes well under a second here."""
    raw = HOSTILE[name]
    start = time.process_time()
    parse_header(raw)
    message = parse_message(raw)
    classify_raw(message)
    visible_reply(message.text)
    assert time.process_time() - start < 1.5
    assert len(message.parts) <= 200
    assert len(message.text) <= 262_144


def test_bounds_leave_their_mark() -> None:
    """Too deep, too many: a defect, not an exception."""
    assert "depth" in parse_message(HOSTILE["multipart nested 1,000 deep"]).defects
    assert "parts" in parse_message(HOSTILE["100,000 parts"]).defects


def test_text_has_nothing_that_forges_what_people_see() -> None:
    """Bidirectional overrides, controls and zero-width characters go; databases refuse NUL."""
    text = parse_message(HEAD + "\n\na\u202eb\0c\u200bd\x1b[0m\u2028e".encode()).text
    assert text.strip() == "abcd[0m\ne"


def test_html_quotations_become_quoted_lines() -> None:
    """So that the visible reply is found in HTML-only mail as well."""
    html = (
        "<div>Yes please</div><div>On 2 Nov 2026 at 10:03 Rita &lt;rita@agency.test&gt; wrote:</div>"
        "<blockquote>Hi <b>Carla</b></blockquote>"
    )
    assert visible_reply(html_to_text(html)) == "Yes please"
    assert html_to_text("a < b <script>x</script><style>y</style>&lt;c&gt;") == "a < b <c>"


@given(st.binary(max_size=3_000))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """And the text can be stored."""
    for whole in (raw, HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + raw):
        message = parse_message(whole)
        message.text.encode()
        assert "\0" not in message.text


@given(st.text())
def test_no_html_makes_it_raise(source: str) -> None:
    """Broken HTML is the rule."""
    html_to_text(source)
