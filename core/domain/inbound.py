"""What an incoming mail is: a person's message, or one of the many kinds that must not count as a reply. Pure.

Two steps, because the sync reads headers only: ``classify`` judges the header and says with ``needs_body`` where
only the whole mail can tell; ``classify_raw`` judges the mail (at most 256 KB of it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.domain import inbound_signs as signs
from core.domain.address import match_key
from core.domain.bounce import BounceReport, looks_like_report, read_report
from core.domain.message import Header, InboundKind
from core.domain.mime_parts import ParsedMessage, parse_message
from core.domain.reply_text import visible_reply
from core.domain.return_dates import return_date

_REPORT_TYPE: Final = re.compile(r"report-type\s*=\s*\"?\s*([A-Za-z-]{1,60})", re.IGNORECASE)
_ANSWER_MARKS: Final = frozenset({"re:", "aw:", "sv:", "vs:"})
_OWN_FOLDERS: Final = frozenset({"sent", "drafts"})


@dataclass(frozen=True, slots=True)
class Inbound:
    """A verdict with its evidence: the header field or rule that decided.

    ``needs_body``: fetch the raw mail (up to 256 KB) and ask ``classify_raw``, which settles bounces and reads the
    return date of an out-of-office note.
    """

    kind: InboundKind
    evidence: str
    needs_body: bool = False
    report: BounceReport | None = None
    return_date: date | None = None


def classify(header: Header, *, own_addresses: frozenset[str] = frozenset(), folder_role: str | None = None) -> Inbound:
    """Judges a mail by its header. ``own_addresses`` are match keys of the team's mailboxes, ``folder_role`` where it
    lies (sent and drafts are always our own). Never raises."""
    own = _own(header, own_addresses, folder_role)
    return own or bounce_suspicion(header) or without_bounce(header)


def classify_raw(
    raw: bytes | ParsedMessage, *, own_addresses: frozenset[str] = frozenset(), folder_role: str | None = None
) -> Inbound:
    """Judges a whole mail (its first 256 KB suffice), with its delivery report where it is one. Never raises."""
    message = raw if isinstance(raw, ParsedMessage) else parse_message(raw)
    header = message.header
    own = _own(header, own_addresses, folder_role)
    if own:
        return own
    suspicion = bounce_suspicion(header)
    if suspicion or _carries_report(message):
        report = read_report(message)
        if report is not None and (report.recipients or report.temporary_recipients or not _only_subject(suspicion)):
            return Inbound(report.kind, suspicion.evidence if suspicion else "body", report=report)
    return _settled(without_bounce(header), message)


def _only_subject(suspicion: Inbound | None) -> bool:
    """Whether nothing but words made us think of a report; then it has to name whom it is about."""
    return suspicion is None or suspicion.evidence == "subject"


def _carries_report(message: ParsedMessage) -> bool:
    """Reports that their header does not betray."""
    if message.report("message/delivery-status", "message/feedback-report") is not None:
        return True
    automatic = null_return_path(message.header) or not message.header.in_reply_to
    return automatic and looks_like_report(message)


def _settled(verdict: Inbound, message: ParsedMessage) -> Inbound:
    """What the header left open, decided by the body."""
    calendar = message.report("text/calendar")
    if calendar is not None and verdict.kind in (InboundKind.REPLY, InboundKind.OTHER, InboundKind.CALENDAR):
        return Inbound(InboundKind.CALENDAR, "part:text/calendar")
    if verdict.kind is InboundKind.CALENDAR and verdict.evidence == "subject":
        return _person(message.header)
    if verdict.kind is InboundKind.AUTO_REPLY and message.header.date is not None:
        note = (message.header.subject, message.header.first("x-apple-criteria"), visible_reply(message.text))
        back = return_date("\n".join(note), message.header.date)
        return Inbound(verdict.kind, verdict.evidence, return_date=back)
    return Inbound(verdict.kind, verdict.evidence)


def _own(header: Header, own_addresses: frozenset[str], folder_role: str | None) -> Inbound | None:
    if folder_role in _OWN_FOLDERS:
        return Inbound(InboundKind.OWN, f"folder:{folder_role}")
    if header.from_ and own_addresses and match_key(header.from_.address) in own_addresses:
        return Inbound(InboundKind.OWN, "from:own address")
    return None


def bounce_suspicion(header: Header) -> Inbound | None:
    """A bounce, delay notice or complaint as far as the header shows one; the body has to confirm it."""
    content_type = header.first("content-type")
    report = report_type(content_type)
    if report == "feedback-report":
        return Inbound(InboundKind.COMPLAINT, "content-type:feedback-report", needs_body=True)
    if header.subject.lower().startswith("complaint about message from"):
        return Inbound(InboundKind.COMPLAINT, "subject", needs_body=True)
    if report == "disposition-notification" and not _rejected(header):
        return None
    if report is not None:
        return Inbound(InboundKind.BOUNCE, f"content-type:{report or 'multipart/report'}", needs_body=True)
    for field in signs.BOUNCE_FIELDS:
        if field in header.fields:
            return Inbound(InboundKind.BOUNCE, field, needs_body=True)
    return _daemon_or_subject(header)


def report_type(content_type: str) -> str | None:
    """The report-type of a multipart/report (RFC 6522), empty where it names none; None for other types."""
    if "multipart/report" not in content_type[:200].lower():
        return None
    found = _REPORT_TYPE.search(content_type)
    return found[1].lower() if found else ""


def _rejected(header: Header) -> bool:
    """A Sieve reject looks like a read receipt, but refuses the mail (RFC 5429 2.1.1)."""
    return "reject" in header.first("auto-submitted").lower() or "reject" in header.subject[:40].lower()


def _daemon_or_subject(header: Header) -> Inbound | None:
    sender = header.from_
    local = sender.address.rpartition("@")[0] if sender else ""
    if sender and signs.DAEMON.fullmatch(local):
        return Inbound(InboundKind.BOUNCE, "from:mail system", needs_body=True)
    subject = signs.BOUNCE_SUBJECT.match(_opening(header))
    if sender is None and "<>" in header.first("from"):
        return Inbound(InboundKind.BOUNCE, "from:null", needs_body=True)
    if subject and (null_return_path(header) or not header.references):
        return Inbound(InboundKind.BOUNCE, "subject", needs_body=True)
    if sender and signs.DAEMON_NAME.match(sender.name) and null_return_path(header):
        return Inbound(InboundKind.BOUNCE, "from:mail system's name", needs_body=True)
    return None


def null_return_path(header: Header) -> bool:
    """Whether the mail was sent with the null reverse path, as only machines do (RFC 5321 4.5.5)."""
    return header.first("return-path").replace(" ", "") == "<>"


def without_bounce(header: Header) -> Inbound:
    """The verdict of everything but the bounce rules."""
    return (
        _receipt(header)
        or _calendar(header)
        or _challenge(header)
        or _auto_reply(header)
        or _bulk(header)
        or _person(header)
    )


def _opening(header: Header) -> str:
    """The start of a subject that a machine may have set; the tell-tales never begin with an answer mark."""
    subject = header.subject[:200]
    return "" if subject[:3].lower() in _ANSWER_MARKS else subject


def _receipt(header: Header) -> Inbound | None:
    content_type = header.first("content-type").lower()
    if report_type(content_type) == "disposition-notification":
        return Inbound(InboundKind.RECEIPT, "content-type:disposition-notification")
    if signs.RECEIPT_SUBJECT.match(_opening(header)) and (
        "ms-tnef" in content_type or "x-ms-tnef-correlator" in header.fields or null_return_path(header)
    ):
        return Inbound(InboundKind.RECEIPT, "subject")
    return None


def _calendar(header: Header) -> Inbound | None:
    content_type = header.first("content-type").lower()
    if content_type.startswith("text/calendar"):
        return Inbound(InboundKind.CALENDAR, "content-type:text/calendar")
    if "calendarmessage" in header.first("content-class").lower():
        return Inbound(InboundKind.CALENDAR, "content-class")
    senders = [header.from_.address] if header.from_ else []
    senders += [header.first("sender").strip("<>"), header.first("return-path").strip("<>")]
    if any(signs.CALENDAR_SENDER.fullmatch(sender) for sender in senders):
        return Inbound(InboundKind.CALENDAR, "from:calendar")
    if signs.CALENDAR_SUBJECT.match(_opening(header)) and "multipart/" in content_type:
        return Inbound(InboundKind.CALENDAR, "subject", needs_body=True)
    return None


def _challenge(header: Header) -> Inbound | None:
    for field in signs.CHALLENGE_FIELDS:
        if field in header.fields:
            return Inbound(InboundKind.CHALLENGE, field)
    if signs.CHALLENGE_SUBJECT.match(_opening(header)):
        return Inbound(InboundKind.CHALLENGE, "subject")
    return None


def _auto_reply(header: Header) -> Inbound | None:
    known = () if signs.AUTO_REPLY_NAMES.isdisjoint(header.fields) else signs.AUTO_REPLY_FIELDS
    for field, pattern in known:
        if field in header.fields and any(pattern.match(value) for value in header.fields[field]):
            return Inbound(InboundKind.AUTO_REPLY, field, needs_body=True)
    answers = bool(header.in_reply_to or header.references)
    away = (answers or null_return_path(header)) and signs.AWAY_SUBJECT.match(_opening(header))
    if away or signs.AUTO_SUBJECT.match(_opening(header)):
        return Inbound(InboundKind.AUTO_REPLY, "subject", needs_body=True)
    if "x-auto-response-suppress" in header.fields and null_return_path(header):
        return Inbound(InboundKind.AUTO_REPLY, "x-auto-response-suppress and null return path", needs_body=True)
    if null_return_path(header) and answers:
        return Inbound(InboundKind.AUTO_REPLY, "null return path", needs_body=True)
    return None


def _bulk(header: Header) -> Inbound | None:
    if "precedence" in header.fields and signs.BULK.match(header.first("precedence")):
        return Inbound(InboundKind.LIST, "precedence")
    for field in signs.LIST_FIELDS:
        if field in header.fields:
            return Inbound(InboundKind.LIST, field)
    return None


def _person(header: Header) -> Inbound:
    if signs.AUTO_GENERATED.match(header.first("auto-submitted")):
        return Inbound(InboundKind.OTHER, "auto-submitted")
    if null_return_path(header):
        return Inbound(InboundKind.OTHER, "null return path", needs_body=True)
    for field in signs.TICKET_FIELDS:
        if field in header.fields:
            return Inbound(InboundKind.OTHER, field)
    if header.from_ is None:
        # Some hosts leave From out (R74): an answer that names what it answers is not lost for that.
        kind = InboundKind.REPLY if header.in_reply_to else InboundKind.OTHER
        return Inbound(kind, "no sender")
    if signs.UNATTENDED.fullmatch(header.from_.address.rpartition("@")[0]):
        return Inbound(InboundKind.OTHER, "from:unattended")
    return Inbound(InboundKind.REPLY, "a person wrote it")
