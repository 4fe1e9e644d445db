"""Delivery status notifications as a mail host sends them back to the sender (RFC 3464)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid
from string import Template

from sandbox.mail.message import ReadableMail


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mail was not delivered: enhanced status code (RFC 3463), SMTP reply and words for a person."""

    status: str
    reply: str
    words: str


UNKNOWN_USER = Failure(
    "5.1.1",
    "550 5.1.1 The email account that you tried to reach does not exist.",
    "The address couldn't be found, or is unable to receive mail.",
)
MAILBOX_FULL = Failure(
    "5.2.2",
    "552 5.2.2 The recipient's inbox is out of storage space and inactive.",
    "The recipient's mailbox is full and can't take more mail.",
)
UNKNOWN_DOMAIN = Failure(
    "5.1.2",
    "550 5.1.2 DNS Error: domain name not found.",
    "The domain of the address couldn't be found.",
)

_REPORT = Template("""\
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@$host>
To: $sender
Subject: Delivery Status Notification (Failure)
Date: $date
Message-ID: $message_id
Auto-Submitted: auto-replied
X-Failed-Recipients: $recipient
${thread}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="$boundary"

--$boundary
Content-Type: text/plain; charset="utf-8"

Your message to $recipient was not delivered.

$words

The response from the remote server was:
$reply

--$boundary
Content-Type: message/delivery-status

Reporting-MTA: dns; $host
Arrival-Date: $date

Final-Recipient: rfc822; $recipient
Action: failed
Status: $status
Diagnostic-Code: smtp; $reply
Last-Attempt-Date: $date

--$boundary
Content-Type: text/rfc822-headers

$headers

--$boundary--
""")


def failure_report(host: str, sender: str, recipient: str, failure: Failure, original: bytes) -> bytes:
    """A multipart/report naming ``recipient`` as failed, with the headers of the original mail."""
    mail = ReadableMail(original)
    thread = f"In-Reply-To: {mail.message_id}\nReferences: {mail.message_id}\n" if mail.message_id else ""
    report = _REPORT.substitute(
        host=host,
        sender=sender,
        recipient=recipient,
        status=failure.status,
        reply=failure.reply,
        words=failure.words,
        thread=thread,
        date=format_datetime(datetime.now(UTC)),
        message_id=make_msgid(domain=host),
        boundary=make_msgid(domain=host).strip("<>").replace("@", "."),
        headers=header_block(original),
    )
    return report.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def header_block(raw: bytes) -> str:
    """The header lines of a mail, with line feeds only."""
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return head.decode("utf-8", "surrogateescape").replace("\r", "")
