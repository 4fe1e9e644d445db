"""Who opened and clicked: people, or what looks at mail before them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.engagement_signs import Sight, is_machine

SENT = datetime(2026, 9, 1, 9, tzinfo=UTC)
LATER = SENT + timedelta(hours=1)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0"
)


@pytest.mark.parametrize(
    ("agent", "machine"),
    [
        (CHROME, False),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", False),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.12026; Pro)", False),
        ("Thunderbird/115.3", False),
        (GOOGLE, False),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", False),
        ("Mozilla/5.0", True),
        (PREFETCH, True),
        ("", True),
        ("curl/8.5.0", True),
        ("python-requests/2.31", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", True),
        ("Barracuda Sentinel (EE)", True),
        ("Mozilla/5.0 (X11) HeadlessChrome/120", True),
        ("Slackbot-LinkExpanding 1.0", True),
    ],
)
def test_the_agent_tells(agent: str, machine: bool) -> None:
    """Proxies that fetch when the reader opens are the reader; those that fetch for everybody are not."""
    assert is_machine(Sight("open", LATER, agent, SENT)) is machine


@pytest.mark.parametrize(("seconds", "machine"), [(0, True), (4.9, True), (5, False), (3_600, False)])
def test_nobody_reads_within_five_seconds(seconds: float, machine: bool) -> None:
    assert is_machine(Sight("click", SENT + timedelta(seconds=seconds), CHROME, SENT, opened=True)) is machine


def test_a_head_request_is_a_machine() -> None:
    assert is_machine(Sight("click", LATER, CHROME, SENT, head=True))


@pytest.mark.parametrize(("seconds", "machine"), [(0, True), (-2, True), (2, True), (2.1, False), (-30, False)])
def test_several_links_at_once_are_a_scanner(seconds: float, machine: bool) -> None:
    """Before or after this one."""
    others = [LATER + timedelta(seconds=seconds)]
    assert is_machine(Sight("click", LATER, CHROME, SENT, others_at=others, opened=True)) is machine


def test_a_click_without_an_open_says_nothing_alone() -> None:
    """Pictures may be switched off; half a minute after sending it is one sign too many."""
    assert not is_machine(Sight("click", LATER, CHROME, SENT, opened=False))
    early = SENT + timedelta(seconds=20)
    assert not is_machine(Sight("click", early, CHROME, SENT, opened=True))
    assert is_machine(Sight("click", early, CHROME, SENT, opened=False))


def test_without_a_time_of_sending_the_rest_decides() -> None:
    assert not is_machine(Sight("click", LATER, CHROME, None, opened=True))
