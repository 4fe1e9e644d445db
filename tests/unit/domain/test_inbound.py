"""A person's message, or one of the many things that must not count as a reply."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.inbound import classify, classify_raw
from core.domain.message import InboundKind
from core.domain.mime import parse_header

BASE = {
    "Return-Path": "<carla@candidates.example>",
    "From": "Carla <carla@candidates.example>",
    "To": "rita@agency.test",
    "Subject": "Re: Engineer",
    "Date": "Mon, 2 Nov 2026 10:00:00 +0000",
    "Message-ID": "<c1@candidates.example>",
    "In-Reply-To": "<s1@agency.test>",
}


def mail(body: str = "Hello", **changes: str | None) -> bytes:
    fields = dict(BASE)
    for name, value in changes.items():
        field = name.replace("_", "-")
        field = next((known for known in fields if known.lower() == field.lower()), field)
        if value is None:
            fields.pop(field, None)
        else:
            fields[field] = value
    return ("".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n" + body).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"X-Auto-Response-Suppress": "All"},
        {"Auto-Submitted": "no"},
        {"Subject": "Out of curiosity"},
        {"Subject": "Re: Out of office policies"},
        {"Subject": "Re: Undeliverable: my CV"},
        {"Subject": "Accepted offers elsewhere, sorry"},
        {"Return-Path": None},
        {"In-Reply-To": None, "Subject": "Urlaub"},
        {"In-Reply-To": None, "Subject": "On vacation, but interested"},
        {"Subject": "Invitation: lunch?", "In-Reply-To": None},
        {"In-Reply-To": None, "Subject": "Your vacancy"},
    ],
)
def test_a_persons_message_is_a_reply(changes: dict[str, str | None]) -> None:
    """Above all: mail that people wrote must never be taken for a machine's."""
    assert classify(parse_header(mail(**changes))).kind is InboundKind.REPLY
    assert classify_raw(mail(**changes)).kind is InboundKind.REPLY


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Rejected: the offer", "I have to say no."),
        ("Delayed: my answer", "Sorry that it took so long."),
        ("Mail delivery driver", "I saw your vacancy."),
        ("Role", "Your message could not be delivered to Dan, he has left. I am interested though."),
        ("Email system engineer", "Is the role still open? You can reach me at carla@candidates.example."),
    ],
)
def test_a_person_who_writes_like_a_report_is_a_person(subject: str, body: str) -> None:
    """A subject alone makes the sync fetch the body; the body names nobody who failed."""
    assert classify_raw(mail(body, Subject=subject, In_Reply_To=None)).kind is InboundKind.REPLY


AUTO = [
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-replied; owner-email=x"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": ""},
    {"Precedence": "auto_reply"},
    {"X-Precedence": "auto_reply"},
    {"X-Apple-Action": "VACATION"},
    {"X-POST-MessageClass": "9; Autoresponder"},
    {"X-FC-MachineGenerated": "true"},
    {"Delivered-To": "Autoresponder"},
    {"x-ms-exchange-generated-message-source": "Mailbox Rules Agent"},
    {"Subject": "Automatic reply: Engineer"},
    {"Subject": "Automatische Antwort: Engineer"},
    {"Subject": "Réponse automatique : Poste"},
    {"Subject": "=?utf-8?q?R=C3=A9ponse_automatique?="},
    {"Subject": "Out of Office: Engineer"},
    {"Subject": "Abwesenheitsnotiz"},
    {"Subject": "AUTO: Carla is away"},
    {"Subject": "Automatisch antwoord: Baan"},
    {"Subject": "Automaattinen vastaus: Työ"},
    {"X-Auto-Response-Suppress": "All", "Return-Path": "<>"},
    {"Return-Path": "<>"},
]


