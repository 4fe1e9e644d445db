"""The link to the private page says where the mail is and what awaits there (R54..R57)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from bot.slack.blocks.connect_link import connect_link
from tests.fakes.services import Found
from tests.unit.bot.facts import TEXTS
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_answers import no_bell
from tests.unit.bot.test_cards import assert_slack_takes

URL = "https://rethread.agency.test/connect/t"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Found(), "agency.test is at Google: you sign in with Google; no password is typed."),
        (
            Found("microsoft", "Microsoft 365", (), "microsoft"),
            "agency.test is at Microsoft 365: you sign in with Microsoft; no password is typed.",
        ),
        (
            Found("yahoo", "Yahoo", (), "password"),
            "agency.test is at Yahoo: an app password is typed on Rethread's own page, never in Slack.",
        ),
        (
            Found("ionos", "IONOS", (), "password"),
            "agency.test is at IONOS: the password is typed on Rethread's own page, never in Slack.",
        ),
        (
            Found("", "", (), "password"),
            "agency.test has a mail server that Rethread does not know by name: the password, or an app password, is "
            "typed on Rethread's own page, never in Slack.",
        ),
    ],
)
def test_the_provider_found_and_what_it_means(found: Found, words: str) -> None:
    card = connect_link(URL, "rita@agency.test", secure=True, found=found)
    assert words in aloud(card)
    assert words in card.text
    assert aloud(card).count("no password is typed") <= 1


def test_how_it_was_found_and_what_speaks_against_it() -> None:
    found = Found(how=("MX is aspmx.l.google.com", "SPF includes _spf.google.com"), warnings=("SPF names Outlook.",))
    said = aloud(connect_link(URL, "rita@agency.test", secure=True, found=found))
    assert "How Rethread knows: MX is aspmx.l.google.com; SPF includes _spf.google.com" in said
    assert "Mind: SPF names Outlook." in said


@pytest.mark.parametrize(
    ("sign_in", "words"),
    [
        ("google", "You sign in with Google; no password is typed."),
        ("password", "The password is typed on Rethread's own page, never in Slack."),
    ],
)
def test_without_a_finding_the_way_of_signing_in_is_said(sign_in: str, words: str) -> None:
    said = aloud(connect_link(URL, "rita@agency.test", secure=True, reconnect=True, sign_in=sign_in))
    assert words in said
    assert "History and settings stay." in said


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_whatever_dns_says_it_fits_and_rings_no_bell(text: str, other: str) -> None:
    found = Found(text, other, (text,) * 20, "password", (other,) * 20)
    card = connect_link(URL, f"rita@{text}", secure=False, found=found)
    assert_slack_takes(card)
    no_bell(card)
