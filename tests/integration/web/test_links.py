"""The links in mails over real HTTP: what a reader, a proxy, a scanner and a mail program get."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import aiohttp
import pytest

from core.ports.storage import CampaignFile
from tests.integration.web.conftest import Site, Visitor


async def test_the_picture_comes_whatever_is_asked_for(site: Site, visitor: Visitor) -> None:
    """Good token or bad: the same few bytes, kept by nobody."""
    for token in ("good", "no-such-token", "x" * 3_000):
        async with visitor.session.get(f"{site.url}/o/{token}") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "image/gif"
            assert "no-store" in answer.headers["Cache-Control"]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert len(await answer.read()) == 42
    assert [token for _, token, _ in site.engagement.seen][:2] == ["good", "no-such-token"]


async def test_a_click_goes_where_we_signed_and_nowhere_else(site: Site, visitor: Visitor) -> None:
    """302; a HEAD is told apart; a bad token, and a target that is no web address, lead nowhere."""
    site.engagement.targets = {"role": "https://agency.test/rôle?q=1&r=%20", "js": "javascript:alert(1)"}
    async with visitor.session.get(f"{site.url}/c/role", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "https://agency.test/r%C3%B4le?q=1&r=%20")
    async with visitor.session.head(f"{site.url}/c/role", allow_redirects=False) as answer:
        assert answer.status == 302
    assert [visit.head for _, token, visit in site.engagement.seen if token == "role"] == [False, True]
    for token in ("js", "unknown", "https:%2F%2Fevil.test"):
        async with visitor.session.get(f"{site.url}/c/{token}", allow_redirects=False) as answer:
            assert answer.status == 404
            assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "told"), [("application/pdf", "application/pdf"), ("text/html", "application/octet-stream")]
)
async def test_a_file_is_saved_and_never_shown(site: Site, visitor: Visitor, kind: str, told: str) -> None:
    """A page among the files stays a file."""
    at = datetime(2026, 9, 1, tzinfo=UTC)
    site.engagement.files["f"] = CampaignFile("c1", 'Röle "1".pdf', kind, 4, "0", at, b"%PDF")
    async with visitor.session.get(f"{site.url}/f/f") as answer:
        assert await answer.read() == b"%PDF"
        assert answer.headers["Content-Type"] == told
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename=\"R_le _1_.pdf\"; filename*=UTF-8''R%C3%B6le%20%221%22.pdf"
    assert (await visitor.ask("GET", "/f/other")).status == 404


async def test_looking_unsubscribes_nobody(site: Site, visitor: Visitor) -> None:
    """Gateways fetch every link: only the button acts (RFC 8058)."""
    site.engagement.subscribed = {"mine"}
    page = await visitor.ask("GET", "/u/mine")
    assert page.status == 200
    assert '<form method="post">' in page.text
    assert (await visitor.ask("HEAD", "/u/mine")).status == 200
    assert site.engagement.unsubscribed == []
    done = await visitor.ask("POST", "/u/mine", data={"unsubscribe": "yes"})
    assert done.status == 200
    assert "you are unsubscribed" in done.text
    assert site.engagement.unsubscribed == [("mine", "the unsubscribe page")]


@pytest.mark.parametrize("multipart", [False, True])
async def test_one_click_needs_no_cookie_and_no_second_page(site: Site, stranger: Visitor, multipart: bool) -> None:
    """As a mail program sends it (RFC 8058 3.1), in both encodings that it may use."""
    site.engagement.subscribed = {"mine"}
    form = aiohttp.FormData(default_to_multipart=multipart)
    form.add_field("List-Unsubscribe", "One-Click")
    async with stranger.session.post(f"{site.url}/u/mine", data=form, allow_redirects=False) as answer:
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
    assert site.engagement.unsubscribed == [("mine", "one click in the mail program")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x=1", "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"unsubscribe=yes&" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_another_form_does_nothing(site: Site, visitor: Visitor, body: bytes, kind: str, status: int) -> None:
    site.engagement.subscribed = {"mine"}
    page = await visitor.ask("POST", "/u/mine", data=body, headers={"Content-Type": kind})
    assert page.status == status
    assert site.engagement.unsubscribed == []


async def test_nobody_learns_who_is_there(site: Site, visitor: Visitor) -> None:
    """Pages name nobody; a bad link is told as such, the same for each."""
    site.engagement.subscribed = {"mine"}
    for page in (
        await visitor.ask("GET", "/u/mine"),
        await visitor.ask("POST", "/u/mine", data={"unsubscribe": "yes"}),
    ):
        assert "@" not in page.text
    bad = {(await visitor.ask("GET", f"/u/{token}")).text for token in ("a", "b" * 200)}
    bad |= {(await visitor.ask("POST", "/u/c", data={"unsubscribe": "yes"})).text}
    assert len(bad) == 1


async def test_too_many_are_told_to_wait_and_the_picture_comes_all_the_same(site: Site, visitor: Visitor) -> None:
    """The clock stands still here, so nothing is given back."""
    site.engagement.subscribed = {"mine"}
    seen = [(await visitor.ask("GET", "/u/mine")).status for _ in range(101)]
    assert seen == [200] * 100 + [429]
    for _ in range(601):
        async with visitor.session.get(f"{site.url}/o/x") as answer:
            assert answer.status == 200
    assert len(site.engagement.seen) == 600


async def test_the_picture_is_quick(site: Site, visitor: Visitor) -> None:
    """Nothing is written while somebody waits: the best of many is far below 50 ms, however busy the machine."""
    best = 1.0
    for _ in range(50):
        began = time.perf_counter()
        async with visitor.session.get(f"{site.url}/o/x") as answer:
            await answer.read()
        best = min(best, time.perf_counter() - began)
    assert best < 0.05