@pytest.mark.parametrize("changes", AUTO)
def test_an_automatic_answer_is_no_reply(changes: dict[str, str]) -> None:
    """R221; each tell-tale alone decides."""
    verdict = classify(parse_header(mail(**changes)))
    assert verdict.kind is InboundKind.AUTO_REPLY
    assert verdict.needs_body
    assert classify_raw(mail(**changes)).kind is InboundKind.AUTO_REPLY


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"List-Id": "<jobs.lists.example>"}, InboundKind.LIST),
        ({"Precedence": "bulk", "In-Reply-To": None}, InboundKind.LIST),
        ({"Feedback-ID": "1:2:3:x"}, InboundKind.LIST),
        ({"Content-Type": "text/calendar; method=REPLY"}, InboundKind.CALENDAR),
        ({"Content-Class": "urn:content-classes:calendarmessage"}, InboundKind.CALENDAR),
        ({"Content-Type": "multipart/report; report-type=disposition-notification; boundary=b"}, InboundKind.RECEIPT),
        ({"Subject": "Read: Engineer", "Content-Type": "application/ms-tnef"}, InboundKind.RECEIPT),
        ({"X-Boxtrapper": "yes"}, InboundKind.CHALLENGE),
        ({"Subject": "Your email to carla requires verification"}, InboundKind.CHALLENGE),
        ({"Auto-Submitted": "auto-generated", "In-Reply-To": None}, InboundKind.OTHER),
        ({"Return-Path": "<>", "In-Reply-To": None}, InboundKind.OTHER),
        ({"From": "no-reply@portal.example"}, InboundKind.OTHER),
        ({"From": "broken", "In-Reply-To": None}, InboundKind.OTHER),
    ],
)
def test_other_machines_are_told_apart(changes: dict[str, str | None], kind: InboundKind) -> None:
    """Lists, calendars, receipts, challenges, tickets."""
    assert classify(parse_header(mail(**changes))).kind is kind
    assert classify_raw(mail(**changes)).kind is kind


def test_an_answer_whose_sender_is_hidden_is_an_answer() -> None:
    """Some hosts leave From out (R74): what it answers is named all the same."""
    assert classify(parse_header(mail(From=None))).kind is InboundKind.REPLY


def test_our_own_mail_is_own_wherever_it_lies() -> None:
    """The sender's own follow-up, synced from Sent, must not stop a campaign."""
    header = parse_header(mail(From="Rita <Rita@Agency.test>"))
    assert classify(header, own_addresses=frozenset({"rita@agency.test"})).kind is InboundKind.OWN
    assert classify(parse_header(mail()), folder_role="sent").kind is InboundKind.OWN
    assert classify(parse_header(mail()), folder_role="drafts").kind is InboundKind.OWN
    assert classify(parse_header(mail()), folder_role="inbox").kind is InboundKind.REPLY


def test_an_acceptance_with_a_calendar_part_is_known_by_its_body() -> None:
    """The subject alone is a hint; the part decides."""
    calendar = (
        "--b\nContent-Type: text/plain\n\nCarla has accepted\n"
        "--b\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n--b--\n"
    )
    plain = "--b\nContent-Type: text/plain\n\nYes, accepted\n--b--\n"
    changes = {"Subject": "Accepted: Interview", "Content-Type": "multipart/alternative; boundary=b"}
    assert classify(parse_header(mail(**changes))).needs_body
    assert classify_raw(mail(calendar, **changes)).kind is InboundKind.CALENDAR
    assert classify_raw(mail(plain, **changes)).kind is InboundKind.REPLY


def test_a_person_at_postmaster_is_a_person() -> None:
    """The header asks for the body, the body shows no report."""
    raw = mail("Dear Rita, I run the mail here and would like the job.", From="postmaster@candidates.example")
    assert classify(parse_header(raw)).needs_body
    assert classify_raw(raw).kind is InboundKind.REPLY


def test_a_sieve_refusal_is_a_bounce_though_it_looks_like_a_receipt() -> None:
    """RFC 5429: disposition-notification with Auto-Submitted: auto-replied (rejected)."""
    body = (
        "--b\n\nYour message was rejected by the recipient: no recruiters please.\n"
        "--b\nContent-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822; carla@candidates.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted\n--b--\n"
    )
    raw = mail(
        body,
        Content_Type="multipart/report; report-type=disposition-notification; boundary=b",
        Auto_Submitted="auto-replied (rejected)",
    )
    verdict = classify_raw(raw)
    assert verdict.kind is InboundKind.BOUNCE
    assert verdict.report is not None
    assert verdict.report.recipients == ("carla@candidates.example",)
    assert verdict.report.klass == "filtered"


def test_the_return_date_comes_from_the_note_not_from_the_quotation() -> None:
    """A date in our quoted mail says nothing of the person's absence."""
    raw = mail(
        "I am back on 9 November.\n\nOn 1 Nov 2026 Rita <rita@agency.test> wrote:\n> back on 20 November",
        Auto_Submitted="auto-replied",
    )
    assert classify_raw(raw).return_date == date(2026, 11, 9)


@given(st.binary(max_size=3_000))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """Whatever arrives gets a verdict."""
    classify(parse_header(raw))
    classify_raw(raw)


@given(st.text(max_size=300), st.sampled_from(["mailer-daemon@b.test", "a@b.test"]))
def test_no_report_text_makes_it_raise(text: str, sender: str) -> None:
    """Nor any prose from a mail system."""
    classify_raw(mail(text, From=sender, Subject="Undelivered mail"))
