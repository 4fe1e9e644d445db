"""Signatures: what is harmless stays, whatever the rest is wrapped in."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.safe_html import safe_html


def test_an_ordinary_signature_stays() -> None:
    page = (
        '<p style="color: #333; font-size: 12px"><b>Rita</b> &amp; team<br>'
        '<a href="https://agency.test">agency.test</a> <a href="tel:+442079460000">call</a></p>'
        '<img src="https://agency.test/logo.png" width="80" alt="Logo">'
    )
    assert safe_html(page) == page


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("<script>alert(1)</script>Hi", "Hi"),
        ("<SCRIPT SRC=//x.test></SCRIPT>Hi", "Hi"),
        ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        ('<img src=x onerror="alert(1)">', "<img>"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="java\tscript:alert(1)">x</a>', "<a>x</a>"),
        ('<p style="background: url(https://x.test)">x</p>', "<p>x</p>"),
        ('<p style="position:fixed; color:red">x</p>', '<p style="color:red">x</p>'),
        ("<iframe src=https://x.test></iframe>x", "x"),
        ("<form action=https://x.test><input></form>x", "x"),
        ("<b>open", "<b>open</b>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<!-- x --><![CDATA[y]]>z", "z"),
        ("<svg><script>alert(1)</script></svg>z", "z"),
        ("<style>p{}</style>z", "z"),
    ],
)
def test_what_could_act_is_gone(given: str, left: str) -> None:
    assert safe_html(given) == left


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


_PIECES = st.sampled_from(
    ["<", ">", "script", "svg", "/", " onload=", "'", '"', "a href=", "javascript:x", "&lt;", "p", " "]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_nothing_that_acts_survives_any_mixture(page: str) -> None:
    """Read again by a parser, there is neither script nor handler; and cleaning twice changes nothing."""
    clean = safe_html(page)
    seen = _Seen()
    seen.feed(clean)
    assert not seen.tags & {"script", "svg"}
    assert not any(name.startswith("on") for name in seen.attributes)
    assert safe_html(clean) == clean
