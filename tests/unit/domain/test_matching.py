"""Whose mail is it, and does it answer one of ours: signals, best first."""

from __future__ import annotations

import pytest

from core.domain.matching import Candidates, address_keys, is_outgoing, match, named_ids
from core.domain.message import Header
from core.domain.mime import parse_header
from core.domain.people import KnownAddress
from tests.stores import NOW, make_delivery

OWN = frozenset({"rita@agency.test", "omar@agency.test"})
FIRST = make_delivery("d1", message_id="one@agency.test", subject="A role at Northwind")
SECOND = make_delivery("d2", stage=2, message_id="two@agency.test", subject="Re: A role at Northwind")
MAYA = KnownAddress("maya@candidates.example", "p1", primary=True, added_at=NOW, profile_at=NOW)
BEN = KnownAddress("ben@candidates.example", "p2", primary=True, added_at=NOW, profile_at=NOW)
KNOWN = Candidates(
    {MAYA.key: [MAYA], BEN.key: [BEN]},
    {"one@agency.test": FIRST, "two@agency.test": SECOND, "wire@provider.example": FIRST},
)


def header(sender: str = "Maya <maya@candidates.example>", **fields: str) -> Header:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    lines = {"From": sender, "To": "rita@agency.test", "Subject": "Re: A role at Northwind", **named}
    return parse_header("".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n")


@pytest.mark.parametrize(
    ("fields", "answers", "rule"),
    [
        ({"In_Reply_To": "<one@agency.test>"}, "d1", "in_reply_to"),
        ({"In_Reply_To": "<wire@provider.example>"}, "d1", "in_reply_to"),
        ({"In_Reply_To": "<one@agency.test>", "Subject": "Something else"}, "d1", "in_reply_to"),
        ({"In_Reply_To": "<x@y.example> <two@agency.test>"}, "d2", "in_reply_to"),
        ({"In_Reply_To": "<x@y.example>", "References": "<one@agency.test> <x@y.example>"}, "d1", "references"),
        ({"References": "<one@agency.test> <two@agency.test> <x@y.example>"}, "d2", "references"),
        ({"References": "<one@agency.test>", "Subject": "AW: Re: a role at northwind"}, "d1", "references"),
        ({"References": "<one@agency.test>", "Subject": "Lunch on Friday?"}, None, ""),
        ({"References": "<one@agency.test>", "Subject": ""}, None, ""),
        ({"In_Reply_To": "<x@y.example>"}, None, ""),
        ({}, None, ""),
    ],
)
def test_what_a_mail_answers(fields: dict[str, str], answers: str | None, rule: str) -> None:
    """In-Reply-To is trusted alone; References only under the same subject: some programs recycle them."""
    found = match(header(**fields), outgoing=False, candidates=KNOWN)
    assert ((found.answers.id if found.answers else None), found.answer_rule) == (answers, rule)
    assert found.copy_of is None
    assert found.people == {"p1": "exact_address"}


@pytest.mark.parametrize(
    "sender", ["maya+x@candidates.example", "m.aya@candidates.example", "maya@sub.candidates.example"]
)
def test_only_the_exact_address_is_a_person(sender: str) -> None:
    """R86: variants are not this person."""
    assert not match(header(sender), outgoing=False, candidates=KNOWN).matters


def test_the_case_of_an_address_does_not_matter() -> None:
    """R86: exact, but for capitals."""
    assert match(header("MAYA@Candidates.EXAMPLE"), outgoing=False, candidates=KNOWN).people == {"p1": "exact_address"}


@pytest.mark.parametrize("role", ["sent", "drafts"])
def test_own_mail_in_sent_is_never_a_reply(role: str) -> None:
    """Our follow-up carries In-Reply-To of our first mail: filed in Sent it is a copy, not an answer."""
    own = header("somebody@else.example", In_Reply_To="<one@agency.test>", Message_ID="<two@agency.test>")
    assert is_outgoing(own, folder_role=role, own_addresses=OWN)
    found = match(own, outgoing=True, candidates=KNOWN)
    assert found.answers is None
    assert found.copy_of == SECOND


def test_mail_from_one_of_our_mailboxes_is_outgoing_wherever_it_lies() -> None:
    """A colleague's mail in the inbox is not the candidate's answer."""
    colleague = header("OMAR@agency.test", In_Reply_To="<one@agency.test>")
    assert is_outgoing(colleague, folder_role="inbox", own_addresses=OWN)
    assert not is_outgoing(header(), folder_role="inbox", own_addresses=OWN)


def test_a_mail_without_sender_is_nobodys() -> None:
    """And raises nothing."""
    nobody = parse_header(b"Subject: x\r\n\r\n")
    assert not is_outgoing(nobody, folder_role="inbox", own_addresses=OWN)
    assert address_keys(nobody, outgoing=False) == set()
    assert not match(nobody, outgoing=False, candidates=KNOWN).matters


def test_outgoing_mail_belongs_to_all_who_got_it() -> None:
    """To and Cc."""
    mail = header("rita@agency.test", To="maya@candidates.example, x@y.example", Cc="ben@candidates.example")
    assert match(mail, outgoing=True, candidates=KNOWN).people == {"p1": "exact_address", "p2": "exact_address"}


@pytest.mark.parametrize("name", ["X-Google-Original-Message-ID", "X-Microsoft-Original-Message-ID"])
def test_a_copy_is_known_by_the_id_that_the_provider_replaced(name: str) -> None:
    """Gmail and Microsoft keep ours under a header of theirs."""
    copy = header(
        "rita@agency.test", Message_ID="<new@provider.example>", **{name.replace("-", "_"): "<one@agency.test>"}
    )
    assert {"new@provider.example", "one@agency.test"} <= named_ids(copy)
    assert match(copy, outgoing=True, candidates=KNOWN).copy_of == FIRST
