"""Whose mail is it under each rule that a workspace can switch: a table each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.address import loose_key, match_key, normalised_key
from core.domain.matching import Candidates, match
from core.domain.matching_rules import EXACT, MatchingRules
from core.domain.message import Header
from core.domain.mime import parse_header
from core.domain.people import KnownAddress
from core.domain.workspace_settings import WorkspaceSettings
from tests.stores import NOW, make_delivery

OWN = frozenset({"rita@agency.test", "rita.recruiter@gmail.com"})
LATER = NOW + timedelta(days=30)
OURS = make_delivery("d1", message_id="one@agency.test", subject="A role")


def rules(**settings: Any) -> MatchingRules:
    return MatchingRules.of(WorkspaceSettings(settings), OWN)


def known(key: str, person: str = "p1", **changes: Any) -> KnownAddress:
    given_facts = {"primary": True, "added_at": NOW, "profile_at": NOW, **changes}
    return KnownAddress(key, person, **given_facts)


def header(text: str) -> Header:
    return parse_header(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")


def people(
    mail: Header, by: MatchingRules, *addresses: KnownAddress, outgoing: bool = False, moment: Any = LATER
) -> dict[str, str]:
    found: dict[str, list[KnownAddress]] = {}
    for one in addresses:
        found.setdefault(by.lookup_key(one.key), []).append(one)
    candidates = Candidates(found, {"one@agency.test": OURS})
    return dict(match(mail, outgoing=outgoing, candidates=candidates, rules=by, moment=moment).people)


def from_(sender: str, more: str = "") -> Header:
    return header(f"From: {sender}\nTo: rita@agency.test{more}")


def test_the_defaults_are_exact_any_address_and_colleagues_left_alone() -> None:
    """What a workspace that has set nothing gets."""
    by = rules()
    assert (by.primary_only, by.normalised, by.skips_before_profile, by.looks_back) == (False, False, False, False)
    assert by.house is not None
    assert rules(internal_mail="log").house is None


@pytest.mark.parametrize(
    ("settings", "sender", "rule"),
    [
        ({}, "Maya.Lind@gmail.com", "exact_address"),
        ({}, "mayalind@gmail.com", None),
        ({}, "maya.lind+jobs@gmail.com", None),
        ({}, "maya.lind@googlemail.com", None),
        ({"match_exactness": "normalised"}, "maya.lind@gmail.com", "exact_address"),
        ({"match_exactness": "normalised"}, "mayalind@gmail.com", "normalised_address"),
        ({"match_exactness": "normalised"}, "m.a.y.a.lind+jobs@GoogleMail.com", "normalised_address"),
        ({"match_exactness": "normalised"}, "mayalinda@gmail.com", None),
        ({"match_addresses": "primary"}, "maya.lind@gmail.com", "primary_address"),
        ({"match_addresses": "primary"}, "maya@work.example", None),
        ({}, "maya@work.example", "exact_address"),
        ({"match_exactness": "normalised"}, "maya+x@work.example", "normalised_address"),
        ({"match_exactness": "normalised"}, "m.aya@work.example", None),
        ({"match_addresses": "primary", "match_exactness": "normalised"}, "mayalind@gmail.com", "normalised_primary"),
        ({"match_addresses": "primary", "match_exactness": "normalised"}, "maya+x@work.example", None),
        ({}, "maya@xn--bcher-kva.example", "exact_address"),
        ({}, "maya@bücher.example", "exact_address"),
    ],
)
def test_the_sender_under_each_rule(settings: dict[str, str], sender: str, rule: str | None) -> None:
    """R86, R87, R209, R210: three addresses, one of them primary."""
    mine = (
        known("maya.lind@gmail.com"),
        known("maya@work.example", primary=False),
        known(match_key("maya@bücher.example"), primary=False),
    )
    assert people(from_(sender), rules(**settings), *mine) == ({"p1": rule} if rule else {})


def test_the_same_letters_win_over_a_variant() -> None:
    """Two profiles hold spellings of one mailbox: the one that is written so gets the mail, both where neither is."""
    by = rules(match_exactness="normalised")
    two = (known("maya.lind@gmail.com", "p1"), known("mayalind@gmail.com", "p2"))
    assert people(from_("mayalind@gmail.com"), by, *two) == {"p2": "exact_address"}
    assert set(people(from_("maya+lind@gmail.com"), by, *two)) == set()
    assert people(from_("m.ayalind@gmail.com"), by, *two) == {"p1": "normalised_address", "p2": "normalised_address"}


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("settings", "facts", "moment", "matched"),
    [
        ({}, {}, NOW - 900 * HOUR, True),
        ({"mail_before_profile": "skip"}, {}, NOW - HOUR, False),
        ({"mail_before_profile": "skip"}, {}, NOW - HOUR / 10, True),
        ({"mail_before_profile": "skip"}, {}, NOW + HOUR, True),
        ({"mail_before_profile": "skip"}, {}, None, True),
        ({}, {"added_at": NOW + 9 * HOUR}, NOW + HOUR, False),
        ({}, {"added_at": NOW + 9 * HOUR}, NOW + 10 * HOUR, True),
        ({"backfill": "on"}, {"added_at": NOW + 9 * HOUR}, NOW + HOUR, True),
        ({"backfill": "on", "mail_before_profile": "skip"}, {"added_at": NOW + 9 * HOUR}, NOW - HOUR, False),
    ],
)
def test_old_mail_under_each_rule(settings: dict[str, str], facts: Any, moment: Any, *, matched: bool) -> None:
    """R94, R95(2), R212: older than the profile, or than an address that came to it later; clocks differ a little."""
    assert (
        bool(people(from_("a@b.example"), rules(**settings), known("a@b.example", **facts), moment=moment)) is matched
    )


@pytest.mark.parametrize(
    ("text", "outgoing", "rule"),
    [
        ("From: rita@agency.test\nTo: a@b.example", True, "exact_address"),
        ("From: rita@agency.test\nTo: x@y.example\nBcc: A <a@b.example>", True, "exact_address"),
        ("From: rita@agency.test\nDelivered-To: a@b.example", True, "envelope_address"),
        ("From: rita@agency.test\nX-Original-To: a@b.example", True, "envelope_address"),
        ("From: rita@agency.test\nEnvelope-To: a@b.example", True, "envelope_address"),
        ("From: rita@agency.test\nTo: x@y.example\nDelivered-To: a@b.example", True, None),
        ("From: x@y.example\nDelivered-To: a@b.example", False, None),
    ],
)
def test_whom_a_mail_went_to(text: str, outgoing: bool, rule: str | None) -> None:
    """R74, R92: where a server hands over no To, what the servers on the way wrote down; and blind copies."""
    assert people(header(text), rules(), known("a@b.example"), outgoing=outgoing) == ({"p1": rule} if rule else {})


@pytest.mark.parametrize(
    ("text", "outgoing", "matched"),
    [
        ("From: omar@agency.test\nTo: rita@agency.test", False, False),
        ("From: omar@mail.agency.test\nTo: rita@agency.test", False, False),
        ("From: omar@agency.test\nTo: rita@agency.test\nCc: c@candidates.example", False, True),
        ("From: omar@notagency.test\nTo: rita@agency.test", False, True),
        ("From: rita@agency.test\nTo: omar@agency.test", True, False),
        ("From: rita@agency.test\nTo: omar@agency.test\nBcc: c@candidates.example", True, True),
        ("From: omar@sister.example\nTo: rita@agency.test", False, False),
        ("From: omar@gmail.com\nTo: rita@agency.test", False, True),
        ("From: rita.recruiter@gmail.com\nTo: rita@agency.test", False, False),
        ("From: omar@agency.test\nTo: rita@agency.test\nIn-Reply-To: <one@agency.test>", False, True),
        ("From: rita@agency.test\nTo: omar@agency.test\nMessage-ID: <one@agency.test>", True, True),
    ],
)
def test_mail_between_colleagues(text: str, outgoing: bool, matched: bool) -> None:
    """R73, R224: left alone where everybody is ours, unless it is of a campaign; logged where the workspace says so."""
    everybody = [
        known(key, key)
        for key in (
            *("omar@agency.test", "omar@mail.agency.test", "omar@notagency.test", "omar@sister.example"),
            *("omar@gmail.com", "rita.recruiter@gmail.com", "c@candidates.example"),
        )
    ]
    by = rules(own_domains=["@Sister.Example", "com", "gmail.com"])
    assert bool(people(header(text), by, *everybody, outgoing=outgoing)) is matched
    assert people(header(text), rules(internal_mail="log"), *everybody, outgoing=outgoing)


hostile = st.one_of(
    st.text(max_size=80),
    st.text(alphabet='a.+"@\\ \x00\ud800İßﬀ', max_size=30),
    st.from_regex(r"[a-zA-Z.+]{1,20}@(gmail\.com|GOOGLEMAIL\.com|b\.example|bücher\.example)", fullmatch=True),
)


@given(hostile)
def test_a_loose_key_is_its_own_loose_key(text: str) -> None:
    """Whatever people and servers write: looking up a key finds what was stored under it."""
    key = match_key(text)
    assert loose_key(loose_key(key)) == loose_key(key) == normalised_key(text)


@given(hostile, hostile)
def test_the_same_letters_never_lie_apart_when_variants_meet(one: str, other: str) -> None:
    """Normalised matching finds at least what exact matching finds."""
    if match_key(one) == match_key(other):
        assert normalised_key(one) == normalised_key(other)


@given(st.lists(hostile, max_size=5), st.sampled_from([EXACT, rules(), rules(match_exactness="normalised")]))
def test_no_header_makes_matching_stumble(addresses: list[str], by: MatchingRules) -> None:
    """Hostile From, To and Bcc: an answer each time, and nobody but those whose key is named."""
    value = ", ".join(addresses).encode("utf-8", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    mail = parse_header(b"From: " + value + b"\r\nTo: " + value + b"\r\nBcc: " + value + b"\r\n\r\n")
    for outgoing in (False, True):
        assert people(mail, by, known("somebody.else@candidates.example"), outgoing=outgoing) == {}
