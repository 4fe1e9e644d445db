"""Writing mails as a person's mail program would: a new one, and an answer to one."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email import charset, policy
from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, make_msgid

from sandbox.mail.accounts import domain_of
from sandbox.mail.message import ReadableMail

_READABLE_UTF8 = charset.Charset("utf-8")
_READABLE_UTF8.body_encoding = charset.QP
_WIRE = policy.compat32.clone(linesep="\r\n")


def compose(
    sender: str,
    recipients: Iterable[str],
    subject: str,
    text: str,
    *,
    name: str = "",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A plain text mail on the wire (RFC 5322), its Message-ID under the sender's domain.

    ``headers`` replaces what is set here, or adds to it.
    """
    mail = MIMEText(text.rstrip("\n") + "\n", "plain", _READABLE_UTF8)  # type: ignore[arg-type]
    fields = {
        "From": formataddr((name, sender)),
        "To": ", ".join(recipients),
        "Subject": subject,
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": make_msgid(domain=domain_of(sender)),
        **(headers or {}),
    }
    for field, value in fields.items():
        del mail[field]
        mail[field] = _header_value(value)  # type: ignore[assignment]
    return mail.as_bytes(policy=_WIRE)


def reply_to(
    original: ReadableMail,
    sender: str,
    text: str,
    *,
    name: str = "",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """An answer that carries the thread (RFC 5322 section 3.6.4) and quotes what it answers.

    Raises:
        ValueError: the original names nobody to answer.
    """
    if not original.reply_address:
        raise ValueError("the mail names nobody to answer")
    return compose(
        sender,
        [original.reply_address],
        reply_subject(original.subject),
        f"{text}\n\n{_quoted(original)}",
        name=name,
        headers={**thread_headers(original), **(headers or {})},
    )


def reply_subject(subject: str) -> str:
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def thread_headers(original: ReadableMail) -> dict[str, str]:
    """In-Reply-To and References of an answer; nothing where the original has no Message-ID."""
    if not original.message_id:
        return {}
    references = [*original.references, original.message_id]
    return {"In-Reply-To": original.message_id, "References": " ".join(references)}


def _quoted(original: ReadableMail) -> str:
    when = format_datetime(original.date) if original.date else "an earlier day"
    lines = "\n".join(f"> {line}".rstrip() for line in original.text.splitlines())
    return f"On {when}, {original.header('From')} wrote:\n{lines}\n"


def _header_value(value: str) -> str | Header:
    """One line, so that text from a hostile mail cannot add headers; encoded only where needed."""
    line = " ".join(value.split())
    return line if line.isascii() else Header(line, "utf-8")
