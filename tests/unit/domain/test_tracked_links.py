"""Links in mails: where they may stand, and what becomes of the author's own."""

from __future__ import annotations

import re

import pytest

from core.domain.tracked_links import Links, Tracking, is_web_link
from core.domain.tracking_token import LinkKind, TokenSigner

SIGNER = TokenSigner(["a secret key of thirty-two characters or so"])
LINKS = Links(SIGNER, "https://mail.agency.test")


def targets(page: str) -> list[str]:
    tokens = re.findall(r'(?i)href\s*=\s*"https://mail\.agency\.test/c/([\w-]+)"', page)
    read = [SIGNER.read(token, LinkKind.CLICK) for token in tokens]
    return [one.target for one in read if one is not None]


@pytest.mark.parametrize(
    ("url", "private", "tracked"),
    [
        ("https://mail.agency.test", False, True),
        ("http://mail.agency.test", False, False),
        ("http://mail.agency.test", True, False),
        ("http://127.0.0.1:3000", False, False),
        ("http://127.0.0.1:3000", True, True),
        ("http://localhost:3000", True, True),
        ("http://[::1]:3000", True, True),
        ("http://192.168.1.4:3000", True, False),
    ],
)
def test_only_https_is_tracked_and_a_machine_of_ones_own(url: str, private: bool, tracked: bool) -> None:
    """Plain HTTP tells everybody on the way who reads what."""
    links = Links(SIGNER, url, private)
    assert links.may_track is tracked
    assert links.https is url.startswith("https:")


def test_web_links_lead_through_us_and_the_rest_stays() -> None:
    """Mailto, anchors, our own links, other attributes and plain text are the author's."""
    ours = LINKS.unsubscribe("T1", "d1", "cleo@candidates.example")
    page = (
        '<p>See <a class="x" href="https://a.test/?q=1&amp;r=2">this</a>, '
        '<A HREF = \'http://b.test/\'>that</A>, <a href="mailto:x@a.test">write</a>, <a href="#top">top</a>, '
        f'<a href="{ours}">unsubscribe</a> https://c.test <img src="https://d.test/x.png"></p>'
    )
    tracked = LINKS.with_clicks(page, "T1", "d1")
    assert targets(tracked) == ["https://a.test/?q=1&r=2", "http://b.test/"]
    for kept in ('class="x"', "mailto:x@a.test", 'href="#top"', str(ours), "https://c.test", "https://d.test/x.png"):
        assert kept in tracked


def test_a_link_too_long_to_sign_stays() -> None:
    """It works, uncounted."""
    page = f'<a href="https://a.test/{"x" * 2_100}">long</a>'
    assert LINKS.with_clicks(page, "T1", "d1") == page


def test_many_open_tags_cost_no_more_than_their_length() -> None:
    """A template of nothing but beginnings of links."""
    page = "<a " * 100_000
    assert LINKS.with_clicks(page, "T1", "d1") == page


def test_the_picture_stands_inside_the_body() -> None:
    page = LINKS.with_pixel("<html><body><p>Hi</p></body></html>", "T1", "d1")
    assert re.search(r'<p>Hi</p><img src="https://mail\.agency\.test/o/[\w-]+" width="1" height="1" alt="">', page)
    assert page.endswith("</body></html>")


def test_a_mail_that_asks_is_understood_by_its_token_alone() -> None:
    """Whoever it comes from; and a word without a token is nothing."""
    link = LINKS.unsubscribe_by_mail("T1", "d1", "cleo@candidates.example", to="rita+x@agency.test")
    assert link is not None
    assert link.startswith("mailto:rita+x@agency.test?subject=unsubscribe%20")
    subject = link.partition("subject=")[2].replace("%20", " ")
    token = LINKS.unsubscribed_by(f" Unsubscribe {subject.split()[1]} ")
    assert token is not None
    assert (token.delivery_id, token.target) == ("d1", "cleo@candidates.example")
    for other in ("unsubscribe", f"Re: {subject}", subject[:-1] + ("a" if subject[-1] != "a" else "b"), "x" * 9_000):
        assert LINKS.unsubscribed_by(other) is None


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "//evil.test/", "https:///x", "data:text/html,x", "ftp://a.test", "https://a.test\r\nX: y",
     "https://a.test/ b", "http://[::1", "https:\\\\a.test", ""],
)  # fmt: skip
def test_a_browser_is_sent_to_web_addresses_only(target: str) -> None:
    assert not is_web_link(target)


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        (None, True, Tracking(True, True, False)),
        (None, False, Tracking()),
        (False, True, Tracking()),
        ({"opens": False}, True, Tracking(False, True, False)),
        ({"opens": True, "clicks": False, "downloads": True}, True, Tracking(True, False, True)),
        ({"opens": True, "clicks": True, "downloads": True}, False, Tracking()),
        ({"opens": "maybe"}, True, Tracking(False, True, False)),
    ],
)
def test_what_a_campaign_may_have_counted(asked: object, allowed: bool, expected: Tracking) -> None:
    """The campaign asks, the workspace and the address allow."""
    assert Tracking.of(asked, allowed=allowed) == expected
