"""Delivery reports, in machine form and in words, with LF and CRLF line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.bounce import BounceReport, read_report
from core.domain.inbound import classify_raw
from core.domain.message import InboundKind
from core.domain.mime import parse_message

HEAD = "From: MAILER-DAEMON@mail.agency.test\nTo: rita@agency.test\nSubject: Undelivered Mail Returned to Sender\n"
ORIGINAL = "From: rita@agency.test\nTo: carla@candidates.example\nMessage-ID: <s1@agency.test>\nSubject: Role\n\nHi\n"


def dsn(groups: str, text: str = "This is the mail system.", original: str = ORIGINAL) -> str:
    return (
        f'{HEAD}Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\n{text}\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.agency.test\n\n{groups}\n"
        f"--b\nContent-Type: message/rfc822\n\n{original}\n--b--\n"
    )


def group(action: str, status: str, diagnostic: str = "", address: str = "carla@candidates.example") -> str:
    code = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n{code}\n"


def report_of(mail: str, ends: str = "\n") -> BounceReport:
    found = read_report(parse_message(mail.replace("\n", ends).encode()))
    assert found is not None
    return found


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_failure_names_recipient_cause_and_our_mail(ends: str) -> None:
    """RFC 3464."""
    report = report_of(dsn(group("failed", "5.1.1", "550 5.1.1 <carla@candidates.example>: User unknown")), ends)
    assert report.kind is InboundKind.BOUNCE
    assert report.recipients == ("carla@candidates.example",)
    assert report.temporary_recipients == ()
    assert (report.klass, report.status) == ("invalid_recipient", "5.1.1")
    assert report.original_message_id == "s1@agency.test"
    assert report.reported_headers is not None
    assert report.reported_headers.subject == "Role"
    assert report.effect.status == "Bounced"


def test_one_report_may_hold_failed_and_delayed_recipients() -> None:
    """Rule (c)."""
    report = report_of(
        dsn(group("delayed", "4.4.1", address="dan@late.example") + group("failed", "5.2.2", "552 5.2.2 Mailbox full"))
    )
    assert report.kind is InboundKind.BOUNCE
    assert report.recipients == ("carla@candidates.example",)
    assert report.temporary_recipients == ("dan@late.example",)
    assert report.klass == "mailbox_full"


def test_failed_with_a_temporary_code_is_final() -> None:
    """Rule (b): five days of trying end so."""
    report = report_of(dsn(group("failed", "4.4.7", "451 4.4.1 Connection timed out")))
    assert report.kind is InboundKind.BOUNCE
    assert report.klass == "expired"
    assert report.effect.status == "Not Delivered"


def test_the_text_is_preferred_where_the_status_says_less() -> None:
    """Rule (a)."""
    report = report_of(dsn(group("failed", "5.0.0", "550 5.4.1 Recipient address rejected: Access denied. AS(1)")))
    assert (report.klass, report.status) == ("invalid_recipient", "5.4.1")


def test_a_delay_changes_nothing() -> None:
    """R220."""
    report = report_of(dsn(group("delayed", "4.2.2", "452 4.2.2 Mailbox full")))
    assert report.kind is InboundKind.DELAY
    assert report.recipients == ()
    assert report.effect.status is None


def test_a_positive_report_changes_nothing() -> None:
    """relayed, delivered, expanded."""
    report = report_of(dsn(group("relayed", "2.1.5", "250 2.1.5 Ok")))
    assert report.kind is InboundKind.DELIVERED
    assert report.klass == "delivered"
    assert report.effect.status is None


def test_a_final_report_of_a_rate_limit_is_not_delivered() -> None:
    """No host will try it again."""
    report = report_of(dsn(group("failed", "5.4.5", "550 5.4.5 Daily user sending limit exceeded")))
    assert report.klass == "rate_limited"
    assert report.effect.status == "Not Delivered"


def test_the_address_as_mailed_stands_beside_the_forwarding_target() -> None:
    """Rule (e)."""
    forwarded = "Original-Recipient: rfc822; carla@candidates.example\n" + group(
        "failed", "5.1.1", address="c@new.example"
    )
    report = report_of(dsn(forwarded))
    assert report.recipients == ("c@new.example",)
    assert report.original_recipients == ("carla@candidates.example",)


PROSE = {
    "qmail": (
        "Hi. This is the qmail-send program at mail.agency.test.\nI'm afraid I wasn't able to deliver your message to "
        "the"
        " following addresses.\nThis is a permanent error; I've given up.\n\n<carla@candidates.example>:\n"
        "Remote host said: 550 5.1.1 No such user\n\n--- Below this line is a copy of the message.\n\n" + ORIGINAL,
        "invalid_recipient",
    ),
    "exim": (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error.\n\n  carla@candidates.example\n"
        "    host mx.candidates.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:"
        "<carla@candidates.example>:\n    552 5.2.2 Mailbox is over quota\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + ORIGINAL,
        "mailbox_full",
    ),
    "postfix": (
        "This is the mail system at host mail.agency.test.\n\nI'm sorry to have to inform you that your message could "
        "not\nbe delivered to one or more recipients.\n\n<carla@candidates.example>: host mx[192.0.2.1] said: 554 "
        "5.7.1\n"
        "    Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org\n"
        "    (in reply to RCPT TO command)\n\n----- Original message -----\n" + ORIGINAL,
        "reputation_block",
    ),
    "gmail": (
        "Delivery to the following recipient failed permanently:\n\n     carla@candidates.example\n\n"
        "Technical details of permanent failure:\nThe error that the other server returned was:\n"
        "550 5.2.1 The email account that you tried to reach is disabled.\n\n----- Original message -----\n\n"
        + ORIGINAL,
        "mailbox_disabled",
    ),
    "exchange": (
        "Your message\n\n  To:      Carla\n  Subject: Role\n\ndid not reach the following recipient(s):\n\n"
        "carla@candidates.example on Mon, 2 Nov 2026 10:00:00 -0000\n    The recipient name is not recognized\n",
        "invalid_recipient",
    ),
    "sendmail": (
        "   ----- The following addresses had permanent fatal errors -----\n<carla@candidates.example>\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.candidates.example.:\n"
        ">>> RCPT To:<carla@candidates.example>\n<<< 550 5.1.1 <carla@candidates.example>... User unknown\n"
        "   ----- Original message follows -----\n" + ORIGINAL,
        "invalid_recipient",
    ),
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("system", PROSE)
def test_a_report_in_words_is_understood(system: str, ends: str) -> None:
    """Rule (d): half of real bounces have no machine-readable part."""
    text, klass = PROSE[system]
    mail = f"{HEAD}\n{text}".replace("\n", ends).encode()
    verdict = classify_raw(mail)
    assert verdict.kind is InboundKind.BOUNCE
    assert verdict.report is not None
    assert verdict.report.recipients == ("carla@candidates.example",)
    assert verdict.report.klass == klass
    if "Message-ID" in text:
        assert verdict.report.original_message_id == "s1@agency.test"


def test_a_warning_in_words_is_a_delay() -> None:
    """Still tried: no status change."""
    text = (
        "THIS IS A WARNING MESSAGE ONLY.\nDelivery to the following recipient has been delayed:\n\n"
        "     carla@candidates.example\n"
    )
    verdict = classify_raw(f"{HEAD}\n{text}".encode())
    assert verdict.kind is InboundKind.DELAY
    assert verdict.report is not None
    assert verdict.report.temporary_recipients == ("carla@candidates.example",)


@pytest.mark.parametrize(
    ("feedback", "status"), [("abuse", "Complete"), ("opt-out", "Complete"), ("auth-failure", None)]
)
def test_a_complaint_suppresses_and_a_signature_report_does_not(feedback: str, status: str | None) -> None:
    """RFC 5965."""
    mail = (
        "From: fbl@provider.example\nSubject: complaint\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\n\nAn abuse report\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {feedback}\nUser-Agent: X/1\nVersion: 1\n"
        "Original-Rcpt-To: <carla@candidates.example>\n"
        f"--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\n--b--\n"
    )
    verdict = classify_raw(mail.encode())
    assert verdict.kind is InboundKind.COMPLAINT
    assert verdict.report is not None
    assert verdict.report.recipients == ("carla@candidates.example",)
    assert verdict.report.original_message_id == "s1@agency.test"
    assert verdict.report.effect.status == status


def test_a_junk_report_without_a_feedback_part_is_a_complaint() -> None:
    """Outlook.com's form."""
    mail = (
        "From: staff@provider.example\nSubject: complaint about message from 192.0.2.1\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
        f"X-HmXmrOriginalRecipient: carla@candidates.example\n{ORIGINAL}\n--b--\n"
    )
    verdict = classify_raw(mail.encode())
    assert verdict.kind is InboundKind.COMPLAINT
    assert verdict.report is not None
    assert verdict.report.recipients == ("carla@candidates.example",)
    assert verdict.report.original_message_id == "s1@agency.test"


def test_fifty_thousand_groups_end_at_the_bounds() -> None:
    """Hostile reports stay small."""
    report = report_of(dsn("".join(group("failed", "5.1.1", address=f"u{number}@b.test") for number in range(50_000))))
    assert len(report.recipients) <= 100


@given(st.binary(max_size=2_000))
def test_no_report_body_makes_it_raise(body: bytes) -> None:
    """Any bytes in any of the machine-readable parts."""
    for kind in ("message/delivery-status", "message/feedback-report", "message/rfc822", "text/plain"):
        head = f"{HEAD}Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: {kind}\n\n"
        classify_raw(head.encode() + body)


@given(st.text(max_size=500))
def test_no_prose_makes_it_raise(text: str) -> None:
    """Any words from a mail system."""
    classify_raw(f"{HEAD}\n{text}".encode("utf-8", "replace"))
    report_of(dsn(f"Final-Recipient: rfc822; {text}\nDiagnostic-Code: smtp; {text}\n\n" + group("failed", "5.0.0")))
