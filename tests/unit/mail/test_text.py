"""Finding and decoding the readable text of a mail."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mail.imap_structure import StructureError, TextPart, find_text
from core.mail.mime_text import text_of_message
from core.mail.text import html_to_text, readable_text

PLAIN = b'("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 40 2 NIL NIL NIL NIL)'
HTML = b'("text" "html" ("charset" "utf-8") NIL NIL "base64" 400 8 NIL NIL NIL NIL)'
PDF = b'("application" "pdf" ("name" "cv.pdf") NIL NIL "base64" 900 NIL ("attachment" ("filename" "cv.pdf")) NIL NIL)'


def section(structure: bytes) -> tuple[str, str] | None:
    part = find_text(structure)
    return None if part is None else (part.section, part.subtype)


class TestStructure:
    @pytest.mark.parametrize(
        ("structure", "expected"),
        [
            (PLAIN, ("1", "plain")),
            (b"(" + PLAIN + HTML + b' "alternative" ("boundary" "b") NIL NIL)', ("1", "plain")),
            (b"(" + HTML + PLAIN + b' "alternative" NIL NIL NIL)', ("2", "plain")),
            (b"((" + PLAIN + HTML + b' "alternative" NIL NIL NIL)' + PDF + b' "mixed" NIL NIL NIL)', ("1.1", "plain")),
            (b"(" + PDF + HTML + b' "mixed" NIL NIL NIL)', ("2", "html")),
            (b"(" + HTML + PLAIN + b' "mixed" NIL NIL NIL)', ("1", "html")),
            (b"((" + HTML + PDF + b' "related" NIL NIL NIL)' + PLAIN + b' "alternative" NIL)', ("2", "plain")),
            (PDF, None),
            (b'("text" "plain" NIL NIL NIL "7bit" 5 1 NIL ("attachment" NIL) NIL NIL)', None),
            (b'("TEXT" "PLAIN" NIL NIL NIL "8BIT" 5 1)', ("1", "plain")),
            (
                b'(("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)' + HTML + b' "alternative" NIL)',
                ("2", "html"),
            ),
            (b'("text" {5}\r\nplain NIL NIL NIL "7bit" 5 1 NIL NIL NIL NIL)', ("1", "plain")),
        ],
    )
    def test_the_part_that_a_person_reads_first(self, structure: bytes, expected: tuple[str, str] | None) -> None:
        assert section(structure) == expected

    def test_charset_encoding_and_size_come_along(self) -> None:
        assert find_text(PLAIN) == TextPart("1", "plain", "utf-8", "quoted-printable", 40)
        assert find_text(b"(" + HTML + b' "mixed" NIL)') == TextPart("1", "html", "utf-8", "base64", 400)

    @pytest.mark.parametrize("broken", [b"", b"(", b")", b'("text" "plain', b"(" * 100 + b")" * 100, b"NIL", b"((("])
    def test_broken_structures_say_so(self, broken: bytes) -> None:
        with pytest.raises(StructureError):
            find_text(broken)

    @given(st.lists(st.sampled_from([b"(", b")", b'"text"', b'"plain"', b"NIL", b" ", b"5", b'"', b"{2}\r\nab"])))
    def test_any_mixture_of_tokens_gives_a_part_none_or_a_structure_error(self, tokens: list[bytes]) -> None:
        try:
            find_text(b"".join(tokens))
        except StructureError:
            return


def text(data: bytes, encoding: str = "", charset: str = "", subtype: str = "plain", limit: int = 1_000) -> str:
    return readable_text(data, encoding=encoding, charset=charset, subtype=subtype, limit=limit).decode()


class TestDecoding:
    @pytest.mark.parametrize(
        ("data", "encoding", "charset", "expected"),
        [
            (b"Gr=C3=BC=\r\n=C3=9Fe", "quoted-printable", "utf-8", "Grüße"),
            (base64.encodebytes("Grüße".encode("cp1252")), "base64", "iso-8859-1", "Grüße"),
            (base64.b64encode("Grüße".encode())[:-3], "base64", "utf-8", "Grüß"),
            (b"R3I=!!", "base64", "", "Gr"),
            ("Grüße".encode(), "8bit", "us-ascii", "Grüße"),
            ("Grüße".encode("latin-1"), "8bit", "", "Grüße"),
            ("Grüße".encode("latin-1"), "8bit", "no-such-charset", "Grüße"),
            ("Grüße".encode("latin-1"), "8bit", "utf-8", "Gr\ufffd\ufffde"),
            (b"\x93quoted\x94", "", "iso-8859-1", "“quoted”"),
            ("日本語".encode("iso-2022-jp"), "7bit", "iso-2022-jp", "日本語"),
            ("中文".encode("gbk"), "8bit", "gb2312", "中文"),
            (b"abc", "x-unknown", "zlib", "abc"),
            (b"abc", "", "a\0b", "abc"),
            (b"xn--abc", "", "idna", "xn--abc"),
            (b"a\r\nb\rc", "", "", "a\nb\nc"),
        ],
    )
    def test_text_is_decoded(self, data: bytes, encoding: str, charset: str, expected: str) -> None:
        assert text(data, encoding, charset) == expected

    def test_the_limit_never_cuts_a_character(self) -> None:
        assert text("äöü".encode(), charset="utf-8", limit=5) == "äö"

    @given(st.binary(max_size=300), st.sampled_from(["base64", "quoted-printable", ""]), st.text(max_size=12))
    def test_any_bytes_and_labels_give_utf_8(self, data: bytes, encoding: str, charset: str) -> None:
        for subtype in ("plain", "html"):
            text(data, encoding, charset, subtype)


class TestHtml:
    @pytest.mark.parametrize(
        ("markup", "expected"),
        [
            ("<p>One</p>\n<p>Two&nbsp;&amp; three</p>", "One\n\nTwo & three\n"),
            ("<div>One</div><div>Two</div><div><br></div><div>Three</div>", "One\nTwo\n\nThree\n"),
            ("<div>One<br></div><div>Two</div>", "One\nTwo\n"),
            ("<style>p { color: red }</style><script>if (a < b) {}</script>Hi", "Hi\n"),
            ("<!-- <p>no</p> -->yes<!DOCTYPE html>", "yes\n"),
            ("a < b and <b>c</b>", "a < b and c\n"),
            ('<a href="https://x.example/?a=1">link</a> text', "link text\n"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
            ("line\r\nwrapped\n  text", "line wrapped text\n"),
            ("<ul><li>one</li><li>two</li></ul>", "one\ntwo\n"),
            ("<title>T</title><p>x", "x\n"),
        ],
    )
    def test_html_becomes_what_a_person_reads(self, markup: str, expected: str) -> None:
        assert html_to_text(markup) == expected

    @pytest.mark.parametrize(
        "piece", ["<", "<!--", "<a ", "&", "&#", "<div>", "</", "<style>", "\n ", "<p>", "<br>", " \v", "<![CDATA["]
    )
    def test_time_grows_with_the_size_not_with_its_square(self, piece: str) -> None:
        def seconds(count: int) -> float:
            def once() -> float:
                start = time.process_time()
                html_to_text(piece * count)
                return time.process_time() - start

            return min(once() for _ in range(3))  # whatever else the machine does

        assert seconds(40_000) < max(seconds(5_000), 0.004) * 30


class TestWholeBodies:
    def test_the_plain_alternative_of_a_nested_body(self) -> None:
        header = b'Content-Type: multipart/mixed;\r\n boundary="out"\r\n\r\n'
        body = (
            b"preamble\r\n--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
            b"--in\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
            b"--in\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.b64encode("Grüße".encode())
            + b"\r\n--in--\r\n--out\r\nContent-Type: application/pdf\r\n\r\nxx\r\n--out--\r\n"
        )
        assert text_of_message(header, body, limit=100).decode() == "Grüße"

    def test_a_body_without_type_is_plain_text(self) -> None:
        assert text_of_message(b"", b"Hello\r\nthere", limit=100) == b"Hello\nthere"

    def test_a_body_without_text_has_none(self) -> None:
        assert text_of_message(b"Content-Type: application/pdf\r\n", b"%PDF", limit=100) == b""

    @pytest.mark.parametrize(
        "part", [b"--b\r\n\r\n", b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b"]
    )
    def test_thousands_of_parts_are_cut_short(self, part: bytes) -> None:
        start = time.process_time()
        text_of_message(b"Content-Type: multipart/mixed; boundary=b\r\n", part * (262_144 // len(part)), limit=1_000)
        assert time.process_time() - start < 1

    @given(st.binary(max_size=200), st.binary(max_size=200))
    def test_any_bytes_give_some_text(self, header: bytes, body: bytes) -> None:
        text_of_message(header, body, limit=50)
        text_of_message(b"Content-Type: multipart/mixed; boundary=b\r\n" + header, b"--b\r\n" + body, limit=50)
